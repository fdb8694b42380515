"""Random looks for each toolkit: themes, fonts, sizes, colours; nothing that held_out.py names."""

from __future__ import annotations

import subprocess
from functools import lru_cache
from random import Random
from typing import Any

import numpy as np

from . import held_out

_FAMILIES = (
    "DejaVu Sans", "DejaVu Sans", "Cantarell", "Cantarell", "Noto Sans", "Noto Sans", "Liberation Sans", "Liberation Sans", "Roboto", "Roboto", "Inter", "Lato", "Arimo",
    "FreeSans", "Nimbus Sans", "Oxygen", "Karla", "Cabin", "Quicksand", "PT Sans", "Noto Sans Display", "DejaVu Sans Condensed", "Roboto Condensed",
    "DejaVu Serif", "Liberation Serif", "Noto Serif", "Tinos", "Caladea", "Linux Libertine O", "URW Gothic", "URW Bookman", "Comfortaa",
    "DejaVu Sans Mono", "Liberation Mono", "JetBrains Mono", "Fira Code", "Cousine",
)  # fmt: skip
OPENBOX = ("Clearlooks", "Clearlooks", "Clearlooks-3.4", "Clearlooks-Olive", "Artwiz-boxed", "Bear2", "Breeze-ob", "Mikachu", "Natura", "Nightmare", "Numix", "Onyx", "Onyx-Citrus", "Orang", "Syscrash")
GTK3 = ("Adwaita",) * 5 + ("Adwaita-dark", "HighContrast", "Arc", "Arc-Dark", "Arc-Darker", "Arc-Lighter", "Breeze", "Breeze-Dark", "Materia", "Materia-compact", "Materia-dark", "Materia-light", "Numix", "Raleigh")
GTK4 = ("Default",) * 5 + ("Default-dark", "Adwaita", "HighContrast", "Arc", "Arc-Dark", "Materia", "Materia-dark", "Breeze", "Breeze-Dark")
QT = ("Fusion",) * 4 + ("Windows", "Windows", "Adwaita", "Adwaita-Dark", "HighContrast", "cleanlooks", "plastique", "plastique", "cde", "motif")
TK = ("classic", "classic", "default", "default", "clam", "clam", "alt")
BITMAPS = ("fixed", "6x13", "7x13", "7x14", "8x13", "9x15", "-*-helvetica-medium-r-*-*-12-*-*-*-*-*-iso8859-1", "-*-helvetica-medium-r-*-*-14-*-*-*-*-*-iso8859-1", "-*-courier-medium-r-*-*-12-*-*-*-*-*-iso8859-1", "-*-times-medium-r-*-*-14-*-*-*-*-*-iso8859-1")
PAGE_STYLES = ("browser", "browser", "flat", "flat", "round", "material", "dense", "retro", "boxes")
SIZES = ((640, 480),) * 4 + ((800, 600),) * 4 + ((1024, 600), (1024, 768), (1024, 768), (1280, 720), (1280, 800), (960, 720), (720, 540), (1152, 720), (768, 576))


@lru_cache(maxsize=1)
def families() -> list[str]:
    """Of the wanted fonts those that are installed and not held out."""
    installed = subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True, check=True).stdout
    known = {name.strip() for line in installed.splitlines() for name in line.split(",")}
    return [name for name in _FAMILIES if name in known and name not in held_out.FONTS + held_out.RENDERER_FONTS]


def look(rng: Random, toolkit: str, width: int, height: int) -> dict[str, Any]:
    """A theme, a font and, now and then, colours of its own."""
    result: dict[str, Any] = {"font": rng.choice(families()), "size": rng.choice([8, 9, 9, 10, 10, 10, 11, 11, 12, 13])}
    if toolkit in ("gtk3", "gtk4"):
        theme = rng.choice(GTK3 if toolkit == "gtk3" else GTK4)
        result |= {"theme": theme.removesuffix("-dark") if theme.startswith("Default") else theme, "dark": theme == "Default-dark", "css": _gtk_css(rng) if rng.random() < 0.2 else ""}
    elif toolkit == "qt":
        result |= {"theme": rng.choice(QT), "palette": palette(rng) if rng.random() < 0.35 else None}
    elif toolkit == "tk":
        result |= {"theme": rng.choice(TK), "palette": palette(rng) if rng.random() < 0.35 else None}
    elif toolkit == "xaw":
        result |= {"theme": "xaw", "bitmap": rng.choice(BITMAPS), "palette": palette(rng) if rng.random() < 0.5 else None}
    elif toolkit == "chromium":
        result |= _page(rng, width, height)
    return result


