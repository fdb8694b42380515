"""Builds scenes with GTK 4, without menu bars. Run by harvest.py with Debian's Python; see channel.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkits import channel  # noqa: E402
from toolkits.probes import gtk4 as probe  # noqa: E402
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

Spec = dict[str, Any]
tag = probe.tag
VERTICAL, HORIZONTAL = Gtk.Orientation.VERTICAL, Gtk.Orientation.HORIZONTAL


def box(orientation: Any, spacing: int, *widgets: Any, margin: int = 0) -> Any:
    """A row or column of widgets."""
    result = Gtk.Box(orientation=orientation, spacing=spacing, margin_start=margin, margin_end=margin, margin_top=margin, margin_bottom=margin)
    for widget in widgets:
        result.append(widget)
    return result


class Host:
    """The windows of one scene, and what their widgets have received."""

    def __init__(self) -> None:
        self.windows: list[Any] = []
        self.events: list[str] = []
        self.css = Gtk.CssProvider()
        Gtk.StyleContext.add_provider_for_display(Gdk.Display.get_default(), self.css, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION)

    def build(self, scene: Spec) -> None:
        self.close()
        settings, look = Gtk.Settings.get_default(), scene["look"]
        settings.set_property("gtk-theme-name", look["theme"])
        settings.set_property("gtk-application-prefer-dark-theme", look["dark"])
        settings.set_property("gtk-font-name", f"{look['font']} {look['size']}")
        settings.set_property("gtk-cursor-blink", False)
        settings.set_property("gtk-enable-animations", False)
        settings.set_property("gtk-overlay-scrolling", False)
        self.css.load_from_data(look["css"].encode())
        self.windows = [self.window(window) for window in scene["windows"]]

    def close(self) -> None:
        for window in self.windows:
            window.destroy()
        self.windows = []
        self.events.clear()
        probe.TAGS.clear()

    def open(self, window: int, kind: str, name: str) -> None:
        """Nothing opens: the probe does not enter what pops up."""

    def window(self, spec: Spec) -> Any:
        window = Gtk.Window(title=spec["title"])
        window.deskhand_role = spec["role"]
        outer = box(VERTICAL, 0)
        window.set_child(outer)
        if spec["toolbar"]:
            outer.append(box(HORIZONTAL, 3, *map(self.button, spec["toolbar"]), margin=3))
        body = box(VERTICAL, spec["spacing"], *map(self.block, spec["blocks"]), margin=spec["margin"])
        body.set_vexpand(True)
        if spec["scroll"]:
            scrolled = Gtk.ScrolledWindow(min_content_height=spec["scroll"]["height"], hscrollbar_policy=Gtk.PolicyType.NEVER, child=body, vexpand=True)
            GLib.timeout_add(80, lambda: _scroll(scrolled, spec["scroll"]["position"]))
            outer.append(scrolled)
        else:
            outer.append(body)
        if spec["buttons"]:
            row = box(HORIZONTAL, 6, *map(self.button, spec["buttons"]), margin=spec["margin"])
            row.set_halign({"end": Gtk.Align.END, "start": Gtk.Align.START, "center": Gtk.Align.CENTER, "spread": Gtk.Align.FILL}[spec["button_align"]])
            row.set_homogeneous(spec["button_align"] == "spread")
            outer.append(row)
        if spec["width"]:
            window.set_default_size(spec["width"], -1)
        window.present()
        return window

    def button(self, item: Spec) -> Any:
        if item.get("icon_only"):
            button = tag(Gtk.Button(icon_name=item["icon"]), hint=item["label"])
        else:
            button = Gtk.Button(label=item["label"])
        button.set_sensitive(item.get("enabled", True))
        button.connect("clicked", lambda _w: self.events.append(item["label"]))
        return button

    def block(self, spec: Spec) -> Any:
        return getattr(self, "block_" + spec["kind"])(spec)

    def blocks(self, specs: list[Spec]) -> Any:
        return box(VERTICAL, 6, *map(self.block, specs), margin=6)

    def block_form(self, spec: Spec) -> Any:
        grid = Gtk.Grid(row_spacing=spec["gap"], column_spacing=8)
        for index, row in enumerate(spec["rows"]):
            label = Gtk.Label(label=row["label"] + spec["suffix"], xalign=1 if spec["align"] == "end" else 0)
            widget = self.row_widget(row, label)
            widget.set_hexpand(True)
            line, side = divmod(index, spec["columns"])
            if spec["label_side"] == "top":
                label.set_xalign(0)
                grid.attach(label, side, line * 2, 1, 1)
                grid.attach(widget, side, line * 2 + 1, 1, 1)
            else:
                grid.attach(label, side * 2, line, 1, 1)
                grid.attach(widget, side * 2 + 1, line, 1, 1)
        return grid

    def row_widget(self, row: Spec, label: Any) -> Any:
        kind, name = row["widget"], row["label"]
        about = {"name": label.get_text(), "label": label}
        if kind == "combo":
            widget = Gtk.DropDown.new_from_strings(row["options"])
            widget.set_selected(row["options"].index(row["value"]) if row["value"] in row["options"] else 0)
        elif kind == "spin":
            widget = Gtk.SpinButton.new_with_range(row["minimum"], row["maximum"], 1)
            widget.set_value(float(row["value"]))
        elif kind == "slider":
            widget = Gtk.Scale.new_with_range(HORIZONTAL, row["minimum"], row["maximum"], 1)
            widget.set_value(float(row["value"]))
            widget.set_draw_value(row["draw_value"])
            widget.set_size_request(120, -1)
        elif kind == "switch":
            widget = Gtk.Switch(active=row["checked"], halign=Gtk.Align.START)
        elif kind == "progress":
            widget = Gtk.ProgressBar(fraction=float(row["value"]) / 100, valign=Gtk.Align.CENTER)
        elif kind == "text":
            view = tag(Gtk.TextView(), **about)
            view.get_buffer().set_text(row["value"])
            self.watch(view, name)
            return Gtk.ScrolledWindow(min_content_height=52, has_frame=True, child=view)
        elif kind == "password":
            widget = Gtk.PasswordEntry()
            widget.set_text(row["value"])
        else:
            widget = Gtk.Entry(text=row["value"], editable=not row.get("readonly"))
            if row.get("placeholder"):
                widget.set_placeholder_text(row["placeholder"])
            widget.set_width_chars(row["chars"])
        widget.set_sensitive(row.get("enabled", True))
        self.watch(widget, name)
        if row.get("focus"):
            GLib.idle_add(lambda: widget.grab_focus() and False)
        return tag(widget, **about)

    def watch(self, widget: Any, name: str) -> None:
        """Note the presses that reach a widget."""
        gesture = Gtk.GestureClick(propagation_phase=Gtk.PropagationPhase.CAPTURE)
        gesture.connect("pressed", lambda *_: self.events.append(name))
        widget.add_controller(gesture)

    def block_checks(self, spec: Spec) -> Any:
        grid = Gtk.Grid(row_spacing=spec["gap"], column_spacing=14)
        for index, item in enumerate(spec["items"]):
            check = Gtk.CheckButton(label=item["label"], active=item["checked"], sensitive=item.get("enabled", True))
            check.connect("toggled", lambda _w, name=item["label"]: self.events.append(name))
            grid.attach(check, index % spec["columns"], index // spec["columns"], 1, 1)
        return grid

    def block_radios(self, spec: Spec) -> Any:
        row = box(HORIZONTAL if spec["horizontal"] else VERTICAL, 6)
        if spec["title"]:
            row.append(Gtk.Label(label=spec["title"], xalign=0))
        first = None
        for index, item in enumerate(spec["items"]):
            radio = Gtk.CheckButton(label=item)
            if first is not None:
                radio.set_group(first)
            first = first or radio
            radio.set_active(index == spec["selected"])
            radio.connect("toggled", lambda _w, name=item: self.events.append(name))
            row.append(tag(radio, group=spec["title"] or spec["items"][0], section=spec["title"]))
        return row

    def block_section(self, spec: Spec) -> Any:
        return Gtk.Frame(label=spec["title"], child=self.blocks(spec["blocks"]))

    def block_tabs(self, spec: Spec) -> Any:
        notebook = Gtk.Notebook()
        for page in spec["pages"]:
            notebook.append_page(self.blocks(page["blocks"]), Gtk.Label(label=page["label"]))
        notebook.set_current_page(spec["current"])
        notebook.connect("switch-page", lambda _w, _p, number: self.events.append(spec["pages"][number]["label"]))
        return tag(notebook, group="|".join(page["label"] for page in spec["pages"]))

    def block_list(self, spec: Spec) -> Any:
        rows = Gtk.ListBox()
        for item in spec["items"]:
            rows.append(Gtk.Label(label=item, xalign=0, margin_start=5, margin_top=2, margin_bottom=2))
        if spec["selected"] is not None:
            rows.select_row(rows.get_row_at_index(spec["selected"]))
        rows.connect("row-selected", lambda _w, row: self.events.append(spec["items"][row.get_index()]) if row is not None else None)
        tag(rows, group=spec["title"] or "list")
        scrolled = Gtk.ScrolledWindow(min_content_height=spec["height"], has_frame=True, child=rows)
        GLib.timeout_add(80, lambda: _scroll(scrolled, spec["position"]))
        return box(VERTICAL, 3, Gtk.Label(label=spec["title"], xalign=0), scrolled) if spec["title"] else scrolled

    def block_table(self, spec: Spec) -> Any:
        """As a list of its first column: GTK 4's column view has no public cell geometry."""
        items = list(dict.fromkeys(row[0] for row in spec["rows"]))
        selected = spec["selected"] if spec["selected"] is not None and spec["selected"] < len(items) else None
        return self.block_list({"title": spec["columns"][0], "items": items, "selected": selected, "height": spec["height"], "position": spec["position"]})

    def block_buttons(self, spec: Spec) -> Any:
        return box(HORIZONTAL, 6, *map(self.button, spec["items"]))

    def block_links(self, spec: Spec) -> Any:
        row = box(HORIZONTAL, 6)
        for item in spec["items"]:
            link = Gtk.LinkButton(uri="about:blank", label=item)
            link.connect("activate-link", lambda _w, name=item: self.events.append(name) or True)
            row.append(link)
        return row

    def block_label(self, spec: Spec) -> Any:
        return Gtk.Label(label=spec["text"], xalign=0, wrap=True, max_width_chars=46)

    def block_heading(self, spec: Spec) -> Any:
        label = Gtk.Label(xalign=0)
        label.set_markup(f"<b><big>{GLib.markup_escape_text(spec['text'])}</big></b>")
        return tag(label, group="heading")

    def block_columns(self, spec: Spec) -> Any:
        return box(HORIZONTAL, 12, self.blocks(spec["left"]), self.blocks(spec["right"]))


def _scroll(scrolled: Any, position: float) -> bool:
    adjustment = scrolled.get_vadjustment()
    adjustment.set_value(position * (adjustment.get_upper() - adjustment.get_page_size()))
    return False


def main() -> None:
    Gtk.init()
    host = Host()
    lines, loop = channel.Lines(0), GLib.MainLoop()

    def take() -> list[str]:
        found, host.events[:] = list(host.events), []
        return found

    commands: channel.Commands = {"build": host.build, "open": host.open, "close": host.close, "report": probe.report, "events": take}

    def readable(*_: Any) -> bool:
        arrived = lines.read()
        if arrived is None:
            loop.quit()
            return False
        for line in arrived:
            channel.answer(commands, line)
        return True

    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, readable)
    loop.run()


if __name__ == "__main__":
    main()
