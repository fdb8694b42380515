"""What every evaluation application offers: its controls, their state, and the disturbances of the variants.

The state is the application's own: values read from its widgets and the buttons and menu entries that it acted on, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Control:
    """One thing that can be set or pressed. `kind`: field, check, radio, combo, list, spin, button, menuitem.

    For `radio` and `list` the name is that of the choice and the value one of `options`; `page` is the tab it lies on; `menu` the menu.
    """

    kind: str
    name: str
    get: Callable[[], Any] | None = None
    set: Callable[[Any], None] | None = None
    options: tuple[str, ...] = ()
    page: str | None = None
    menu: str | None = None


class Kit:
    """The controls of an application and the record of what was pressed. Subclasses make the widgets of one toolkit."""

    def __init__(self) -> None:
        self.controls: list[Control] = []
        self.pressed: list[str] = []
        self.clicks = 0
        self.disturbance: dict[str, Any] | None = None
        self.page: str | None = None

    def add(self, kind: str, name: str, get: Callable[[], Any] | None = None, put: Callable[[Any], None] | None = None, options: tuple[str, ...] = (), menu: str | None = None) -> None:
        self.controls.append(Control(kind, name, get, put, options, self.page, menu))

    def press(self, name: str) -> None:
        self.pressed.append(name)

    def clicked(self) -> None:
        """A toolkit tells of every press of the mouse; the disturbance comes after the wanted number of them."""
        self.clicks += 1
        if self.disturbance is not None and self.clicks >= self.disturbance["after"]:
            disturbance, self.disturbance = self.disturbance, None
            if disturbance["kind"] == "popup":
                self.popup(disturbance["title"], disturbance["text"], disturbance["button"])
            else:
                self.move(disturbance["x"], disturbance["y"])

    def popup(self, title: str, text: str, button: str) -> None:
        """Show a dialog that blocks the window until its button is pressed."""
        raise NotImplementedError

    def move(self, x: int, y: int) -> None:
        """Move the window's corner there."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        values = {control.name: control.get() for control in self.controls if control.get is not None}
        return {"values": values, "pressed": list(self.pressed)}

    def assign(self, values: dict[str, Any]) -> None:
        """Set controls by name, as a user's earlier work would have left them."""
        for control in self.controls:
            if control.set is not None and control.name in values:
                control.set(values[control.name])

    def disturb(self, **disturbance: Any) -> None:
        self.disturbance, self.clicks = disturbance, 0

    def describe(self) -> list[dict[str, Any]]:
        return [{"kind": c.kind, "name": c.name, "options": c.options, "page": c.page, "menu": c.menu, "value": c.get() if c.get else None} for c in self.controls]

    def commands(self, report: Callable[[], dict[str, Any]]) -> dict[str, Callable[..., Any]]:
        """For channel.answer."""
        return {"report": report, "state": self.state, "assign": self.assign, "disturb": self.disturb, "controls": self.describe, "move": self.move}
