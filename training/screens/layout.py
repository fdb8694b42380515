"""What stands in a window: forms, boxes, lists, tables and the rest, put below each other at random."""

from __future__ import annotations

from random import Random

from . import words
from .looks import Look
from .scene import Decoration, Pane, Part


class Flow:
    """Fills a column of a given width from the top. Boxes are relative to the column's window (or content) origin."""

    def __init__(self, rng: Random, look: Look, used: set[str], left: float, right: float, top: float, limit: float) -> None:
        self.rng, self.look, self.used = rng, look, used
        self.left, self.right, self.y, self.limit = left, right, top, limit
        self.parts: list[Part] = []
        self.panes: list[Pane] = []
        self.decorations: list[Decoration] = []
        self.section = ""
        face = look.face
        self.line = face.height
        self.entry_height = face.height + max(4, look.padding * (2 if look.family != "tk" else 1))
        self.button_height = face.height + 2 * look.padding

    # -- names

    def name(self, role: str, longest: int = 3, room: float | None = None) -> str | None:
        """A label that nothing else on the screen has, or None when none fits."""
        for _ in range(8):
            text = self.look.plain(words.label(self.rng, role, longest))
            if text.lower() not in self.used and (room is None or self.look.face.width(text) <= room):
                self.used.add(text.lower())
                return text
        return None

    def names(self, role: str, count: int, room: float) -> list[str]:
        """Several; now and then ones that look alike."""
        if self.rng.random() < 0.2:
            family = [text for text in map(self.look.plain, words.family(self.rng)) if text.lower() not in self.used and self.look.face.width(text) <= room]
            self.rng.shuffle(family)
            if len(family) > 1:
                self.used.update(text.lower() for text in family[:count])
                return family[:count]
        if self.rng.random() < 0.08:
            stem = words.words(self.rng, 1, 1)
            if self.look.face.width(stem + " 99") <= room and stem.lower() not in self.used:
                first = self.rng.randint(0, 9)
                family = [f"{stem} {first + index}" for index in range(count)]
                self.used.update(text.lower() for text in family)
                return family
        return [text for text in (self.name(role, 3, room) for _ in range(count)) if text]

    def room(self, height: float) -> bool:
        """Whether `height` more fits."""
        return self.y + height <= self.limit

    def shown(self, name: str) -> str:
        """The label as drawn before a field."""
        pick = self.rng.random()
        colon = ":" if self.colon else ""
        if pick < 0.1:
            return name + colon + " *"
        if pick < 0.13:
            return name + " (optional)" + colon
        return name + colon

    # -- sections

    def form(self) -> None:
        """Labels and fields, side by side or above each other, or with the label inside."""
        rng, face = self.rng, self.look.face
        self.colon = rng.random() < 0.45
        style = rng.choices(["left", "right", "above", "inside"], [45, 25, 22, 8])[0]
        width = self.right - self.left
        names = self.names("field", rng.choice([1, 2, 2, 3, 3, 4, 5, 6, 8]), width * 0.55)
        if not names:
            return
        shown = {name: self.shown(name) for name in names}
        column = max(face.width(text) for text in shown.values()) + rng.randint(6, 18) if style in ("left", "right") else 0
        column = min(column, width * 0.65)
        entry_width = width - column
        if rng.random() < 0.5:
            entry_width = max(min(90, entry_width), entry_width * rng.uniform(0.45, 1))
        two = style in ("above", "inside") and width > 380 and rng.random() < 0.4
        side = 0
        spacing = rng.choice([2, 3, 4, 5, 6, 8, 10, 12])
        for name in names:
            kind = rng.choices(["field", "combo", "spin"], [76, 15, 9])[0] if style != "inside" else "field"
            height = self.entry_height
            multiline = kind == "field" and rng.random() < 0.05 and not two
            if multiline:
                height += self.line * rng.randint(1, 3)
            need = height + spacing + (self.line + 2 if style == "above" else 0)
            if not self.room(need):
                break
            x = self.left + (side * (width / 2 + 4) if two else 0)
            room = width / 2 - 8 if two else entry_width
            text_width = face.width(shown[name])
            label_box = None
            top = self.y
            if style == "above":
                label_box = (x, top, x + text_width, top + self.line)
                top += self.line + 2
            elif style in ("left", "right"):
                at = self.left + (column - text_width - 8 if style == "right" else 0)
                label_box = (at, top + (self.entry_height - self.line) / 2, at + text_width, top + (self.entry_height + self.line) / 2)
                x += column
            box = (round(x), round(top), round(x + room), round(top + height))
            part = self.entry(kind, name, box, inside=style == "inside", multiline=multiline)
            part.label_box = label_box
            part.shown_name = shown[name] if style != "inside" else None
            self.parts.append(part)
            if kind == "field" and rng.random() < 0.06 and box[2] - box[0] > 160 and not multiline:
                self.browse(part)
            if not two or side == 1:
                self.y += need
            side = 1 - side if two else 0
        if side == 1:
            self.y += need

    def entry(self, kind: str, name: str, box: tuple[int, int, int, int], inside: bool = False, multiline: bool = False) -> Part:
        """A field, combo or spin button with something in it, or nothing."""
        rng, face = self.rng, self.look.face
        part = Part(kind, name, box, section=self.section, enabled=rng.random() > 0.04, editable=True)  # type: ignore[arg-type]
        room = box[2] - box[0] - {"field": 16, "combo": 34, "spin": 48}[kind]
        if kind == "combo":
            options = [option for option in dict.fromkeys(words.value(rng, name) if rng.random() < 0.25 else words.label(rng, "option", 2) for _ in range(rng.randint(2, 12))) if face.width(option) <= room]
            part.options = options or ["A", "B"]
            part.value = rng.choice(part.options)
            part.editable = False
            return part
        if kind == "spin":
            part.value = str(rng.randint(0, 10 ** rng.randint(1, 4)))
            part.minimum, part.maximum = 0, 99999
            if self.look.family == "gtk4" or rng.random() < 0.2:
                part.style = "spin-wide"
            return part
        part.multiline = multiline
        part.password = "assword" in name or name in ("PIN", "CVV")
        value = (words.sentence(rng, 4, 14) if multiline else words.value(rng, name)) if rng.random() < 0.5 and not inside else ""
        part.value = value if multiline else face.fit(value, room).strip()
        part.editable = rng.random() > 0.03
        if inside or (not part.value and rng.random() < 0.2):
            part.placeholder = name if inside else rng.choice([f"Enter {name.lower()}", f"e.g. {words.value(rng, name)}", "Optional", words.words(rng, 1, 2), self.look.plain("Search…")])
        return part

    def browse(self, part: Part) -> None:
        """A button at the end of a field."""
        name = self.look.plain(self.rng.choice(["Browse…", "…", "Choose", "Clear", "Browse"]))
        if name.lower() in self.used:
            return
        self.used.add(name.lower())
        width = self.look.face.width(name) + 14
        x0, y0, x1, _ = part.box
        part.box = (x0, y0, round(x1 - width - 4), part.box[3])
        part.value = self.look.face.fit(part.value or "", part.box[2] - x0 - 16).strip()
        self.parts.append(Part("button", name, (round(x1 - width), y0, x1, part.box[3]), section=part.name))

    def choices(self, kind: str) -> None:
        """Check boxes or radios, below or beside each other, perhaps in a frame with a title."""
        rng, look, face = self.rng, self.look, self.look.face
        count = rng.randint(2, 6) if kind == "radio" else rng.choice([1, 1, 2, 2, 3, 4, 5, 6])
        size = look.check_size
        height = max(size, self.line) + rng.choice([0, 0, 1, 2, 4, 6, 8])
        left, right, top = self.left, self.right, self.y
        framed = rng.random() < 0.25 and count > 1 and self.room(height * 2 + self.line + 20)
        title = self.name("tab", 2, right - left - 30) if framed or (kind == "radio" and rng.random() < 0.6) else None
        if title and self.room(self.line + height):
            self.parts.append(Part("label", title, (left + (12 if framed else 0), top, left + (12 if framed else 0) + face.width(title), top + self.line)))
            self.y += self.line + 4
        if framed:
            left, right = left + 10, right - 10
        names = self.names("check" if kind == "check" else "option", count, right - left - size - 8)
        chosen = rng.choice([None, *names, *names, *names]) if names else None
        across = rng.random() < 0.35 and len(names) > 1
        x, group = left, f"{kind}{rng.random():.6f}"
        far_right = kind == "check" and not across and rng.random() < 0.06
        for name in names:
            width = size + 6 + face.width(name)
            if across and x > left and x + width > right:
                x, self.y = left, self.y + height
            if not self.room(height) or x + width > right:
                continue
            y = round(self.y)
            at = round(right - size) if far_right else round(x)
            indicator = (at, round(y + (height - size) / 2), at + size, round(y + (height - size) / 2) + size)
            box = (round(x), y, round(right if far_right else x + width), round(y + height))
            label_box = (x, y, x + face.width(name), y + height) if far_right else None
            self.parts.append(Part(kind, name, box, indicator=indicator, label_box=label_box, checked=rng.random() < 0.5 if kind == "check" else name == chosen, group=group, section=title or self.section, enabled=rng.random() > 0.04))  # type: ignore[arg-type]
            if across:
                x += width + rng.randint(8, 24)
            else:
                self.y += height + look.row_gap
        if across:
            self.y += height
        if framed and title:
            self.decorations.append(Decoration((self.left, top + self.line / 2, self.right, self.y + 6), "frame", title))
            self.y += 10

    def settings(self) -> None:
        """Rows with a text at the left and a switch, combo or button at the right, as in a settings application."""
        rng, look, face = self.rng, self.look, self.look.face
        height = max(self.entry_height, 24) + rng.randint(2, 14)
        top = self.y
        for name in self.names("check", rng.randint(2, 6), (self.right - self.left) * 0.55):
            if not self.room(height):
                break
            y = round(self.y)
            label_box = (self.left + 8, y, self.left + 8 + face.width(name), y + height)
            kind = rng.choices(["switch", "check", "combo"], [70, 12, 18])[0]
            if kind == "combo":
                box = (round(self.right - min(150, (self.right - self.left) * 0.4)), y + 3, round(self.right - 8), y + height - 3)
                part = self.entry("combo", name, box)
            else:
                side = rng.choice([14, 16, 18, 20, 22, 24]) if kind == "switch" else look.check_size
                wide = side * (2 if kind == "switch" else 1)
                indicator = (round(self.right - 8 - wide), round(y + (height - side) / 2), round(self.right - 8), round(y + (height - side) / 2) + side)
                part = Part(kind, name, (round(self.left), y, round(self.right), y + height), indicator=indicator, checked=rng.random() < 0.5, enabled=rng.random() > 0.04)  # type: ignore[arg-type]
            part.label_box = label_box
            self.parts.append(part)
            self.y += height
            self.decorations.append(Decoration((self.left, self.y, self.right, self.y + 1), "line"))
        if self.y > top and rng.random() < 0.6:
            self.decorations.insert(0, Decoration((self.left, top, self.right, self.y + 1), "card"))

    def paragraph(self) -> None:
        """A few lines of text."""
        face = self.look.face
        for _ in range(self.rng.randint(1, 4)):
            text = face.fit(words.sentence(self.rng, 3, 12), self.right - self.left)
            if not self.room(self.line + 2) or not text or text.lower() in self.used:
                return
            self.used.add(text.lower())
            self.parts.append(Part("label", text, (self.left, self.y, self.left + face.width(text), self.y + self.line)))
            self.y += self.line + 2

    def heading(self) -> None:
        """A large title."""
        more = self.rng.choice([2, 3, 5, 8])
        face = self.look.heading(more)
        text = self.name("title", 3, None)
        if text and face.width(text) < self.right - self.left and self.room(face.height + 4):
            self.parts.append(Part("heading", text, (self.left, self.y, self.left + face.width(text), self.y + face.height), more=more))
            self.y += face.height + 5

    def links(self) -> None:
        """Links in a row."""
        face, x = self.look.face, self.left
        for _ in range(self.rng.randint(1, 5)):
            text = self.name("link", 3, self.right - x)
            if not text or not self.room(self.line + 4):
                break
            self.parts.append(Part("link", text, (round(x), round(self.y), round(x + face.width(text)), round(self.y + self.line))))
            x += face.width(text) + self.rng.randint(8, 22)
        self.y += self.line + 4

    def buttons(self, count: int | None = None, align: str | None = None, kind: str = "") -> None:
        """Push buttons in a row."""
        rng, face, look = self.rng, self.look.face, self.look
        least, gap = rng.choice([0, 0, 60, 75, 90]), max(2, look.gap)
        items: list[tuple[str, float]] = []
        total = 0.0
        for name in self.names("button", count or rng.randint(1, 5), self.right - self.left - 30):
            width = max(least, face.width(name) + 2 * look.padding + rng.randint(4, 20))
            if total + width > self.right - self.left:
                self.used.discard(name.lower())
                continue
            items.append((name, width))
            total += width + gap
        if not items or not self.room(self.button_height):
            return
        total -= gap
        x = {"left": self.left, "centre": (self.left + self.right - total) / 2, "right": self.right - total}[align or rng.choice(["left", "left", "centre", "right"])]
        default = rng.choice([None, 0, len(items) - 1])
        for index, (name, width) in enumerate(items):
            style = "default" if index == default else "danger" if rng.random() < 0.03 else kind
            self.parts.append(Part("button", name, (round(x), round(self.y), round(x + width), round(self.y + self.button_height)), style=style, enabled=rng.random() > 0.05 or index == default, section=self.section))
            x += width + gap
        self.y += self.button_height + 4
