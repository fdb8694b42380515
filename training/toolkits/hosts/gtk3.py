"""Builds scenes with GTK 3. Run by harvest.py with Debian's Python; see channel.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkits import channel  # noqa: E402
from toolkits.probes import gtk3 as probe  # noqa: E402
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

Spec = dict[str, Any]
tag = probe.tag


class Host:
    """The windows of one scene, and what their widgets have received."""

    def __init__(self) -> None:
        self.windows: list[Any] = []
        self.combos: dict[str, Any] = {}
        self.events: list[str] = []
        self.css = Gtk.CssProvider()
        Gtk.StyleContext.add_provider_for_screen(Gdk.Screen.get_default(), self.css, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION)

    def build(self, scene: Spec) -> None:
        self.close()
        settings, look = Gtk.Settings.get_default(), scene["look"]
        settings.set_property("gtk-theme-name", look["theme"])
        settings.set_property("gtk-application-prefer-dark-theme", look.get("dark", False))
        settings.set_property("gtk-font-name", f"{look['font']} {look['size']}")
        settings.set_property("gtk-cursor-blink", False)
        settings.set_property("gtk-enable-animations", False)
        settings.set_property("gtk-overlay-scrolling", False)
        self.css.load_from_data(look.get("css", "").encode())
        for window in scene["windows"]:
            self.windows.append(self.window(window))

    def close(self) -> None:
        for window in Gtk.Window.list_toplevels():
            if window.get_window_type() == Gtk.WindowType.POPUP and window.get_mapped():
                window.hide()
        for window in self.windows:
            window.destroy()
        self.windows, self.combos = [], {}
        self.events.clear()
        probe.TAGS.clear()

    def open(self, window: int, kind: str, name: str) -> None:
        """Open a menu or the list of a combo, as a click would."""
        if kind == "combo":
            self.combos[name].popup()
        else:
            bar = self.windows[window].menubar
            for item in bar.get_children():
                if probe.text_of(item) == name:
                    bar.select_item(item)
                    item.get_submenu().popup_at_widget(item, Gdk.Gravity.SOUTH_WEST, Gdk.Gravity.NORTH_WEST, None)

    def window(self, spec: Spec) -> Any:
        window = Gtk.Window(title=spec["title"])
        window.deskhand_role = spec.get("role", "window")
        outer = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        window.add(outer)
        window.menubar = None
        if spec["menus"]:
            window.menubar = self.menus(spec["menus"])
            outer.pack_start(window.menubar, False, False, 0)
        if spec["toolbar"]:
            bar = Gtk.Box(spacing=2)
            for item in spec["toolbar"]:
                bar.pack_start(self.button(item), False, False, 0)
            outer.pack_start(bar, False, False, 2)
        body = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=spec["spacing"], border_width=spec["margin"])
        for block in spec["blocks"]:
            body.pack_start(self.block(block), block["kind"] in ("list", "table"), True, 0)
        if spec["scroll"]:
            scrolled = Gtk.ScrolledWindow(min_content_height=spec["scroll"]["height"], hscrollbar_policy=Gtk.PolicyType.NEVER)
            scrolled.add(body)
            GLib.timeout_add(60, lambda: _scroll(scrolled, spec["scroll"]["position"]))
            outer.pack_start(scrolled, True, True, 0)
        else:
            outer.pack_start(body, True, True, 0)
        if spec["buttons"]:
            row = Gtk.ButtonBox(spacing=6, border_width=spec["margin"], layout_style=getattr(Gtk.ButtonBoxStyle, spec["button_align"].upper()))
            for item in spec["buttons"]:
                row.add(self.button(item))
            outer.pack_end(row, False, False, 0)
        if spec["width"]:
            window.set_default_size(spec["width"], spec.get("height") or -1)
        if spec["at"]:
            window.set_position(Gtk.WindowPosition.NONE)
            window.move(*spec["at"])
        window.show_all()
        return window

    def menus(self, menus: list[Spec]) -> Any:
        bar = Gtk.MenuBar()
        for menu in menus:
            item = Gtk.MenuItem(label=menu["label"])
            sub = Gtk.Menu()
            for entry in menu["items"]:
                if entry is None:
                    sub.append(Gtk.SeparatorMenuItem())
                    continue
                child = Gtk.CheckMenuItem(label=entry["label"], active=entry["checked"]) if "checked" in entry else Gtk.MenuItem(label=entry["label"])
                child.set_sensitive(entry.get("enabled", True))
                child.connect("activate", lambda _w, name=entry["label"]: self.events.append(name))
                sub.append(child)
            item.set_submenu(sub)
            bar.append(item)
        return bar

    def button(self, item: Spec) -> Any:
        button = Gtk.Button()
        icon = item.get("icon")
        if icon:
            button.set_image(Gtk.Image.new_from_icon_name(icon, Gtk.IconSize.BUTTON))
            button.set_always_show_image(True)
        if not icon or not item.get("icon_only"):
            button.set_label(item["label"])
        else:
            tag(button, hint=item["label"])
        button.set_sensitive(item.get("enabled", True))
        button.connect("clicked", lambda _w: self.events.append(item["label"]))
        return button

    def block(self, spec: Spec) -> Any:
        return getattr(self, "block_" + spec["kind"])(spec)

    def blocks(self, specs: list[Spec]) -> Any:
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=6)
        for spec in specs:
            box.pack_start(self.block(spec), False, False, 0)
        return box

    def block_form(self, spec: Spec) -> Any:
        grid = Gtk.Grid(row_spacing=spec["gap"], column_spacing=8)
        for index, row in enumerate(spec["rows"]):
            label = Gtk.Label(label=row["label"] + spec["suffix"], xalign=1 if spec["align"] == "end" else 0)
            widget = self.row_widget(row, label)
            widget.set_hexpand(True)
            line, side = divmod(index, spec["columns"])
            if spec["label_side"] == "top":
                grid.attach(label, side, line * 2, 1, 1)
                grid.attach(widget, side, line * 2 + 1, 1, 1)
                label.set_xalign(0)
            else:
                grid.attach(label, side * 2, line, 1, 1)
                grid.attach(widget, side * 2 + 1, line, 1, 1)
        return grid

    def row_widget(self, row: Spec, label: Any) -> Any:
        kind, name = row["widget"], row["label"]
        about = {"name": label.get_text(), "label": label}
        if kind == "combo":
            widget = Gtk.ComboBoxText()
            for option in row["options"]:
                widget.append_text(option)
            widget.set_active(row["options"].index(row["value"]) if row["value"] in row["options"] else -1)
            widget.connect("notify::popup-shown", lambda *_: self.events.append(name))
            widget.connect("changed", lambda combo: self.events.append(combo.get_active_text() or ""))
            self.combos[name] = widget
        elif kind == "spin":
            widget = Gtk.SpinButton.new_with_range(row["minimum"], row["maximum"], 1)
            widget.set_value(float(row["value"]))
        elif kind == "slider":
            widget = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, row["minimum"], row["maximum"], 1)
            widget.set_value(float(row["value"]))
            widget.set_draw_value(row.get("draw_value", True))
            widget.set_size_request(120, -1)
        elif kind == "switch":
            widget = Gtk.Switch(active=row["checked"], halign=Gtk.Align.START)
        elif kind == "progress":
            widget = Gtk.ProgressBar(fraction=float(row["value"]) / 100, valign=Gtk.Align.CENTER)
        elif kind == "text":
            view = Gtk.TextView()
            view.get_buffer().set_text(row["value"])
            tag(view, **about)
            scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, min_content_height=48)
            scrolled.add(view)
            view.connect("button-press-event", lambda *_: self.events.append(name))
            view.set_sensitive(row.get("enabled", True))
            return scrolled
        else:
            widget = Gtk.Entry(text=row["value"], placeholder_text=row.get("placeholder") or None, editable=not row.get("readonly", False))
            widget.set_visibility(kind != "password")
            widget.set_width_chars(row.get("chars", 16))
        widget.set_sensitive(row.get("enabled", True))
        widget.connect("button-press-event", lambda *_: self.events.append(name))
        if row.get("focus"):
            GLib.idle_add(widget.grab_focus)
        return tag(widget, **about)

    def block_checks(self, spec: Spec) -> Any:
        grid = Gtk.Grid(row_spacing=spec["gap"], column_spacing=14)
        for index, item in enumerate(spec["items"]):
            check = Gtk.CheckButton(label=item["label"], active=item["checked"], sensitive=item.get("enabled", True))
            check.connect("toggled", lambda _w, name=item["label"]: self.events.append(name))
            grid.attach(check, index % spec["columns"], index // spec["columns"], 1, 1)
        return grid

    def block_radios(self, spec: Spec) -> Any:
        box = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL if spec["horizontal"] else Gtk.Orientation.VERTICAL, spacing=6)
        if spec["title"]:
            box.pack_start(Gtk.Label(label=spec["title"], xalign=0), False, False, 0)
        first = None
        for index, item in enumerate(spec["items"]):
            radio = Gtk.RadioButton.new_with_label_from_widget(first, item)
            first = first or radio
            radio.set_active(index == spec["selected"])
            radio.connect("clicked", lambda _w, name=item: self.events.append(name))
            tag(radio, group=spec["title"] or spec["items"][0], section=spec["title"])
            box.pack_start(radio, False, False, 0)
        return box

    def block_section(self, spec: Spec) -> Any:
        frame = Gtk.Frame(label=spec["title"])
        frame.add(self.blocks(spec["blocks"]))
        return frame

    def block_tabs(self, spec: Spec) -> Any:
        notebook = Gtk.Notebook()
        for page in spec["pages"]:
            notebook.append_page(self.blocks(page["blocks"]), Gtk.Label(label=page["label"]))
        notebook.show_all()
        notebook.set_current_page(spec["current"])
        notebook.connect("switch-page", lambda _w, _p, number: self.events.append(spec["pages"][number]["label"]))
        return tag(notebook, group="|".join(page["label"] for page in spec["pages"]))

    def block_list(self, spec: Spec) -> Any:
        return self.tree(["" if spec["title"] is None else spec["title"]], [[item] for item in spec["items"]], spec, header=False)

    def block_table(self, spec: Spec) -> Any:
        return self.tree(spec["columns"], spec["rows"], spec, header=True)

    def tree(self, columns: list[str], rows: list[list[str]], spec: Spec, header: bool) -> Any:
        store = Gtk.ListStore(*[str] * len(columns))
        for row in rows:
            store.append(row)
        tree = Gtk.TreeView(model=store, headers_visible=header, enable_search=False)
        for index, column in enumerate(columns):
            view = Gtk.TreeViewColumn(column, Gtk.CellRendererText(), text=index)
            view.set_clickable(True)
            view.connect("clicked", lambda _w, name=column: self.events.append(name))
            view.set_resizable(True)
            tree.append_column(view)
        if spec["selected"] is not None:
            tree.get_selection().select_path(spec["selected"])
        tree.get_selection().connect("changed", self.selected)
        tag(tree, group=spec.get("title") or "|".join(columns))
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, min_content_height=spec["height"])
        scrolled.add(tree)
        GLib.timeout_add(60, lambda: _scroll(scrolled, spec["position"]))
        return scrolled

    def selected(self, selection: Any) -> None:
        model, paths = selection.get_selected_rows()
        for path in paths:
            self.events.extend(str(text) for text in model[path])

    def block_buttons(self, spec: Spec) -> Any:
        box = Gtk.Box(spacing=6)
        for item in spec["items"]:
            box.pack_start(self.button(item), False, False, 0)
        return box

    def block_links(self, spec: Spec) -> Any:
        box = Gtk.Box(spacing=6)
        for item in spec["items"]:
            link = Gtk.LinkButton(uri="about:blank", label=item)
            link.connect("activate-link", lambda _w, name=item: self.events.append(name) or True)
            box.pack_start(link, False, False, 0)
        return box

    def block_label(self, spec: Spec) -> Any:
        return Gtk.Label(label=spec["text"], xalign=0, wrap=True, max_width_chars=46)

    def block_heading(self, spec: Spec) -> Any:
        label = Gtk.Label(xalign=0)
        label.set_markup(f"<b><big>{GLib.markup_escape_text(spec['text'])}</big></b>")
        return tag(label, group="heading")

    def block_columns(self, spec: Spec) -> Any:
        box = Gtk.Box(spacing=12)
        for side in (spec["left"], spec["right"]):
            box.pack_start(self.blocks(side), True, True, 0)
        return box


def _scroll(scrolled: Any, position: float) -> bool:
    adjustment = scrolled.get_vadjustment()
    adjustment.set_value(position * (adjustment.get_upper() - adjustment.get_page_size()))
    return False


def main() -> None:
    host = Host()
    lines = channel.Lines(0)

    def take() -> list[str]:
        found, host.events[:] = list(host.events), []
        return found

    commands: channel.Commands = {"build": host.build, "open": host.open, "close": host.close, "report": probe.report, "events": take}

    def readable(*_: Any) -> bool:
        arrived = lines.read()
        if arrived is None:
            Gtk.main_quit()
            return False
        for line in arrived:
            channel.answer(commands, line)
        return True

    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, readable)
    Gtk.main()


if __name__ == "__main__":
    main()
