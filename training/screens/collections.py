"""Lists, trees, tables and groups of icons, which may scroll."""

from __future__ import annotations

from . import words
from .layout import Flow
from .scene import Decoration, Pane, Part


def _content_name(flow: Flow, kind: int, room: float) -> str | None:
    for _ in range(6):
        text = {0: words.filename, 1: words.person, 2: lambda rng: rng.choice(words.CITIES), 3: lambda rng: words.label(rng, "option", 3), 4: words.email, 5: words.date}.get(kind, lambda rng: words.words(rng, 1, 3))(flow.rng)
        if text.lower() not in flow.used and flow.look.face.width(text) <= room:
            flow.used.add(text.lower())
            return text
    return None


def listing(flow: Flow) -> None:
    """A list box or tree; it scrolls when it has more rows than fit."""
    rng, look, face = flow.rng, flow.look, flow.look.face
    row_height = face.height + rng.choice([0, 0, 0, 1, 2, 3, 4, 6, 8])
    rows = rng.randint(2, 10)
    width = (flow.right - flow.left) * rng.uniform(0.45, 1)
    if not flow.room(row_height * 2 + 6):
        return
    rows = min(rows, int((flow.limit - flow.y - 4) // row_height))
    total = rows + (rng.randint(2, 14) if rng.random() < 0.5 else 0)
    kind, group = rng.randint(0, 7), f"list{rng.random():.6f}"
    tree = rng.random() < 0.2
    boxes = not tree and rng.random() < 0.08
    icons = rng.random() < 0.2
    shade = rng.random() < 0.2
    selected = rng.randrange(-total, total)
    parts: list[Part] = []
    level = 0
    for index in range(total):
        name = _content_name(flow, kind, width - 60 - 16 * level)
        if not name:
            continue
        y = len(parts) * row_height
        part = Part("treeitem" if tree else "listitem", name, (0, round(y), round(width - 14), round(y + row_height)), selected=index == selected, group=group, row=len(parts), section=flow.section, shade=shade and index % 2 == 1)
        if icons:
            part.icon = 10 + rng.randint(0, 1)
        if tree:
            part.level, part.expanded = level, rng.choice([None, None, True, False])
            level = min(2, level + 1) if part.expanded else max(0, level - rng.choice([0, 0, 1]))
        if boxes:
            size = min(look.check_size, row_height - 2)
            part.checked, part.indicator = rng.random() < 0.5, (5, round(y + (row_height - size) / 2), 5 + size, round(y + (row_height - size) / 2) + size)
            part.selected = False
        parts.append(part)
    if len(parts) < 2:
        return
    shown = min(rows, len(parts))
    pane = Pane(group, (round(flow.left), round(flow.y), round(flow.left + width), round(flow.y + shown * row_height)), parts, len(parts) * row_height, bar=len(parts) > rows or rng.random() < 0.25)
    if pane.furthest and rng.random() < 0.3:
        pane.offset = pane.furthest if rng.random() < 0.4 else rng.randint(0, int(pane.furthest / row_height)) * row_height
    flow.panes.append(pane)
    flow.y += shown * row_height + 4


def table(flow: Flow) -> None:
    """A table with column headers."""
    rng, face = flow.rng, flow.look.face
    columns = rng.randint(2, 5)
    width = (flow.right - flow.left - 14) / columns
    row_height = face.height + rng.choice([0, 1, 2, 4, 6])
    headers = flow.names("field", columns, width - 8)
    if len(headers) < 2 or not flow.room(row_height * 3 + 4):
        return
    width = (flow.right - flow.left - 14) / len(headers)
    group = f"table{rng.random():.6f}"
    for column, header in enumerate(headers):
        x = round(flow.left + column * width)
        flow.parts.append(Part("header", header, (x, round(flow.y), round(flow.left + (column + 1) * width), round(flow.y + row_height)), column=column, group=group))
    flow.y += row_height
    rows = min(rng.randint(2, 9), int((flow.limit - flow.y - 2) // row_height))
    total = rows + (rng.randint(2, 10) if rng.random() < 0.35 else 0)
    selected = rng.randrange(-2 * total, total)
    parts = []
    for row in range(total):
        for column, header in enumerate(headers):
            for _ in range(4):
                text = words.value(rng, header) if rng.random() < 0.7 else words.label(rng, "option", 2)
                if face.width(text) <= width - 10 and text.lower() not in flow.used:
                    flow.used.add(text.lower())
                    parts.append(Part("cell", text, (round(column * width), row * row_height, round((column + 1) * width), (row + 1) * row_height), row=row, column=column, section=header, group=group, selected=row == selected, shade=row % 2 == 1 and selected % 2 == 0))
                    break
    if not parts or rows < 1:
        return
    flow.panes.append(Pane(group, (round(flow.left), round(flow.y), round(flow.right), round(flow.y + rows * row_height)), parts, total * row_height, bar=total > rows))
    flow.y += rows * row_height + 4


def icons(flow: Flow) -> None:
    """Files as icons in a grid."""
    rng, face = flow.rng, flow.look.face
    side = rng.randint(60, 100)
    x, group = flow.left, f"icons{rng.random():.6f}"
    for _ in range(rng.randint(2, 9)):
        name = _content_name(flow, rng.choice([0, 7]), side - 4)
        if not name:
            continue
        if x + side > flow.right:
            x, flow.y = flow.left, flow.y + side * 0.8 + face.height + 6
        if not flow.room(side * 0.8 + face.height):
            return
        flow.parts.append(Part("icon", name, (round(x), round(flow.y), round(x + side), round(flow.y + side * 0.8 + face.height)), icon=rng.randint(1, 11), group=group))
        x += side + 4
    flow.y += side * 0.8 + face.height


def tabs(flow: Flow) -> None:
    """A row of tabs."""
    rng, face = flow.rng, flow.look.face
    x, height, group = flow.left, face.height + rng.randint(4, 14), f"tabs{rng.random():.6f}"
    if not flow.room(height + 6):
        return
    names = flow.names("tab", rng.randint(2, 6), 200)
    chosen = rng.randrange(len(names)) if names else 0
    placed = []
    for index, name in enumerate(names):
        width = face.width(name) + rng.randint(10, 26)
        if x + width > flow.right:
            flow.used.discard(name.lower())
            continue
        placed.append(Part("tab", name, (round(x), round(flow.y), round(x + width), round(flow.y + height)), selected=index == chosen, group=group))
        x += width
    if placed and not any(part.selected for part in placed):
        placed[0].selected = True
    flow.parts += placed
    flow.decorations.append(Decoration((flow.left, flow.y + height, flow.right, flow.y + height + 1), "line"))
    flow.y += height + 5


def sidebar(flow: Flow) -> None:
    """A list for navigation along the left edge, down to the flow's limit."""
    rng, face = flow.rng, flow.look.face
    row_height = face.height + rng.randint(4, 14)
    group = f"side{rng.random():.6f}"
    names = flow.names("tab", rng.randint(3, 9), flow.right - flow.left - 34)
    selected = rng.randrange(max(1, len(names)))
    picture = rng.random() < 0.5
    for index, name in enumerate(names):
        if not flow.room(row_height):
            return
        flow.parts.append(Part("listitem", name, (round(flow.left), round(flow.y), round(flow.right), round(flow.y + row_height)), selected=index == selected, group=group, row=index, icon=rng.randint(1, 11) if picture else 0))
        flow.y += row_height
