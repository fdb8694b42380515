"""Walks a Tk application by Tcl's own `winfo`, classic and themed widgets alike."""

from __future__ import annotations

import tkinter
from typing import Any

from .common import Rect, Report, Tag, intersect

TAGS: dict[str, Tag] = {}
_CHECKS = {"Checkbutton": "check", "TCheckbutton": "check", "Radiobutton": "radio", "TRadiobutton": "radio"}
_BUTTONS = ("Button", "TButton", "Menubutton", "TMenubutton")


def tag(widget: Any, **about: Any) -> Any:
    """Remember about a widget what Tk does not know; returns the widget."""
    TAGS[str(widget)] = Tag(**about)
    return widget


class Probe:
    """Reports what one interpreter shows."""

    def __init__(self, root: tkinter.Tk) -> None:
        self.tk = root.tk

    def report(self) -> dict[str, Any]:
        self.tk.call("update", "idletasks")
        result = Report()
        self.focus = str(self.tk.call("focus"))
        self._window(result, ".", None)
        return result.as_dict()

    def call(self, *words: Any) -> Any:
        return self.tk.call(*words)

    def box(self, path: str) -> Rect:
        """On the screen."""
        x, y = int(self.call("winfo", "rootx", path)), int(self.call("winfo", "rooty", path))
        return x, y, x + int(self.call("winfo", "width", path)), y + int(self.call("winfo", "height", path))

    def option(self, path: str, name: str) -> str:
        try:
            return str(self.call(path, "cget", name))
        except tkinter.TclError:
            return ""

    def children(self, path: str) -> list[str]:
        return [str(child) for child in self.tk.splitlist(self.call("winfo", "children", path))]

    def _window(self, result: Report, path: str, owner: int | None) -> None:
        """A top level, and the top levels below it."""
        xid = int(str(self.call("winfo", "id", path)), 0)
        if int(self.call("winfo", "ismapped", path)):
            override = owner is not None and path != "." and bool(int(self.call("wm", "overrideredirect", path)))
            active = self.focus != "" and str(self.call("winfo", "toplevel", self.focus)) == path
            role = TAGS[path].group if path in TAGS else "window"
            result.window(xid, str(self.call("wm", "title", path)), active, owner if override else None, role)
        self._walk(result, path, path, xid, None, None, "", owner if owner is not None else xid)

    def _walk(self, result: Report, path: str, top: str, xid: int, clip: Rect | None, area: str | None, section: str, owner: int) -> None:
        about = TAGS.get(path, Tag())
        section = about.section or section
        kind = str(self.call("winfo", "class", path))
        mapped = bool(int(self.call("winfo", "ismapped", path)))
        if mapped and path != top and not about.ignore:
            common: dict[str, Any] = {"xid": xid, "clip": clip, "area": area, "section": section, "group": about.group or None, "focused": path == self.focus or None, "enabled": None if self._enabled(path, kind) else False}
            common["label_box"] = self.box(str(about.label)) if about.label is not None and int(self.call("winfo", "ismapped", str(about.label))) else None
            if kind in ("Labelframe", "TLabelframe"):
                section = self.option(path, "-text")
            if kind == "Canvas" and about.group == "scroll":
                clip = intersect(clip, self.box(path))
                area = self._area(result, path, xid, clip)
            self._leaf(result, path, kind, about, common)
        for child in self.children(path):
            child_kind = str(self.call("winfo", "class", child))
            if child_kind == "Menu":
                self._menu(result, child, xid)
            elif str(self.call("winfo", "toplevel", child)) == child:
                self._window(result, child, xid if child_kind == "ComboboxPopdown" else owner)
            elif mapped or path == ".":
                self._walk(result, child, top, xid, clip, area, section, owner)

    def _enabled(self, path: str, kind: str) -> bool:
        if kind.startswith("T") and kind not in ("Text", "Toplevel"):
            try:
                return not bool(int(self.call(path, "instate", "disabled")))
            except tkinter.TclError:
                return True
        return self.option(path, "-state") != "disabled"

    def _leaf(self, result: Report, path: str, kind: str, about: Tag, common: dict[str, Any]) -> None:
        box = self.box(path)
        text = about.name or self.option(path, "-text")
        if kind in _BUTTONS:
            if text or about.hint:
                role = "link" if about.group == "link" else "button"
                result.add(role, text, box, **{**common, "hint": about.hint or None, "group": None})
        elif kind in _CHECKS:
            result.add(_CHECKS[kind], text, box, checked=self._checked(path, kind), indicator=self._indicator(path, kind, box), **common)
        elif kind in ("Entry", "TEntry"):
            hidden = self.option(path, "-show") != ""
            editable = False if self.option(path, "-state") == "readonly" else None
            result.add("field", about.name, box, value=str(self.call(path, "get")), password=hidden or None, editable=editable, **common)
        elif kind in ("Spinbox", "TSpinbox"):
            result.add("spin", about.name, box, value=str(self.call(path, "get")), minimum=float(self.option(path, "-from")), maximum=float(self.option(path, "-to")), **common)
        elif kind == "TCombobox":
            options = [str(option) for option in self.tk.splitlist(self.call(path, "cget", "-values"))]
            popdown = f"{path}.popdown"
            opened = bool(int(self.call("winfo", "exists", popdown))) and bool(int(self.call("winfo", "ismapped", popdown)))
            result.add("combo", about.name, box, value=str(self.call(path, "get")), options=options, opened=opened or None, editable=self.option(path, "-state") != "readonly", **common)
        elif kind == "Text":
            result.add("field", about.name, box, value=str(self.call(path, "get", "1.0", "end-1c")), multiline=True, **common)
        elif kind == "Listbox":
            self._listbox(result, path, about, box, common)
        elif kind == "Treeview":
            self._tree(result, path, about, box, common)
        elif kind == "TNotebook":
            self._tabs(result, path, about, box, common)
        elif kind in ("Scale", "TScale"):
            x, y = (int(part) for part in self.tk.splitlist(self.call(path, "coords")))
            half = 15 if kind == "Scale" else 8
            knob = (box[0] + x - half, box[1] + y - 8, box[0] + x + half, box[1] + y + 8)
            result.add("slider", about.name, box, value=f"{float(self.call(path, 'get')):g}", minimum=float(self.option(path, "-from")), maximum=float(self.option(path, "-to")), indicator=knob, **common)
        elif kind == "TProgressbar":
            result.add("progress", about.name, box, value=f"{float(self.option(path, '-value')):.0f}%", **common)
        elif kind in ("Label", "TLabel") and text:
            role = about.group if about.group in ("link", "heading") else "label"
            result.add(role, text, box, **{**common, "group": None})

    def _checked(self, path: str, kind: str) -> bool:
        if kind.startswith("T"):
            return bool(int(self.call(path, "instate", "selected")))
        variable = str(self.tk.globalgetvar(self.option(path, "-variable")))
        return variable == self.option(path, "-onvalue" if kind == "Checkbutton" else "-value")

    def _indicator(self, path: str, kind: str, box: Rect) -> Rect:
        """Themed widgets say what lies where; of the classic ones the drawing code gives 65 % of the text's height."""
        width, height = int(box[2] - box[0]), int(box[3] - box[1])
        if kind.startswith("T"):
            xs = [x for x in range(min(width, 60)) if "indicator" in str(self.call(path, "identify", x, height // 2))]
            middle = (min(xs) + max(xs)) // 2 if xs else 8
            ys = [y for y in range(height) if "indicator" in str(self.call(path, "identify", middle, y))]
            if xs and ys:
                return box[0] + min(xs), box[1] + min(ys), box[0] + max(xs) + 1, box[1] + max(ys) + 1
        line = int(self.call("font", "metrics", self.option(path, "-font") or "TkDefaultFont", "-linespace"))
        side = 0.65 * line
        x, y = box[0] + 3 + line / 2, (box[1] + box[3]) / 2
        return x - side / 2, y - side / 2, x + side / 2, y + side / 2

    def _listbox(self, result: Report, path: str, about: Tag, box: Rect, common: dict[str, Any]) -> None:
        chosen = {int(index) for index in self.tk.splitlist(self.call(path, "curselection"))}
        in_combo = str(self.call("winfo", "class", self.call("winfo", "toplevel", path))) == "ComboboxPopdown"
        area = self._yview(result, path, box, common)
        for index in range(int(self.call(path, "size"))):
            place = self.tk.splitlist(self.call(path, "bbox", index))
            if not place:
                continue
            y, height = int(place[1]), int(place[3])
            item = (box[0] + 1, box[1] + y, box[2] - 1, box[1] + y + height)
            more = {**common, "area": area, "group": about.group or "list", "clip": intersect(box, common["clip"]), "focused": None, "label_box": None}
            result.add("menuitem" if in_combo else "listitem", str(self.call(path, "get", index)), item, selected=index in chosen or None, row=index, **more)

    def _tree(self, result: Report, path: str, about: Tag, box: Rect, common: dict[str, Any]) -> None:
        columns = [str(column) for column in self.tk.splitlist(self.call(path, "cget", "-columns"))]
        chosen = {str(item) for item in self.tk.splitlist(self.call(path, "selection"))}
        area = self._yview(result, path, box, common)
        more = {**common, "area": area, "group": about.group or "table", "clip": intersect(box, common["clip"]), "focused": None, "label_box": None}
        for index, item in enumerate(self.tk.splitlist(self.call(path, "children", ""))):
            values = self.tk.splitlist(self.call(path, "item", item, "-values"))
            for number, column in enumerate(columns):
                place = self.tk.splitlist(self.call(path, "bbox", item, column))
                if not place:
                    continue
                x, y, width, height = (int(part) for part in place)
                title = str(self.call(path, "heading", column, "-text"))
                result.add("cell", str(values[number]), (box[0] + x, box[1] + y, box[0] + x + width, box[1] + y + height), row=index, column=number, selected=str(item) in chosen or None, **{**more, "section": title})
        heading = [y for y in range(80) if str(self.call(path, "identify", "region", 8, y)) in ("heading", "separator")]
        x = box[0] + 1
        for column in columns:
            width = int(self.call(path, "column", column, "-width"))
            if heading:
                result.add("header", str(self.call(path, "heading", column, "-text")), (x, box[1] + heading[0], x + width, box[1] + heading[-1] + 1), **more)
            x += width

    def _tabs(self, result: Report, path: str, about: Tag, box: Rect, common: dict[str, Any]) -> None:
        width = int(box[2] - box[0])
        middle = next((y for y in range(8, 40, 3) if self._tab_at(path, 20, y) is not None), None)
        if middle is None:
            return
        spans: dict[int, list[int]] = {}
        for x in range(width):
            number = self._tab_at(path, x, middle)
            if number is not None:
                spans.setdefault(number, []).append(x)
        current = int(self.call(path, "index", "current"))
        for number, xs in spans.items():
            ys = [y for y in range(60) if self._tab_at(path, (xs[0] + xs[-1]) // 2, y) == number]
            text = str(self.call(path, "tab", number, "-text"))
            place = (box[0] + xs[0], box[1] + ys[0], box[0] + xs[-1] + 1, box[1] + ys[-1] + 1)
            result.add("tab", text, place, selected=number == current or None, **{**common, "group": about.group or "tabs", "focused": None, "label_box": None})

    def _tab_at(self, path: str, x: int, y: int) -> int | None:
        found = str(self.call(path, "identify", "tab", x, y))
        return int(found) if found else None

    def _yview(self, result: Report, path: str, box: Rect, common: dict[str, Any]) -> str | None:
        first, last = (float(part) for part in self.tk.splitlist(self.call(path, "yview")))
        page = last - first
        if page >= 0.999:
            return common["area"]
        name = f"{path}:{len(result.areas)}"
        result.areas.append({"id": name, "box": intersect(box, common["clip"]), "xid": common["xid"], "position": first / (1 - page), "page": page})
        return name

    def _area(self, result: Report, path: str, xid: int, clip: Rect | None) -> str | None:
        return self._yview(result, path, clip or self.box(path), {"area": None, "clip": clip, "xid": xid})

    def _menu(self, result: Report, path: str, owner: int) -> None:
        """A menu bar or an open menu; Tk shows copies of menus, which are windows below it."""
        for child in self.children(path):
            if str(self.call("winfo", "class", child)) == "Menu":
                self._menu(result, child, owner)
        if not int(self.call("winfo", "ismapped", path)):
            return
        bar = self.option(path, "-type") == "menubar"
        box = self.box(path)
        xid = int(str(self.call("winfo", "id", path)), 0)
        if not bar:
            result.window(xid, "", False, owner)
        last = self.call(path, "index", "end")
        count = 0 if str(last) == "none" else int(last) + 1
        for index in range(count):
            if str(self.call(path, "type", index)) in ("separator", "tearoff"):
                continue
            place = self._entry(path, index, count, bar, box)
            text = str(self.call(path, "entrycget", index, "-label"))
            enabled = None if str(self.call(path, "entrycget", index, "-state")) != "disabled" else False
            checked = None
            if str(self.call(path, "type", index)) == "checkbutton":
                checked = str(self.tk.globalgetvar(str(self.call(path, "entrycget", index, "-variable")))) == "1"
            result.add("menu" if bar else "menuitem", text, place, xid if not bar else owner, enabled=enabled, checked=checked)

    def _entry(self, path: str, index: int, count: int, bar: bool, box: Rect) -> Rect:
        def at(number: int) -> int:
            return int(self.call(path, "xposition" if bar else "yposition", number))

        start = at(index)
        if bar:
            end = at(index + 1) if index + 1 < count else min(start + 8 + int(self.call("font", "measure", self.option(path, "-font"), self.call(path, "entrycget", index, "-label"))) + 8, int(box[2] - box[0]))
            return box[0] + start, box[1], box[0] + end, box[3]
        end = at(index + 1) if index + 1 < count else int(box[3] - box[1]) - 2
        return box[0] + 1, box[1] + start, box[2] - 1, box[1] + end

    def name_at(self, path: str, x: int, y: int) -> str:
        """What lies at this point of a widget, for the record of clicks."""
        kind = str(self.call("winfo", "class", path))
        if kind == "Listbox":
            return str(self.call(path, "get", self.call(path, "nearest", y)))
        if kind == "TNotebook":
            number = self._tab_at(path, x, y)
            return "" if number is None else str(self.call(path, "tab", number, "-text"))
        if kind == "Treeview":
            column, row = str(self.call(path, "identify", "column", x, y)), str(self.call(path, "identify", "row", x, y))
            if not row:
                return str(self.call(path, "heading", column, "-text")) if column else ""
            return str(self.tk.splitlist(self.call(path, "item", row, "-values"))[int(column[1:]) - 1])
        about = TAGS.get(path, Tag())
        return about.name or about.hint or self.option(path, "-text")
