"""Walks a GTK 4 application: bounds are exact inside a surface, and the X server knows where the surface is."""

from __future__ import annotations

import os
from typing import Any

import gi

gi.require_version("Gtk", "4.0")
gi.require_version("GdkX11", "4.0")
from gi.repository import GdkX11, Gtk  # noqa: E402
from Xlib import display as xdisplay  # noqa: E402

from .common import Rect, Report, Tag, intersect  # noqa: E402

TAGS: dict[Any, Tag] = {}
_ = GdkX11  # the import gives surfaces their get_xid
_x = xdisplay.Display(os.environ["DISPLAY"])


def tag(widget: Any, **about: Any) -> Any:
    """Remember about a widget what GTK does not know; returns the widget."""
    TAGS[widget] = Tag(**about)
    return widget


def children(widget: Any) -> list[Any]:
    found, child = [], widget.get_first_child()
    while child is not None:
        found.append(child)
        child = child.get_next_sibling()
    return found


def text_of(widget: Any) -> str:
    """The text on a button: the first label inside."""
    if isinstance(widget, Gtk.Label):
        return widget.get_text()
    return next((text for text in map(text_of, children(widget)) if text), "")


def report() -> dict[str, Any]:
    """Everything that is shown now. Menus and lists that pop up are not entered."""
    result = Report()
    for window in Gtk.Window.list_toplevels():
        if window.get_mapped():
            xid = window.get_surface().get_xid()
            result.window(xid, window.get_title() or "", window.is_active(), None, getattr(window, "deskhand_role", "window"))
            at = _x.screen().root.translate_coords(_x.create_resource_object("window", xid), 0, 0)
            dx, dy = window.get_surface_transform()
            _Walk(result, window, xid, at.x + dx, at.y + dy).widget(window, None, None, "")
    return result.as_dict()


