"""Pictures of failures: the target in green, the wrong click in red, question and answer below."""

from __future__ import annotations

import textwrap
from pathlib import Path

from PIL import Image, ImageDraw

from .statistics import Outcome


def draw(outcomes: list[Outcome], folder: Path, count: int = 10) -> list[str]:
    """Draw `count` failures, taking turns between the lines of the table; the file names."""
    folder.mkdir(parents=True, exist_ok=True)
    waiting: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if not outcome.right and outcome.picture and Path(outcome.picture).exists():
            waiting.setdefault(outcome.line, []).append(outcome)
    chosen: list[Outcome] = []
    while len(chosen) < count and any(waiting.values()):
        for line in waiting.values():
            if line and len(chosen) < count:
                chosen.append(line.pop(len(line) // 2))
    names = []
    for number, outcome in enumerate(chosen):
        name = f"failure-{number + 1:02d}-{outcome.line}.png"
        _picture(outcome).save(folder / name, optimize=True)
        names.append(name)
    return names


def _picture(outcome: Outcome) -> Image.Image:
    with Image.open(outcome.picture) as source:
        screen = source.convert("RGB")
    text = textwrap.wrap(f"asked: {outcome.asked!r}  expected: {outcome.expected}  answered: {outcome.answered!r}", screen.width // 6)[:9]
    result = Image.new("RGB", (screen.width, screen.height + 14 * len(text) + 8), "white")
    result.paste(screen)
    brush = ImageDraw.Draw(result)
    if outcome.box is not None:
        brush.rectangle(outcome.box, outline=(0, 170, 0), width=2)
    if outcome.click is not None:
        x, y = outcome.click
        brush.ellipse((x - 6, y - 6, x + 6, y + 6), outline=(230, 0, 0), width=3)
    for line, words in enumerate(text):
        brush.text((4, screen.height + 4 + 14 * line), words.encode("latin-1", "replace").decode("latin-1"), fill="black")
    return result
