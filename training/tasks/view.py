"""What tasks ask of a screen's record: what can be seen and clicked, what is unambiguous, what stands beside what."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

from screens.record import Box, Element, Screen, ScrollArea, Window

CLICKABLE = {"button", "field", "spin", "combo", "check", "switch", "radio", "menu", "menuitem", "listitem", "treeitem", "cell", "header", "tab", "link", "slider", "icon", "task"}
NAMED = CLICKABLE | {"label", "heading"}


def inside(point: tuple[float, float], box: Box) -> bool:
    """Whether a point lies in a box."""
    return box[0] <= point[0] < box[2] and box[1] <= point[1] < box[3]


class View:
    """A record with the questions that tasks ask of it."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.size = (screen.width, screen.height)
        menu = [element.box for element in screen.elements if element.kind == "menuitem" and element.visible > 0]
        self.menu_box: Box | None = (min(b[0] for b in menu), min(b[1] for b in menu), max(b[2] for b in menu), max(b[3] for b in menu)) if menu else None

    @cached_property
    def popup(self) -> int | None:
        """Index of a pop-up that is in front and must go first."""
        return next((index for index, window in enumerate(self.screen.windows) if window.role == "popup" and window.active), None)

    @cached_property
    def main(self) -> int:
        """Index of the window that tasks are about."""
        order = [index for index, window in enumerate(self.screen.windows) if window.role in ("window", "dialog")]
        return next((index for index in order if self.screen.windows[index].active), order[0] if order else 0)

    @cached_property
    def title_window(self) -> Window | None:
        """The active window."""
        return next((window for window in self.screen.windows if window.active), None)

    def point(self, element: Element) -> tuple[float, float] | None:
        """Where to click: the middle, or the nearest place to it that nothing covers."""
        covers = [window.box for window in self.screen.windows[: element.window] if window.role != "desktop"]
        if self.menu_box and element.kind != "menuitem":
            covers.append(self.menu_box)
        area = next((item.box for item in self.screen.areas if item.id == element.area), None)
        x0, y0, x1, y1 = element.box
        middle = element.target
        places = [middle]
        if element.visible < 0.999:
            places += sorted(((x0 + (x1 - x0) * (i + 0.5) / 9, y0 + (y1 - y0) * (j + 0.5) / 5) for i in range(9) for j in range(5)), key=lambda p: abs(p[0] - middle[0]) + abs(p[1] - middle[1]))
        for place in places:
            if 0 <= place[0] < self.size[0] and 0 <= place[1] < self.size[1] and (area is None or inside(place, area)) and not any(inside(place, cover) for cover in covers):
                return place
        return None

    @cached_property
    def seen(self) -> list[Element]:
        """What is visible enough to be read."""
        return [element for element in self.screen.elements if element.visible >= 0.9]

    @cached_property
    def usable(self) -> list[Element]:
        """What can be clicked and is named or told apart; behind a pop-up too."""
        return [element for element in self.screen.elements if element.visible >= 0.55 and element.enabled and element.kind in CLICKABLE and self.point(element) is not None]

    @cached_property
    def names(self) -> list[str]:
        """Labels of everything that is at least partly visible."""
        return [element.name for element in self.screen.elements if element.name and element.visible > 0.2 and element.kind in NAMED] + [window.title for window in self.screen.windows if window.title]

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(element.name.lower().rstrip("….: *") for element in self.screen.elements if element.name and element.visible > 0.05 and element.kind in NAMED)

    @cached_property
    def _clickable_counts(self) -> Counter[str]:
        return Counter(element.name.lower().rstrip("….: *") for element in self.screen.elements if element.name and element.visible > 0.05 and element.kind in CLICKABLE)

    def unique(self, element: Element) -> bool:
        """Whether nothing else that is clicked has this label, and at most this one as text."""
        key = element.name.lower().rstrip("….: *")
        return self._clickable_counts[key] == 1 if element.kind in CLICKABLE else self._counts[key] == 1

    def absent(self, name: str) -> bool:
        """Whether no label, also none out of sight, shares this name or contains it."""
        key = name.lower()
        return not any(key in element.name.lower() or element.name.lower() in key and len(element.name) > 2 for element in self.screen.elements if element.name) and not any(key in window.title.lower() for window in self.screen.windows)

    def reading(self, elements: list[Element]) -> list[Element]:
        """From top to bottom, in a line from left to right."""
        rows: list[list[Element]] = []
        for element in sorted(elements, key=lambda item: (item.box[1] + item.box[3]) / 2):
            middle = (element.box[1] + element.box[3]) / 2
            if rows and abs((rows[-1][0].box[1] + rows[-1][0].box[3]) / 2 - middle) < 8:
                rows[-1].append(element)
            else:
                rows.append([element])
        return [element for row in rows for element in sorted(row, key=lambda item: item.box[0])]

    def ordered(self, elements: list[Element]) -> bool:
        """Whether counting them is unambiguous: one column, or one row."""
        if len(elements) < 2:
            return True
        column = max(item.box[0] for item in elements) - min(item.box[0] for item in elements) < 12 or max(item.box[2] for item in elements) - min(item.box[2] for item in elements) < 12
        row = max(item.box[1] for item in elements) - min(item.box[1] for item in elements) < 8
        return column or row

    def _relation(self, first: Element, second: Element) -> str | None:
        """Where `second` stands seen from `first`, when it stands close and in line."""
        a, b = first.box, second.box
        if first.window != second.window:
            return None
        shared_y = min(a[3], b[3]) - max(a[1], b[1])
        shared_x = min(a[2], b[2]) - max(a[0], b[0])
        if shared_y > 0.6 * min(a[3] - a[1], b[3] - b[1]):
            if 0 <= b[0] - a[2] < 140:
                return "right"
            if 0 <= a[0] - b[2] < 140:
                return "left"
        elif shared_x > 0.5 * min(a[2] - a[0], b[2] - b[0]):
            if 0 <= b[1] - a[3] < 40:
                return "below"
            if 0 <= a[1] - b[3] < 40:
                return "above"
        return None

    def related(self, relation: str, anchor: Element, word: str, kinds: dict[str, str]) -> list[Element]:
        """Everything of the kind `word` that stands in this relation to `anchor`."""
        return [other for other in self.usable if other is not anchor and kinds.get(other.kind) == word and self._relation(anchor, other) == relation]

    def neighbours(self, element: Element) -> list[tuple[str, Element]]:
        """(where `element` stands seen from the other, the other)."""
        found = []
        for other in self.seen:
            if other is not element and other.kind in NAMED and other.name and other.kind != "heading":
                relation = self._relation(other, element)
                if relation:
                    found.append((relation, other))
        return found

    def area_of(self, kinds: set[str]) -> ScrollArea | None:
        """A scroll area that could hide something of these kinds: a list for rows, a page for anything."""
        for area in self.screen.areas:
            window = self.screen.windows[area.window]
            if window.role not in ("window", "dialog"):
                continue
            held = {element.kind for element in self.screen.elements if element.area == area.id}
            rows = held <= {"listitem", "treeitem", "cell"}
            if not rows and held != {"menuitem"} or rows and kinds & {"listitem", "treeitem", "cell"} or held == {"menuitem"} and "menuitem" in kinds:
                middle = ((area.box[0] + area.box[2]) / 2, (area.box[1] + area.box[3]) / 2)
                covers = [other.box for other in self.screen.windows[: area.window] if other.role != "desktop"]
                if not any(inside(middle, cover) for cover in covers) and inside(middle, (0, 0, *self.size)):
                    return area
        return None
