"""The one record of a screen: what every source of screens (the renderer, real toolkits) hands to the tasks.

All boxes are `(x0, y0, x1, y1)` in pixels of the picture, x1 and y1 exclusive. Texts are what is visible, character for character.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

import numpy as np

Box = tuple[float, float, float, float]

Kind = Literal[
    "button",         # push button, also in a tool bar
    "field",          # one line of text, or several (`multiline`)
    "spin",           # number with two small buttons; the box is the text part
    "combo",          # drop-down, closed: `value` is what it shows
    "check",          # check box; also a check box in a list or menu
    "switch",         # on/off switch
    "radio",
    "menu",           # title in a menu bar
    "menuitem",       # entry of an open menu or of an open combo's list
    "listitem",       # row of a list box
    "treeitem",       # row of a tree
    "cell",           # cell of a table; `row`, `column`, `section` = the column's header
    "header",         # column header
    "tab",
    "link",
    "slider",         # `minimum`, `maximum`, `value`; `indicator` is the knob
    "label",          # text that is not clicked
    "heading",
    "icon",           # desktop or list icon with a name below or beside it
    "task",           # entry of a task bar
    "window_button",  # `name` is close, maximize or minimize
    "progress",
]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass
class Element:
    """One thing on the screen.

    `name` is the label as visible (for a field: its label without a trailing colon or asterisk, which `shown_name` keeps when it
    differs), "" when it has none. `box` is what a click may hit. `indicator` is the box or circle of a check or radio, the knob of a
    slider. `label_box` is where the label's text stands if that is not inside `box`.
    """

    kind: Kind
    name: str
    box: Box
    shown_name: str | None = None
    label_box: Box | None = None
    indicator: Box | None = None
    checked: bool | None = None
    value: str | None = None          # text of a field, combo, spin, slider; None for kinds without one, "" when empty
    placeholder: str | None = None    # grey text that shows only because the field is empty
    selected: bool = False            # rows, tabs, open menus
    focused: bool = False
    enabled: bool = True
    editable: bool = True             # False: a read-only field, or a combo that cannot be typed into
    multiline: bool = False
    password: bool = False            # `value` holds what was typed; the screen shows dots
    window: int = 0                   # index into Screen.windows
    visible: float = 1.0              # share of the box that is not covered or scrolled away, 0…1
    section: str = ""                 # frame, group or column it belongs to, as visible
    group: str = ""                   # radios of one choice, tabs of one notebook, rows of one list share it
    row: int | None = None
    column: int | None = None
    area: str | None = None           # id of the scroll area it lies in
    minimum: float | None = None
    maximum: float | None = None
    options: list[str] = field(default_factory=list)  # what a combo offers, when known
    opened: bool = False              # a combo or menu whose list is open
    hint: str = ""                    # what an icon-only button does (accessible name or tool tip): not visible

    @property
    def target(self) -> tuple[float, float]:
        """The middle of what a click aims at."""
        x0, y0, x1, y1 = self.indicator if self.indicator and self.kind in ("check", "radio", "switch", "slider") else self.box
        return (x0 + x1) / 2, (y0 + y1) / 2


@dataclass
class ScrollArea:
    """A container that scrolls. `position` runs from 0 (top or left) to 1 (end); `page` is the visible share of the content."""

    id: str
    box: Box
    window: int = 0
    vertical: bool = True
    position: float = 0.0
    page: float = 1.0

    @property
    def can_forward(self) -> bool:
        """Whether something lies below (or right)."""
        return self.page < 0.999 and self.position < 0.999

    @property
    def can_back(self) -> bool:
        """Whether something lies above (or left)."""
        return self.page < 0.999 and self.position > 0.001


@dataclass
class Window:
    """`role` is what it is to the user: `popup` came unasked over another window and blocks it until it is dismissed."""

    title: str
    box: Box
    active: bool = False
    role: Literal["window", "dialog", "popup", "desktop", "taskbar"] = "window"
    title_box: Box | None = None
    """Of the bar between its buttons, or of the title alone; None where nothing shows the title whole."""


@dataclass
class Screen:
    """`windows` is front first. `image` is H × W × 3, uint8, RGB; None when it lies in a file that is not read yet."""

    width: int
    height: int
    windows: list[Window]
    elements: list[Element]
    areas: list[ScrollArea] = field(default_factory=list)
    image: np.ndarray | None = None
    source: str = "render"            # render, gtk3, gtk4, tk, qt, chromium, xaw, …
    theme: str = ""
    seed: int = 0
    task: dict[str, Any] = field(default_factory=dict)  # what the maker of the screen wants to keep about it

    @property
    def focused(self) -> Element | None:
        """The element with the keyboard focus."""
        return next((element for element in self.elements if element.focused), None)


_BOXES = ("box", "label_box", "indicator", "title_box")


def _compact(instance: Any) -> dict[str, Any]:
    """Fields that differ from their defaults; boxes as integers where they are whole."""
    result: dict[str, Any] = {}
    for item in fields(instance):
        value = getattr(instance, item.name)
        if item.name == "image" or (item.default is not None and value == item.default) or value is None or value == [] or value == {}:
            continue
        if item.name in _BOXES:
            value = [round(edge, 1) if edge != int(edge) else int(edge) for edge in value]
        result[item.name] = value
    return result


def _box(value: Any) -> Box:
    x0, y0, x1, y1 = value
    return x0, y0, x1, y1


def to_json(screen: Screen) -> dict[str, Any]:
    """As one line of a JSONL file, without the picture."""
    result = _compact(screen)
    for name in ("windows", "elements", "areas"):
        result[name] = [_compact(item) for item in getattr(screen, name)]
    return result


def from_json(data: dict[str, Any]) -> Screen:
    """The inverse of `to_json`; raises ValueError for a kind that is not known."""

    def build(cls: Any, item: dict[str, Any]) -> Any:
        boxes = {name: _box(item[name]) for name in _BOXES if name in item}
        return cls(**{**item, **boxes})

    elements = [build(Element, item) for item in data["elements"]]
    for element in elements:
        if element.kind not in KINDS:
            raise ValueError(f"element kind {element.kind!r}: expected one of {', '.join(KINDS)}")
    return Screen(
        **{
            **{name: value for name, value in data.items() if name != "picture"},
            "windows": [build(Window, item) for item in data["windows"]],
            "elements": elements,
            "areas": [build(ScrollArea, item) for item in data.get("areas", [])],
        }
    )


def problems(screen: Screen) -> list[str]:
    """What is wrong with a record, in words; a source's tests expect an empty list."""
    found = []
    area_ids = {area.id for area in screen.areas}
    for element in screen.elements:
        where = f"{element.kind} {element.name!r}"
        x0, y0, x1, y1 = element.box
        if not (x0 < x1 and y0 < y1):
            found.append(f"{where}: empty box {element.box}")
        if element.visible > 0 and not (x1 > 0 and y1 > 0 and x0 < screen.width and y0 < screen.height):
            found.append(f"{where}: box {element.box} lies outside the {screen.width} × {screen.height} picture but visible is {element.visible}")
        if element.kind in ("check", "switch", "radio") and element.checked is None:
            found.append(f"{where}: checked is missing")
        if element.kind in ("field", "spin", "combo") and element.value is None:
            found.append(f"{where}: value is missing")
        if not 0 <= element.window < len(screen.windows):
            found.append(f"{where}: window {element.window} of {len(screen.windows)}")
        if element.area is not None and element.area not in area_ids:
            found.append(f"{where}: unknown scroll area {element.area!r}")
        if element.kind in ("menuitem", "listitem", "tab", "button") and not (element.name or element.hint):
            found.append(f"{where}: neither a name nor a hint")
    if screen.image is not None and screen.image.shape != (screen.height, screen.width, 3):
        found.append(f"picture {screen.image.shape}: expected ({screen.height}, {screen.width}, 3)")
    return found
