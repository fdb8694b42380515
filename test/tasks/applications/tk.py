"""The workbench in Tk."""

from __future__ import annotations

import tkinter
from typing import Any

from workbench import BUTTONS, FONT, LAMP_SIZE, PAD_SIZE, ROWS, SIZES, VOLUME, Workbench, share

from toolkits.applications.tk_kit import TkKit
from toolkits.probes import tk as probe

_HELD = {"ctrl": 4, "shift": 1, "alt": 8, "super": 64}
_ANY_BUTTON = 0x1F00
#: How Tk calls the wheel.
_WHEEL = {4: (0, -1), 5: (0, 1)}


class TkWorkbench(Workbench, TkKit):
    def __init__(self) -> None:
        super().__init__("Workbench", {"theme": "clam", **FONT})
        self.begin()
        self.banner = self.label(self.outer, "")
        body = self.frame(self.outer)
        left, right = self.frame(body), self.frame(body)
        left.columnconfigure(1, weight=1)
        self.label(left, "Name:").grid(row=0, column=0, sticky="w")
        self.field(left, "Name").grid(row=0, column=1, sticky="ew", pady=3)
        self.label(left, "Notes:").grid(row=1, column=0, sticky="nw")
        self.notes = tkinter.Text(left, width=28, height=5, font="TkTextFont", insertofftime=0, undo=False)
        self.add("field", "Notes", lambda: self.notes.get("1.0", "end-1c"), self._write)
        probe.tag(self.notes, name="Notes").grid(row=1, column=1, sticky="ew", pady=3)
        self.label(left, "Volume:").grid(row=2, column=0, sticky="w")
        self.slider = tkinter.Scale(left, from_=0, to=100, orient="horizontal", bg=self.back, highlightthickness=0, showvalue=False, font="TkDefaultFont")
        self.slider.set(VOLUME)
        probe.tag(self.slider, name="Volume").grid(row=2, column=1, sticky="ew", pady=3)
        self.radios(left, "Size", SIZES, 1, "left").grid(row=3, column=0, columnspan=2, sticky="ew", pady=3)
        self.check(left, "Newsletter").grid(row=4, column=1, sticky="w")
        self.pad = tkinter.Label(right, text="Pad", bg="#d8e4c8")
        probe.tag(self.pad, name="Pad", ignore=True)
        holder = tkinter.Frame(right, width=PAD_SIZE[0], height=PAD_SIZE[1])
        holder.pack_propagate(False)
        holder.pack(anchor="w")
        self.pad.pack(in_=holder, fill="both", expand=True)
        self.pad.lift()
        self.list = self.rows(right, "Rows", ROWS, None, 8)
        self.list.configure(width=30)
        self.list.pack(fill="both", expand=True, pady=6)
        left.pack(side="left", fill="both", expand=True, padx=(0, 10))
        right.pack(side="left", fill="both")
        body.pack(fill="both", expand=True)
        bottom = self.frame(self.outer)
        buttons = {name: self.button(bottom, name) for name in ("Start", "Continue", "Save", "Delete")}
        self.go_on = buttons["Continue"]
        self.go_on.state(["disabled"])
        self.bulb = tkinter.Frame(bottom, width=LAMP_SIZE[0], height=LAMP_SIZE[1], bg="#808080")
        self.count = self.label(bottom, "Events: 0")
        for widget in (*buttons.values(), self.label(bottom, "Lamp:"), self.bulb, self.count):
            widget.pack(side="left", padx=3)
        bottom.pack(anchor="w", pady=(8, 0))
        self.body = body
        # A tag before all others sees every event first, and each once.
        self.root.after_idle(lambda: self._watch(self.root))
        self.root.bind_class("Watched", "<Button>", self._pressed)
        self.root.bind_class("Watched", "<ButtonRelease>", self._released)
        self.root.bind_class("Watched", "<Motion>", self._motion)
        self.root.bind_class("Watched", "<KeyPress>", lambda event: self._key("key_down", event))
        self.root.bind_class("Watched", "<KeyRelease>", lambda event: self._key("key_up", event))

    def _watch(self, widget: Any) -> None:
        widget.bindtags(("Watched", *(tag for tag in widget.bindtags() if tag != "Watched")))
        for child in widget.winfo_children():
            if not isinstance(child, tkinter.Toplevel):
                self._watch(child)

    def _write(self, text: str) -> None:
        self.notes.delete("1.0", "end")
        self.notes.insert("1.0", text)

    def _place(self, event: Any) -> None:
        # Tk goes on to send events to where a button was pressed; the pointer is elsewhere.
        self.moved(event.x_root, event.y_root, self._name_at(event.x_root, event.y_root), bool(int(event.state) & _ANY_BUTTON))

    def _name_at(self, x: int, y: int) -> str:
        widget = self.root.winfo_containing(x, y)
        about = probe.TAGS.get(str(widget))
        if about is not None and (about.name or about.group):
            return about.name or about.group
        try:
            return str(widget.cget("text"))
        except (AttributeError, tkinter.TclError):
            return ""

    def _pressed(self, event: Any) -> None:
        self._place(event)
        if event.num in _WHEEL:
            # Tk tells of a wheel that turns sideways as of one that turns with Shift held, and scrolls the same for both.
            turned = _WHEEL[event.num]
            dx, dy = reversed(turned) if "shift" in _held(event) else turned
            self.happened("scroll", dx=dx, dy=dy, on=self.on, held=_held(event))
        else:
            self.happened("press", button=BUTTONS.get(event.num), on=self.on, held=_held(event))

    def _released(self, event: Any) -> None:
        self._place(event)
        if event.num not in _WHEEL:
            self.happened("release", button=BUTTONS.get(event.num), on=self.on, held=_held(event))

    def _motion(self, event: Any) -> None:
        self._place(event)

    def _key(self, kind: str, event: Any) -> None:
        self.happened(kind, key=event.keysym, held=_held(event), time=event.time)

    def show_count(self, text: str) -> None:
        self.count.configure(text=text)

    def later(self, seconds: float, do: Any) -> None:
        self.root.after(int(seconds * 1000), do)

    def allow_continue(self) -> None:
        self.go_on.state(["!disabled"])

    def volume(self) -> float:
        return float(self.slider.get())

    def scrolled(self) -> dict[str, float]:
        (left, right), (top, bottom) = self.list.xview(), self.list.yview()
        return {"x": share(left, 1 - (right - left)), "y": share(top, 1 - (bottom - top))}

    def selection(self) -> str:
        return str(self.notes.get("sel.first", "sel.last")) if self.notes.tag_ranges("sel") else ""

    def phrase(self, words: str) -> tuple[float, float, float, float]:
        start = self.notes.search(words, "1.0")
        first = self.notes.bbox(start)
        last = self.notes.bbox(f"{start}+{len(words) - 1}c")
        x, y = self.notes.winfo_rootx(), self.notes.winfo_rooty()
        return x + first[0], y + first[1], x + last[0] + last[2], y + first[1] + first[3]

    def areas(self) -> dict[str, tuple[float, float, float, float]]:
        named = {"Pad": self.pad, "Lamp": self.bulb, "Rows": self.list}
        return {name: self.probe.box(str(widget)) for name, widget in named.items()}

    def lamp(self, colour: str) -> None:
        self.bulb.configure(bg=colour)

    def say(self, text: str) -> None:
        self.banner.configure(text=text, wraplength=560)
        self.banner.pack(before=self.body)


def _held(event: Any) -> list[str]:
    return [name for name, mask in _HELD.items() if int(event.state) & mask]


if __name__ == "__main__":
    TkWorkbench().run((0, 0))
