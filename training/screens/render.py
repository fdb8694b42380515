"""From a scene to a picture and its record."""

from __future__ import annotations

import copy
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from . import widgets
from .canvas import Canvas, grey, luminance, mix
from .record import Box, Element, Screen, ScrollArea, Window
from .scene import Pane, Part, Popup, Scene, SceneWindow


WALLPAPERS = 24
variant = 0
"""Another set of wallpapers; each process that renders takes its own."""


@lru_cache(maxsize=WALLPAPERS * 6)
def wallpaper(number: int, width: int, height: int) -> Image.Image:
    """A background at this size; eight kinds."""
    rng = np.random.default_rng(number)
    kind = number % 8
    if kind == 0:
        return Image.new("RGB", (width, height), tuple(int(level) for level in rng.integers(0, 256, 3)))
    if kind in (1, 2):
        ends = rng.integers(0, 256, (2, 3))
        share = np.linspace(0, 1, height if kind == 1 else width)
        share = share[:, None, None] if kind == 1 else share[None, :, None]
        field = np.broadcast_to(ends[0] * (1 - share) + ends[1] * share, (height, width, 3))
    elif kind in (3, 4):
        small = rng.integers(0, 256, (int(rng.integers(3, 9)), int(rng.integers(3, 9)), 3), dtype=np.uint8)
        return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    elif kind == 5:
        small = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        field = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR)) * 0.5 + int(rng.integers(0, 100))
    elif kind == 6:
        picture = Image.new("RGB", (width, height), tuple(int(level) for level in rng.integers(0, 256, 3)))
        pen = ImageDraw.Draw(picture)
        for _ in range(40):
            x, y, size = int(rng.integers(0, width)), int(rng.integers(0, height)), int(rng.integers(10, 200))
            colour = tuple(int(level) for level in rng.integers(0, 256, 3))
            (pen.ellipse if rng.random() < 0.5 else pen.rectangle)((x, y, x + size, y + size), fill=colour)
        return picture
    else:
        tile = rng.integers(0, 90, (8, 8, 3)) + rng.integers(0, 160, 3)
        field = np.tile(tile, (height // 8 + 1, width // 8 + 1, 1))[:height, :width]
    return Image.fromarray(np.clip(field, 0, 255).astype(np.uint8))


def _title(canvas: Canvas, window: SceneWindow) -> tuple[int, int, int]:
    look, face = window.look, window.look.face
    assert window.title_bar is not None
    x0, y0, x1, y1 = window.title_bar
    style = look.title_style
    colour = {"accent": look.accent, "gradient": look.accent, "dark": grey(40), "plain": look.background, "grey": mix(look.background, grey(128), 0.3), "openbox": look.title_fill, "headerbar": mix(look.background, grey(0), 0.06)}[style]
    if not window.active and style in ("accent", "gradient", "openbox"):
        colour = mix(colour, grey(170), 0.6)
    canvas.box(window.title_bar, colour)
    if style in ("gradient", "openbox"):
        canvas.gradient(window.title_bar, mix(colour, grey(255), 0.2), mix(colour, grey(0), 0.1))
    ink = grey(255) if luminance(colour) < (140 if style != "openbox" else 190) else grey(0)
    words = mix(ink, colour, 1 - look.title_contrast)
    if not window.active:
        words = mix(words, colour, 0.25)
    if style == "openbox" and not look.title_buttons_left:
        canvas.box((5, 5, 17, y1 - 5), grey(230), (70, 100, 150))
    canvas.text(_title_place(window), (y0 + y1) / 2, window.title, face, words, look.smooth)
    return ink


def _title_place(window: SceneWindow) -> float:
    """Where the title begins, from the window's left edge."""
    look = window.look
    assert window.title_bar is not None
    x0, _, x1, _ = window.title_bar
    width = look.face.width(window.title)
    x = x0 + 8
    if look.title_centred:
        x = max(x, (x0 + x1 - width) / 2)
    elif look.title_buttons_left:
        x = x1 - width - 8
    frames = [part.box for part in window.parts if part.kind == "window_button"]
    if frames:
        leftmost = min(box[0] for box in frames)
        x = max(x, max(box[2] for box in frames) + 6) if look.title_buttons_left else min(x, leftmost - width - 6)
    heads = [part.box[2] for part in window.parts if part.style == "head"]
    if heads:
        x = max(x, max(heads) + 8)
    return max(x, 24) if look.title_style == "openbox" and not look.title_buttons_left else x


def _title_box(scene: Scene, index: int) -> Box | None:
    """Of a title that nothing covers or cuts."""
    window = scene.windows[index]
    if window.title_bar is None or not window.title:
        return None
    x = _title_place(window)
    box = (window.x + x, window.y + window.title_bar[1], window.x + x + window.look.face.width(window.title), window.y + window.title_bar[3])
    ends = min([window.title_bar[2], *(part.box[0] for part in window.parts if part.kind == "window_button" and not window.look.title_buttons_left)])
    covers = [(other.x, other.y, other.x + other.width, other.y + other.height) for other in scene.windows[:index]]
    whole = box[0] >= 0 and box[1] >= 0 and box[2] <= scene.width and box[3] <= scene.height and x >= window.title_bar[0] and box[2] - window.x <= ends
    return box if whole and not any(a < box[2] and box[0] < c and b < box[3] and box[1] < d for a, b, c, d in covers) else None


def _pane(canvas: Canvas, window: SceneWindow, pane: Pane) -> None:
    look = window.look
    x0, y0, x1, y1 = (int(edge) for edge in pane.box)
    inner = Canvas(x1 - x0, y1 - y0, look.entry if pane.style == "list" else look.background)
    for item in pane.decorations:
        shifted = copy.copy(item)
        shifted.box = (item.box[0] - (x0 if pane.style == "page" else 0), item.box[1] - pane.offset, item.box[2] - (x0 if pane.style == "page" else 0), item.box[3] - pane.offset)
        widgets.decoration(inner, shifted, look)
    for part in pane.parts:
        if part.box[3] - pane.offset < -20 or part.box[1] - pane.offset > y1 - y0 + 20:
            continue
        widgets.draw(inner, _shifted(part, 0, -pane.offset), look)
    canvas.paste(inner, x0, y0)
    if pane.style == "list":
        canvas.box((x0 - 1, y0 - 1, x1 + 1, y1 + 1), None, look.border)
    if pane.bar:
        share, place = min(1.0, pane.page / max(1, pane.content)), pane.offset / max(1, pane.content)
        slim = look.family in ("gtk3", "gtk4", "web")
        left = x1 - (7 if slim else 12)
        if not slim:
            canvas.box((left, y0, x1, y1), mix(look.background, grey(128), 0.2))
        height = y1 - y0 - 4
        canvas.box((left + 1, y0 + 2 + height * place, x1 - 1, y0 + 2 + height * min(1, place + share)), mix(look.background, grey(128), 0.65), None, 4 if slim else 0)


def _shifted(part: Part, x: float, y: float) -> Part:
    moved = copy.copy(part)
    for name in ("box", "label_box", "indicator"):
        box = getattr(part, name)
        if box is not None:
            setattr(moved, name, (box[0] + x, box[1] + y, box[2] + x, box[3] + y))
    return moved


def _window(window: SceneWindow) -> Canvas:
    look = window.look
    canvas = Canvas(window.width, window.height, look.background)
    ink = look.text
    if window.menu_bar:
        canvas.box(window.menu_bar, mix(look.background, grey(128), 0.08))
    for item in window.decorations:
        widgets.decoration(canvas, item, look)
    if window.title_bar:
        ink = _title(canvas, window)
    for part in window.parts:
        if part.kind == "window_button":
            widgets.window_button(canvas, part, look, ink)
        elif part.style == "sign":
            canvas.ellipse(part.box, look.accent)
        else:
            widgets.draw(canvas, part, look)
    for pane in window.panes:
        _pane(canvas, window, pane)
    if window.title_bar:
        canvas.box((0, 0, window.width, window.height), None, mix(look.border, grey(0), 0.2))
    return canvas


def _popup(canvas: Canvas, window: SceneWindow, popup: Popup) -> None:
    look = window.look
    x0, y0, x1, y1 = (int(edge) for edge in popup.box)
    inner = Canvas(x1 - x0, y1 - y0, mix(look.background, grey(255), 0.3) if not look.dark else look.background)
    for part in popup.parts:
        if -1 < part.box[3] - popup.offset and part.box[1] - popup.offset < y1 - y0:
            widgets.draw(inner, _shifted(part, 0, -popup.offset), look)
    inner.box((0, 0, x1 - x0, y1 - y0), None, look.border)
    if popup.content > y1 - y0 + 1:
        share, place = (y1 - y0) / popup.content, popup.offset / popup.content
        inner.box((x1 - x0 - 8, 2 + (y1 - y0 - 4) * place, x1 - x0 - 2, 2 + (y1 - y0 - 4) * (place + share)), mix(look.background, grey(128), 0.65))
    canvas.paste(inner, window.x + x0, window.y + y0)


def draw(scene: Scene) -> Canvas:
    """The picture of a scene."""
    canvas = Canvas(scene.width, scene.height, wallpaper(scene.wallpaper % WALLPAPERS + WALLPAPERS * variant, scene.width, scene.height).copy())
    for window in reversed(scene.windows):
        if window.role == "desktop":
            for part in window.parts:
                widgets.draw(canvas, part, window.look)
            continue
        canvas.paste(_window(window), window.x, window.y)
    for window in reversed(scene.windows):
        if window.popup:
            _popup(canvas, window, window.popup)
    return canvas


def _share(box: Box, clip: Box, covers: list[Box]) -> float:
    """Which share of `box` lies inside `clip` and outside every cover, by a grid of points."""
    x0, y0, x1, y1 = box
    if not covers and clip[0] <= x0 and clip[1] <= y0 and clip[2] >= x1 and clip[3] >= y1:
        return 1.0
    seen = 0
    for column in range(7):
        x = x0 + (x1 - x0) * (column + 0.5) / 7
        for row in range(5):
            y = y0 + (y1 - y0) * (row + 0.5) / 5
            if clip[0] <= x < clip[2] and clip[1] <= y < clip[3] and not any(a <= x < c and b <= y < d for a, b, c, d in covers):
                seen += 1
    return seen / 35


def record(scene: Scene) -> Screen:
    """The record of a scene; element `i` of it belongs to `parts(scene)[i]`."""
    return _describe(scene)[0]


def parts(scene: Scene) -> list[Part]:
    """The live parts in the order of the record's elements."""
    return _describe(scene)[1]


def _describe(scene: Scene) -> tuple[Screen, list[Part]]:
    elements: list[Element] = []
    live: list[Part] = []
    areas: list[ScrollArea] = []
    popups = [(window.x + box[0], window.y + box[1], window.x + box[2], window.y + box[3]) for window in scene.windows if window.popup for box in [window.popup.box]]
    covers: list[Box] = list(popups)

    def add(part: Part, index: int, x: float, y: float, clip: Box, hidden_by: list[Box], area: str | None) -> None:
        moved = _shifted(part, x, y)
        moved.window, moved.area = index, area
        moved.visible = _share(moved.box, clip, hidden_by)
        elements.append(moved)
        live.append(part)

    for index, window in enumerate(scene.windows):
        frame: Box = (window.x, window.y, window.x + window.width, window.y + window.height)
        clip: Box = (max(0, frame[0]), max(0, frame[1]), min(scene.width, frame[2]), min(scene.height, frame[3]))
        for part in window.parts:
            if part.style != "sign":
                add(part, index, window.x, window.y, clip, covers, None)
        for pane in window.panes:
            x, y = window.x + (pane.box[0] if pane.style == "list" else 0), window.y + pane.box[1]
            box: Box = (window.x + pane.box[0], y, window.x + pane.box[2], window.y + pane.box[3])
            if pane.furthest > 0:
                areas.append(ScrollArea(pane.id, box, index, position=pane.offset / pane.furthest, page=pane.page / pane.content))
            inner: Box = (max(clip[0], box[0]), max(clip[1], box[1]), min(clip[2], box[2]), min(clip[3], box[3]))
            for part in pane.parts:
                add(part, index, x, y - pane.offset, inner, covers, pane.id if pane.furthest > 0 else None)
        if window.popup:
            px, py = window.x + window.popup.box[0], window.y + window.popup.box[1]
            box = (px, py, window.x + window.popup.box[2], window.y + window.popup.box[3])
            name = None
            if window.popup.content > box[3] - box[1] + 1:
                name = f"popup{index}"
                areas.append(ScrollArea(name, box, index, position=window.popup.offset / (window.popup.content - (box[3] - box[1])), page=(box[3] - box[1]) / window.popup.content))
            for part in window.popup.parts:
                add(part, index, px, py - window.popup.offset, (max(0, box[0]), max(0, box[1]), min(scene.width, box[2]), min(scene.height, box[3])), [], name)
        if window.role != "desktop":
            covers = [*covers, frame]
    windows = [Window(window.title, (window.x, window.y, window.x + window.width, window.y + window.height), window.active, window.role, _title_box(scene, index)) for index, window in enumerate(scene.windows)]  # type: ignore[arg-type]
    return Screen(scene.width, scene.height, windows, elements, areas, source="render", theme=scene.windows[0].look.family if scene.windows else "", seed=scene.seed), live


def render(scene: Scene, size: tuple[int, int] | None = None) -> tuple[Screen, np.ndarray]:
    """The record with its picture, and the map of characters and states; scaled to `size` when the scene has another."""
    canvas = draw(scene)
    screen = record(scene)
    if size is None or size == (scene.width, scene.height):
        screen.image = np.asarray(canvas.image)
        return screen, canvas.slots()
    scale = (size[0] / scene.width, size[1] / scene.height)
    picture = np.asarray(canvas.image.resize(size, Image.Resampling.BICUBIC))
    canvas.marks = [(kind, x * scale[0], y * scale[1]) for kind, x, y in canvas.marks]
    canvas.width, canvas.height = size
    _scale(screen, scale)
    screen.width, screen.height, screen.image = size[0], size[1], picture
    return screen, canvas.slots()


def _scale(screen: Screen, scale: tuple[float, float]) -> None:
    def scaled(box: Box) -> Box:
        return box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1]

    for window in screen.windows:
        window.box = scaled(window.box)
        window.title_box = scaled(window.title_box) if window.title_box else None
    for area in screen.areas:
        area.box = scaled(area.box)
    for element in screen.elements:
        element.box = scaled(element.box)
        element.label_box = scaled(element.label_box) if element.label_box else None
        element.indicator = scaled(element.indicator) if element.indicator else None
