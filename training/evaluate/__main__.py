"""The table of an embedded model's figures on held-out material: `/usr/bin/python3 training/evaluate --model models/tiny`, or `models/hear`.

Needs the Debian packages of training/README.md and `npm run build`. Screens are photographed once into build/training/evaluation. Writes
results.json, table.md and pictures of ten failures to --out.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path
from random import Random

TRAINING = Path(__file__).resolve().parents[1]
sys.path[0] = str(TRAINING)

from PIL import Image  # noqa: E402

from evaluate import episodes, functions, pictures, questions, screens, speech  # noqa: E402
from evaluate.model import Engine, Model, Transformers, about_picture  # noqa: E402
from evaluate.statistics import Outcome, table  # noqa: E402
from screens import store  # noqa: E402

BUILD = TRAINING.parent / "build" / "training" / "evaluation"
PARTS = ("screens", "episodes", "functions")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a model folder: of a model that sees, or of one that hears")
    parser.add_argument("--against", type=Path, help="a second folder, e.g. the 8-bit one of the same model")
    parser.add_argument("--only", choices=PARTS, action="append", help="these parts alone")
    parser.add_argument("--out", type=Path, default=BUILD / "latest")
    parser.add_argument("--variants", type=int, default=6, help="states in which every application is photographed")
    parser.add_argument("--episodes", type=int, default=160)
    parser.add_argument("--episode-variants", type=int, default=30, help="episodes of each of the three variants")
    parser.add_argument("--functions", type=int, default=500)
    parser.add_argument("--sentences", type=int, default=480, help="spoken, each clean, with noise, by telephone and as silence")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--transformers", action="store_true", help="ask transformers instead of our engine; runs no episodes")
    arguments = parser.parse_args()
    runs = {}
    for folder in [arguments.model, *([arguments.against] if arguments.against else [])]:
        runs[f"{folder.parent.name}/{folder.name}"] = measure(folder.resolve(), arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = pictures.draw(next(iter(runs.values())), arguments.out)
    (arguments.out / "results.json").write_text(json.dumps({name: [asdict(outcome) for outcome in outcomes] for name, outcomes in runs.items()}, ensure_ascii=False, indent=1))
    text = table(runs)
    (arguments.out / "table.md").write_text(text + "\n")
    print(text)
    print(f"{arguments.out}: results.json, table.md, {', '.join(names)}")


def measure(folder: Path, arguments: argparse.Namespace) -> list[Outcome]:
    """All wanted parts with one model; a folder of a model that hears has one part."""
    if json.loads((folder / "config.json").read_text())["model_type"] == "whisper":
        return hear(folder, arguments)
    parts = arguments.only or PARTS
    model: Engine | Transformers = Transformers(folder) if arguments.transformers else Engine(folder)
    outcomes: list[Outcome] = []
    try:
        if "screens" in parts:
            outcomes += ask_screens(model, arguments)
        if "episodes" in parts and isinstance(model, Engine):
            trajectories = arguments.out / "trajectories" / folder.name
            shutil.rmtree(trajectories, ignore_errors=True)
            trajectories.mkdir(parents=True, exist_ok=True)
            outcomes += episodes.play(model, arguments.episodes, arguments.episode_variants, arguments.seed, trajectories)
        if "functions" in parts:
            outcomes += functions.ask_all(model, arguments.functions, arguments.seed)
    finally:
        model.close()
    return outcomes


def hear(folder: Path, arguments: argparse.Namespace) -> list[Outcome]:
    """Speech to text."""
    ears: speech.Ears = speech.Transformers(folder) if arguments.transformers else speech.Engine(folder)
    try:
        return speech.listen_all(ears, arguments.sentences, arguments.seed)
    finally:
        ears.close()


def ask_screens(model: Model, arguments: argparse.Namespace) -> list[Outcome]:
    """All questions about the photographed screens, those of one screen in a row (its prefix stays in the engine's cache)."""
    folder = BUILD / f"screens-{arguments.variants}-{arguments.seed}"
    screens.collect(folder, arguments.variants, arguments.seed)
    outcomes: list[Outcome] = []
    started = time.monotonic()
    shuffled = list(enumerate(store.read(folder)))
    Random(arguments.seed).shuffle(shuffled)  # so that a glance at the progress sees all toolkits
    for done, (number, screen) in enumerate(shuffled, 1):
        buffer = io.BytesIO()
        Image.fromarray(screen.image).save(buffer, "PNG", compress_level=1)
        for question in questions.questions(screen, Random(f"{arguments.seed} {number}")):
            answer = model.answer(about_picture(buffer.getvalue(), question.text))
            outcomes.append(questions.ask(screen, question, answer, str(folder / screen.task["picture"])))
        if done % 10 == 0:
            right = ", ".join(f"{line} {sum(o.right for o in outcomes if o.line == line)}/{sum(o.line == line for o in outcomes)}" for line in dict.fromkeys(o.line for o in outcomes))
            print(f"screens: {done} of {len(shuffled)}, {time.monotonic() - started:.0f} s; {right}", file=sys.stderr, flush=True)
    return outcomes


if __name__ == "__main__":
    main()
