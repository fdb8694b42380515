"""A picture that is drawn on, which also keeps where each character and each box state was drawn (for the auxiliary loss)."""

from __future__ import annotations

import string

import numpy as np
from PIL import Image, ImageDraw

from .fonts import Face
from .record import Box

Colour = tuple[int, int, int]

CHARACTERS = string.digits + string.ascii_letters + "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
CHARACTER_CLASS = {character: index + 1 for index, character in enumerate(CHARACTERS)} | {"…": CHARACTERS.index(".") + 1, "’": CHARACTERS.index("'") + 1}
STATE_CLASS = {name: len(CHARACTERS) + 1 + index for index, name in enumerate(("check off", "check on", "radio off", "radio on", "switch off", "switch on"))}
CLASSES = len(CHARACTERS) + 1 + len(STATE_CLASS)
"""Classes of a slot of the map: nothing, a character, or the state of a box. A patch of 16 × 16 pixels has four slots side by side."""
SLOT = 4
PATCH = 16


def grey(level: int) -> Colour:
    """A neutral colour."""
    return level, level, level


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour."""
    return tuple(int(a * (1 - share) + b * share) for a, b in zip(first, second))  # type: ignore[return-value]


def luminance(colour: Colour) -> float:
    """0…255."""
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


def readable(colour: Colour, background: Colour, least: float = 75) -> Colour:
    """`colour` if it stands out from the background, else black or white."""
    if abs(luminance(colour) - luminance(background)) >= least:
        return colour
    return grey(0) if luminance(background) > 128 else grey(255)


class Canvas:
    """Drawing in pixels. Marks are `(class, x, y)` of a character's middle, or `(class, x0, y, x1)` packed as a run of slots."""

    def __init__(self, width: int, height: int, background: Colour | Image.Image) -> None:
        self.width, self.height = width, height
        self.image = background if isinstance(background, Image.Image) else Image.new("RGB", (width, height), background)
        self.pen = ImageDraw.Draw(self.image)
        self.marks: list[tuple[int, float, float]] = []

    def text(self, x: float, middle: float, text: str, face: Face, colour: Colour, smooth: bool = True) -> Box:
        """One line whose height is centred on `middle`; returns its box."""
        top = int(middle - face.height / 2)
        x = int(x)
        self.pen.fontmode = "L" if smooth else "1"
        self.pen.text((x, top), text, font=face.font, fill=colour)
        row = top + face.baseline - face.size * 0.33
        pen = float(x)
        for character in text:
            advance = face.advance(character)
            kind = CHARACTER_CLASS.get(character)
            if kind is not None:
                self.marks.append((kind, pen + advance / 2, row))
            pen += advance
        return x, top, pen, top + face.height

    def state(self, name: str, box: Box) -> None:
        """Mark a check box, radio or switch as being in the state `name` of STATE_CLASS."""
        x0, y0, x1, y1 = box
        x = x0
        while x < x1:
            self.marks.append((STATE_CLASS[name], x, (y0 + y1) / 2))
            x += SLOT

    def box(self, box: Box, fill: Colour | None = None, outline: Colour | None = None, radius: float = 0, width: int = 1) -> None:
        """A rectangle, exclusive of its right and lower edge."""
        x0, y0, x1, y1 = (int(edge) for edge in box)
        x1, y1 = max(x1 - 1, x0), max(y1 - 1, y0)
        radius = min(radius, (x1 - x0) // 2, (y1 - y0) // 2)
        if radius >= 1:
            self.pen.rounded_rectangle((x0, y0, x1, y1), radius, fill=fill, outline=outline, width=width)
        else:
            self.pen.rectangle((x0, y0, x1, y1), fill=fill, outline=outline, width=width)

    def bevel(self, box: Box, light: Colour, dark: Colour, width: int = 1) -> None:
        """Raised when `light` is the lighter colour, sunken the other way round."""
        x0, y0, x1, y1 = (int(edge) for edge in box)
        for inset in range(width):
            left, top, right, bottom = x0 + inset, y0 + inset, x1 - 1 - inset, y1 - 1 - inset
            self.pen.line((left, bottom, left, top, right, top), fill=light)
            self.pen.line((left, bottom, right, bottom, right, top), fill=dark)

    def gradient(self, box: Box, upper: Colour, lower: Colour) -> None:
        """From top to bottom."""
        x0, y0, x1, y1 = (int(edge) for edge in box)
        for y in range(y0, y1):
            self.pen.line((x0, y, x1 - 1, y), fill=mix(upper, lower, (y - y0) / max(1, y1 - y0)))

    def line(self, points: tuple[float, ...], colour: Colour, width: int = 1) -> None:
        """A polyline."""
        self.pen.line(points, fill=colour, width=width)

    def polygon(self, points: tuple[float, ...], colour: Colour, outline: Colour | None = None) -> None:
        """A filled polygon."""
        self.pen.polygon(points, fill=colour, outline=outline)

    def ellipse(self, box: Box, fill: Colour | None, outline: Colour | None = None, width: int = 1) -> None:
        """Inside `box`, exclusive of its right and lower edge."""
        x0, y0, x1, y1 = box
        self.pen.ellipse((x0, y0, x1 - 1, y1 - 1), fill=fill, outline=outline, width=width)

    def paste(self, other: Canvas, x: int, y: int) -> None:
        """Put a canvas over this one; marks below it are gone."""
        right, bottom = x + other.width, y + other.height
        self.marks = [mark for mark in self.marks if not (x <= mark[1] < right and y <= mark[2] < bottom)]
        self.image.paste(other.image, (x, y))
        self.marks += [(kind, mx + x, my + y) for kind, mx, my in other.marks if 0 <= mx < other.width and 0 <= my < other.height]

    def slots(self) -> np.ndarray:
        """The map of classes, (height / 16, width / 4) uint8."""
        rows, columns = self.height // PATCH, self.width // SLOT
        result = np.zeros((rows, columns), np.uint8)
        if self.marks:
            marks = np.array(self.marks, np.float32)
            row, column = (marks[:, 2] // PATCH).astype(int), (marks[:, 1] // SLOT).astype(int)
            inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
            result[row[inside], column[inside]] = marks[inside, 0].astype(np.uint8)
        return result
