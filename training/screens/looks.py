"""How a window looks: colours, metrics and the drawing styles of each widget, in families named after toolkits."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from .canvas import Colour, grey, luminance, mix
from .fonts import BITMAP, BOLD, COMMON, MONO, Face, choose, face

ACCENTS: list[Colour] = [(53, 132, 228), (0, 120, 215), (26, 115, 232), (76, 175, 80), (230, 97, 0), (192, 28, 40), (145, 65, 172), (0, 150, 136), (70, 90, 120), (233, 30, 99), (33, 33, 33), (94, 53, 177), (48, 140, 198), (233, 84, 32), (61, 174, 233)]


@dataclass
class Look:
    """Everything a widget's drawing depends on besides its state."""

    family: str
    dark: bool
    background: Colour
    text: Colour
    entry: Colour
    border: Colour
    accent: Colour
    button: Colour
    font: str
    bold: str
    size: int
    button_style: str = "flat"     # flat bevel motif round gradient accent outline pill plain
    entry_style: str = "box"       # box round bevel underline double filled
    check_style: str = "tick"      # tick cross fill full dot tickfill notch
    check_size: int = 14
    check_bevel: bool = False
    radio_style: str = "circle"    # circle diamond ring filled
    switch_style: str = "pill"     # pill square slim
    title_style: str = "accent"    # accent dark plain gradient grey openbox headerbar
    tab_style: str = "box"         # box underline pill notebook
    slider_style: str = "round"    # round box line
    title_fill: Colour = (139, 170, 218)
    """The bar's colour in the style "openbox"."""
    title_contrast: float = 1.0
    """Between the title and its bar, as a share of what there could be."""
    title_centred: bool = False
    title_buttons_left: bool = False
    radius: int = 4
    padding: int = 6
    gap: int = 8
    row_gap: int = 4
    smooth: bool = True
    caps: bool = False
    square_indicator: bool = True

    @property
    def face(self) -> Face:
        """The window's text."""
        return face(self.font, self.size)

    @property
    def accent_text(self) -> Colour:
        """On the accent colour."""
        return grey(255) if luminance(self.accent) < 150 else grey(0)

    @property
    def dim(self) -> Colour:
        """Disabled text and placeholders."""
        return mix(self.text, self.background, 0.55)

    def plain(self, text: str) -> str:
        """`text` with three full stops where the face has no ellipsis; newer toolkits and these differ in it anyway."""
        return text if self.face.has_ellipsis and self.family not in ("tk", "clam", "default", "alt", "xaw") else text.replace("…", "...")

    def heading(self, more: int) -> Face:
        """Bold and larger."""
        return face(self.bold, self.size + more)


def _jitter(rng: Random, colour: Colour, spread: int) -> Colour:
    return tuple(max(0, min(255, level + rng.randint(-spread, spread))) for level in colour)  # type: ignore[return-value]


def _free(rng: Random, held_out: bool) -> Look:
    """Anything goes."""
    dark = rng.random() < 0.3
    if dark:
        background = rng.choice([grey(30), grey(36), grey(45), (53, 53, 53), (40, 44, 52), (46, 52, 64), grey(18), (30, 30, 46), grey(60), (25, 35, 45)])
        text = rng.choice([grey(255), grey(238), grey(220), grey(200), (216, 222, 233)])
        entry = rng.choice([mix(background, grey(0), 0.3), mix(background, grey(255), 0.08), background])
        border = mix(background, grey(255), rng.uniform(0.15, 0.5))
    else:
        background = rng.choice([grey(255), grey(250), (246, 245, 244), grey(240), (236, 233, 216), (217, 217, 217), (212, 208, 200), (192, 192, 192), (238, 238, 238), (250, 248, 240), (239, 240, 241)])
        text = rng.choice([grey(0), grey(0), grey(30), (46, 52, 54), (33, 37, 41), grey(60), (35, 38, 41)])
        entry = rng.choice([grey(255), grey(255), grey(255), background])
        border = rng.choice([grey(118), grey(160), grey(180), grey(200), (205, 199, 194), grey(0), grey(130)])
    if rng.random() < 0.35:
        background = _jitter(rng, background, 14)
    toward = grey(255) if dark else grey(0)
    accent = rng.choice(ACCENTS) if rng.random() < 0.75 else (rng.randint(0, 220), rng.randint(0, 220), rng.randint(0, 220))
    return Look(
        "free", dark, background, text, entry, border, accent,
        button=rng.choice([background, mix(background, toward, rng.uniform(0.03, 0.16)), grey(255) if not dark else mix(background, grey(255), 0.15)]),
        font=choose(rng, held_out), bold=rng.choice(BOLD), size=rng.choice([10, 11, 11, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 16, 16, 17, 18, 20]),
        button_style=rng.choice(["flat", "flat", "bevel", "bevel", "round", "round", "gradient", "accent", "outline", "motif", "pill", "plain"]),
        entry_style=rng.choice(["box", "box", "box", "round", "bevel", "underline", "double", "filled"]),
        check_style=rng.choice(["tick", "tick", "cross", "fill", "full", "dot", "tickfill", "tickfill", "notch"]),
        check_size=rng.choice([9, 10, 11, 12, 13, 13, 14, 15, 16, 18, 20]), check_bevel=rng.random() < 0.15,
        radio_style=rng.choice(["circle", "circle", "circle", "ring", "filled", "diamond"]), switch_style=rng.choice(["pill", "pill", "square", "slim"]),
        title_style=rng.choice(["accent", "dark", "plain", "gradient", "grey", "openbox", "headerbar"]), tab_style=rng.choice(["box", "underline", "pill", "notebook"]),
        slider_style=rng.choice(["round", "box", "line"]), title_centred=rng.random() < 0.5, title_buttons_left=rng.random() < 0.12,
        title_fill=rng.choice([(139, 170, 218), (139, 170, 218), (110, 145, 200), grey(rng.randint(200, 240)), grey(rng.randint(40, 90)), accent]), title_contrast=rng.choice([1.0, 1.0, rng.uniform(0.4, 1.0)]),
        radius=rng.choice([0, 2, 3, 4, 5, 6, 8]), padding=rng.randint(2, 9), gap=rng.randint(4, 14), row_gap=rng.randint(0, 9), smooth=rng.random() > 0.06,
    )


