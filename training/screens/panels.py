"""Further contents of windows: keys in a grid, sliders, rows that repeat their buttons, names with values."""

from __future__ import annotations

from . import words
from .inputs import knob_box
from .layout import Flow
from .scene import Decoration, Part


def keypad(flow: Flow) -> None:
    """Keys in a grid."""
    rng = flow.rng
    columns, rows = rng.randint(3, 5), rng.randint(2, 5)
    width = min((flow.right - flow.left) / columns - 4, rng.randint(30, 90))
    signs = list("7894561230+-*/=.%C()")
    if rng.random() < 0.4:
        rng.shuffle(signs)
    for row in range(rows):
        if not flow.room(flow.button_height + 4):
            return
        for column in range(columns):
            name = signs[(row * columns + column) % len(signs)]
            if name in flow.used:
                continue
            flow.used.add(name)
            x = flow.left + column * (width + 4)
            flow.parts.append(Part("button", name, (round(x), round(flow.y), round(x + width), round(flow.y + flow.button_height)), row=row, column=column))
        flow.y += flow.button_height + 4


def sliders(flow: Flow) -> None:
    """Sliders with their names, and a progress bar now and then."""
    rng, face = flow.rng, flow.look.face
    height = max(16, flow.line) + rng.randint(2, 8)
    names = flow.names("field", rng.randint(1, 3), (flow.right - flow.left) * 0.4)
    column = max([face.width(name) for name in names], default=0) + 12
    for name in names:
        if not flow.room(height + 4) or flow.right - flow.left - column < 90:
            return
        y = round(flow.y)
        right = flow.right - (face.width("100") + 10)
        part = Part("slider", name, (round(flow.left + column), y, round(right - 4), y + height), minimum=0, maximum=100, value=str(rng.randint(0, 100)), style=rng.choice(["", "numbered"]))
        part.label_box = (flow.left, y, flow.left + face.width(name), y + height)
        part.indicator = knob_box(part)
        flow.parts.append(part)
        flow.y += height + 4
    if rng.random() < 0.2 and flow.room(20):
        flow.parts.append(Part("progress", "", (round(flow.left), round(flow.y), round(flow.right), round(flow.y + rng.randint(6, 16))), value=str(rng.randint(0, 100))))
        flow.y += 20


def cards(flow: Flow) -> None:
    """Rows that repeat the same buttons: which one is meant only its row says."""
    rng, face = flow.rng, flow.look.face
    verbs = [verb for verb in rng.sample(["Edit", "Delete", "Remove", "Open", "Details", "Reply", "Buy", "Follow", "Download", "Share", "View"], rng.randint(1, 2)) if verb.lower() not in flow.used]
    if not verbs:
        return
    flow.used.update(verb.lower() for verb in verbs)
    height = flow.button_height + rng.randint(6, 16)
    for row in range(rng.randint(2, 5)):
        title = flow.name("field" if rng.random() < 0.3 else "title", 2, (flow.right - flow.left) * 0.5)
        if not title or not flow.room(height):
            return
        y = round(flow.y)
        flow.decorations.append(Decoration((flow.left, y, flow.right, y + height - 2), "card"))
        flow.parts.append(Part("label", title, (flow.left + 8, y, flow.left + 8 + face.width(title), y + height - 2)))
        x = flow.right - 8
        for verb in verbs:
            width = face.width(verb) + 2 * flow.look.padding + 6
            flow.parts.append(Part("button", verb, (round(x - width), y + 3, round(x), y + 3 + flow.button_height), section=title, row=row))
            x -= width + 4
        flow.y += height


def facts(flow: Flow) -> None:
    """Names and values as plain text."""
    face = flow.look.face
    column = (flow.right - flow.left) * 0.42
    for name in flow.names("field", flow.rng.randint(1, 4), column - 12):
        value = face.fit(words.value(flow.rng, name), flow.right - flow.left - column - 4)
        if not flow.room(flow.line + 3) or not value or value.lower() in flow.used:
            return
        flow.used.add(value.lower())
        y = flow.y
        flow.parts.append(Part("label", name, (flow.left, y, flow.left + face.width(name), y + flow.line), shown_name=name + ":", value=value))
        flow.parts[-1].name = name
        flow.parts.append(Part("label", value, (flow.left + column, y, flow.left + column + face.width(value), y + flow.line), style="dim" if flow.rng.random() < 0.3 else ""))
        flow.y += flow.line + 3
