"""Makes training screens of real toolkits: `/usr/bin/python3 training/toolkits/harvest.py --out DIR --count N`.

Each round starts one virtual display with one of the sizes and one toolkit's host, and builds scenes on it. A set is continued where it
stands; the same seed and count give the same scenes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from random import Random

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from screens import words  # noqa: E402
from screens.record import Screen, problems  # noqa: E402
from screens.store import Writer  # noqa: E402
from toolkits import looks, self_check  # noqa: E402
from toolkits.channel import Application, ApplicationError  # noqa: E402
from toolkits.compose import TITLE_LETTER, compose  # noqa: E402
from toolkits.display import Display  # noqa: E402
from toolkits.scene import scene  # noqa: E402

HOSTS = Path(__file__).resolve().parent / "hosts"
PYTHON = "/usr/bin/python3"
TOOLKITS = ("gtk3", "tk", "qt", "chromium", "gtk4", "xaw")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--toolkit", choices=TOOLKITS, action="append", help="all unless given")
    parser.add_argument("--count", type=int, default=100, help="screens of each toolkit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, default=30, help="scenes a display")
    parser.add_argument("--check", action="store_true", help="click the middle of an element of every scene and see that it arrives")
    parser.add_argument("--loud", action="store_true", help="show what the hosts complain about")
    arguments = parser.parse_args()
    for toolkit in arguments.toolkit or TOOLKITS:
        harvest(toolkit, arguments)


def harvest(toolkit: str, arguments: argparse.Namespace) -> None:
    writer = Writer(arguments.out / toolkit)
    number = writer.count
    checks = self_check.Tally()
    started, failures = time.monotonic(), 0
    while writer.count < arguments.count and failures < 40:
        rng = Random(f"{arguments.seed} {toolkit} {number} {failures}")
        width, height = rng.choice(looks.SIZES)
        layout = rng.choice(["NLIMC", "NLIMC", "NLC", "CLIM", "LIMC"])
        with Display(width, height, rng.choice(looks.OPENBOX), layout, rng.choice(looks.families()), rng.choice([8, 9, 9, 10, 11])) as display:
            host = Application([PYTHON, str(HOSTS / f"{toolkit}.py")], display.env, quiet=not arguments.loud)
            try:
                for _ in range(min(arguments.round, arguments.count - writer.count)):
                    number += 1
                    screen = one(display, host, toolkit, f"{arguments.seed} {toolkit} {number}")
                    titles = other_titles(Random(f"{arguments.seed} titles {toolkit} {number}"), display, screen)
                    wrong = problems(screen)
                    if wrong or len(screen.elements) < 2:
                        print(f"{toolkit} {number}: {'; '.join(wrong[:3]) or 'almost nothing on it'}", file=sys.stderr)
                        continue
                    writer.add(screen, titles)
                    if arguments.check:
                        self_check.check(display, host, screen, Random(number), checks)
            except ApplicationError as error:
                failures += 1
                print(f"{toolkit} {number}: {error}", file=sys.stderr)
            finally:
                host.close()
    size = sum(path.stat().st_size for path in (arguments.out / toolkit).iterdir())
    print(f"{toolkit}: {writer.count} screens, {size / 1e6:.1f} MB, {time.monotonic() - started:.0f} s; clicks that arrived {checks}", flush=True)


TOUCHED = ("check", "switch", "radio", "tab", "field", "spin", "button")


def one(display: Display, host: Application, toolkit: str, seed: str) -> Screen:
    """Build one scene and record it."""
    rng = Random(seed)
    spec = scene(rng, display.width, display.height)
    spec["look"] = looks.look(rng, toolkit, display.width, display.height)
    display.wallpaper(looks.wallpaper(rng, display.width, display.height))
    display.move_pointer(rng.choice([0, display.width - 1, rng.randrange(display.width)]), rng.choice([display.height - 1, rng.randrange(display.height)]))
    host.ask("build", scene=spec)
    display.still_picture()
    if spec["open"]:
        host.ask("open", **spec["open"])
        display.still_picture()

    def recorded() -> Screen:
        picture = display.still_picture(interval_s=0.05)
        return compose(display, [host.ask("report")], picture, toolkit, f"{spec['look'].get('theme', '')} {spec['look']['font']} {spec['look']['size']}", abs(hash(seed)) % 2**31)

    screen = recorded()
    if spec["open"] or rng.random() > 0.35:
        return screen
    # As an agent sees it that has just clicked something: the focus on it, the pointer over it.
    near = [element for element in screen.elements if element.kind in TOUCHED and element.enabled and element.visible >= 0.9]
    if not near:
        return screen
    left, top, right, bottom = rng.choice(near).box
    display.click(round((left + right) / 2), round((top + bottom) / 2))
    return recorded()


def other_titles(rng: Random, display: Display, screen: Screen, count: int = 10) -> list[tuple[str, np.ndarray]]:
    """Other titles as the window manager writes them into the active window's bar."""
    window = next((item for item in screen.windows if item.active and item.title_box is not None), None)
    if window is None or window.title_box is None:
        return []
    room = (window.title_box[2] - window.title_box[0]) / TITLE_LETTER
    texts = [text for text in (words.title(rng).strip() for _ in range(3 * count)) if 2 < len(text) < room][:count]
    return list(zip(texts, display.titled(window.box, window.title_box, texts, window.title)))


if __name__ == "__main__":
    main()
