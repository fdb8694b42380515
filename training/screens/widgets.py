"""Drawing of widgets: everything but those that hold a value (see inputs.py)."""

from __future__ import annotations

from . import inputs
from .canvas import Canvas, Colour, grey, luminance, mix, readable
from .looks import Look
from .record import Box
from .scene import Decoration, Part


def _caption(canvas: Canvas, box: Box, text: str, look: Look, colour: Colour) -> None:
    face = look.face
    canvas.text((box[0] + box[2] - face.width(text)) / 2, (box[1] + box[3]) / 2, text, face, colour, look.smooth)


def glyph(canvas: Canvas, box: Box, number: int, colour: Colour) -> None:
    """A small abstract picture in the middle of `box`; the same number is the same picture."""
    size = min(box[2] - box[0], box[3] - box[1], 22) * 0.6
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    x0, y0, x1, y1 = x - size / 2, y - size / 2, x + size / 2, y + size / 2
    shape = number % 12
    if shape == 0:
        canvas.line((x0, y, x1, y), colour, 2)
        canvas.line((x, y0, x, y1), colour, 2)
    elif shape == 1:
        canvas.ellipse((x0, y0, x1, y1), None, colour, 2)
        canvas.line((x + size * 0.3, y + size * 0.3, x1 + 2, y1 + 2), colour, 2)
    elif shape == 2:
        for step in (0.1, 0.5, 0.9):
            canvas.line((x0, y0 + size * step, x1, y0 + size * step), colour, 2)
    elif shape == 3:
        canvas.polygon((x0, y0, x1, y, x0, y1), colour)
    elif shape == 4:
        canvas.box((x0, y0, x1, y1), None, colour, 2)
        canvas.line((x0, y0 + size * 0.3, x1, y0 + size * 0.3), colour)
    elif shape == 5:
        canvas.line((x1, y0, x0, y, x1, y1), colour, 2)
    elif shape == 6:
        canvas.line((x0, y0, x1, y, x0, y1), colour, 2)
    elif shape == 7:
        for step in (0.0, 0.4, 0.8):
            canvas.ellipse((x - 2, y0 + size * step, x + 2, y0 + size * step + 4), colour)
    elif shape == 8:
        canvas.polygon((x, y0, x1, y, x + size * 0.3, y, x + size * 0.3, y1, x - size * 0.3, y1, x - size * 0.3, y, x0, y), colour)
    elif shape == 9:
        canvas.box((x0 + 1, y0 + size * 0.3, x1 - 1, y1), colour)
        canvas.line((x0, y0 + size * 0.15, x1, y0 + size * 0.15), colour, 2)
    elif shape == 10:
        canvas.box((x0, y0 + size * 0.15, x1, y1), mix(colour, (230, 180, 60), 0.7))
        canvas.box((x0, y0, x0 + size * 0.5, y0 + size * 0.3), mix(colour, (230, 180, 60), 0.7))
    else:
        canvas.ellipse((x0, y0, x1, y1), colour)


def button(canvas: Canvas, part: Part, look: Look) -> None:
    """Push buttons; `style` is default, suggested, danger, tool, plain or icon."""
    box, style, fill, text = part.box, look.button_style, look.button, look.text
    special = part.style in ("default", "suggested") and style not in ("bevel", "motif")
    if special or style == "accent" and part.style not in ("tool", "icon", "head"):
        fill, text = look.accent, look.accent_text
    if part.style == "danger":
        fill, text = (192, 40, 45), grey(255)
    if not part.enabled:
        fill, text = mix(fill, look.background, 0.6), mix(look.dim, look.background, 0.1)
    elif part.focused and style in ("plain", "round", "gradient", "flat"):
        canvas.box((box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1), None, look.accent, look.radius)
    if part.style in ("tool", "icon", "head") and style in ("flat", "round", "pill", "outline", "plain", "gradient", "accent"):
        if look.radius <= 4:
            canvas.box(box, look.button, None, look.radius)
        else:
            fill = look.background
    elif style == "outline":
        canvas.box(box, fill if special or part.style == "danger" else None, mix(text, look.background, 0.3), look.radius)
        fill = fill if special or part.style == "danger" else look.background
    elif style == "round":
        canvas.box(box, fill, look.border, look.radius)
    elif style == "plain":
        canvas.box(box, fill, None, look.radius)
    elif style == "pill":
        canvas.box(box, fill, look.border, 20)
    elif style == "gradient":
        canvas.box(box, fill, look.border, look.radius)
        canvas.gradient((box[0] + 2, box[1] + 2, box[2] - 2, box[3] - 2), mix(fill, grey(255), 0.25), mix(fill, grey(0), 0.06))
    elif style in ("bevel", "motif"):
        canvas.box(box, fill)
        light, dark = mix(look.background, grey(255), 0.7), mix(look.background, grey(0), 0.45)
        canvas.bevel(box, light, dark, 1 if style == "bevel" else 2)
        if part.style == "default":
            canvas.box((box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1), None, grey(0))
    else:
        canvas.box(box, fill, look.border if style == "flat" else None)
    colour = readable(text, fill) if part.enabled else text
    if part.icon:
        if part.name:
            side = box[3] - box[1]
            glyph(canvas, (box[0] + 2, box[1], box[0] + 2 + side * 0.8, box[3]), part.icon, colour)
            _caption(canvas, (box[0] + side * 0.75, box[1], box[2], box[3]), part.name, look, colour)
        else:
            glyph(canvas, box, part.icon, colour)
    else:
        _caption(canvas, box, part.name, look, colour)


