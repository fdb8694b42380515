"""Windows at random: title bar, menu bar, tool bar, content, buttons; message dialogs; open menus and combo lists."""

from __future__ import annotations

from random import Random

from . import collections, panels, words
from .layout import Flow
from .looks import Look, make_look
from .scene import Decoration, Pane, Part, Popup, SceneWindow

SECTIONS = {
    "form": 34, "check": 16, "radio": 13, "settings": 7, "paragraph": 6, "facts": 5, "heading": 4, "list": 12, "table": 7, "links": 4,
    "buttons": 7, "keypad": 2, "sliders": 5, "cards": 4, "icons": 3, "tabs": 3,
}
ICON_HINTS = {1: "add", 2: "search", 3: "menu", 4: "play", 5: "window", 6: "back", 7: "forward", 8: "more", 9: "up", 10: "delete", 11: "folder"}


def add_section(flow: Flow, kind: str) -> None:
    """One part of a window's content."""
    match kind:
        case "form": flow.form()
        case "check" | "radio": flow.choices(kind)
        case "settings": flow.settings()
        case "paragraph": flow.paragraph()
        case "facts": panels.facts(flow)
        case "heading": flow.heading()
        case "list": collections.listing(flow)
        case "table": collections.table(flow)
        case "links": flow.links()
        case "buttons": flow.buttons()
        case "keypad": panels.keypad(flow)
        case "sliders": panels.sliders(flow)
        case "cards": panels.cards(flow)
        case "icons": collections.icons(flow)
        case "tabs": collections.tabs(flow)


def _title_bar(rng: Random, window: SceneWindow, used: set[str]) -> float:
    """Returns where the content starts."""
    look, face = window.look, window.look.face
    header = look.title_style == "headerbar"
    height = max(18, face.height + rng.randint(2, 10)) if not header else max(32, face.height + rng.randint(14, 22))
    window.title_bar = (0, 0, window.width, height)
    count = rng.choice([1, 3, 3, 2]) if window.role == "window" else 1
    names = ["close", "maximize", "minimize"][:count] if count != 2 else ["close", "minimize"]
    wide = rng.choice([height, height, min(46, height * 2)]) if not header else 32
    for index, name in enumerate(names):
        x = window.width - (index + 1) * wide if not look.title_buttons_left else index * wide
        window.parts.append(Part("window_button", name, (x, 0, x + wide, height), style="frame"))
    if header and not look.title_buttons_left and rng.random() < 0.6:
        flow = Flow(rng, look, used, 8, window.width * 0.3, 0, height)
        x = 8.0
        for _ in range(rng.randint(1, 2)):
            if rng.random() < 0.5:
                number = rng.randint(1, 11)
                side = height - 10
                if ICON_HINTS[number] not in used:
                    used.add(ICON_HINTS[number])
                    window.parts.append(Part("button", "", (round(x), 5, round(x + side), round(5 + side)), style="head", icon=number, hint=ICON_HINTS[number]))
                    x += side + 6
                continue
            name = flow.name("button", 2, window.width * 0.2)
            if name:
                width = face.width(name) + 20
                window.parts.append(Part("button", name, (round(x), 5, round(x + width), round(height - 5)), style="head"))
                x += width + 6
    return height


def _menu_bar(rng: Random, window: SceneWindow, used: set[str], top: float) -> float:
    face = window.look.face
    height = face.height + rng.randint(2, 8)
    x, pad = rng.randint(0, 8), rng.randint(5, 12)
    count = rng.randint(3, 7)
    for name in sorted({words.label(rng, "menu", 1) for _ in range(count)}, key=lambda text: words.MENUS.index(text) if text in words.MENUS else 99):
        width = face.width(name) + 2 * pad
        if name.lower() in used or x + width > window.width:
            continue
        used.add(name.lower())
        window.parts.append(Part("menu", name, (round(x), round(top), round(x + width), round(top + height))))
        window.menus[name] = [item for item in dict.fromkeys(window.look.plain(words.label(rng, "menuitem", 3)) for _ in range(rng.randint(3, 12))) if item.lower() not in used]
        used.update(item.lower() for item in window.menus[name])
        x += round(width)
    window.menu_bar = (0, top, window.width, top + height)
    return top + height


