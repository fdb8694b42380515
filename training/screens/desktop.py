"""Whole screens: a desktop with windows, task bar, icons and pop-ups at any size."""

from __future__ import annotations

from random import Random

from . import words
from .looks import make_look
from .scene import Part, Scene, SceneWindow
from .windows import content_window, message_dialog, open_menu

SIZES = [(640, 480), (800, 608), (960, 640), (1024, 768), (1280, 704), (1280, 800), (1344, 736), (1024, 608), (1152, 864)]
"""Training sizes, multiples of 32, and what usual screens become in the processor: 1344 × 736 is every large one of 16:9."""

UNEVEN = {(800, 608): (800, 600), (1280, 704): (1280, 720), (1344, 736): (1366, 768), (1024, 608): (1024, 600)}
"""Sizes of real screens, which the processor scales to a training size."""


def _task_bar(rng: Random, width: int, height: int, titles: list[str], used: set[str], held_out: bool) -> SceneWindow:
    look = make_look(rng, held_out)
    high = look.face.height + rng.randint(6, 22)
    bar = SceneWindow("", 0, 0 if rng.random() < 0.3 else height - high, width, high, look, role="taskbar")
    x = 3.0
    for name in [*titles, *(words.words(rng, 1, 2) for _ in range(rng.randint(0, 3)))]:
        wide = look.face.width(name) + 20
        if x + wide > width - 70 or (name.lower() in used and name not in titles):
            continue
        used.add(name.lower())
        bar.parts.append(Part("task", name, (round(x), 2, round(x + wide), high - 2), style="task"))
        x += wide + 4
    clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    bar.parts.append(Part("label", clock, (width - 10 - look.face.width(clock), 0, width - 10, high)))
    return bar


def _desktop_icons(rng: Random, width: int, height: int, used: set[str], held_out: bool) -> SceneWindow:
    look = make_look(rng, held_out)
    look.size = min(look.size, 14)
    desktop = SceneWindow("", 0, 0, width, height, look, role="desktop")
    y = 10
    for name in rng.sample(["Home", "Trash", "Documents", "Downloads", "Computer", "Network", "Pictures", words.filename(rng), words.words(rng, 1, 2)], rng.randint(1, 5)):
        wide = max(64, round(look.face.width(name)) + 8)
        if name.lower() in used or y + 80 > height:
            continue
        used.add(name.lower())
        desktop.parts.append(Part("icon", name, (8, y, 8 + wide, y + 52 + look.face.height), style="desktop", icon=rng.randint(1, 11)))
        y += 70 + look.face.height
    return desktop


def _overlap(first: SceneWindow, second: SceneWindow) -> float:
    wide = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    high = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    return max(0, wide) * max(0, high) / (second.width * second.height)


def make_scene(rng: Random, width: int, height: int, held_out: bool = False, popups: bool = True) -> Scene:
    """A screen of this size. The window that tasks are about is the first one that is not a pop-up."""
    used: set[str] = set()
    windows: list[SceneWindow] = []
    if popups and rng.random() < 0.03:  # every window is closed
        bare = [_task_bar(rng, width, height, [], used, held_out)] if rng.random() < 0.5 else []
        icons = [_desktop_icons(rng, width, height, used, held_out)] if rng.random() < 0.5 else []
        return Scene(width, height, bare + icons, wallpaper=rng.randrange(10 ** 9))
    full = rng.random() < 0.24
    if full:
        main = content_window(rng, width, height, used, held_out, frame=rng.random() < 0.4)
    else:
        wide = rng.randint(220, max(240, min(width - 20, 900 if rng.random() < 0.7 else width)))
        high = rng.randint(130, max(150, min(height - 20, 640)))
        main = content_window(rng, wide, high, used, held_out)
        main.x, main.y = rng.randint(0, width - wide), rng.randint(0, height - high)
    main.active = True
    behind: list[SceneWindow] = []
    if not full:
        for _ in range(rng.choices([0, 1, 2, 3], [50, 28, 15, 7])[0]):
            other = content_window(rng, rng.randint(160, min(520, width)), rng.randint(100, min(420, height)), used, held_out)
            other.x, other.y = rng.randint(-60, width - 100), rng.randint(0, height - 80)
            behind.append(other)
        if rng.random() < 0.3:
            bar = _task_bar(rng, width, height, [window.title for window in [main, *behind] if window.title], used, held_out)
            windows.append(bar)
            low, up = (bar.height, height) if bar.y == 0 else (0, bar.y)
            main.height = min(main.height, up - low) if not main.parts else main.height
            main.y = max(low, min(main.y, up - main.height))
        if behind and rng.random() < 0.12 and 0 < _overlap(behind[0], main) < 0.45:
            windows.append(behind.pop(0))  # in front, covering a part
    if popups and rng.random() < 0.14:
        popup = message_dialog(rng, used, held_out, main.look if rng.random() < 0.6 else None)
        if popup.width < width - 8 and popup.height < height - 8:
            middle_x, middle_y = main.x + main.width // 2, main.y + main.height // 2
            popup.x = max(0, min(width - popup.width, round(middle_x - popup.width / 2 + rng.gauss(0, 40))))
            popup.y = max(0, min(height - popup.height, round(middle_y - popup.height / 2 + rng.gauss(0, 40))))
            popup.active, main.active = True, False
            windows.insert(0, popup)
    windows.append(main)
    windows += behind
    if not full and rng.random() < 0.15:
        windows.append(_desktop_icons(rng, width, height, used, held_out))
    scene = Scene(width, height, windows, wallpaper=rng.randrange(10 ** 9))
    _focus_and_open(rng, scene, main)
    return scene


def main_window(scene: Scene) -> SceneWindow:
    """The window that tasks are about."""
    return next(window for window in scene.windows if window.role == "window" and window.parts and (window.active or not any(other.active for other in scene.windows if other.role == "window"))) if any(window.role == "window" for window in scene.windows) else scene.windows[0]


def _focus_and_open(rng: Random, scene: Scene, main: SceneWindow) -> None:
    entries = [part for part in main.every_part() if part.kind in ("field", "spin", "check", "button") and part.enabled]
    fields = [part for part in entries if part.kind in ("field", "spin")]
    if fields and rng.random() < 0.6:
        part = rng.choice(fields)
        part.focused, part.caret = True, rng.random() < 0.8
        part.all_selected = bool(part.value) and rng.random() < 0.4
    elif entries and rng.random() < 0.3:
        rng.choice(entries).focused = True
    if scene.windows[0].role == "popup":
        return
    owners = [part for part in main.parts if part.kind == "menu" and main.menus.get(part.name)] + [part for part in main.parts if part.kind == "combo" and part.enabled]
    if owners and rng.random() < 0.3:
        open_menu(main, rng.choice(owners), (scene.width, scene.height))