def tab(canvas: Canvas, part: Part, look: Look) -> None:
    """One tab of a notebook."""
    box, style = part.box, look.tab_style
    text = look.text
    if style in ("box", "notebook"):
        canvas.box(box, look.background if part.selected else mix(look.background, grey(128), 0.2), look.border, 3 if style == "notebook" else 0)
        if part.selected:
            canvas.line((box[0], box[1], box[2] - 1, box[1]), look.accent, 2)
    elif style == "pill" and part.selected:
        canvas.box(box, look.accent, None, 8)
        text = look.accent_text
    elif style == "underline":
        canvas.line((box[0], box[3] - 1, box[2], box[3] - 1), look.accent if part.selected else look.border, 2 if part.selected else 1)
        text = look.text if part.selected else mix(look.text, look.background, 0.25)
    _caption(canvas, box, part.name, look, text)


def row(canvas: Canvas, part: Part, look: Look) -> None:
    """A row of a list, tree or table, a cell, or a header."""
    box = part.box
    fill = look.entry
    if part.kind == "header":
        fill = mix(look.background, grey(128), 0.18)
        canvas.box(box, fill, look.border)
    elif part.selected:
        fill = look.accent
        canvas.box(box, fill)
    elif part.shade:
        fill = mix(look.entry, grey(128), 0.08)
        canvas.box(box, fill)
    colour = look.accent_text if part.selected else readable(look.text, fill)
    x, middle = box[0] + 5 + part.level * 16, (box[1] + box[3]) / 2
    if part.kind == "treeitem":
        if part.expanded is not None:
            canvas.polygon((x, middle - 2, x + 8, middle - 2, x + 4, middle + 3) if part.expanded else (x + 2, middle - 4, x + 7, middle, x + 2, middle + 4), colour)
        x += 12
    if part.checked is not None and part.indicator:
        inputs.check_mark(canvas, part, look)
        x = part.indicator[2] + 4
    if part.icon:
        glyph(canvas, (x, box[1], x + 16, box[3]), part.icon, colour)
        x += 19
    canvas.text(x, middle, look.face.fit(part.name, box[2] - x - 2, ellipsis=True), look.face, colour, look.smooth)


def menu_title(canvas: Canvas, part: Part, look: Look) -> None:
    """A title in a menu bar."""
    if part.opened:
        canvas.box(part.box, look.accent)
    _caption(canvas, part.box, part.name, look, look.accent_text if part.opened else look.text)


def menu_item(canvas: Canvas, part: Part, look: Look) -> None:
    """An entry of an open menu or combo; `placeholder` is a key chord at its right end."""
    box = part.box
    colour = look.text if part.enabled else look.dim
    if part.selected:
        canvas.box(box, look.accent)
        colour = look.accent_text
    middle = (box[1] + box[3]) / 2
    if part.checked:
        canvas.line((box[0] + 5, middle, box[0] + 8, middle + 4, box[0] + 14, middle - 5), colour, 2)
    canvas.text(box[0] + (20 if part.style == "menu" else 7), middle, part.name, look.face, colour, look.smooth)
    if part.placeholder:
        canvas.text(box[2] - 8 - look.face.width(part.placeholder), middle, part.placeholder, look.face, mix(colour, look.background, 0.3), look.smooth)