class _Walk:
    def __init__(self, result: Report, window: Any, xid: int, x: float, y: float) -> None:
        self.result, self.window, self.xid, self.x, self.y = result, window, xid, x, y

    def box(self, widget: Any) -> Rect:
        ok, bounds = widget.compute_bounds(self.window)
        if not ok:
            return 0, 0, 0, 0
        x, y = self.x + bounds.get_x(), self.y + bounds.get_y()
        return x, y, x + bounds.get_width(), y + bounds.get_height()

    def widget(self, widget: Any, clip: Rect | None, area: str | None, section: str) -> None:
        if not widget.get_mapped() or isinstance(widget, Gtk.Popover):
            return
        about = TAGS.get(widget, Tag())
        section = about.section or section
        focus = self.window.get_focus()
        common: dict[str, Any] = {
            "xid": self.xid, "clip": clip, "area": area, "section": section, "group": about.group or None, "focused": (focus is not None and (focus is widget or focus.is_ancestor(widget))) or None,
            "enabled": None if widget.is_sensitive() else False, "hint": about.hint or None,
            "label_box": self.box(about.label) if about.label is not None and about.label.get_mapped() else None,
        }  # fmt: skip
        if self.leaf(widget, about, common):
            return
        if isinstance(widget, Gtk.ScrolledWindow):
            clip = intersect(clip, self.box(widget))
            area = self.area(widget, clip) or area
        if isinstance(widget, Gtk.Frame) and widget.get_label():
            section = widget.get_label()
        if isinstance(widget, Gtk.Notebook):
            for number in range(widget.get_n_pages()):
                label = widget.get_tab_label(widget.get_nth_page(number))
                if label.get_mapped():
                    self.result.add("tab", text_of(label), self.box(label.get_parent()), selected=number == widget.get_current_page() or None, **{**common, "group": about.group or "tabs", "focused": None})
        for child in children(widget):
            inside_tab = isinstance(child, Gtk.Label) and any(isinstance(up, Gtk.Notebook) and child in _labels(up) for up in _ancestors(child))
            if not inside_tab:
                self.widget(child, clip, area, section)

    def leaf(self, widget: Any, about: Tag, common: dict[str, Any]) -> bool:
        """Report a widget that is one element; False for containers."""
        box, add = self.box(widget), self.result.add
        name = about.name or text_of(widget)
        if isinstance(widget, Gtk.SpinButton):
            minimum, maximum = widget.get_range()
            add("spin", about.name, box, value=widget.get_text(), minimum=minimum, maximum=maximum, **common)
        elif isinstance(widget, (Gtk.Entry, Gtk.PasswordEntry)):
            secret = isinstance(widget, Gtk.PasswordEntry)
            placeholder = None if secret or widget.get_text() else widget.get_placeholder_text()
            add("field", about.name, box, value=widget.get_text(), placeholder=placeholder or None, editable=None if widget.get_editable() else False, password=secret or None, **common)
        elif isinstance(widget, Gtk.TextView):
            buffer = widget.get_buffer()
            add("field", about.name, intersect(box, common["clip"]) or box, value=buffer.get_text(*buffer.get_bounds(), False), multiline=True, **common)
        elif isinstance(widget, Gtk.DropDown):
            model = widget.get_model()
            options = [model.get_string(number) for number in range(model.get_n_items())]
            value = options[widget.get_selected()] if widget.get_selected() < len(options) else ""
            add("combo", about.name, box, value=value, options=options, editable=False, **common)
        elif isinstance(widget, Gtk.Switch):
            add("switch", about.name, box, checked=widget.get_active(), indicator=box, **common)
        elif isinstance(widget, Gtk.CheckButton):
            inside = children(widget)
            add("radio" if about.group else "check", name, box, checked=widget.get_active(), indicator=self.box(inside[0]) if inside else box, **common)
        elif isinstance(widget, Gtk.LinkButton):
            add("link", name, box, **common)
        elif isinstance(widget, Gtk.Button):
            if name or about.hint:
                add("button", name, box, **common)
        elif isinstance(widget, Gtk.Scale):
            self.slider(widget, about, box, common)
        elif isinstance(widget, Gtk.ProgressBar):
            add("progress", about.name, box, value=f"{widget.get_fraction() * 100:.0f}%", **common)
        elif isinstance(widget, Gtk.ListBoxRow):
            add("listitem", name, box, selected=widget.is_selected() or None, row=widget.get_index(), **{**common, "group": TAGS.get(widget.get_parent(), about).group or "list"})
        elif isinstance(widget, Gtk.Label):
            if widget.get_text():
                add("heading" if about.group == "heading" else "label", widget.get_text(), box, **{**common, "group": None})
        else:
            return False
        return True

    def slider(self, scale: Any, about: Tag, box: Rect, common: dict[str, Any]) -> None:
        start, end = scale.get_slider_range()[-2:]
        at = scale.get_range_rect()
        knob = (box[0] + start, box[1] + at.y, box[0] + end, box[1] + at.y + at.height)
        adjustment = scale.get_adjustment()
        self.result.add("slider", about.name, box, value=f"{scale.get_value():g}", minimum=adjustment.get_lower(), maximum=adjustment.get_upper(), indicator=knob, **common)

    def area(self, scrolled: Any, clip: Rect | None) -> str | None:
        adjustment = scrolled.get_vadjustment()
        length, page = adjustment.get_upper() - adjustment.get_lower(), adjustment.get_page_size()
        if length <= page + 1 or clip is None:
            return None
        name = f"{self.xid}:{len(self.result.areas)}"
        self.result.areas.append({"id": name, "box": clip, "xid": self.xid, "position": adjustment.get_value() / (length - page), "page": page / length})
        return name


def _labels(notebook: Any) -> list[Any]:
    return [notebook.get_tab_label(notebook.get_nth_page(number)) for number in range(notebook.get_n_pages())]


def _ancestors(widget: Any) -> list[Any]:
    found = []
    while widget is not None:
        widget = widget.get_parent()
        found.append(widget)
    return found
