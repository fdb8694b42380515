"""Drawing of widgets that hold a value: fields, combos, check boxes, radios, switches, sliders, progress bars."""

from __future__ import annotations

from .canvas import Canvas, grey, mix, readable
from .looks import Look
from .record import Box
from .scene import Part


def _frame(canvas: Canvas, part: Part, look: Look, fill: tuple[int, int, int]) -> None:
    box, style = part.box, look.entry_style
    edge = look.accent if part.focused else look.border
    width = 2 if part.focused else 1
    if part.kind == "combo" and not part.editable and look.button_style in ("bevel", "motif"):
        canvas.box(box, fill)
        canvas.bevel(box, mix(look.background, grey(255), 0.7), mix(look.background, grey(0), 0.45))
    elif style == "round":
        canvas.box(box, fill, edge, look.radius, width)
    elif style == "filled":
        canvas.box(box, fill, edge if part.focused else None, look.radius, 2)
    elif style == "bevel":
        canvas.box(box, fill)
        canvas.bevel(box, mix(look.background, grey(0), 0.45), mix(look.background, grey(255), 0.7))
        if part.focused:
            canvas.box(box, None, look.accent)
    elif style == "underline":
        canvas.box(box, fill)
        canvas.line((box[0], box[3] - 1, box[2] - 1, box[3] - 1), edge, width)
    else:
        canvas.box(box, fill, edge, 0, 2 if part.focused or style == "double" else 1)


def field(canvas: Canvas, part: Part, look: Look) -> None:
    """Text fields, number fields and closed combos, with their label."""
    face = look.face
    if part.label_box:
        shown = part.shown_name if part.shown_name is not None else part.name
        colour = look.text if part.enabled else look.dim
        canvas.text(part.label_box[0], (part.label_box[1] + part.label_box[3]) / 2, shown, face, colour, look.smooth)
    closed_combo = part.kind == "combo" and not part.editable
    fill = look.button if closed_combo else look.entry
    if not part.enabled:
        fill = mix(fill, look.background, 0.7)
    _frame(canvas, part, look, fill)
    box = part.box
    inset = max(3, min(8, look.padding))
    right = box[2] - (22 if part.kind == "combo" else 40 if part.style == "spin-wide" else 16 if part.kind == "spin" else 3)
    ink = readable(look.text, fill) if part.enabled else mix(look.text, fill, 0.5)
    value = "•" * len(part.value or "") if part.password else part.value or ""
    x, middle = box[0] + inset, (box[1] + box[3]) / 2
    if part.multiline:
        _paragraph(canvas, value, (x, box[1] + 3, right, box[3] - 3), look, ink)
    elif value:
        while value and face.width(value) > right - x:
            value = value[1:] if part.focused else value[:-1]
        width = face.width(value)
        if part.all_selected:
            canvas.box((x - 1, middle - face.height / 2, x + width + 1, middle + face.height / 2), look.accent)
            ink = look.accent_text
        canvas.text(x, middle, value, face, ink, look.smooth)
        if part.focused and part.caret and not part.all_selected and part.kind != "combo":
            canvas.line((x + width + 1, middle - face.size * 0.6, x + width + 1, middle + face.size * 0.5), ink)
    else:
        if part.placeholder:
            canvas.text(x, middle, face.fit(part.placeholder, right - x), face, mix(ink, fill, 0.55), look.smooth)
        if part.focused and part.caret and part.kind != "combo":
            canvas.line((x, middle - face.size * 0.6, x, middle + face.size * 0.5), ink)
    if part.kind == "combo":
        _arrow(canvas, box, look, ink)
    elif part.kind == "spin":
        _steps(canvas, part, look, ink)


def _paragraph(canvas: Canvas, value: str, box: Box, look: Look, ink: tuple[int, int, int]) -> None:
    face = look.face
    y = box[1] + face.height / 2
    line = ""
    for word in [*value.split(" "), None]:  # type: ignore[list-item]
        if word is not None and face.width(f"{line} {word}") <= box[2] - box[0]:
            line = f"{line} {word}" if line else word
            continue
        if y + face.height / 2 > box[3] + 2:
            return
        canvas.text(box[0], y, line, face, ink, look.smooth)
        y += face.height
        line = word or ""