def _page(rng: Random, width: int, height: int) -> dict[str, Any]:
    """How a page looks, and where the browser's window lies (it is no smaller than 500 pixels)."""
    white = {"window": "#ffffff", "text": "#1c1c1c", "base": "#ffffff", "button": "#f0f0f0", "accent": _hex([rng.randint(0, 190) for _ in range(3)]), "on_accent": "#ffffff"}
    colours = palette(rng) if rng.random() < 0.45 else white
    dark = int(colours["window"][1:3], 16) < 128
    w, h = (width, height) if rng.random() < 0.4 else (rng.randint(500, width), rng.randint(min(380, height - 60), height - 30))
    return {
        "theme": rng.choice(PAGE_STYLES), "palette": {**colours, "line": "#777777" if dark else rng.choice(["#bbbbbb", "#cccccc", "#999999"])}, "size": rng.randint(12, 18),
        "margin": rng.randint(4, 28), "gap": rng.randint(3, 14), "pad": rng.randint(2, 8), "label": rng.randint(90, 170), "heading": rng.random() < 0.5, "aside": rng.random() < 0.5,
        "own_combos": rng.random() < 0.4, "wrap_labels": rng.random() < 0.6, "scroll": rng.choice([0, 0, 0, 0, 1, rng.random()]),
        "bounds": [rng.randint(0, max(0, width - w)), rng.randint(20, max(20, height - h)), w, min(h, height - 22)],
    }  # fmt: skip


def palette(rng: Random) -> dict[str, str]:
    """Colours that can be told apart: dark on light or light on dark."""
    dark = rng.random() < 0.4
    back = [rng.randint(20, 70) if dark else rng.randint(200, 250) for _ in range(3)]
    tint = rng.randint(-12, 12)
    lift = 1 if rng.random() < 0.6 else -1
    base = [min(255, max(0, part + lift * rng.randint(4, 22))) for part in back]
    accent = [rng.randint(20, 210) for _ in range(3)]
    return {
        "window": _hex(back), "text": _hex([235 + tint // 2] * 3 if dark else [20 + abs(tint)] * 3), "base": _hex(base),
        "button": _hex([min(255, max(0, part + (12 if dark else -10) + tint)) for part in back]), "accent": _hex(accent),
        "on_accent": "#ffffff" if sum(accent) < 400 else "#000000",
    }  # fmt: skip


def _hex(colour: list[int]) -> str:
    return "#" + "".join(f"{min(255, max(0, part)):02x}" for part in colour)


def _gtk_css(rng: Random) -> str:
    colours = palette(rng)
    rules = [
        f"button {{ border-radius: {rng.randint(0, 16)}px; padding: {rng.randint(1, 8)}px {rng.randint(4, 18)}px; }}",
        f"entry {{ border-radius: {rng.randint(0, 12)}px; min-height: {rng.randint(16, 34)}px; }}",
        f"window {{ background-color: {colours['window']}; color: {colours['text']}; }} label {{ color: {colours['text']}; }}",
        f"button {{ background-image: none; background-color: {colours['button']}; color: {colours['text']}; }}",
    ]
    return " ".join(rng.sample(rules, rng.randint(1, 2)) if rng.random() < 0.5 else [rules[2], rules[3]])


def wallpaper(rng: Random, width: int, height: int) -> np.ndarray:
    """H × W × 3: a colour, a gradient, stripes, or soft shapes; all of them pack well without loss."""
    kind = rng.choice(["plain"] * 4 + ["vertical", "horizontal", "stripes", "shapes"])
    first, second = (np.array([rng.randint(0, 255) for _ in range(3)]) for _ in range(2))
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = first
    if kind in ("vertical", "horizontal"):
        share = np.linspace(0, 1, height if kind == "vertical" else width)[:, None]
        ramp = (first + (second - first) * share).astype(np.uint8)
        picture[:] = ramp[:, None] if kind == "vertical" else ramp[None, :]
    elif kind == "stripes":
        step = rng.randint(8, 60)
        picture[(np.add.outer(np.arange(height), np.arange(width) * rng.choice([0, 1])) // step) % 2 == 0] = second
    elif kind == "shapes":
        y, x = np.ogrid[:height, :width]
        for _ in range(rng.randint(2, 5)):
            cx, cy, radius = rng.randint(0, width), rng.randint(0, height), rng.randint(40, 300)
            picture[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = [rng.randint(0, 255) for _ in range(3)]
    return picture
