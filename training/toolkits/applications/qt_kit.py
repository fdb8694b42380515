"""Widgets of Qt 5 for the evaluation applications, and their main loop."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QEvent, QObject, QSocketNotifier, Qt, QTimer
from PyQt5.QtGui import QFont
from PyQt5.QtWidgets import (
    QApplication, QCheckBox, QComboBox, QDialog, QFormLayout, QGroupBox, QHBoxLayout, QLabel, QLineEdit, QListWidget, QMenuBar, QPlainTextEdit, QPushButton, QRadioButton, QSpinBox,
    QStyleFactory, QVBoxLayout, QWidget,
)  # fmt: skip

from .. import channel
from ..probes import qt as probe
from .kit import Kit


class _Presses(QObject):
    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802, Qt's name
        if event is not None and event.type() == QEvent.MouseButtonPress and isinstance(watched, QWidget):
            QTimer.singleShot(80, self.kit.clicked)
        return False


class QtKit(Kit):
    """One window of Qt 5."""

    def __init__(self, title: str, look: dict[str, Any]) -> None:
        super().__init__()
        self.application = QApplication(["application"])
        self.application.setStyle(QStyleFactory.create(look["theme"]))
        self.application.setFont(QFont(look["font"], look["size"]))
        self.application.setCursorFlashTime(0)
        self.presses = _Presses(self)
        self.application.installEventFilter(self.presses)
        self.window = QWidget()
        self.window.setWindowTitle(title)
        self.outer = QVBoxLayout(self.window)

    def field(self, name: str, value: str = "") -> QWidget:
        edit = QLineEdit(value)
        self.add("field", name, edit.text, edit.setText)
        return probe.tag(edit, name=name)

    def note(self, name: str, value: str = "") -> QWidget:
        edit = QPlainTextEdit(value)
        edit.setFixedHeight(64)
        self.add("field", name, edit.toPlainText, edit.setPlainText)
        return probe.tag(edit, name=name)

    def check(self, name: str, on: bool = False) -> QWidget:
        check = QCheckBox(name)
        check.setChecked(on)
        self.add("check", name, check.isChecked, check.setChecked)
        return check

    def radios(self, name: str, options: list[str], chosen: int, wide: bool = False) -> QWidget:
        group = QGroupBox(name)
        layout: Any = QHBoxLayout(group) if wide else QVBoxLayout(group)
        by_name = {option: QRadioButton(option) for option in options}
        for option, button in by_name.items():
            layout.addWidget(probe.tag(button, group=name, section=name))
        by_name[options[chosen]].setChecked(True)
        self.add("radio", name, lambda: next(option for option in options if by_name[option].isChecked()), lambda option: by_name[option].setChecked(True), tuple(options))
        return group

    def combo(self, name: str, options: list[str], chosen: int = 0) -> QWidget:
        combo = QComboBox()
        combo.addItems(options)
        combo.setCurrentIndex(chosen)
        self.add("combo", name, combo.currentText, combo.setCurrentText, tuple(options))
        return probe.tag(combo, name=name)

    def spin(self, name: str, low: int, high: int, value: int) -> QWidget:
        spin = QSpinBox()
        spin.setRange(low, high)
        spin.setValue(value)
        self.add("spin", name, lambda: str(spin.value()), lambda text: spin.setValue(int(text)))
        return probe.tag(spin, name=name)

    def rows(self, name: str, options: list[str], chosen: int | None = None, height: int = 100) -> QWidget:
        view = QListWidget()
        view.addItems(options)
        view.setFixedHeight(height)
        if chosen is not None:
            view.setCurrentRow(chosen)
        self.add("list", name, lambda: view.currentItem().text() if view.currentItem() is not None else None, lambda option: view.setCurrentRow(options.index(option)), tuple(options))
        return probe.tag(view, group=name)

    def button(self, name: str) -> QWidget:
        button = QPushButton(name)
        button.clicked.connect(lambda *_: self.press(name))
        self.add("button", name)
        return button

    def menubar(self, menus: dict[str, list[str]]) -> QMenuBar:
        bar = QMenuBar()
        for title, entries in menus.items():
            menu = bar.addMenu(title)
            for entry in entries:
                menu.addAction(entry).triggered.connect(lambda *_, name=entry: self.press(name))
                self.add("menuitem", entry, menu=title)
        return bar

    def popup(self, title: str, text: str, button: str) -> None:
        dialog = QDialog(self.window)
        probe.tag(dialog, group="popup")
        dialog.setWindowTitle(title)
        dialog.setModal(True)
        layout = QVBoxLayout(dialog)
        layout.addWidget(QLabel(text))
        close = QPushButton(button)
        close.clicked.connect(dialog.close)
        layout.addWidget(close, 0, Qt.AlignRight)
        dialog.show()

    def move(self, x: int, y: int) -> None:
        self.window.move(x, y)

    def run(self, at: tuple[int, int] | None) -> None:
        if at is not None:
            self.window.move(*at)
        self.window.show()
        lines, commands = channel.Lines(0), self.commands(probe.report)

        def readable() -> None:
            arrived = lines.read()
            if arrived is None:
                self.application.quit()
            for line in arrived or []:
                channel.answer(commands, line)

        notifier = QSocketNotifier(0, QSocketNotifier.Read)
        notifier.activated.connect(lambda *_: readable())
        self.application.exec_()


def form(rows: list[tuple[str, QWidget]]) -> QWidget:
    """Labels beside widgets, as Qt lays out forms."""
    holder = QWidget()
    layout = QFormLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    for text, widget in rows:
        label = QLabel(text)
        layout.addRow(label, widget)
        if widget in probe.TAGS:
            probe.TAGS[widget].label = label
    return holder


def boxed(layout: Any, *widgets: QWidget, stretch: bool = False) -> QWidget:
    holder = QWidget()
    layout = layout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    if stretch:
        layout.addStretch()
    for widget in widgets:
        layout.addWidget(widget)
    return holder


def line(*widgets: QWidget, end: bool = False) -> QWidget:
    return boxed(QHBoxLayout, *widgets, stretch=end)


def column(*widgets: QWidget) -> QWidget:
    holder = boxed(QVBoxLayout, *widgets)
    holder.layout().addStretch()
    return holder
