"""Walks a GTK 3 application: allocations are exact, and states come from the widgets."""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("GdkX11", "3.0")
from gi.repository import GdkX11, Gtk  # noqa: E402

from .common import Rect, Report, Tag, intersect  # noqa: E402

TAGS: dict[Any, Tag] = {}
_ = GdkX11  # the import gives GDK windows their get_xid


def tag(widget: Any, **about: Any) -> Any:
    """Remember about a widget what GTK does not know; returns the widget."""
    TAGS[widget] = Tag(**about)
    return widget


def report() -> dict[str, Any]:
    """Everything that is shown now."""
    result = Report()
    shown = [window for window in Gtk.Window.list_toplevels() if window.get_mapped() and window.get_window() is not None]
    for window in shown:
        xid = window.get_window().get_xid()
        popup = window.get_window_type() == Gtk.WindowType.POPUP
        main = window.get_transient_for() or window.get_attached_to()
        if popup and main is not None and main.get_toplevel().get_window() is not None:
            owner = main.get_toplevel().get_window().get_xid()
        else:
            owner = next((w.get_window().get_xid() for w in shown if w.is_active()), xid) if popup else None
        role = "dialog" if isinstance(window, Gtk.Dialog) else "window"
        result.window(xid, window.get_title() or "", window.is_active(), owner, getattr(window, "deskhand_role", role))
        _walk(result, window, xid, None, None, "")
    return result.as_dict()


def box_of(widget: Any) -> Rect:
    """On the screen."""
    top = widget.get_toplevel()
    _ok, x0, y0 = top.get_window().get_origin()
    x, y = widget.translate_coordinates(top, 0, 0)
    allocation = widget.get_allocation()
    return x0 + x, y0 + y, x0 + x + allocation.width, y0 + y + allocation.height


def text_of(widget: Any) -> str:
    """The text on a button, label, menu item or tab: the first label inside."""
    if isinstance(widget, Gtk.Label):
        return widget.get_text()
    if isinstance(widget, Gtk.CellView):
        return _cell_text(widget)
    if isinstance(widget, Gtk.Container):
        found: list[Any] = []
        widget.forall(found.append)
        return next((text for text in map(text_of, found) if text), "")
    return ""


def _cell_text(view: Any) -> str:
    path, model = view.get_displayed_row(), view.get_model()
    return "" if path is None or model is None else str(model[path][0])


def _walk(result: Report, widget: Any, xid: int, clip: Rect | None, area: str | None, section: str) -> None:
    if not widget.get_mapped():
        return
    about = TAGS.get(widget, Tag())
    if about.ignore:
        return
    section = about.section or section
    common: dict[str, Any] = {
        "xid": xid, "clip": clip, "area": area, "section": section, "group": about.group or None, "focused": widget.has_focus() or None,
        "enabled": None if widget.is_sensitive() else False, "hint": about.hint or None,
        "label_box": box_of(about.label) if about.label is not None and about.label.get_mapped() else None,
    }  # fmt: skip
    if _leaf(result, widget, about, common):
        return
    if isinstance(widget, Gtk.ScrolledWindow):
        clip = intersect(clip, box_of(widget))
        area = _area(result, widget, xid, clip) or area
    if isinstance(widget, Gtk.Frame) and widget.get_label():
        section = widget.get_label()
    if isinstance(widget, Gtk.Notebook):
        _tabs(result, widget, common)
    if isinstance(widget, Gtk.Container):
        children: list[Any] = []
        widget.forall(children.append)
        for child in children:
            if isinstance(widget, Gtk.Notebook) and child is not widget.get_nth_page(widget.get_current_page()):
                continue
            _walk(result, child, xid, clip, area, section)


def _leaf(result: Report, widget: Any, about: Tag, common: dict[str, Any]) -> bool:
    """Report a widget that is one element; False for containers."""
    box = box_of(widget)
    name = about.name or text_of(widget)
    if isinstance(widget, Gtk.SpinButton):
        minimum, maximum = widget.get_range()
        result.add("spin", about.name, box, value=widget.get_text(), minimum=minimum, maximum=maximum, **common)
    elif isinstance(widget, Gtk.Entry):
        placeholder = widget.get_placeholder_text() if not widget.get_text() and not widget.has_focus() else None
        editable = None if widget.get_editable() else False
        result.add("field", about.name, box, value=widget.get_text(), placeholder=placeholder, editable=editable, password=None if widget.get_visibility() else True, **common)
    elif isinstance(widget, Gtk.TextView):
        buffer = widget.get_buffer()
        box = intersect(box, common["clip"]) or box
        result.add("field", about.name, box, value=buffer.get_text(*buffer.get_bounds(), False), multiline=True, **common)
    elif isinstance(widget, Gtk.ComboBox):
        options = [str(row[0]) for row in widget.get_model() or []]
        value = options[widget.get_active()] if widget.get_active() >= 0 else ""
        result.add("combo", about.name, box, value=value, options=options, opened=widget.get_property("popup-shown") or None, editable=False, **common)
    elif isinstance(widget, Gtk.Switch):
        result.add("switch", about.name, box, checked=widget.get_active(), indicator=box, **common)
    elif isinstance(widget, Gtk.CheckButton):
        kind = "radio" if isinstance(widget, Gtk.RadioButton) else "check"
        result.add(kind, name, box, checked=widget.get_active(), indicator=_indicator(widget, box), **common)
    elif isinstance(widget, Gtk.LinkButton):
        result.add("link", name, box, **common)
    elif isinstance(widget, Gtk.Button):
        if isinstance(widget.get_parent(), Gtk.TreeView):
            result.add("header", name, box, **common)
        elif name or about.hint:
            result.add("button", name, box, selected=(isinstance(widget, Gtk.ToggleButton) and widget.get_active()) or None, **common)
    elif isinstance(widget, Gtk.MenuItem):
        in_bar = isinstance(widget.get_parent(), Gtk.MenuBar)
        opened = in_bar and widget.get_submenu() is not None and widget.get_submenu().get_mapped()
        checked = widget.get_active() if isinstance(widget, Gtk.CheckMenuItem) else None
        if name:
            result.add("menu" if in_bar else "menuitem", name, box, checked=checked, opened=opened or None, selected=opened or None, **common)
    elif isinstance(widget, Gtk.Scale):
        _slider(result, widget, about, box, common)
    elif isinstance(widget, Gtk.ProgressBar):
        result.add("progress", about.name, box, value=f"{widget.get_fraction() * 100:.0f}%", **common)
    elif isinstance(widget, Gtk.TreeView):
        _rows(result, widget, common)
        return False
    elif isinstance(widget, Gtk.ListBoxRow):
        if not name:
            return False
        row = {**common, "group": TAGS.get(widget.get_parent(), about).group or "list"}
        result.add("listitem", name, box, selected=widget.is_selected() or None, row=widget.get_index(), **row)
    elif isinstance(widget, Gtk.Label):
        if widget.get_text():
            result.add("heading" if about.group == "heading" else "label", widget.get_text(), box, **{**common, "group": None})
    else:
        return False
    return True