def _arrow(canvas: Canvas, box: Box, look: Look, ink: tuple[int, int, int]) -> None:
    x, middle = box[2] - 11, (box[1] + box[3]) / 2
    if look.family in ("gtk4", "web", "windows"):
        canvas.line((x - 4, middle - 2, x, middle + 2, x + 4, middle - 2), ink, 2 if look.family == "gtk4" else 1)
    else:
        canvas.polygon((x - 4, middle - 2, x + 4, middle - 2, x, middle + 3), ink)
    if look.entry_style == "box" and look.family != "web":
        canvas.line((box[2] - 22, box[1], box[2] - 22, box[3] - 1), look.border)


def _steps(canvas: Canvas, part: Part, look: Look, ink: tuple[int, int, int]) -> None:
    x0, y0, x1, y1 = part.box
    middle = (y0 + y1) / 2
    if part.style == "spin-wide":
        canvas.line((x1 - 40, y0, x1 - 40, y1 - 1), look.border)
        canvas.line((x1 - 20, y0, x1 - 20, y1 - 1), look.border)
        canvas.line((x1 - 34, middle, x1 - 26, middle), ink, 2)
        canvas.line((x1 - 14, middle, x1 - 6, middle), ink, 2)
        canvas.line((x1 - 10, middle - 4, x1 - 10, middle + 4), ink, 2)
        return
    x = x1 - 8
    canvas.line((x1 - 15, y0, x1 - 15, y1 - 1), look.border)
    canvas.polygon((x - 3, middle - 3, x + 3, middle - 3, x, middle - 7), ink)
    canvas.polygon((x - 3, middle + 3, x + 3, middle + 3, x, middle + 7), ink)


def check_mark(canvas: Canvas, part: Part, look: Look) -> None:
    """The box of a check box."""
    assert part.indicator is not None
    box, style, on = part.indicator, look.check_style, bool(part.checked)
    fill = look.entry
    ink = readable(look.text, fill)
    edge = look.border if part.enabled else mix(look.border, look.background, 0.4)
    if on and style in ("fill", "tickfill", "full"):
        fill, ink = look.accent, look.accent_text
        if style != "full":
            edge = look.accent
    if not part.enabled:
        fill, ink = mix(fill, look.background, 0.6), mix(ink, look.background, 0.4)
    canvas.box(box, fill, edge, 2 if look.radius > 3 and not look.check_bevel else 0)
    if look.check_bevel:
        canvas.bevel(box, mix(look.background, grey(0), 0.45), mix(look.background, grey(255), 0.7))
    x0, y0, size = box[0], box[1], box[2] - box[0] - 1
    if on and style in ("tick", "tickfill"):
        canvas.line((x0 + size * 0.2, y0 + size * 0.5, x0 + size * 0.42, y0 + size * 0.75, x0 + size * 0.8, y0 + size * 0.22), ink, 2)
    elif on and style == "cross":
        canvas.line((x0 + 2, y0 + 2, x0 + size - 2, y0 + size - 2), ink, 2)
        canvas.line((x0 + 2, y0 + size - 2, x0 + size - 2, y0 + 2), ink, 2)
    elif on and style in ("dot", "fill", "notch"):
        inset = 0.25 if style != "notch" else 0.18
        canvas.box((x0 + size * inset, y0 + size * inset, x0 + size * (1 - inset) + 1, y0 + size * (1 - inset) + 1), ink if style != "notch" else look.accent)
    canvas.state("check on" if on else "check off", box)


def _beside(canvas: Canvas, part: Part, look: Look) -> None:
    assert part.indicator is not None
    if part.label_box is None:
        canvas.text(part.indicator[2] + 5, (part.box[1] + part.box[3]) / 2, part.shown_name or part.name, look.face, look.text if part.enabled else look.dim, look.smooth)
    else:
        canvas.text(part.label_box[0], (part.label_box[1] + part.label_box[3]) / 2, part.shown_name or part.name, look.face, look.text if part.enabled else look.dim, look.smooth)


def check(canvas: Canvas, part: Part, look: Look) -> None:
    """A check box with its label; it can stand at either side."""
    check_mark(canvas, part, look)
    if part.focused:
        canvas.box((part.box[0] - 1, part.box[1], part.box[2] + 2, part.box[3]), None, mix(look.accent, look.background, 0.4))
    _beside(canvas, part, look)


