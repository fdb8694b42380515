"""The workbench in GTK 3."""

from __future__ import annotations

from typing import Any

from workbench import BUTTONS, FONT, LAMP_SIZE, PAD_SIZE, ROWS, SIZES, VOLUME, Workbench, share

from toolkits.applications.gtk_kit import GtkKit, column, form, line
from toolkits.probes import gtk3 as probe
from gi.repository import Gdk, GLib, Gtk

_HELD = {"ctrl": Gdk.ModifierType.CONTROL_MASK, "shift": Gdk.ModifierType.SHIFT_MASK, "alt": Gdk.ModifierType.MOD1_MASK, "super": Gdk.ModifierType.MOD4_MASK}
_COUNTS = {Gdk.EventType.BUTTON_PRESS: 1, Gdk.EventType._2BUTTON_PRESS: 2, Gdk.EventType._3BUTTON_PRESS: 3}
_DIRECTIONS = {Gdk.ScrollDirection.UP: (0, -1), Gdk.ScrollDirection.DOWN: (0, 1), Gdk.ScrollDirection.LEFT: (-1, 0), Gdk.ScrollDirection.RIGHT: (1, 0)}
_DRAGGING = Gdk.ModifierType.BUTTON1_MASK | Gdk.ModifierType.BUTTON2_MASK | Gdk.ModifierType.BUTTON3_MASK


