"""Screenshots of the held-out applications in random states, with their records."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from screens.record import Screen
from screens.store import Writer
from toolkits import held_out, looks
from toolkits.channel import Application, ApplicationError
from toolkits.compose import TITLE_LETTER, compose
from toolkits.display import Display

from . import values

FOLDER = Path(__file__).resolve().parents[1] / "toolkits" / "applications"
PYTHON = "/usr/bin/python3"
NAMES = {
    "gtk": ("contact", "printing", "properties", "sound", "mail", "workout"), "qt": ("preferences", "invoice", "cottage", "chores", "tunnel", "observation"),
    "tk": ("recipe", "alarm", "library", "expenses", "player", "garden"), "web": ("checkout", "enrol", "ticket", "ferry", "museum"),
}  # fmt: skip
TALL = ("sound", "cottage")
_THEMES = {"gtk": held_out.GTK_THEMES[:3] + ("Adwaita", "Adwaita"), "qt": ("Fusion", "Windows", "Adwaita"), "tk": ("clam", "alt", "default", "classic"), "web": ("",)}
_SIZES = ((640, 480), (640, 480), (640, 480), (800, 600), (800, 600), (1024, 768), (1280, 720), (1280, 800))


@dataclass
class Running:
    """An application on a display of its own."""

    kit: str
    name: str
    display: Display
    application: Application

    def screen(self) -> Screen:
        self.display.still_picture()
        picture = self.display.still_picture(interval_s=0.15)
        return compose(self.display, [self.application.ask("report")], picture, self.kit, self.name, 0)


@contextmanager
def running(kit: str, name: str, rng: Random) -> Iterator[Running]:
    """Start an application with a held-out font, a theme that is often held out, on a screen of one of the sizes."""
    size = rng.choice([size for size in _SIZES if size[1] >= 600] if name in TALL else _SIZES)
    with Display(*size, theme=rng.choice(["Clearlooks", "Greybird", "Clearlooks", "Numix"])) as display:
        look: dict[str, Any] = {"theme": rng.choice(_THEMES[kit]), "font": rng.choice(held_out.FONTS), "size": rng.choice([9, 10, 10, 11])}
        look["bounds"] = [0, 24, 640, size[1] - 24] if size[0] == 640 else [rng.randint(0, size[0] - 640), rng.randint(24, 60), 640, size[1] - 90]
        look["app"] = rng.random() < 0.7 or kit != "web"
        display.wallpaper(looks.wallpaper(rng, *size))
        display.move_pointer(size[0] - 1, size[1] - 1)
        application = Application([PYTHON, str(FOLDER / f"{kit}.py"), name, json.dumps(look)], display.env)
        try:
            application.ask("controls", timeout_s=60)
            display.still_picture(interval_s=0.25)
            yield Running(kit, name, display, application)
        finally:
            application.close()


def retitle(rng: Random, display: Display, screen: Screen) -> None:
    """Another title for the window, as the window manager writes it: an application has but one, and one that is read wrong counts once a state."""
    window = screen.windows[0]
    if len(screen.windows) > 1 or window.title_box is None:
        return
    x0, y0, x1, y1 = (int(edge) for edge in window.title_box)
    text = next((text for text in (values.title(rng) for _ in range(20)) if len(text) * TITLE_LETTER < x1 - x0), window.title)
    for strip in display.titled(window.box, window.title_box, [text], window.title):
        assert screen.image is not None
        screen.image = screen.image.copy()
        screen.image[y0:y1, x0:x1] = strip
        window.title = text


def fill(rng: Random, controls: list[dict[str, Any]], share: float) -> dict[str, Any]:
    """Values for a share of the controls, by name."""
    result: dict[str, Any] = {}
    for control in controls:
        if rng.random() > share:
            continue
        if control["kind"] == "field":
            result[control["name"]] = values.value(rng)
        elif control["kind"] == "check":
            result[control["name"]] = rng.random() < 0.5
        elif control["kind"] in ("radio", "combo", "list"):
            result[control["name"]] = rng.choice(control["options"])
    return result


def collect(folder: Path, variants: int, seed: int) -> None:
    """Photograph every application in so many states, from the second on with other titles; a folder that is complete is left alone."""
    done = folder / f"complete-{variants}-{seed}"
    if done.exists():
        return
    writer = Writer(folder)
    if writer.count:
        raise SystemExit(f"Expected {folder} to be absent or complete; remove it and start again.")
    for kit, names in NAMES.items():
        for name in names:
            for variant in range(variants):
                rng = Random(f"{seed} {kit} {name} {variant}")
                try:
                    with running(kit, name, rng) as app:
                        app.application.ask("assign", values=fill(rng, app.application.ask("controls"), 0.7))
                        screen = app.screen()
                        if variant > 0:
                            retitle(rng, app.display, screen)
                        writer.add(screen)
                except ApplicationError as error:
                    print(f"{kit} {name}: {error}", file=sys.stderr)
    done.touch()
