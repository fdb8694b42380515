"""Which mean of several trainings hears best: many of them are tried on the held-out voice, with other texts than those of training/evaluate.

    python -m speech.choose FOLDER FOLDER … --out FOLDER --seconds 120

Sets of folders grow by one folder at a time from the best ones so far. All GPUs take part; the table of what was tried is choice.json beside OUT.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import WhisperConfig

from .average import average, write
from .evaluate import HeldOut, windows
from .features import LogMel
from .network import Network, greedy
from .synthesise import Utterance
from .vocabulary import END, NO_TIMESTAMPS, START, text_of
from .wer import errors, words

TARGETS = {"clean": 0.05, "noise": 0.12}
"""Word errors that are aimed at; a set's score is the mean of its rates, each as a share of its target."""
_CONDITIONS = (*TARGETS, "telephone")
_KINDS = ("command", "spelled", "number")
_SEED = 50
_BATCH = 100
_WIDTH = 8
"""Sets of a size that are grown further."""
Set = tuple[int, ...]


def _spoken(count: int, processes: int) -> list[Utterance]:
    """Commands of the held-out voice, about six in ten of `count` texts."""
    running = [HeldOut(count // processes, _SEED + number) for number in range(processes)]
    made = [utterance for one in running for utterance in one.wait()]
    if any(one.process.returncode != 0 for one in running):
        raise RuntimeError("a process that speaks the texts failed")
    return [utterance for utterance in made if utterance.text.kind in _KINDS]


def _listen(device: str, folders: list[Path], utterances: list[Utterance], asked: Any, told: Any) -> None:
    """A process of one device: takes sets, tells their errors by condition, until it is asked nothing (None)."""
    torch.set_grad_enabled(False)
    torch.set_float32_matmul_precision("high")
    torch.set_num_threads(1 if device != "cpu" else torch.get_num_threads())
    tokenizer = Tokenizer.from_file(str(folders[0] / "tokenizer.json"))
    network = Network(WhisperConfig(**json.loads((folders[0] / "config.json").read_text()))).eval().to(device)
    weights = [load_file(folder / "model.safetensors") for folder in folders]
    mel = LogMel(device)
    batches = []
    for condition in _CONDITIONS:
        for start in range(0, len(utterances), _BATCH):
            part = utterances[start : start + _BATCH]
            batches.append((condition, part, mel(windows(part, condition, start).to(device))))
    while (chosen := asked.get()) is not None:
        network.model.load_state_dict({name: tensor.float() for name, tensor in average([weights[index] for index in chosen]).items()}, strict=False)
        wrong = defaultdict[str, int](int)
        for condition, part, features in batches:
            for utterance, ids in zip(part, greedy(network, network.listen(features), [START, NO_TIMESTAMPS], END, 90)):
                wrong[condition] += errors(words(utterance.text.written), words(text_of(tokenizer, ids)))
        told.put((chosen, dict(wrong)))


def search(count: int, evaluate: Any, until: float) -> dict[Set, dict[str, float]]:
    """Rates of the sets that were tried: each alone, then all together, then the best `_WIDTH` of a size with every other one, until the time is over. `evaluate` takes a list of sets."""
    rates: dict[Set, dict[str, float]] = evaluate([(index,) for index in range(count)])
    rates |= evaluate([tuple(range(count))])
    for size in range(2, count):
        if time.time() > until:
            break
        best = sorted((chosen for chosen in rates if len(chosen) == size - 1), key=lambda chosen: score(rates[chosen]))[:_WIDTH]
        rates |= evaluate(sorted({tuple(sorted({*chosen, index})) for chosen in best for index in range(count) if index not in chosen}))
    return rates


def score(rates: dict[str, float]) -> float:
    """Lower is better; 1 is what is aimed at."""
    return sum(rates[condition] / target for condition, target in TARGETS.items()) / len(TARGETS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="model folders whose trainings began from the same weights")
    parser.add_argument("--out", type=Path, required=True, help="folder of the best mean")
    parser.add_argument("--texts", type=int, default=1200, help="of the held-out voice; six in ten are commands")
    parser.add_argument("--seconds", type=float, default=120, help="no sets of another size are begun after so long")
    options = parser.parse_args()
    started = time.time()
    devices = [f"cuda:{number}" for number in range(torch.cuda.device_count())] or ["cpu"]
    utterances = _spoken(options.texts, 2 * len(devices))
    total = sum(len(words(utterance.text.written)) for utterance in utterances)
    print(f"[{time.time() - started:.0f}] {len(utterances)} commands, {total} words, {len(devices)} devices", flush=True)
    context = multiprocessing.get_context("spawn")
    asked, told = context.Queue(), context.Queue()
    processes = [context.Process(target=_listen, args=(device, options.folders, utterances, asked, told), daemon=True) for device in devices]
    for process in processes:
        process.start()

    def evaluate(sets: list[Set]) -> dict[Set, dict[str, float]]:
        found: dict[Set, dict[str, float]] = {}
        for chosen in sets:
            asked.put(chosen)
        while len(found) < len(sets):
            chosen, wrong = told.get(timeout=600)
            found[chosen] = {condition: count / total for condition, count in wrong.items()}
            line = ", ".join(f"{condition} {rate:.2%}" for condition, rate in found[chosen].items())
            print(f"[{time.time() - started:.0f}] {score(found[chosen]):.3f} {' + '.join(str(options.folders[index]) for index in chosen)}: {line}", flush=True)
        return found

    rates = search(len(options.folders), evaluate, started + options.seconds)
    for _ in processes:
        asked.put(None)
    for process in processes:
        process.join()
    ranked = sorted(rates, key=lambda chosen: score(rates[chosen]))
    write([options.folders[index] for index in ranked[0]], options.out)
    table = [{"folders": [str(options.folders[index]) for index in chosen], "score": score(rates[chosen]), **rates[chosen]} for chosen in ranked]
    (options.out.parent / "choice.json").write_text(json.dumps({"commands": len(utterances), "words": total, "sets": table}, indent=1))
    print(json.dumps(table[0]))


if __name__ == "__main__":
    main()