def _gtk(rng: Random, look: Look, version: int) -> None:
    look.family = f"gtk{version}"
    if version == 3:
        look.background, look.text, look.entry, look.border = ((246, 245, 244), (46, 52, 54), grey(255), (205, 199, 194)) if not look.dark else (grey(53), grey(238), grey(45), grey(27))
        look.button = rng.choice([(246, 245, 244), (250, 249, 248), (240, 238, 236)]) if not look.dark else rng.choice([grey(58), grey(50)])
        look.button_style, look.entry_style, look.radius, look.check_size = rng.choice(["gradient", "round"]), "round", 5, rng.choice([14, 15, 16])
    else:
        look.background, look.text, look.entry, look.border = (grey(250), (46, 46, 46), grey(235), grey(225)) if not look.dark else ((36, 36, 36), grey(255), grey(58), grey(70))
        look.button, look.button_style, look.entry_style = (grey(232) if not look.dark else grey(62)), "plain", "filled"
        look.radius, look.check_size = rng.choice([6, 8, 9]), rng.choice([14, 16, 18])
    look.accent = rng.choice([(53, 132, 228), (53, 132, 228), (233, 84, 32), (48, 140, 198)])
    look.check_style, look.check_bevel, look.radio_style, look.switch_style = "tickfill", False, "filled", "pill"
    look.padding, look.gap, look.tab_style = rng.randint(5, 9), rng.randint(6, 14), rng.choice(["underline", "notebook"])
    look.title_style, look.title_centred, look.slider_style = rng.choice(["headerbar", "headerbar", "openbox", look.title_style]), True, "round"


def _fusion(rng: Random, look: Look) -> None:
    look.family = "fusion"
    look.background, look.text, look.entry, look.border = ((239, 239, 239), grey(0), grey(255), (171, 171, 171)) if not look.dark else ((49, 49, 49), grey(255), grey(42), grey(20))
    look.accent = rng.choice([(48, 140, 198), (48, 140, 198), (61, 174, 233), (42, 130, 218)])
    look.button, look.button_style, look.entry_style, look.radius = mix(look.background, grey(255), 0.5 if not look.dark else 0.08), rng.choice(["gradient", "round", "flat"]), "round", 2
    look.check_style, look.check_size, look.check_bevel, look.radio_style = rng.choice(["tick", "cross", "notch"]), rng.choice([12, 13, 14]), False, "circle"
    look.padding, look.gap, look.row_gap, look.tab_style, look.slider_style = rng.randint(2, 5), rng.randint(4, 8), rng.randint(0, 6), "notebook", rng.choice(["box", "round"])


