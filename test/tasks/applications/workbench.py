"""One window with a bit of everything, and a record of every event that it received. gtk.py, qt.py and tk.py make it with their toolkit.

It stands on the kits of training/toolkits/applications: widgets by name, boxes from the toolkit itself, a channel of JSON lines.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "training"))

FONT = {"font": "DejaVu Sans", "size": 10}
SIZES = ["Small", "Medium", "Large"]
ROWS = [f"Row {number}, which goes on to the right for longer than the list is wide" for number in range(1, 61)]
BUTTONS = {1: "left", 2: "middle", 3: "right", 8: "back", 9: "forward"}
CONTINUE_AFTER_S = 1.2
VOLUME = 20
PAD_SIZE = (170, 96)
LAMP_SIZE = (44, 22)


class Workbench:
    """Before a Kit in the order of bases. The state is what the widgets say, and what arrived."""

    def begin(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.strokes: list[dict[str, Any]] = []
        self.pointer: tuple[int, int] | None = None
        self.on = ""

    def happened(self, kind: str, **about: Any) -> None:
        """Keep an event, and show on the window that there was one."""
        self.events.append({"kind": kind, **about})
        if kind == "press":
            self.strokes.append({"button": about["button"], "points": [self.pointer]})
        if kind in ("press", "release") and self.strokes and self.pointer is not None:
            self.strokes[-1]["points"].append(self.pointer)
        self.show_count(f"Events: {len(self.events)}")

    def moved(self, x: float, y: float, on: str, dragging: bool) -> None:
        """The pointer, in pixels of the screen."""
        self.pointer, self.on = (round(x), round(y)), on
        if dragging and self.strokes:
            self.strokes[-1]["points"].append(self.pointer)

    def state(self) -> dict[str, Any]:
        return {
            **super().state(),  # type: ignore[misc]
            "events": self.events, "strokes": self.strokes, "pointer": self.pointer, "on": self.on,
            "volume": self.volume(), "scrolled": self.scrolled(), "selection": self.selection(),
        }  # fmt: skip

    def press(self, name: str) -> None:
        super().press(name)  # type: ignore[misc]
        if name == "Start":
            self.later(CONTINUE_AFTER_S, self.allow_continue)

    def clicked(self) -> None:
        """Besides pop-ups and moves: a program that is busy, and answers nothing until it is not."""
        due = self.disturbance  # type: ignore[has-type]
        if due is not None and due["kind"] == "busy" and self.clicks + 1 >= due["after"]:  # type: ignore[attr-defined]
            self.disturbance = None
            time.sleep(due["seconds"])
        else:
            super().clicked()  # type: ignore[misc]

    def commands(self, report: Callable[[], dict[str, Any]]) -> dict[str, Callable[..., Any]]:
        def whole() -> dict[str, Any]:
            found = report()
            found["elements"] += [{"kind": "area", "name": name, "box": box} for name, box in self.areas().items()]
            return found

        return {**super().commands(whole), "phrase": self.phrase, "lamp": self.lamp, "say": self.say}  # type: ignore[misc]

    # What a toolkit does its own way.
    def show_count(self, text: str) -> None:
        raise NotImplementedError

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        raise NotImplementedError

    def allow_continue(self) -> None:
        raise NotImplementedError

    def volume(self) -> float:
        raise NotImplementedError

    def scrolled(self) -> dict[str, float]:
        """How far the list is, from 0 to 1 each way."""
        raise NotImplementedError

    def selection(self) -> str:
        """The text that is selected in Notes."""
        raise NotImplementedError

    def phrase(self, words: str) -> tuple[float, float, float, float]:
        """Where these words of Notes are on the screen."""
        raise NotImplementedError

    def areas(self) -> dict[str, tuple[float, float, float, float]]:
        """Boxes of what is no widget of the kit."""
        raise NotImplementedError

    def lamp(self, colour: str) -> None:
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Show this text across the top."""
        raise NotImplementedError


def share(position: float, length: float) -> float:
    return position / length if length > 0 else 0.0