def radio(canvas: Canvas, part: Part, look: Look) -> None:
    """A radio button with its label."""
    assert part.indicator is not None
    box, on, style = part.indicator, bool(part.checked), look.radio_style
    fill, ink, edge = look.entry, readable(look.text, look.entry), look.border
    if not part.enabled:
        fill, ink = mix(fill, look.background, 0.6), mix(ink, look.background, 0.4)
    size = box[2] - box[0]
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    if style == "diamond":
        half = size / 2
        canvas.polygon((x - half, y, x, y - half, x + half, y, x, y + half), look.accent if on else fill, edge)
    else:
        if on and style == "filled":
            fill, ink, edge = look.accent, look.accent_text, look.accent
        elif on and style == "ring":
            ink, edge = look.accent, look.accent
        canvas.ellipse(box, fill, edge, 2 if style == "ring" else 1)
        if on:
            inset = size * (0.3 if size > 11 else 0.26)
            canvas.ellipse((box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset), ink)
    canvas.state("radio on" if on else "radio off", box)
    _beside(canvas, part, look)


def switch(canvas: Canvas, part: Part, look: Look) -> None:
    """An on/off switch; the knob is right when it is on."""
    assert part.indicator is not None
    box, on = part.indicator, bool(part.checked)
    x0, y0, x1, y1 = box
    side = y1 - y0
    track = look.accent if on else mix(look.background, look.text, 0.25)
    if not part.enabled:
        track = mix(track, look.background, 0.5)
    radius = 0 if look.switch_style == "square" else 20
    if look.switch_style == "slim":
        canvas.box((x0 + 2, y0 + side * 0.3, x1 - 2, y1 - side * 0.3), track, None, 20)
        knob = (x1 - side, y0, x1, y1) if on else (x0, y0, x0 + side, y1)
        canvas.ellipse(knob, look.accent if on else grey(245), mix(look.border, grey(0), 0.2))
    else:
        canvas.box(box, track, look.border if not on else None, radius)
        knob = (x1 - side + 2, y0 + 2, x1 - 2, y1 - 2) if on else (x0 + 2, y0 + 2, x0 + side - 2, y1 - 2)
        canvas.box(knob, grey(255), mix(track, grey(0), 0.2), radius)
    canvas.state("switch on" if on else "switch off", box)
    if part.label_box:
        canvas.text(part.label_box[0], (part.label_box[1] + part.label_box[3]) / 2, part.shown_name or part.name, look.face, look.text if part.enabled else look.dim, look.smooth)


def knob_box(part: Part) -> Box:
    """Where a slider's knob stands for its value."""
    assert part.minimum is not None and part.maximum is not None and part.value is not None
    x0, y0, x1, y1 = part.box
    share = (float(part.value) - part.minimum) / (part.maximum - part.minimum)
    half = min(9.0, (y1 - y0) / 2)
    x = x0 + half + share * (x1 - x0 - 2 * half)
    return x - half, (y0 + y1) / 2 - half, x + half, (y0 + y1) / 2 + half


def slider(canvas: Canvas, part: Part, look: Look) -> None:
    """A horizontal slider with its label and perhaps its number."""
    part.indicator = knob = knob_box(part)
    x0, y0, x1, y1 = part.box
    middle = (y0 + y1) / 2
    rail = mix(look.background, look.text, 0.25)
    thick = 2 if look.slider_style == "line" else 3
    canvas.box((x0, middle - thick / 2, x1, middle + thick / 2 + 1), rail, None, 2)
    if look.family not in ("tk", "clam", "default", "alt", "xaw"):
        canvas.box((x0, middle - thick / 2, knob[0] + 2, middle + thick / 2 + 1), look.accent, None, 2)
    if look.slider_style == "box":
        canvas.box((knob[0] + 1, knob[1], knob[2] - 1, knob[3]), look.button, mix(look.border, look.text, 0.3), 2)
    else:
        canvas.ellipse(knob, grey(255) if look.slider_style == "round" else look.accent, mix(look.border, look.text, 0.3))
    if part.label_box:
        canvas.text(part.label_box[0], (part.label_box[1] + part.label_box[3]) / 2, part.shown_name or part.name, look.face, look.text, look.smooth)
    if part.style == "numbered":
        canvas.text(x1 + 6, middle, part.value or "", look.face, look.text, look.smooth)


def progress(canvas: Canvas, part: Part, look: Look) -> None:
    """A progress bar; `value` is a percentage."""
    canvas.box(part.box, look.entry, look.border, look.radius)
    x0, y0, x1, y1 = part.box
    canvas.box((x0, y0, x0 + (x1 - x0) * float(part.value or 0) / 100, y1), look.accent, None, look.radius)