def _tk(rng: Random, look: Look, theme: str) -> None:
    look.family, look.dark = theme, False
    look.background, look.text, look.entry = ((220, 218, 213) if theme == "clam" else grey(217)), grey(0), grey(255)
    look.border = rng.choice([(158, 154, 145), grey(130), grey(160)])
    look.button = look.background if rng.random() < 0.7 else grey(236)
    look.button_style = rng.choice(["gradient", "flat", "flat"]) if theme == "clam" else rng.choice(["bevel", "bevel", "motif"])
    look.entry_style, look.radius = ("round" if theme == "clam" else "bevel"), 2
    look.check_style = {"tk": "tick", "clam": "cross", "default": "full", "alt": "tick"}[theme]
    look.radio_style = "diamond" if theme == "default" else "circle"
    look.check_bevel, look.check_size = theme != "clam", rng.choice([9, 10, 10, 11, 12])
    if theme == "default" or rng.random() < 0.5:
        look.accent = (74, 105, 132)
    look.padding, look.gap, look.tab_style, look.slider_style, look.title_centred = rng.randint(1, 7), rng.randint(2, 8), "notebook", "box", True
    look.title_style = rng.choice(["openbox", "openbox", look.title_style])


def _xaw(rng: Random, look: Look) -> None:
    look.family, look.dark = "xaw", False
    look.background = rng.choice([grey(255), grey(255), grey(217), (238, 238, 238)])
    look.text, look.entry, look.border, look.button, look.button_style, look.entry_style = grey(0), grey(255), grey(0), look.background, "flat", "box"
    look.radius, look.padding, look.smooth, look.check_style = rng.choice([0, 0, 3]), rng.randint(2, 5), False, rng.choice(["fill", "cross", "full"])
    look.font = rng.choice(BITMAP)
    look.title_style = rng.choice(["openbox", look.title_style])


def _web(rng: Random, look: Look) -> None:
    look.family = "web"
    look.background, look.text, look.entry = (rng.choice([grey(255), grey(250), (248, 249, 250), (245, 247, 250)]), rng.choice([grey(0), (33, 37, 41), (17, 24, 39)]), grey(255)) if not look.dark else (rng.choice([(18, 18, 18), (17, 24, 39), (33, 37, 41)]), grey(235), rng.choice([grey(30), (31, 41, 55)]))
    look.border = rng.choice([(206, 212, 218), grey(118), (209, 213, 219)]) if not look.dark else (75, 85, 99)
    look.accent = rng.choice([(13, 110, 253), (0, 117, 255), (79, 70, 229), (22, 163, 74), (220, 38, 38), (26, 115, 232)])
    look.button_style, look.entry_style, look.check_style = rng.choice(["accent", "round", "flat", "outline", "plain"]), rng.choice(["box", "round", "round"]), rng.choice(["tickfill", "tickfill", "tick"])
    look.button = grey(239) if not look.dark else grey(59)
    look.check_size, look.check_bevel, look.radio_style, look.title_style, look.tab_style = rng.choice([13, 13, 14, 16]), False, rng.choice(["ring", "filled"]), "plain", rng.choice(["underline", "pill"])
    look.padding, look.gap, look.row_gap, look.radius = rng.randint(2, 10), rng.randint(6, 16), rng.randint(2, 12), rng.choice([0, 2, 4, 6, 8])


def _windows(rng: Random, look: Look) -> None:
    look.family, look.dark = "windows", False
    look.background, look.text, look.entry, look.border, look.button = grey(240), grey(0), grey(255), grey(173), grey(225)
    look.accent, look.button_style, look.entry_style, look.check_style, look.check_size = (0, 120, 215), "flat", "box", "tick", 13
    look.radius, look.title_style, look.title_centred, look.tab_style = 0, rng.choice(["plain", "accent"]), False, "notebook"


def make_look(rng: Random, held_out: bool = False) -> Look:
    """A look at random; with `held_out` the faces are those that training never draws."""
    look = _free(rng, held_out)
    family = rng.choices(["free", "gtk3", "gtk4", "fusion", "tk", "clam", "default", "alt", "xaw", "web", "windows"], [34, 10, 9, 10, 5, 4, 2, 2, 3, 15, 4])[0]
    if family == "free":
        return look
    if not held_out and rng.random() < 0.6:
        look.font = rng.choice(COMMON if rng.random() < 0.95 else MONO)
    look.smooth = True
    look.size = rng.choice([10, 11, 12, 13, 13, 13, 14, 14, 15, 16, 17])
    if family in ("gtk3", "gtk4"):
        _gtk(rng, look, int(family[3]))
    elif family == "fusion":
        _fusion(rng, look)
    elif family in ("tk", "clam", "default", "alt"):
        _tk(rng, look, family)
    elif family == "xaw":
        _xaw(rng, look)
        if held_out:
            look.font = choose(rng, True)
    elif family == "web":
        _web(rng, look)
    else:
        _windows(rng, look)
    return look
