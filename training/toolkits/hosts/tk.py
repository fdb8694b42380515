"""Builds scenes with Tk, classic or themed widgets. Run by harvest.py with Debian's Python; see channel.py."""

from __future__ import annotations

import sys
import tkinter
from pathlib import Path
from tkinter import font as tkfont
from tkinter import ttk
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkits import channel  # noqa: E402
from toolkits.probes import tk as probe  # noqa: E402

Spec = dict[str, Any]
tag = probe.tag


class Host:
    """The windows of one scene, and what their widgets have received."""

    def __init__(self) -> None:
        self.root = tkinter.Tk()
        self.root.withdraw()
        self.root.option_add("*tearOff", 0)
        self.style = ttk.Style()
        self.probe = probe.Probe(self.root)
        self.windows: list[Any] = []
        self.combos: dict[str, Any] = {}
        self.variables: list[Any] = []
        self.events: list[str] = []
        self.font = tkfont.Font(name="SceneFont", family="DejaVu Sans", size=10, exists=False)
        self.root.bind_all("<Button-1>", self.pressed, add=True)

    def pressed(self, event: Any) -> None:
        self.events.append(self.probe.name_at(str(event.widget), event.x, event.y))

    def build(self, scene: Spec) -> None:
        self.close()
        look = scene["look"]
        self.classic = look["theme"] == "classic"
        self.style.theme_use("default" if self.classic else look["theme"])
        for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont", "TkHeadingFont", "SceneFont"):
            tkfont.nametofont(name).configure(family=look["font"], size=look["size"])
        self.style.configure("Treeview", rowheight=self.font.metrics("linespace") + 4)
        self.colours(look.get("palette"))
        self.windows = [self.window(window) for window in scene["windows"]]
        for window in self.windows:
            window.update_idletasks()
            window.deiconify()
        self.root.update()
        for window in self.windows:
            window.lift()

    def colours(self, palette: dict[str, str] | None) -> None:
        """Colours of its own, or those of the theme."""
        colours = palette or {"window": "#d9d9d9", "text": "#000000", "base": "#ffffff", "button": "#d9d9d9", "accent": "#4a6984", "on_accent": "#ffffff"}
        plain = palette is None
        self.back = colours["window"] if not plain or self.classic else self.style.lookup(".", "background") or "#d9d9d9"
        self.style.configure(".", background=self.back, foreground=colours["text"])
        for name in ("TEntry", "TCombobox", "TSpinbox", "Treeview"):
            self.style.configure(name, fieldbackground=colours["base"], foreground=colours["text"], insertcolor=colours["text"], background=colours["base"] if name == "Treeview" else colours["button"])
        self.style.map("Treeview", background=[("selected", colours["accent"])], foreground=[("selected", colours["on_accent"])])
        self.style.map("TCombobox", fieldbackground=[("readonly", colours["base"])])
        if not plain:
            self.style.configure("TButton", background=colours["button"])
        self.entry = {"bg": colours["base"], "fg": colours["text"], "insertbackground": colours["text"], "insertofftime": 0, "font": "SceneFont"}
        self.plain = {"bg": self.back, "fg": colours["text"], "font": "SceneFont", "highlightthickness": 0}
        self.select = {"selectbackground": colours["accent"], "selectforeground": colours["on_accent"]}
        self.indicator = {"selectcolor": colours["base"], "activebackground": self.back, "anchor": "w"}
        self.root.option_add("*TCombobox*Listbox.background", colours["base"])
        self.root.option_add("*TCombobox*Listbox.foreground", colours["text"])

    def close(self) -> None:
        for window in self.windows:
            window.destroy()
        self.windows, self.combos, self.variables = [], {}, []
        self.events.clear()
        probe.TAGS.clear()

    def open(self, window: int, kind: str, name: str) -> None:
        top = self.windows[window]
        if kind == "combo":
            self.root.tk.call("ttk::combobox::Post", str(self.combos[name]))
            return
        menu = top.nametowidget(top["menu"])
        for index in range(menu.index("end") + 1):
            if menu.entrycget(index, "label") == name:
                bar = next(child for child in self.probe.children(str(top)) if "#" in child and self.probe.option(child, "-type") == "menubar")
                self.root.tk.call(bar, "postcascade", index)

    def window(self, spec: Spec) -> Any:
        window = tkinter.Toplevel(self.root, bg=self.back)
        window.withdraw()
        window.title(spec["title"])
        tag(window, group=spec.get("role", "window"))
        if spec["menus"]:
            window["menu"] = self.menus(window, spec["menus"])
        if spec["toolbar"]:
            bar = self.frame(window)
            bar.pack(fill="x", pady=2)
            for item in spec["toolbar"]:
                self.button(bar, item).pack(side="left", padx=1)
        if spec["buttons"]:
            row = self.frame(window)
            row.pack(side="bottom", fill="x", padx=spec["margin"], pady=spec["margin"])
            side = "right" if spec["button_align"] == "end" else "left"
            for item in spec["buttons"][:: -1 if side == "right" else 1]:
                self.button(row, item).pack(side=side, padx=4, expand=spec["button_align"] in ("spread", "center"))
        if spec["scroll"]:
            body = self.scrolled(window, spec["scroll"])
        else:
            body = self.frame(window)
            body.pack(fill="both", expand=True, padx=spec["margin"], pady=spec["margin"] // 2)
        for block in spec["blocks"]:
            self.block(body, block).pack(fill="both", expand=block["kind"] in ("list", "table"), pady=spec["spacing"] // 2, anchor="w")
        window.update_idletasks()
        width = max(spec["width"], 60) if spec["width"] else window.winfo_reqwidth()
        height = window.winfo_reqheight()
        where = f"+{spec['at'][0]}+{spec['at'][1]}" if spec["at"] else ""
        window.geometry(f"{width}x{height}{where}" if spec["width"] else where)
        return window

    def scrolled(self, window: Any, spec: Spec) -> Any:
        outer = self.frame(window)
        outer.pack(fill="both", expand=True)
        canvas = tag(tkinter.Canvas(outer, height=spec["height"], bg=self.back, highlightthickness=0), group="scroll")
        bar = ttk.Scrollbar(outer, command=canvas.yview)
        canvas.configure(yscrollcommand=bar.set)
        bar.pack(side="right", fill="y")
        canvas.pack(side="left", fill="both", expand=True)
        body = self.frame(canvas)
        canvas.create_window(0, 0, window=body, anchor="nw")

        def fit(_event: Any) -> None:
            canvas.configure(scrollregion=canvas.bbox("all"), width=body.winfo_reqwidth())
            canvas.yview_moveto(spec["position"] * max(0.0, 1 - spec["height"] / max(1, body.winfo_reqheight())))

        body.bind("<Configure>", fit)
        return body

    def frame(self, parent: Any) -> Any:
        return tkinter.Frame(parent, bg=self.back)

    def variable(self, value: Any) -> Any:
        variable = tkinter.StringVar(self.root, value=value)
        self.variables.append(variable)
        return variable

    def menus(self, window: Any, menus: list[Spec]) -> Any:
        bar = tkinter.Menu(window, font="SceneFont", bg=self.back, fg=self.plain["fg"], relief="flat")
        for menu in menus:
            sub = tkinter.Menu(bar, font="SceneFont", bg=self.back, fg=self.plain["fg"])
            for entry in menu["items"]:
                if entry is None:
                    sub.add_separator()
                    continue
                about = {"label": entry["label"], "command": lambda name=entry["label"]: self.events.append(name), "state": "normal" if entry.get("enabled", True) else "disabled"}
                if "checked" in entry:
                    sub.add_checkbutton(variable=self.variable("1" if entry["checked"] else "0"), **about)
                else:
                    sub.add_command(**about)
            bar.add_cascade(label=menu["label"], menu=sub)
        return bar

    def button(self, parent: Any, item: Spec) -> Any:
        state = "normal" if item.get("enabled", True) else "disabled"
        if self.classic:
            return tkinter.Button(parent, text=item["label"], state=state, activebackground=self.back, **self.plain)
        return ttk.Button(parent, text=item["label"], state=state)

    def block(self, parent: Any, spec: Spec) -> Any:
        return getattr(self, "block_" + spec["kind"])(parent, spec)

    def label(self, parent: Any, text: str, **more: Any) -> Any:
        return tkinter.Label(parent, text=text, **{**self.plain, **more})

    def block_form(self, parent: Any, spec: Spec) -> Any:
        frame = self.frame(parent)
        for index, row in enumerate(spec["rows"]):
            label = self.label(frame, row["label"] + spec["suffix"])
            widget = self.row_widget(frame, row, label)
            line, side = divmod(index, spec["columns"])
            if spec["label_side"] == "top":
                label.grid(row=line * 2, column=side, sticky="w", padx=4)
                widget.grid(row=line * 2 + 1, column=side, sticky="ew", padx=4, pady=(0, spec["gap"]))
                frame.columnconfigure(side, weight=1)
            else:
                label.grid(row=line, column=side * 2, sticky="e" if spec["align"] == "end" else "w", padx=4)
                widget.grid(row=line, column=side * 2 + 1, sticky="ew", padx=4, pady=spec["gap"] // 2)
                frame.columnconfigure(side * 2 + 1, weight=1)
        return frame

    def row_widget(self, parent: Any, row: Spec, label: Any) -> Any:
        kind, about = row["widget"], {"name": str(label["text"]), "label": label}
        state = "normal" if row.get("enabled", True) else "disabled"
        widget: Any
        if kind == "combo":
            widget = ttk.Combobox(parent, values=row["options"], font="SceneFont", state="readonly" if state == "normal" else state)
            widget.set(row["value"])
            self.combos[row["label"]] = widget
        elif kind == "spin":
            make = tkinter.Spinbox if self.classic else ttk.Spinbox
            variable = self.variable(row["value"])
            widget = make(parent, from_=row["minimum"], to=row["maximum"], textvariable=variable, font="SceneFont", width=8)
            widget.configure(state=state)
        elif kind == "slider":
            if self.classic:
                widget = tkinter.Scale(parent, from_=row["minimum"], to=row["maximum"], orient="horizontal", showvalue=row["draw_value"], **self.plain)
            else:
                widget = ttk.Scale(parent, from_=row["minimum"], to=row["maximum"])
            widget.set(float(row["value"]))
        elif kind == "switch":
            widget = self.check(parent, {"label": "", "checked": row["checked"]})
        elif kind == "progress":
            widget = ttk.Progressbar(parent, value=float(row["value"]))
        elif kind == "text":
            widget = tkinter.Text(parent, width=24, height=3, **self.entry)
            widget.insert("1.0", row["value"])
            widget.configure(state=state)
        else:
            show = {"show": "•"} if kind == "password" else {}
            if self.classic:
                widget = tkinter.Entry(parent, width=row.get("chars", 16), **self.entry, **show)
            else:
                widget = ttk.Entry(parent, width=row.get("chars", 16), font="SceneFont", **show)
            widget.insert(0, row["value"])
            widget.configure(state="readonly" if row.get("readonly") else state)
        if row.get("focus"):
            widget.after(30, widget.focus_force)
        return tag(widget, **about)

    def check(self, parent: Any, item: Spec) -> Any:
        state = "normal" if item.get("enabled", True) else "disabled"
        variable = self.variable("1" if item["checked"] else "0")
        if self.classic:
            return tkinter.Checkbutton(parent, text=item["label"], variable=variable, state=state, **self.plain, **self.indicator)
        return ttk.Checkbutton(parent, text=item["label"], variable=variable, state=state)

    def block_checks(self, parent: Any, spec: Spec) -> Any:
        frame = self.frame(parent)
        for index, item in enumerate(spec["items"]):
            self.check(frame, item).grid(row=index // spec["columns"], column=index % spec["columns"], sticky="w", padx=4, pady=spec["gap"] // 2)
        return frame

    def block_radios(self, parent: Any, spec: Spec) -> Any:
        frame = self.frame(parent)
        side: Any = "left" if spec["horizontal"] else "top"
        if spec["title"]:
            self.label(frame, spec["title"]).pack(side=side, anchor="w")
        variable = self.variable(str(spec["selected"]))
        for index, item in enumerate(spec["items"]):
            if self.classic:
                radio: Any = tkinter.Radiobutton(frame, text=item, value=str(index), variable=variable, **self.plain, **self.indicator)
            else:
                radio = ttk.Radiobutton(frame, text=item, value=str(index), variable=variable)
            tag(radio, group=spec["title"] or spec["items"][0], section=spec["title"])
            radio.pack(side=side, anchor="w", padx=3)
        return frame

    def block_section(self, parent: Any, spec: Spec) -> Any:
        frame = tkinter.LabelFrame(parent, text=spec["title"], padx=6, pady=4, **self.plain)
        self.blocks(frame, spec["blocks"])
        return frame

    def blocks(self, parent: Any, specs: list[Spec]) -> None:
        for spec in specs:
            self.block(parent, spec).pack(fill="x", pady=3, anchor="w")

    def block_tabs(self, parent: Any, spec: Spec) -> Any:
        notebook = ttk.Notebook(parent)
        for page in spec["pages"]:
            frame = self.frame(notebook)
            self.blocks(frame, page["blocks"])
            notebook.add(frame, text=page["label"])
        notebook.select(spec["current"])
        return tag(notebook, group="|".join(page["label"] for page in spec["pages"]))

    def block_list(self, parent: Any, spec: Spec) -> Any:
        frame = self.frame(parent)
        if spec["title"]:
            self.label(frame, spec["title"]).pack(anchor="w")
        rows = max(2, spec["height"] // self.font.metrics("linespace"))
        box = tkinter.Listbox(frame, height=rows, exportselection=False, bg=self.entry["bg"], fg=self.entry["fg"], font="SceneFont", **self.select)
        bar = ttk.Scrollbar(frame, command=box.yview)
        box.configure(yscrollcommand=bar.set)
        box.insert("end", *spec["items"])
        if spec["selected"] is not None:
            box.selection_set(spec["selected"])
        box.pack(side="left", fill="both", expand=True)
        bar.pack(side="right", fill="y")
        box.after(30, lambda: box.yview_moveto(spec["position"]))
        return tag(box, group=spec["title"] or "list") and frame

    def block_table(self, parent: Any, spec: Spec) -> Any:
        frame = self.frame(parent)
        names = [f"c{index}" for index in range(len(spec["columns"]))]
        rows = max(2, spec["height"] // (self.font.metrics("linespace") + 4) - 1)
        tree = ttk.Treeview(frame, columns=names, show="headings", height=rows)
        for name, title in zip(names, spec["columns"]):
            tree.heading(name, text=title, anchor="w")
            tree.column(name, width=max(60, self.font.measure(title) + 16, *(self.font.measure(row[names.index(name)]) + 12 for row in spec["rows"])), stretch=True)
        items = [tree.insert("", "end", values=row) for row in spec["rows"]]
        if spec["selected"] is not None:
            tree.selection_set(items[spec["selected"]])
        bar = ttk.Scrollbar(frame, command=tree.yview)
        tree.configure(yscrollcommand=bar.set)
        bar.pack(side="right", fill="y")
        tree.pack(side="left", fill="both", expand=True)
        tree.after(30, lambda: tree.yview_moveto(spec["position"]))
        return tag(tree, group="|".join(spec["columns"])) and frame

    def block_buttons(self, parent: Any, spec: Spec) -> Any:
        frame = self.frame(parent)
        for item in spec["items"]:
            self.button(frame, item).pack(side="left", padx=3)
        return frame

    def block_links(self, parent: Any, spec: Spec) -> Any:
        frame = self.frame(parent)
        for item in spec["items"]:
            tag(self.label(frame, item, fg="#1a5fb4", cursor="hand2"), group="link").pack(side="left", padx=5)
        return frame

    def block_label(self, parent: Any, spec: Spec) -> Any:
        return self.label(parent, spec["text"], wraplength=380, justify="left", anchor="w")

    def block_heading(self, parent: Any, spec: Spec) -> Any:
        bold = tkfont.Font(family=self.font["family"], size=int(self.font["size"]) + 3, weight="bold")
        self.variables.append(bold)
        return tag(self.label(parent, spec["text"], font=bold, anchor="w"), group="heading")

    def block_columns(self, parent: Any, spec: Spec) -> Any:
        frame = self.frame(parent)
        for side in (spec["left"], spec["right"]):
            part = self.frame(frame)
            part.pack(side="left", fill="both", expand=True, padx=5, anchor="n")
            self.blocks(part, side)
        return frame


def main() -> None:
    host = Host()
    lines = channel.Lines(0)

    def take() -> list[str]:
        found, host.events[:] = list(host.events), []
        return found

    commands: channel.Commands = {"build": host.build, "open": host.open, "close": host.close, "report": host.probe.report, "events": take}

    def readable(*_: Any) -> None:
        arrived = lines.read()
        if arrived is None:
            host.root.quit()
        for line in arrived or []:
            channel.answer(commands, line)

    host.root.createfilehandler(0, tkinter.READABLE, readable)
    host.root.mainloop()


if __name__ == "__main__":
    main()
