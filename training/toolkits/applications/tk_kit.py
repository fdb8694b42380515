"""Widgets of Tk, themed or classic, for the evaluation applications, and their main loop."""

from __future__ import annotations

import tkinter
from tkinter import font as tkfont
from tkinter import ttk
from typing import Any

from .. import channel
from ..probes import tk as probe
from .kit import Kit


class TkKit(Kit):
    """One window of Tk. The look's theme `classic` means the widgets of old."""

    def __init__(self, title: str, look: dict[str, Any]) -> None:
        super().__init__()
        self.root = tkinter.Tk()
        self.root.title(title)
        self.root.option_add("*tearOff", 0)
        self.classic = look["theme"] == "classic"
        style = ttk.Style()
        style.theme_use("default" if self.classic else look["theme"])
        for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont", "TkHeadingFont"):
            tkfont.nametofont(name).configure(family=look["font"], size=look["size"])
        self.back = style.lookup(".", "background") or "#d9d9d9"
        self.root.configure(bg=self.back)
        self.outer = tkinter.Frame(self.root, bg=self.back, padx=10, pady=8)
        self.outer.pack(fill="both", expand=True)
        # Stock Tk on X11 moves the caret on ctrl+a; applications that mean to be used with a model, or by most people, select everything.
        self.root.bind_class("Entry", "<Control-a>", lambda event: event.widget.selection_range(0, "end") or "break")
        self.root.bind_class("TEntry", "<Control-a>", lambda event: event.widget.selection_range(0, "end") or "break")
        self.root.bind_class("TSpinbox", "<Control-a>", lambda event: event.widget.selection_range(0, "end") or "break")
        self.root.bind_class("Text", "<Control-a>", lambda event: event.widget.tag_add("sel", "1.0", "end") or "break")
        self.root.bind_all("<Button-1>", lambda _event: self.root.after(80, self.clicked), add=True)
        self.probe = probe.Probe(self.root)
        self.variables: list[Any] = []

    def variable(self, value: str) -> Any:
        self.variables.append(tkinter.StringVar(self.root, value=value))
        return self.variables[-1]

    def frame(self, parent: Any, title: str | None = None) -> Any:
        if title is None:
            return tkinter.Frame(parent, bg=self.back)
        return tkinter.LabelFrame(parent, text=title, bg=self.back, padx=6, pady=4, font="TkDefaultFont")

    def label(self, parent: Any, text: str) -> Any:
        return tkinter.Label(parent, text=text, bg=self.back, font="TkDefaultFont")

    def field(self, parent: Any, name: str, value: str = "", label: Any = None) -> Any:
        entry = tkinter.Entry(parent, bg="white", font="TkTextFont", insertofftime=0) if self.classic else ttk.Entry(parent, font="TkTextFont")
        entry.insert(0, value)

        def put(text: str) -> None:
            entry.delete(0, "end")
            entry.insert(0, text)

        self.add("field", name, entry.get, put)
        return probe.tag(entry, name=name, label=label)

    def check(self, parent: Any, name: str, on: bool = False) -> Any:
        variable = self.variable("1" if on else "0")
        if self.classic:
            check: Any = tkinter.Checkbutton(parent, text=name, variable=variable, bg=self.back, highlightthickness=0, anchor="w", font="TkDefaultFont")
        else:
            check = ttk.Checkbutton(parent, text=name, variable=variable)
        self.add("check", name, lambda: variable.get() == "1", lambda value: variable.set("1" if value else "0"))
        return check

    def radios(self, parent: Any, name: str, options: list[str], chosen: int, side: Any = "top") -> Any:
        frame = self.frame(parent, name)
        variable = self.variable(options[chosen])
        for option in options:
            if self.classic:
                radio: Any = tkinter.Radiobutton(frame, text=option, value=option, variable=variable, bg=self.back, highlightthickness=0, font="TkDefaultFont")
            else:
                radio = ttk.Radiobutton(frame, text=option, value=option, variable=variable)
            probe.tag(radio, group=name, section=name).pack(side=side, anchor="w", padx=4)
        self.add("radio", name, variable.get, variable.set, tuple(options))
        return frame

    def combo(self, parent: Any, name: str, options: list[str], chosen: int = 0, label: Any = None) -> Any:
        combo = ttk.Combobox(parent, values=options, state="readonly", font="TkTextFont")
        combo.current(chosen)
        self.add("combo", name, combo.get, combo.set, tuple(options))
        return probe.tag(combo, name=name, label=label)

    def spin(self, parent: Any, name: str, low: int, high: int, value: int, label: Any = None) -> Any:
        spin = ttk.Spinbox(parent, from_=low, to=high, font="TkTextFont", width=7)
        spin.set(value)
        self.add("spin", name, spin.get, spin.set)
        return probe.tag(spin, name=name, label=label)

    def rows(self, parent: Any, name: str, options: list[str], chosen: int | None = None, height: int = 6) -> Any:
        box = tkinter.Listbox(parent, height=height, exportselection=False, bg="white", font="TkTextFont")
        box.insert("end", *options)

        def put(option: str) -> None:
            box.selection_clear(0, "end")
            box.selection_set(options.index(option))

        if chosen is not None:
            put(options[chosen])
        self.add("list", name, lambda: options[box.curselection()[0]] if box.curselection() else None, put, tuple(options))
        return probe.tag(box, group=name)

    def button(self, parent: Any, name: str) -> Any:
        self.add("button", name)
        if self.classic:
            return tkinter.Button(parent, text=name, bg=self.back, font="TkDefaultFont", command=lambda: self.press(name))
        return ttk.Button(parent, text=name, command=lambda: self.press(name))

    def buttons(self, parent: Any, *names: str, side: Any = "right") -> Any:
        frame = self.frame(parent)
        for name in names[:: -1 if side == "right" else 1]:
            self.button(frame, name).pack(side=side, padx=4, pady=6)
        return frame

    def menubar(self, menus: dict[str, list[str]]) -> None:
        bar = tkinter.Menu(self.root)
        for title, entries in menus.items():
            menu = tkinter.Menu(bar)
            for entry in entries:
                menu.add_command(label=entry, command=lambda name=entry: self.press(name))
                self.add("menuitem", entry, menu=title)
            bar.add_cascade(label=title, menu=menu)
        self.root["menu"] = bar

    def form(self, parent: Any, rows: list[tuple[str, str, dict[str, Any]]]) -> Any:
        """Rows of (label, kind, arguments): the widgets are named by their labels."""
        frame = self.frame(parent)
        frame.columnconfigure(1, weight=1)
        for line, (text, kind, arguments) in enumerate(rows):
            label = self.label(frame, text)
            label.grid(row=line, column=0, sticky="w", padx=(0, 8), pady=2)
            getattr(self, kind)(frame, text.rstrip(":"), label=label, **arguments).grid(row=line, column=1, sticky="ew", pady=2)
        return frame

    def popup(self, title: str, text: str, button: str) -> None:
        top = tkinter.Toplevel(self.root, bg=self.back, padx=14, pady=10)
        probe.tag(top, group="popup")
        top.title(title)
        top.transient(self.root)
        self.label(top, text).pack(pady=6)
        close = tkinter.Button(top, text=button, bg=self.back, font="TkDefaultFont", command=top.destroy)
        close.pack(anchor="e")
        top.update_idletasks()
        top.geometry(f"+{self.root.winfo_rootx() + 60}+{self.root.winfo_rooty() + 50}")
        top.grab_set()

    def move(self, x: int, y: int) -> None:
        self.root.geometry(f"+{x}+{y}")

    def run(self, at: tuple[int, int] | None) -> None:
        if at is not None:
            self.move(*at)
        lines, commands = channel.Lines(0), self.commands(self.probe.report)

        def readable(*_: Any) -> None:
            arrived = lines.read()
            if arrived is None:
                self.root.quit()
            for line in arrived or []:
                channel.answer(commands, line)

        self.root.createfilehandler(0, tkinter.READABLE, readable)
        self.root.mainloop()
