"""A scene: the live windows that the renderer draws and the simulator changes."""

from __future__ import annotations

from dataclasses import dataclass, field

from .looks import Look
from .record import Box, Element


@dataclass
class Part(Element):
    """A widget with what only its drawing needs. Boxes are relative to its window, or to its pane's content."""

    style: str = ""            # default, tool, suggested, danger, icon, head, dialog …
    more: int = 0              # how much larger than the window's text a heading is
    all_selected: bool = False  # the field's whole text is selected
    caret: bool = True
    icon: int = 0              # which little picture, 0 = none
    level: int = 0             # depth in a tree
    expanded: bool | None = None
    shade: bool = False        # every second row


@dataclass
class Decoration:
    """A frame, line or filled area; `title` interrupts the upper edge of a frame."""

    box: Box
    style: str                 # frame line panel card rows
    title: str = ""


@dataclass
class Pane:
    """A part of a window that scrolls. `parts` have boxes relative to the content's top left corner."""

    id: str
    box: Box
    parts: list[Part]
    content: float
    offset: float = 0
    style: str = "list"        # list, page
    bar: bool = True           # draws a scroll bar
    decorations: list[Decoration] = field(default_factory=list)

    @property
    def page(self) -> float:
        """Height of what is seen."""
        return self.box[3] - self.box[1]

    @property
    def furthest(self) -> float:
        """The largest offset."""
        return max(0.0, self.content - self.page)

    def scroll(self, pixels: float) -> bool:
        """Move by `pixels` (positive: towards the end); False when nothing moved."""
        before = self.offset
        self.offset = min(self.furthest, max(0.0, before + pixels))
        return self.offset != before


@dataclass
class Popup:
    """An open menu or combo list above everything else of its window; `owner` is the menu title or combo."""

    owner: Part
    box: Box
    parts: list[Part]
    offset: float = 0
    content: float = 0


@dataclass
class SceneWindow:
    """A window at (x, y) of the desktop. With `bare` it has neither frame nor title bar."""

    title: str
    x: int
    y: int
    width: int
    height: int
    look: Look
    parts: list[Part] = field(default_factory=list)
    panes: list[Pane] = field(default_factory=list)
    decorations: list[Decoration] = field(default_factory=list)
    popup: Popup | None = None
    title_bar: Box | None = None
    menu_bar: Box | None = None
    role: str = "window"
    active: bool = False
    menus: dict[str, list[str]] = field(default_factory=dict)

    def every_part(self) -> list[Part]:
        """Of the window itself and of its panes, not of an open menu."""
        return self.parts + [part for pane in self.panes for part in pane.parts]


@dataclass
class Scene:
    """The desktop; `windows` is front first."""

    width: int
    height: int
    windows: list[SceneWindow]
    wallpaper: int = 0
    seed: int = 0
