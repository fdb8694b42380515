"""Faces of the pack at pixel sizes, with the widths of characters."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from PIL import ImageFont

from .words import PACK

HELD_OUT = ("Carlito", "Hack", "OpenSans")
"""Families that training never draws with."""

FILES = sorted((PACK / "fonts").glob("*.*")) if (PACK / "fonts").exists() else []
HELD = [str(path) for path in FILES if path.name.startswith(HELD_OUT)]
TRAINING = [str(path) for path in FILES if str(path) not in HELD]
BITMAP = [path for path in TRAINING if path.endswith(".pcf")]


def _named(*stems: str) -> list[str]:
    return [str(path) for path in FILES if path.stem in stems]


COMMON = _named("DejaVuSans", "LiberationSans-Regular", "Cantarell-Regular", "NotoSans-Regular", "Roboto-Regular", "Inter-Regular", "Lato-Regular", "Arimo-Regular", "NimbusSans-Regular", "FreeSans")
BOLD = _named("DejaVuSans-Bold", "LiberationSans-Bold", "Cantarell-Bold", "NotoSans-Bold", "Roboto-Bold", "Inter-SemiBold", "Lato-Bold", "FreeSansBold", "PTS75F")
MONO = _named("DejaVuSansMono", "LiberationMono-Regular", "NotoSansMono-Regular", "JetBrainsMono-Regular", "Cousine-Regular", "mononoki-Regular", "FiraCode-Regular")


class Face:
    """A face at one size. `height` is ascent + descent; `baseline` is the ascent."""

    def __init__(self, path: str, size: int) -> None:
        self.font = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
        ascent, descent = self.font.getmetrics()
        self.size, self.baseline, self.height = size, ascent, ascent + descent
        self._advance: dict[str, float] = {}
        self.has_ellipsis = not path.endswith(".pcf") and self.font.getmask("…").getbbox() != self.font.getmask("\uffff").getbbox()

    def advance(self, character: str) -> float:
        """How far the pen moves."""
        known = self._advance.get(character)
        if known is None:
            known = self._advance[character] = self.font.getlength(character)
        return known

    def width(self, text: str) -> float:
        """Without kerning, as it is drawn."""
        return sum(map(self.advance, text))

    def fit(self, text: str, room: float, ellipsis: bool = False) -> str:
        """The longest beginning of `text` that fits."""
        if self.width(text) <= room:
            return text
        tail = ("…" if self.has_ellipsis else "...") if ellipsis else ""
        while text and self.width(text + tail) > room:
            text = text[:-1]
        return text.rstrip() + tail if text else ""


@lru_cache(maxsize=None)
def face(path: str, size: int) -> Face:
    """A cached face; bitmap fonts come in the one size they have."""
    if not path.endswith(".pcf"):
        return Face(path, size)
    return _bitmap(path)


@lru_cache(maxsize=None)
def _bitmap(path: str) -> Face:
    for size in range(6, 30):
        try:
            return Face(path, size)
        except OSError:
            continue
    raise ValueError(f"no size of {path} can be opened")


def choose(rng: Random, held_out: bool = False) -> str:
    """A face for a window's text."""
    if held_out:
        return rng.choice([path for path in HELD if "Bold" not in path])
    return rng.choice(COMMON) if rng.random() < 0.45 else rng.choice(TRAINING)