class GtkWorkbench(Workbench, GtkKit):
    def __init__(self) -> None:
        super().__init__("Workbench", {"theme": "Adwaita", **FONT})
        self.begin()
        self.banner = Gtk.Label(no_show_all=True, wrap=True, max_width_chars=80)
        notes = self.note("Notes")
        notes.set_size_request(220, 84)
        self.notes = notes.get_child()
        self.slider = self.scale("Volume", VOLUME)
        sizes = self.radios("Size", SIZES, 1, Gtk.Box(spacing=6))
        left = column(form([("Name:", self.field("Name")), ("Notes:", notes), ("Volume:", self.slider), ("Size:", sizes), ("", self.check("Newsletter"))]), border=0)
        self.pad = Gtk.EventBox(width_request=PAD_SIZE[0], height_request=PAD_SIZE[1], halign=Gtk.Align.START)
        self.pad.add_events(Gdk.EventMask.ALL_EVENTS_MASK)
        self.pad.connect("draw", self._draw, lambda: "#d8e4c8")
        self.pad.add(Gtk.Label(label="Pad"))
        self.list = probe.tag(self.rows("Rows", ROWS, None, 150), name="Rows")
        self.list.set_size_request(250, -1)
        right = column(self.pad, self.list, border=0)
        self.colour = "#808080"
        self.bulb = Gtk.EventBox(width_request=LAMP_SIZE[0], height_request=LAMP_SIZE[1], valign=Gtk.Align.CENTER)
        self.bulb.connect("draw", self._draw, lambda: self.colour)
        self.count = Gtk.Label(label="Events: 0", width_chars=12)
        self.go_on = self.button("Continue")
        self.go_on.set_sensitive(False)
        bottom = line(self.button("Start"), self.go_on, self.button("Save"), self.button("Delete"), Gtk.Label(label="Lamp:"), self.bulb, self.count)
        body = line(left, right)
        self.outer.add(column(self.banner, body, bottom, border=8))

    @staticmethod
    def _draw(widget: Any, context: Any, colour: Any) -> bool:
        Gdk.cairo_set_source_rgba(context, _rgba(colour()))
        context.rectangle(0, 0, widget.get_allocated_width(), widget.get_allocated_height())
        context.fill()
        return False

    def _event(self, event: Any) -> None:
        kind = event.type
        if kind in (Gdk.EventType.ENTER_NOTIFY, Gdk.EventType.MOTION_NOTIFY, *_COUNTS, Gdk.EventType.BUTTON_RELEASE, Gdk.EventType.SCROLL):
            _ok, x, y = event.get_root_coords()
            dragging = bool(event.get_state()[1] & _DRAGGING)
            self.moved(x, y, self._area_at(x, y) if dragging else _name_of(Gtk.get_event_widget(event)), dragging)
        if kind in _COUNTS:
            self.happened("press", button=BUTTONS.get(event.button.button), count=_COUNTS[kind], on=self.on, held=_held(event))
        elif kind == Gdk.EventType.BUTTON_RELEASE:
            self.happened("release", button=BUTTONS.get(event.button.button), on=self.on, held=_held(event))
        elif kind == Gdk.EventType.SCROLL:
            smooth, dx, dy = event.get_scroll_deltas()
            if not smooth:
                dx, dy = _DIRECTIONS[event.get_scroll_direction()[1]]
            self.happened("scroll", dx=dx, dy=dy, on=self.on, held=_held(event))
        elif kind in (Gdk.EventType.KEY_PRESS, Gdk.EventType.KEY_RELEASE):
            down = kind == Gdk.EventType.KEY_PRESS
            self.happened("key_down" if down else "key_up", key=Gdk.keyval_name(event.key.keyval), held=_held(event), time=event.get_time())
        super()._event(event)

    def _area_at(self, x: float, y: float) -> str:
        """A button that is down keeps events with the widget it was pressed on; the pointer is elsewhere."""
        return next((name for name, (left, top, right, bottom) in self.areas().items() if left <= x < right and top <= y < bottom), "")

    def show_count(self, text: str) -> None:
        self.count.set_text(text)

    def later(self, seconds: float, do: Any) -> None:
        GLib.timeout_add(int(seconds * 1000), lambda: do() and False)

    def allow_continue(self) -> None:
        self.go_on.set_sensitive(True)

    def volume(self) -> float:
        return self.slider.get_value()

    def scrolled(self) -> dict[str, float]:
        across, down = self.list.get_hadjustment(), self.list.get_vadjustment()
        return {"x": share(across.get_value(), across.get_upper() - across.get_page_size()), "y": share(down.get_value(), down.get_upper() - down.get_page_size())}

    def selection(self) -> str:
        bounds = self.notes.get_buffer().get_selection_bounds()
        return self.notes.get_buffer().get_text(*bounds, False) if bounds else ""

    def phrase(self, words: str) -> tuple[float, float, float, float]:
        start, end = self.notes.get_buffer().get_start_iter().forward_search(words, 0, None)
        first, last = self.notes.get_iter_location(start), self.notes.get_iter_location(end)
        left, top = self.notes.buffer_to_window_coords(Gtk.TextWindowType.WIDGET, first.x, first.y)
        right, _ = self.notes.buffer_to_window_coords(Gtk.TextWindowType.WIDGET, last.x, last.y)
        x, y = probe.box_of(self.notes)[:2]
        return x + left, y + top, x + right, y + top + first.height

    def areas(self) -> dict[str, tuple[float, float, float, float]]:
        return {"Pad": probe.box_of(self.pad), "Lamp": probe.box_of(self.bulb), "Rows": probe.box_of(self.list)}

    def lamp(self, colour: str) -> None:
        self.colour = colour
        self.bulb.queue_draw()

    def say(self, text: str) -> None:
        self.banner.set_text(text)
        self.banner.show()


def _rgba(colour: str) -> Any:
    rgba = Gdk.RGBA()
    rgba.parse(colour)
    return rgba


def _held(event: Any) -> list[str]:
    state = event.get_state()[1]
    return [name for name, mask in _HELD.items() if state & mask]


def _name_of(widget: Any) -> str:
    """What the pointer is on: the nearest thing with a name."""
    while widget is not None:
        about = probe.TAGS.get(widget)
        name = about.name if about is not None else ""
        if name or isinstance(widget, (Gtk.Button, Gtk.EventBox)):
            return name or probe.text_of(widget)
        widget = widget.get_parent()
    return ""


if __name__ == "__main__":
    GtkWorkbench().run((0, 0))
