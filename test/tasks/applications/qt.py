"""The workbench in Qt 5."""

from __future__ import annotations

from typing import Any

from workbench import FONT, LAMP_SIZE, PAD_SIZE, ROWS, SIZES, VOLUME, Workbench, share

from toolkits.applications.qt_kit import QtKit, column, form, line
from toolkits.probes import qt as probe
from PyQt5.QtCore import QEvent, QObject, Qt, QTimer
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QApplication, QLabel, QSlider, QWidget

_HELD = {"ctrl": Qt.ControlModifier, "shift": Qt.ShiftModifier, "alt": Qt.AltModifier, "super": Qt.MetaModifier}
_BUTTONS = {Qt.LeftButton: "left", Qt.MiddleButton: "middle", Qt.RightButton: "right", Qt.BackButton: "back", Qt.ForwardButton: "forward"}
_KEYS = {Qt.Key_Control: "Control", Qt.Key_Shift: "Shift", Qt.Key_Alt: "Alt", Qt.Key_Meta: "Super"}
_MOUSE = {QEvent.MouseButtonPress: 1, QEvent.MouseButtonDblClick: 2}
_WHEEL_CLICK = 120


class _Events(QObject):
    """Everything that widgets get, before they do."""

    def __init__(self, bench: QtWorkbench) -> None:
        super().__init__()
        self.bench = bench

    def eventFilter(self, watched: QObject | None, event: Any) -> bool:  # noqa: N802, Qt's name
        bench, kind = self.bench, event.type()
        # Qt offers an event that was not taken to the parents; spontaneous ones come from the window system, and only once.
        if not event.spontaneous() or not isinstance(watched, QWidget):
            return False
        held = [name for name, mask in _HELD.items() if getattr(event, "modifiers", int)() & mask]
        if kind in (*_MOUSE, QEvent.MouseButtonRelease, QEvent.MouseMove, QEvent.Wheel):
            place = event.globalPosition() if kind == QEvent.Wheel else event.globalPos()
            # A button that is down keeps events with the widget it was pressed on; the pointer is elsewhere.
            under = QApplication.widgetAt(int(place.x()), int(place.y()))
            bench.moved(place.x(), place.y(), _name_of(under), kind == QEvent.MouseMove and event.buttons() != Qt.NoButton)
        if kind in _MOUSE:
            bench.happened("press", button=_BUTTONS.get(event.button()), count=_MOUSE[kind], on=bench.on, held=held)
        elif kind == QEvent.MouseButtonRelease:
            bench.happened("release", button=_BUTTONS.get(event.button()), on=bench.on, held=held)
        elif kind == QEvent.Wheel:
            turned = event.angleDelta()
            bench.happened("scroll", dx=-turned.x() / _WHEEL_CLICK, dy=-turned.y() / _WHEEL_CLICK, on=bench.on, held=held)
        return False


class _Window(QObject):
    """Keys as the window gets them: each once, whichever widget takes it."""

    def __init__(self, bench: QtWorkbench) -> None:
        super().__init__()
        self.bench = bench

    def eventFilter(self, watched: QObject | None, event: Any) -> bool:  # noqa: N802, Qt's name
        if event.type() in (QEvent.KeyPress, QEvent.KeyRelease) and not event.isAutoRepeat():
            held = [name for name, mask in _HELD.items() if event.modifiers() & mask]
            key = _KEYS.get(event.key()) or QKeySequence(event.key()).toString()
            self.bench.happened("key_down" if event.type() == QEvent.KeyPress else "key_up", key=key, held=held, time=event.timestamp())
        return False


class QtWorkbench(Workbench, QtKit):
    def __init__(self) -> None:
        super().__init__("Workbench", {"theme": "Fusion", **FONT})
        self.begin()
        self.banner = QLabel()
        self.banner.setWordWrap(True)
        self.banner.hide()
        self.notes: Any = self.note("Notes")
        self.notes.setFixedHeight(84)
        self.slider = QSlider(Qt.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setValue(VOLUME)
        probe.tag(self.slider, name="Volume")
        name, sizes = self.field("Name"), self.radios("Size", SIZES, 1, wide=True)
        left = column(form([("Name:", name), ("Notes:", self.notes), ("Volume:", self.slider)]), sizes, self.check("Newsletter"))
        self.pad = QLabel("Pad")
        self.pad.setFixedSize(*PAD_SIZE)
        self.pad.setAlignment(Qt.AlignCenter)
        self.pad.setStyleSheet("background: #d8e4c8")
        self.pad.setMouseTracking(True)
        self.list: Any = self.rows("Rows", ROWS, None, 170)
        right = column(self.pad, self.list)
        self.bulb = QLabel()
        self.bulb.setFixedSize(*LAMP_SIZE)
        self.lamp("#808080")
        self.count = QLabel("Events: 0")
        self.go_on = self.button("Continue")
        self.go_on.setEnabled(False)
        bottom = line(self.button("Start"), self.go_on, self.button("Save"), self.button("Delete"), QLabel("Lamp:"), self.bulb, self.count)
        for widget in (self.banner, line(left, right), bottom):
            self.outer.addWidget(widget)
        self.watches = _Events(self), _Window(self)
        self.application.installEventFilter(self.watches[0])

    def run(self, at: tuple[int, int] | None) -> None:
        self.window.resize(620, 420)
        self.window.show()
        self.window.windowHandle().installEventFilter(self.watches[1])
        super().run(at)

    def show_count(self, text: str) -> None:
        self.count.setText(text)

    def later(self, seconds: float, do: Any) -> None:
        QTimer.singleShot(int(seconds * 1000), do)

    def allow_continue(self) -> None:
        self.go_on.setEnabled(True)

    def volume(self) -> float:
        return float(self.slider.value())

    def scrolled(self) -> dict[str, float]:
        across, down = self.list.horizontalScrollBar(), self.list.verticalScrollBar()
        return {"x": share(across.value(), across.maximum()), "y": share(down.value(), down.maximum())}

    def selection(self) -> str:
        return str(self.notes.textCursor().selectedText()).replace("\u2029", "\n")

    def phrase(self, words: str) -> tuple[float, float, float, float]:
        start = self.notes.toPlainText().index(words)
        cursor = self.notes.textCursor()
        cursor.setPosition(start)
        first = self.notes.cursorRect(cursor)
        cursor.setPosition(start + len(words))
        last = self.notes.cursorRect(cursor)
        x, y = probe.rect_of(self.notes.viewport())[:2]
        return x + first.left(), y + first.top(), x + last.left(), y + first.bottom()

    def areas(self) -> dict[str, tuple[float, float, float, float]]:
        return {"Pad": probe.rect_of(self.pad), "Lamp": probe.rect_of(self.bulb), "Rows": probe.rect_of(self.list)}

    def lamp(self, colour: str) -> None:
        self.bulb.setStyleSheet(f"background: {colour}")

    def say(self, text: str) -> None:
        self.banner.setText(text)
        self.banner.show()


def _name_of(widget: Any) -> str:
    """What the pointer is on: the nearest thing with a name."""
    while widget is not None:
        about = probe.TAGS.get(widget)
        name = (about.name or about.group) if about is not None else ""
        if name or (hasattr(widget, "text") and widget.text()):
            return name or probe.plain(widget.text())
        widget = widget.parentWidget()
    return ""


if __name__ == "__main__":
    QtWorkbench().run((0, 0))
