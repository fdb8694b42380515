"""Does a real click in the middle of a box reach that widget? Asked of the application itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random

from screens.record import Screen

from .channel import Application
from .display import Display

CHECKED = ("button", "check", "radio", "switch", "field", "spin", "combo", "tab", "listitem", "cell", "link", "menuitem", "header")


@dataclass
class Tally:
    """How many clicks arrived, and what the others were."""

    arrived: int = 0
    missed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.arrived} of {self.arrived + len(self.missed)} {self.missed[:12]}"


def check(display: Display, host: Application, screen: Screen, rng: Random, tally: Tally) -> None:
    """Click one element that is wholly visible and compare with the events of the host."""
    popup = any(element.kind == "menuitem" for element in screen.elements)
    candidates = [
        element for element in screen.elements
        if element.kind in CHECKED and element.visible > 0.99 and element.enabled and element.name and not element.selected
        and (element.kind == "menuitem") == popup and not (element.kind == "radio" and element.checked)
    ]  # fmt: skip
    if not candidates:
        return
    element = rng.choice(candidates)
    host.ask("events")
    x, y = element.target
    display.click(int(x), int(y))
    for _ in range(10):
        time.sleep(0.05)
        events = host.ask("events")
        if events:
            break
    wanted = {element.name, element.shown_name, element.hint}
    if any(event in wanted or event.rstrip(":* ") in wanted for event in events):
        tally.arrived += 1
    else:
        tally.missed.append(f"{element.kind} {element.name!r} at {int(x)},{int(y)} → {events}")