def _tool_bar(rng: Random, window: SceneWindow, used: set[str], top: float) -> float:
    look, face = window.look, window.look.face
    height = face.height + 2 * max(3, look.padding)
    flow = Flow(rng, look, used, 4, window.width - 4, top, top + height)
    pictures = rng.random() < 0.4
    x = 4.0
    for _ in range(rng.randint(2, 8)):
        if pictures and rng.random() < 0.7:
            number = rng.randint(1, 11)
            if ICON_HINTS[number] in used:
                continue
            used.add(ICON_HINTS[number])
            part = Part("button", "", (round(x), round(top + 3), round(x + height), round(top + 3 + height)), style="icon", icon=number, hint=ICON_HINTS[number])
        else:
            name = flow.name("button", 2, 120)
            icon = rng.randint(1, 11) if pictures else 0
            width = face.width(name or "") + 2 * look.padding + 4 + (height * 0.7 if icon else 0)
            if not name:
                continue
            part = Part("button", name, (round(x), round(top + 3), round(x + width), round(top + 3 + height)), style="tool", icon=icon)
        if part.box[2] > window.width - 4:
            break
        window.parts.append(part)
        x = part.box[2] + rng.choice([0, 2, 4, 8])
    return top + height + 6


def _status_bar(rng: Random, window: SceneWindow) -> float:
    face = window.look.face
    top = window.height - face.height - 6
    window.decorations.append(Decoration((0, top, window.width, window.height), "panel"))
    text = face.fit(rng.choice(["Ready", "Done", f"{rng.randint(1, 999)} items", f"Line {rng.randint(1, 99)}, column {rng.randint(1, 80)}", words.sentence(rng, 2, 5), "Connected", "Not saved", "1 error"]), window.width - 20)
    window.parts.append(Part("label", text, (6, top, 6 + face.width(text), window.height), section="status bar"))
    return top


def content_window(rng: Random, width: int, height: int, used: set[str], held_out: bool = False, frame: bool = True, look: Look | None = None) -> SceneWindow:
    """A window of an application, filled at random; the names in `used` are not used again."""
    look = look or make_look(rng, held_out)
    window = SceneWindow("", 0, 0, width, height, look)
    top = 0.0
    if frame:
        window.title = look.face.fit(words.title(rng), width - 150) or "A"
        top = _title_bar(rng, window, used)
    if rng.random() < 0.24 and height > 150:
        top = _menu_bar(rng, window, used, top)
    if rng.random() < 0.18 and height > 180:
        top = _tool_bar(rng, window, used, top)
    bottom = _status_bar(rng, window) if rng.random() < 0.14 and height > 160 else float(height)
    margin = rng.randint(5, 24)
    left, right = margin, width - margin
    if rng.random() < 0.1 and width > 340:
        side = Flow(rng, look, used, 0, rng.randint(110, 180), top, bottom)
        window.decorations.append(Decoration((0, top, side.right, bottom), "panel"))
        collections.sidebar(side)
        window.parts += side.parts
        left = side.right + margin
    if rng.random() < 0.13:
        flow = Flow(rng, look, used, left, right, top + 4, bottom)
        collections.tabs(flow)
        window.parts += flow.parts
        window.decorations += flow.decorations
        top = flow.y
    top += rng.randint(4, 16)
    footer = rng.random() < 0.8 and bottom - top > 100
    limit = bottom - 6
    if footer:
        limit = bottom - (look.face.height + 2 * look.padding + rng.randint(8, 16))
        flow = Flow(rng, look, used, left, right, limit + 3, bottom)
        flow.buttons(rng.choice([1, 2, 2, 2, 3, 3, 4]), rng.choice(["right", "right", "right", "centre", "left"]))
        window.parts += flow.parts
    if limit - top < 30:
        return window
    page = rng.random() < 0.12 and limit - top > 120
    if page:
        _page(rng, window, look, used, left, right, top, limit)
        return window
    _fill(rng, window, look, used, left, right, top, limit, rng.random() < 0.14 and right - left > 420)
    return window


def _sections(rng: Random) -> list[str]:
    return rng.choices(list(SECTIONS), list(SECTIONS.values()), k=rng.randint(2, 7))


def _fill(rng: Random, window: SceneWindow, look: Look, used: set[str], left: float, right: float, top: float, limit: float, two: bool) -> None:
    columns = [(left, (left + right) / 2 - 10), ((left + right) / 2 + 10, right)] if two else [(left, right)]
    for x0, x1 in columns:
        flow = Flow(rng, look, used, x0, x1, top, limit)
        for kind in _sections(rng):
            add_section(flow, kind)
            flow.y += rng.randint(2, 14)
        window.parts += flow.parts
        window.panes += flow.panes
        window.decorations += flow.decorations


def _page(rng: Random, window: SceneWindow, look: Look, used: set[str], left: float, right: float, top: float, limit: float) -> None:
    """Content taller than the window, as on a web page."""
    flow = Flow(rng, look, used, left, right - 14, 6, (limit - top) * rng.uniform(1.3, 2.4))
    for kind in [*_sections(rng), *_sections(rng)]:
        if kind not in ("list", "table", "icons"):
            add_section(flow, kind)
            flow.y += rng.randint(2, 14)
    pane = Pane(f"page{rng.random():.6f}", (0, round(top), window.width, round(limit)), flow.parts, flow.y + 6, style="page", bar=flow.y + 6 > limit - top, decorations=flow.decorations)
    if rng.random() < 0.35:
        pane.offset = rng.choice([pane.furthest, rng.uniform(0, pane.furthest)])
    window.panes.append(pane)


