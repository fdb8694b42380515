"""Widgets of GTK 3 for the evaluation applications, and their main loop."""

from __future__ import annotations

from typing import Any

from .. import channel
from ..probes import gtk3 as probe
from .kit import Kit
from gi.repository import Gdk, GLib, Gtk


class GtkKit(Kit):
    """One window of GTK 3."""

    def __init__(self, title: str, look: dict[str, Any]) -> None:
        super().__init__()
        settings = Gtk.Settings.get_default()
        settings.set_property("gtk-theme-name", look["theme"])
        settings.set_property("gtk-font-name", f"{look['font']} {look['size']}")
        settings.set_property("gtk-cursor-blink", False)
        settings.set_property("gtk-enable-animations", False)
        self.window = Gtk.Window(title=title)
        self.outer = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        self.window.add(self.outer)
        Gdk.event_handler_set(self._event)

    def _event(self, event: Any) -> None:
        pressed = event.type == Gdk.EventType.BUTTON_PRESS
        Gtk.main_do_event(event)
        if pressed:
            GLib.timeout_add(80, lambda: self.clicked() and False)

    def field(self, name: str, value: str = "", **more: Any) -> Any:
        entry = Gtk.Entry(text=value, hexpand=True, **more)
        self.add("field", name, entry.get_text, entry.set_text)
        return probe.tag(entry, name=name)

    def note(self, name: str, value: str = "") -> Any:
        view = Gtk.TextView(wrap_mode=Gtk.WrapMode.WORD, hexpand=True, vexpand=True)
        buffer = view.get_buffer()
        buffer.set_text(value)
        self.add("field", name, lambda: buffer.get_text(*buffer.get_bounds(), False), buffer.set_text)
        probe.tag(view, name=name)
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, min_content_height=60)
        scrolled.add(view)
        return scrolled

    def check(self, name: str, on: bool = False) -> Any:
        check = Gtk.CheckButton(label=name, active=on)
        self.add("check", name, check.get_active, check.set_active)
        return check

    def switch(self, name: str, on: bool = False) -> Any:
        switch = Gtk.Switch(active=on, halign=Gtk.Align.END, valign=Gtk.Align.CENTER)
        self.add("check", name, switch.get_active, switch.set_active)
        return probe.tag(switch, name=name)

    def radios(self, name: str, options: list[str], chosen: int, box: Any) -> Any:
        buttons: list[Any] = []
        for option in options:
            buttons.append(probe.tag(Gtk.RadioButton.new_with_label_from_widget(buttons[0] if buttons else None, option), group=name, section=name))
            box.pack_start(buttons[-1], False, False, 0)
        buttons[chosen].set_active(True)
        by_name = dict(zip(options, buttons))
        self.add("radio", name, lambda: next(option for option in options if by_name[option].get_active()), lambda option: by_name[option].set_active(True), tuple(options))
        return box

    def combo(self, name: str, options: list[str], chosen: int = 0) -> Any:
        combo = Gtk.ComboBoxText(hexpand=True)
        for option in options:
            combo.append_text(option)
        combo.set_active(chosen)
        self.add("combo", name, combo.get_active_text, lambda option: combo.set_active(options.index(option)), tuple(options))
        return probe.tag(combo, name=name)

    def spin(self, name: str, low: int, high: int, value: int) -> Any:
        spin = Gtk.SpinButton.new_with_range(low, high, 1)
        spin.set_value(value)
        self.add("spin", name, lambda: spin.get_text(), lambda text: spin.set_value(float(text)))
        return probe.tag(spin, name=name)

    def scale(self, name: str, value: int) -> Any:
        scale = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, 0, 100, 1)
        scale.set_value(value)
        scale.set_hexpand(True)
        return probe.tag(scale, name=name)

    def rows(self, name: str, options: list[str], chosen: int | None = None, height: int = 110) -> Any:
        box = Gtk.ListBox()
        for option in options:
            box.add(Gtk.Label(label=option, xalign=0, margin=3))
        if chosen is not None:
            box.select_row(box.get_row_at_index(chosen))

        def get() -> str | None:
            row = box.get_selected_row()
            return None if row is None else options[row.get_index()]

        self.add("list", name, get, lambda option: box.select_row(box.get_row_at_index(options.index(option))), tuple(options))
        probe.tag(box, group=name)
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, min_content_height=height)
        scrolled.add(box)
        return scrolled

    def button(self, name: str) -> Any:
        button = Gtk.Button(label=name)
        button.connect("clicked", lambda _w: self.press(name))
        self.add("button", name)
        return button

    def menubar(self, menus: dict[str, list[str]]) -> Any:
        bar = Gtk.MenuBar()
        for title, entries in menus.items():
            item, menu = Gtk.MenuItem(label=title), Gtk.Menu()
            for entry in entries:
                child = Gtk.MenuItem(label=entry)
                child.connect("activate", lambda _w, name=entry: self.press(name))
                menu.append(child)
                self.add("menuitem", entry, menu=title)
            item.set_submenu(menu)
            bar.append(item)
        return bar

    def popup(self, title: str, text: str, button: str) -> None:
        dialog = Gtk.Window(title=title, transient_for=self.window, modal=True, border_width=14, type_hint=Gdk.WindowTypeHint.DIALOG)
        dialog.deskhand_role = "popup"
        dialog.set_position(Gtk.WindowPosition.CENTER_ON_PARENT)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12)
        box.add(Gtk.Label(label=text))
        close = Gtk.Button(label=button, halign=Gtk.Align.END)
        close.connect("clicked", lambda _w: dialog.destroy())
        box.add(close)
        dialog.add(box)
        dialog.show_all()

    def move(self, x: int, y: int) -> None:
        self.window.move(x, y)

    def run(self, at: tuple[int, int] | None) -> None:
        if at is not None:
            self.window.set_position(Gtk.WindowPosition.NONE)
            self.window.move(*at)
        self.window.show_all()
        lines, commands = channel.Lines(0), self.commands(probe.report)

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


def form(rows: list[tuple[str, Any]], right: bool = True, spacing: int = 7) -> Any:
    """Labels beside widgets; a row without a label takes the second column."""
    grid = Gtk.Grid(row_spacing=spacing, column_spacing=10)
    for line, (text, widget) in enumerate(rows):
        if text:
            label = Gtk.Label(label=text, xalign=1 if right else 0)
            grid.attach(label, 0, line, 1, 1)
            if widget in probe.TAGS:
                probe.TAGS[widget].label = label
        grid.attach(widget, 1, line, 1, 1)
    return grid


def column(*widgets: Any, spacing: int = 7, border: int = 12, expand: Any = None) -> Any:
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=spacing, border_width=border)
    for widget in widgets:
        box.pack_start(widget, widget is expand, True, 0)
    return box


def line(*widgets: Any, end: bool = False, border: int = 0) -> Any:
    box = Gtk.Box(spacing=7, border_width=border, halign=Gtk.Align.END if end else Gtk.Align.FILL)
    for widget in widgets:
        box.pack_start(widget, False, True, 0)
    return box


def frame(title: str, inside: Any) -> Any:
    box = Gtk.Frame(label=title)
    box.add(inside)
    return box
