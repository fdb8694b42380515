"""Pictures of real applications as training material: cut, moved and scaled to a training size, with the record moved along."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from . import render
from .canvas import CHARACTERS, PATCH, SLOT, STATE_CLASS
from .record import Box, Screen
from .store import INDEX, read, read_picture, titles_of

UNKNOWN = 255


def moved(screen: Screen, scale: tuple[float, float], shift: tuple[float, float], size: tuple[int, int]) -> Screen:
    """The record after scaling by `scale`, then moving by `shift`, on a picture of `size`; what leaves it becomes less visible."""
    result = copy.deepcopy(screen)
    result.width, result.height = size

    def place(box: Box) -> Box:
        return box[0] * scale[0] + shift[0], box[1] * scale[1] + shift[1], box[2] * scale[0] + shift[0], box[3] * scale[1] + shift[1]

    for window in result.windows:
        window.box = place(window.box)
        if window.title_box is not None:
            x0, y0, x1, y1 = place(window.title_box)
            window.title_box = (x0, y0, x1, y1) if x0 >= 0 and y0 >= 0 and x1 <= size[0] and y1 <= size[1] else None
    for area in result.areas:
        x0, y0, x1, y1 = place(area.box)
        area.box = (max(0, x0), max(0, y0), min(size[0], x1), min(size[1], y1))
    result.areas = [area for area in result.areas if area.box[2] - area.box[0] > 20 and area.box[3] - area.box[1] > 20]
    kept = {area.id for area in result.areas}
    for element in result.elements:
        element.box = place(element.box)
        if element.area not in kept:
            element.area = None
        for name in ("label_box", "indicator"):
            box = getattr(element, name)
            if box is not None:
                setattr(element, name, place(box))
        x0, y0, x1, y1 = element.box
        inside = max(0.0, min(size[0], x1) - max(0, x0)) * max(0.0, min(size[1], y1) - max(0, y0))
        element.visible *= inside / max(1e-6, (x1 - x0) * (y1 - y0))
        label = element.label_box
        if label is not None and not (label[0] >= 0 and label[1] >= 0 and label[2] <= size[0] and label[3] <= size[1]):
            element.visible = min(element.visible, 0.5)
    return result


def slots(screen: Screen, size: tuple[int, int]) -> np.ndarray:
    """The auxiliary map: the states of boxes are known, characters are not."""
    result = np.full((size[1] // PATCH, size[0] // SLOT), UNKNOWN, np.uint8)
    for element in screen.elements:
        box = element.indicator
        if box is None or element.checked is None or element.visible < 0.95 or element.kind not in ("check", "radio", "switch"):
            continue
        row = int((box[1] + box[3]) / 2) // PATCH
        first, last = int(box[0]) // SLOT, int(box[2] - 1) // SLOT
        if 0 <= row < result.shape[0] and 0 <= first and last < result.shape[1]:
            result[row, first : last + 1] = STATE_CLASS[f"{element.kind} {'on' if element.checked else 'off'}"]
    assert len(CHARACTERS) < UNKNOWN
    return result


def by_size(folder: Path, sizes: Sequence[tuple[int, int]]) -> list[list[tuple[Screen, Path]]]:
    """For each training size the screens, of all sets below `folder`, that fill it without losing much; (record, its set's folder)."""
    screens = [(screen, index.parent) for index in sorted(folder.rglob(INDEX)) for screen in read(index.parent, pictures=False)]
    return [[(screen, home) for screen, home in screens if 0.6 * width <= screen.width <= 1.13 * width and 0.6 * height <= screen.height <= 1.13 * height] for width, height in sizes]


def prepared(rng: Random, screen: Screen, folder: Path, size: tuple[int, int]) -> tuple[Screen, np.ndarray]:
    """A real screen at a training size: whole and scaled, or at its own scale cut or on a wallpaper."""
    picture = Image.fromarray(read_picture(folder / screen.task["picture"]))
    screen = retitled(rng, screen, folder, picture)
    width, height = size
    pick = rng.random()
    fits = abs(screen.width / width - 1) <= 0.13 and abs(screen.height / height - 1) <= 0.13
    if fits and pick < 0.55:
        scale = (width / screen.width, height / screen.height)
        shift = (0.0, 0.0)
    elif pick < 0.8:
        factor = rng.uniform(0.88, 1.12)
        scale = (factor, factor * rng.uniform(0.98, 1.02))
        shift = _shift(rng, screen, scale, size)
    else:
        scale = (1.0, 1.0)
        shift = _shift(rng, screen, scale, size)
    if scale != (1.0, 1.0):
        picture = picture.resize((round(screen.width * scale[0]), round(screen.height * scale[1])), Image.Resampling.BICUBIC)
        scale = (picture.width / screen.width, picture.height / screen.height)
    whole = render.wallpaper(rng.randrange(render.WALLPAPERS) + render.WALLPAPERS * render.variant, width, height).copy()
    whole.paste(picture, (int(shift[0]), int(shift[1])))
    result = moved(screen, scale, (int(shift[0]), int(shift[1])), size)
    result.image = np.asarray(whole)
    return result, slots(result, size)


def retitled(rng: Random, screen: Screen, folder: Path, picture: Image.Image) -> Screen:
    """With one of its other titles, drawn into `picture`; a screen is seen so often that a title of its own would be learnt by heart."""
    titles: list[str] = screen.task.get("titles", [])
    number = rng.randrange(-1, len(titles))
    if number < 0:
        return screen
    result = copy.deepcopy(screen)
    window = next(item for item in result.windows if item.active and item.title_box is not None)
    x0, y0, x1, y1 = (int(edge) for edge in window.title_box or ())
    strips = Image.fromarray(read_picture(folder / titles_of(screen.task["picture"])))
    picture.paste(strips.crop((0, number * (y1 - y0), x1 - x0, (number + 1) * (y1 - y0))), (x0, y0))
    for element in result.elements:
        if element.kind == "window_button" and result.windows[element.window] is window:
            element.section = titles[number]
    window.title = titles[number]
    return result


def _shift(rng: Random, screen: Screen, scale: tuple[float, float], size: tuple[int, int]) -> tuple[float, float]:
    """Keeps the active window inside the picture where it fits."""
    window = next((item for item in screen.windows if item.active), screen.windows[0] if screen.windows else None)
    box = window.box if window else (0, 0, screen.width, screen.height)
    result = []
    for axis in (0, 1):
        low, high = box[axis] * scale[axis], box[axis + 2] * scale[axis]
        room = size[axis] - (high - low)
        result.append(rng.uniform(0, room) - low if room > 0 else rng.uniform(room, 0) - low)
    return result[0], result[1]
