"""What all probes share: the shape of a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Rect = tuple[float, float, float, float]


@dataclass
class Tag:
    """What the maker of a widget says about it where the toolkit does not know: its label, section and group."""

    name: str = ""
    section: str = ""
    group: str = ""
    label: Any = None  # the widget that shows the label
    hint: str = ""
    ignore: bool = False


@dataclass
class Report:
    """Boxes in pixels of the screen. `elements` have the fields of screens.record.Element, and further `xid` (the window they are
    drawn in) and `clip` (what of the screen they may be drawn on, for those in scroll areas)."""

    windows: list[dict[str, Any]] = field(default_factory=list)
    elements: list[dict[str, Any]] = field(default_factory=list)
    areas: list[dict[str, Any]] = field(default_factory=list)

    def window(self, xid: int, title: str, active: bool, owner: int | None = None, role: str = "window") -> None:
        """`owner` is set for pop-ups (menus, lists of combos): the window they belong to."""
        self.windows.append({"xid": xid, "title": title, "active": active, "owner": owner, "role": role})

    def add(self, kind: str, name: str, box: Rect, xid: int, clip: Rect | None = None, **more: Any) -> dict[str, Any]:
        """One element; fields that are None are left out."""
        clean = clean_name(name)
        element = {"kind": kind, "name": clean, "box": box, "xid": xid, "clip": clip}
        if clean != name:
            element["shown_name"] = name
        element |= {key: value for key, value in more.items() if value is not None}
        self.elements.append(element)
        return element

    def as_dict(self) -> dict[str, Any]:
        return {"windows": self.windows, "elements": self.elements, "areas": self.areas}


def clean_name(text: str) -> str:
    """A label without what only decorates it."""
    return text.strip().rstrip("*").rstrip().rstrip(":").rstrip()


def intersect(a: Rect | None, b: Rect | None) -> Rect | None:
    """The common part; None stands for everything."""
    if a is None or b is None:
        return a if b is None else b
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
