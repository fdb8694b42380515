"""Sets of screens on disk: one lossless .webp a screen and one line of `screens.jsonl` each, in one folder.

A screen may have other titles: `task["titles"]` names them, and `NUMBER-titles.webp` shows the active window's `title_box` with each, one below the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from .record import Screen, from_json, to_json

INDEX = "screens.jsonl"


class Writer:
    """Appends screens to a folder. The picture is named by a running number; a folder that exists is continued."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        index = folder / INDEX
        self.count = len(index.read_text().splitlines()) if index.exists() else 0

    def add(self, screen: Screen, titles: Sequence[tuple[str, np.ndarray]] = ()) -> str:
        """Write one screen with its picture, and the active window's title box with other titles; return the picture's file name."""
        if screen.image is None:
            raise ValueError("expected a screen with its picture, got image=None")
        name = f"{self.count:05d}.webp"
        Image.fromarray(screen.image).save(self.folder / name, lossless=True, quality=80, method=4)
        if titles:
            screen.task["titles"] = [text for text, _ in titles]
            Image.fromarray(np.concatenate([strip for _, strip in titles])).save(self.folder / titles_of(name), lossless=True, quality=80, method=4)
        with (self.folder / INDEX).open("a") as index:
            index.write(json.dumps({"picture": name, **to_json(screen)}, ensure_ascii=False) + "\n")
        self.count += 1
        return name


def titles_of(name: str) -> str:
    """The file with the other titles of the screen in this file."""
    return name.replace(".webp", "-titles.webp")


def read_picture(path: Path) -> np.ndarray:
    """H × W × 3, uint8."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def read(folder: Path, pictures: bool = True) -> Iterator[Screen]:
    """The screens of a folder in order; without pictures `image` stays None and `task["picture"]` names the file."""
    for line in (folder / INDEX).read_text().splitlines():
        data = json.loads(line)
        screen = from_json(data)
        screen.task["picture"] = data["picture"]
        if pictures:
            screen.image = read_picture(folder / data["picture"])
        yield screen