def text(canvas: Canvas, part: Part, look: Look) -> None:
    """Labels, headings and links."""
    colour, used = look.text, look.face
    if part.kind == "heading":
        used = look.heading(part.more)
    elif part.kind == "link":
        colour = (26, 90, 200) if luminance(look.background) > 128 else (120, 170, 255)
        if part.style == "nav":
            colour = look.text
        elif look.radius < 6:
            canvas.line((part.box[0], part.box[3] - 2, part.box[2], part.box[3] - 2), colour)
    elif part.style == "dim" or not part.enabled:
        colour = look.dim
    canvas.text(part.box[0], (part.box[1] + part.box[3]) / 2, part.name, used, colour, look.smooth)


def icon(canvas: Canvas, part: Part, look: Look) -> None:
    """An icon with its name below, as on a desktop."""
    x0, y0, x1, y1 = part.box
    below = y1 - look.face.height - 2
    if part.selected:
        canvas.box(part.box, look.accent, None, 4)
    side = min(x1 - x0, below - y0) - 4
    middle = (x0 + x1) / 2
    tint = ((part.icon * 53) % 200 + 30, (part.icon * 97) % 200 + 30, (part.icon * 31) % 200 + 30)
    canvas.box((middle - side / 2, y0 + 2, middle + side / 2, y0 + 2 + side), tint, mix(tint, grey(0), 0.4), 5)
    glyph(canvas, (middle - side / 2, y0 + 2, middle + side / 2, y0 + 2 + side), part.icon, readable(grey(255), tint, 60))
    width = look.face.width(part.name)
    if part.style == "desktop":
        canvas.text(middle - width / 2 + 1, below + look.face.height / 2 + 2, part.name, look.face, grey(0))
    canvas.text(middle - width / 2, below + look.face.height / 2 + 1, part.name, look.face, grey(255) if part.style == "desktop" else (look.accent_text if part.selected else look.text))


def window_button(canvas: Canvas, part: Part, look: Look, colour: Colour) -> None:
    """Close, maximize and minimize."""
    x, y = (part.box[0] + part.box[2]) / 2, (part.box[1] + part.box[3]) / 2
    half = 4
    if look.title_style == "openbox":
        half = 3
        canvas.box((x - 7, y - 6, x + 7, y + 7), None, (70, 100, 150))
    elif look.title_style == "headerbar" and look.family == "gtk4":
        canvas.ellipse((x - 11, y - 11, x + 12, y + 12), mix(look.background, look.text, 0.1))
    if part.name == "close":
        canvas.line((x - half, y - half, x + half, y + half), colour, 1 + (look.radius > 5))
        canvas.line((x - half, y + half, x + half, y - half), colour, 1 + (look.radius > 5))
    elif part.name == "maximize":
        canvas.box((x - half, y - half, x + half + 1, y + half + 1), None, colour)
    else:
        canvas.line((x - half, y + half - 1, x + half, y + half - 1), colour)


def decoration(canvas: Canvas, item: Decoration, look: Look) -> None:
    """Frames of groups, lines, panels."""
    box = item.box
    if item.style == "frame":
        canvas.box(box, None, mix(look.border, look.background, 0.2), look.radius)
        if item.title:
            width = look.face.width(item.title)
            canvas.box((box[0] + 8, box[1] - 2, box[0] + 16 + width, box[1] + 3), look.background)
    elif item.style == "line":
        canvas.line((box[0], box[1], box[2], box[1]), mix(look.border, look.background, 0.3))
    elif item.style == "panel":
        canvas.box(box, mix(look.background, grey(128), 0.1))
    elif item.style == "accent":
        canvas.box(box, look.accent)
    elif item.style == "card":
        canvas.box(box, mix(look.background, grey(255), 0.6) if not look.dark else mix(look.background, grey(255), 0.06), mix(look.border, look.background, 0.4), look.radius)
    elif item.style == "entry":
        canvas.box(box, look.entry, look.border, 0)


DRAW = {
    "button": button, "tab": tab, "listitem": row, "treeitem": row, "cell": row, "header": row, "menu": menu_title, "menuitem": menu_item,
    "label": text, "heading": text, "link": text, "icon": icon, "field": inputs.field, "spin": inputs.field, "combo": inputs.field,
    "check": inputs.check, "radio": inputs.radio, "switch": inputs.switch, "slider": inputs.slider, "progress": inputs.progress, "task": button,
}


def draw(canvas: Canvas, part: Part, look: Look) -> None:
    """Any widget but window buttons."""
    DRAW[part.kind](canvas, part, look)