def message_dialog(rng: Random, used: set[str], held_out: bool = False, look: Look | None = None) -> SceneWindow:
    """A small dialog that nobody asked for."""
    look = look or make_look(rng, held_out)
    face = look.face
    lines = [rng.choice(words.MESSAGES) if rng.random() < 0.6 else words.sentence(rng, 3, 8)]
    if rng.random() < 0.4:
        lines.append(words.sentence(rng, 2, 7))
    lines = [face.fit(line, 400) for line in lines]
    choices = rng.choice([["OK"], ["OK"], ["Close"], ["Cancel", "OK"], ["No", "Yes"], ["Later", "Update"], ["Not now", "Install"], ["Dismiss"], ["Got it"], ["Cancel", "Retry"], ["Skip", "Next"], ["Close", "Details"], ["No thanks", "Subscribe"], []])
    choices = [choice for choice in choices if choice.lower() not in used]
    used.update(choice.lower() for choice in choices)
    used.update(line.lower() for line in lines)
    icon = rng.random() < 0.4
    widths = [face.width(choice) + 2 * look.padding + 16 for choice in choices]
    width = round(max([face.width(line) for line in lines] + [sum(widths) + 8 * len(widths), 150]) + 40 + (40 if icon else 0))
    height = round((face.height + 4) * len(lines) + 60 + face.height + 2 * look.padding + (34 if look.title_style == "headerbar" else face.height))
    window = SceneWindow(face.fit(words.label(rng, "title", 3) if rng.random() < 0.6 else rng.choice(["Warning", "Information", "Error", "Question", "Update", "Notice", "Message"]), width - 60), 0, 0, width, height, look, role="popup")
    top = _title_bar(rng, window, set(used)) + 14
    window.parts = [part for part in window.parts if part.kind == "window_button"]
    x = 20 + (40 if icon else 0)
    if icon:
        window.parts.append(Part("label", "", (12, top, 44, top + 32), style="sign"))
    for line in lines:
        window.parts.append(Part("label", line, (x, top, x + face.width(line), top + face.height)))
        top += face.height + 4
    at = width - 14.0
    if rng.random() < 0.3:
        at = (width + sum(widths) + 8 * len(widths)) / 2
    for choice, wide in reversed(list(zip(choices, widths))):
        window.parts.append(Part("button", choice, (round(at - wide), round(height - 12 - face.height - 2 * look.padding), round(at), height - 12), style="default" if choice == choices[-1] else ""))
        at -= wide + 8
    return window


def open_menu(window: SceneWindow, part: Part, room: tuple[int, int]) -> None:
    """Open a menu of the menu bar or the list of a combo; `room` is the desktop's size."""
    look, face = window.look, window.look.face
    box = next(((b[0], b[1] - pane.offset + pane.box[1], b[2], b[3] - pane.offset + pane.box[1]) for pane in window.panes for p in pane.parts if p is part for b in [p.box]), part.box)
    row = face.height + (4 if look.family in ("tk", "fusion", "windows", "xaw") else max(4, look.padding))
    names = window.menus.get(part.name, []) if part.kind == "menu" else part.options
    chords = {name: f"Ctrl+{name[0].upper()}" for index, name in enumerate(names) if index % 3 == len(part.name) % 3} if part.kind == "menu" else {}
    width = max([face.width(name) for name in names] + [40]) + (20 + 30 + (60 if chords else 0) if part.kind == "menu" else 20)
    width = max(width, box[2] - box[0]) if part.kind == "combo" else width
    shown = max(1, min(len(names), 10, int((room[1] - 8) // row)))
    top = box[3]
    if window.y + top + shown * row > room[1]:
        top = max(-window.y, box[1] - shown * row) if part.kind == "combo" else max(-window.y, room[1] - window.y - shown * row - 2)
    left = min(box[0], room[0] - window.x - width - 2)
    parts = []
    for index, name in enumerate(names):
        y = index * row
        parts.append(Part("menuitem", name, (0, y, round(width), y + row), style="menu" if part.kind == "menu" else "combo", placeholder=chords.get(name), section=part.name, group=part.name, selected=part.kind == "combo" and name == part.value, row=index))
    window.popup = Popup(part, (round(left), round(top), round(left + width), round(top + shown * row)), parts, 0, len(names) * row)
    part.opened = True


def close_menu(window: SceneWindow) -> None:
    """Close what `open_menu` opened."""
    if window.popup:
        window.popup.owner.opened = False
        window.popup = None