def _indicator(widget: Any, box: Rect) -> Rect:
    """The small box of a check or radio: GTK has no call for it, but the label begins right after it."""
    label = widget.get_child()
    width = box_of(label)[0] - box[0] if label is not None and label.get_mapped() else box[2] - box[0]
    side = min(max(width - 4, 10), 18)
    x, y = box[0] + (width - 2) / 2, (box[1] + box[3]) / 2
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def _slider(result: Report, scale: Any, about: Tag, box: Rect, common: dict[str, Any]) -> None:
    _ok, start, end = scale.get_slider_range() if len(scale.get_slider_range()) == 3 else (True, *scale.get_slider_range())
    at = scale.get_range_rect()
    if scale.get_orientation() == Gtk.Orientation.HORIZONTAL:
        knob = (box[0] + start, box[1] + at.y, box[0] + end, box[1] + at.y + at.height)
    else:
        knob = (box[0] + at.x, box[1] + start, box[0] + at.x + at.width, box[1] + end)
    adjustment = scale.get_adjustment()
    value = f"{scale.get_value():g}"
    result.add("slider", about.name, box, value=value, minimum=adjustment.get_lower(), maximum=adjustment.get_upper(), indicator=knob, **common)


def _rows(result: Report, tree: Any, common: dict[str, Any]) -> None:
    """Cells of a tree view, or list items where it has one column."""
    origin = box_of(tree)
    columns, model = tree.get_columns(), tree.get_model()
    about = TAGS.get(tree, Tag())
    _model, selected = tree.get_selection().get_selected_rows()
    header = tree.get_headers_visible()
    visible = intersect(origin, common["clip"])
    if header and visible is not None and columns:
        top = tree.convert_bin_window_to_widget_coords(0, 0)[1]
        visible = (visible[0], max(visible[1], origin[1] + top), visible[2], visible[3])
    for index, row in enumerate(model or []):
        for number, column in enumerate(columns):
            area = tree.get_background_area(row.path, column)
            x, y = tree.convert_bin_window_to_widget_coords(area.x, area.y)
            box = (origin[0] + x, origin[1] + y, origin[0] + x + area.width, origin[1] + y + area.height)
            cells = column.get_cells()
            more = {**common, "clip": visible, "group": about.group or about.name or "list", "label_box": None, "focused": None}
            more |= {"row": index, "selected": row.path in selected or None}
            if isinstance(cells[0], Gtk.CellRendererToggle):
                result.add("check", str(row[len(columns)]), box, checked=bool(row[number]), indicator=box, **more)
            elif len(columns) == 1:
                result.add("listitem", str(row[number]), box, **more)
            else:
                result.add("cell", str(row[number]), box, column=number, **{**more, "section": column.get_title()})


def _tabs(result: Report, notebook: Any, common: dict[str, Any]) -> None:
    for number in range(notebook.get_n_pages()):
        page = notebook.get_nth_page(number)
        label = notebook.get_tab_label(page)
        if label is None or not label.get_mapped():
            continue
        x0, y0, x1, y1 = box_of(label)
        group = TAGS.get(notebook, Tag(group="tabs")).group or "tabs"
        # What GTK gives is the label; the tab around it is wider by its padding, at least 6 pixels in every theme used here.
        more = {**common, "group": group, "focused": None, "label_box": None}
        result.add("tab", text_of(label), (x0 - 6, y0 - 3, x1 + 6, y1 + 3), selected=number == notebook.get_current_page() or None, **more)


def _area(result: Report, scrolled: Any, xid: int, clip: Rect | None) -> str | None:
    adjustment = scrolled.get_vadjustment()
    length = adjustment.get_upper() - adjustment.get_lower()
    page = adjustment.get_page_size()
    if length <= page + 1 or clip is None:
        return None
    name = f"{xid}:{len(result.areas)}"
    result.areas.append({"id": name, "box": clip, "xid": xid, "position": adjustment.get_value() / (length - page), "page": page / length})
    return name
