"""Builds scenes with Qt 5. Run by harvest.py with Debian's Python; see channel.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QEvent, QObject, QPoint, QSocketNotifier, QTimer, Qt
from PyQt5.QtGui import QColor, QFont, QIcon, QMouseEvent, QPalette
from PyQt5.QtWidgets import (
    QAbstractItemView, QApplication, QCheckBox, QComboBox, QFrame, QGridLayout, QGroupBox, QHBoxLayout, QLabel, QLineEdit, QListWidget, QMenu, QMenuBar, QPlainTextEdit, QProgressBar,
    QPushButton, QRadioButton, QScrollArea, QSlider, QSpinBox, QStyleFactory, QTableWidget, QTableWidgetItem, QTabWidget, QToolButton, QVBoxLayout, QWidget,
)  # fmt: skip

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkits import channel  # noqa: E402
from toolkits.probes import qt as probe  # noqa: E402

Spec = dict[str, Any]
tag = probe.tag


class Clicks(QObject):
    """Notes the names of the widgets that a mouse press reached."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802, Qt's name
        if isinstance(event, QMouseEvent) and event.type() == QEvent.MouseButtonPress and isinstance(watched, QWidget):
            self.events.append(probe.name_at(watched, event.pos()))
        return False


class Host:
    """The windows of one scene."""

    def __init__(self, application: QApplication, clicks: Clicks) -> None:
        self.application = application
        self.clicks = clicks
        self.windows: list[QWidget] = []
        self.combos: dict[str, QComboBox] = {}
        self.menubars: list[QMenuBar | None] = []
        application.setCursorFlashTime(0)
        application.setEffectEnabled(Qt.UI_AnimateCombo, False)

    def build(self, scene: Spec) -> None:
        self.close()
        look = scene["look"]
        self.application.setStyle(QStyleFactory.create(look["theme"]))
        self.application.setPalette(_palette(look["palette"]) if look["palette"] else self.application.style().standardPalette())
        self.application.setFont(QFont(look["font"], look["size"]))
        for window in scene["windows"]:
            self.windows.append(self.window(window))
        for window in self.windows:
            window.show()
        self.windows[-1].raise_()
        self.windows[-1].activateWindow()

    def close(self) -> None:
        for widget in self.application.topLevelWidgets():
            widget.hide()
        for window in self.windows:
            window.deleteLater()
        self.windows, self.combos, self.menubars = [], {}, []
        self.clicks.events.clear()
        probe.TAGS.clear()

    def open(self, window: int, kind: str, name: str) -> None:
        if kind == "combo":
            self.combos[name].showPopup()
            return
        bar = self.menubars[window]
        assert bar is not None
        for action in bar.actions():
            if probe.plain(action.text()) == name:
                at = bar.actionGeometry(action).bottomLeft()
                action.menu().popup(bar.mapToGlobal(at + QPoint(0, 1)))

    def window(self, spec: Spec) -> QWidget:
        window = QWidget()
        tag(window, group=spec.get("role", "window"))
        window.setWindowTitle(spec["title"])
        outer = QVBoxLayout(window)
        outer.setContentsMargins(*[spec["margin"]] * 4)
        outer.setSpacing(spec["spacing"])
        bar = self.menus(spec["menus"]) if spec["menus"] else None
        self.menubars.append(bar)
        if bar is not None:
            outer.setMenuBar(bar)
        if spec["toolbar"]:
            row = QHBoxLayout()
            for item in spec["toolbar"]:
                row.addWidget(self.button(item, tool=True))
            row.addStretch()
            outer.addLayout(row)
        body = self.blocks(spec["blocks"], spec["spacing"])
        if spec["scroll"]:
            scroll = QScrollArea()
            scroll.setWidgetResizable(True)
            scroll.setFixedHeight(spec["scroll"]["height"])
            scroll.setMinimumWidth(body.sizeHint().width() + 30)
            scroll.setWidget(body)
            QTimer.singleShot(60, lambda: _scroll(scroll, spec["scroll"]["position"]))
            outer.addWidget(scroll)
        else:
            outer.addWidget(body)
        if spec["buttons"]:
            row = QHBoxLayout()
            align = spec["button_align"]
            if align in ("end", "center"):
                row.addStretch()
            for item in spec["buttons"]:
                row.addWidget(self.button(item))
            if align in ("start", "center"):
                row.addStretch()
            outer.addLayout(row)
        if spec["width"]:
            window.resize(spec["width"], window.sizeHint().height())
        if spec["at"]:
            window.move(*spec["at"])
        return window

    def menus(self, menus: list[Spec]) -> QMenuBar:
        bar = QMenuBar()
        for menu in menus:
            sub = QMenu(menu["label"].replace("&", "&&"), bar)
            for entry in menu["items"]:
                if entry is None:
                    sub.addSeparator()
                    continue
                action = sub.addAction(entry["label"].replace("&", "&&"))
                action.setEnabled(entry.get("enabled", True))
                if "checked" in entry:
                    action.setCheckable(True)
                    action.setChecked(entry["checked"])
            bar.addMenu(sub)
        return bar

    def button(self, item: Spec, tool: bool = False) -> QWidget:
        button = QToolButton() if tool else QPushButton()
        if item.get("icon"):
            button.setIcon(QIcon.fromTheme(item["icon"]))
        shows_icon = item.get("icon") and not button.icon().isNull()
        if shows_icon and item.get("icon_only"):
            tag(button, hint=item["label"])
        else:
            button.setText(item["label"].replace("&", "&&"))
        if isinstance(button, QToolButton) and shows_icon and not item.get("icon_only"):
            button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        button.setEnabled(item.get("enabled", True))
        return button

    def blocks(self, specs: list[Spec], spacing: int = 6) -> QWidget:
        widget = QWidget()
        layout = QVBoxLayout(widget)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(spacing)
        for spec in specs:
            layout.addWidget(getattr(self, "block_" + spec["kind"])(spec))
        layout.addStretch()
        return widget

    def block_form(self, spec: Spec) -> QWidget:
        widget = QWidget()
        grid = QGridLayout(widget)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(spec["gap"])
        for index, row in enumerate(spec["rows"]):
            label = QLabel(row["label"] + spec["suffix"])
            label.setTextFormat(Qt.PlainText)
            field = self.row_widget(row, label)
            line, side = divmod(index, spec["columns"])
            if spec["label_side"] == "top":
                grid.addWidget(label, line * 2, side)
                grid.addWidget(field, line * 2 + 1, side)
            else:
                grid.addWidget(label, line, side * 2, Qt.AlignRight if spec["align"] == "end" else Qt.AlignLeft)
                grid.addWidget(field, line, side * 2 + 1)
                grid.setColumnStretch(side * 2 + 1, 1)
        return widget

    def row_widget(self, row: Spec, label: QLabel) -> QWidget:
        kind = row["widget"]
        widget: Any
        if kind == "combo":
            widget = QComboBox()
            widget.addItems(row["options"])
            widget.setCurrentIndex(row["options"].index(row["value"]) if row["value"] in row["options"] else -1)
            self.combos[row["label"]] = widget
        elif kind == "spin":
            widget = QSpinBox()
            widget.setRange(row["minimum"], row["maximum"])
            widget.setValue(int(row["value"]))
        elif kind == "slider":
            widget = QSlider(Qt.Horizontal)
            widget.setRange(row["minimum"], row["maximum"])
            widget.setValue(int(row["value"]))
        elif kind == "switch":
            widget = QCheckBox()
            widget.setChecked(row["checked"])
        elif kind == "progress":
            widget = QProgressBar()
            widget.setValue(int(row["value"]))
        elif kind == "text":
            widget = QPlainTextEdit(row["value"])
            widget.setFixedHeight(64)
        else:
            widget = QLineEdit(row["value"])
            widget.setPlaceholderText(row.get("placeholder", ""))
            widget.setReadOnly(row.get("readonly", False))
            widget.setCursorPosition(0)
            widget.setMinimumWidth(row.get("chars", 16) * 7)
            if kind == "password":
                widget.setEchoMode(QLineEdit.Password)
        widget.setEnabled(row.get("enabled", True))
        if row.get("focus"):
            QTimer.singleShot(60, widget.setFocus)
        return tag(widget, name=label.text(), label=label)

    def block_checks(self, spec: Spec) -> QWidget:
        widget = QWidget()
        grid = QGridLayout(widget)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(spec["gap"])
        for index, item in enumerate(spec["items"]):
            check = QCheckBox(item["label"].replace("&", "&&"))
            check.setChecked(item["checked"])
            check.setEnabled(item.get("enabled", True))
            grid.addWidget(check, index // spec["columns"], index % spec["columns"])
        return widget

    def block_radios(self, spec: Spec) -> QWidget:
        widget = QWidget()
        layout: Any = QHBoxLayout(widget) if spec["horizontal"] else QVBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        if spec["title"]:
            layout.addWidget(QLabel(spec["title"]))
        for index, item in enumerate(spec["items"]):
            radio = QRadioButton(item.replace("&", "&&"))
            radio.setChecked(index == spec["selected"])
            layout.addWidget(tag(radio, group=spec["title"] or spec["items"][0], section=spec["title"]))
        layout.addStretch()
        return widget

    def block_section(self, spec: Spec) -> QWidget:
        group = QGroupBox(spec["title"].replace("&", "&&"))
        QVBoxLayout(group).addWidget(self.blocks(spec["blocks"]))
        return group

    def block_tabs(self, spec: Spec) -> QWidget:
        tabs = QTabWidget()
        for page in spec["pages"]:
            tabs.addTab(self.blocks(page["blocks"]), page["label"].replace("&", "&&"))
        tabs.setCurrentIndex(spec["current"])
        return tag(tabs, group="|".join(page["label"] for page in spec["pages"]))

    def block_list(self, spec: Spec) -> QWidget:
        view = QListWidget()
        view.addItems(spec["items"])
        view.setFixedHeight(spec["height"])
        if spec["selected"] is not None:
            view.setCurrentRow(spec["selected"])
        QTimer.singleShot(60, lambda: _scroll(view, spec["position"]))
        tag(view, group=spec["title"] or "list")
        if not spec["title"]:
            return view
        widget = QWidget()
        layout = QVBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel(spec["title"]))
        layout.addWidget(view)
        return widget

    def block_table(self, spec: Spec) -> QWidget:
        table = QTableWidget(len(spec["rows"]), len(spec["columns"]))
        table.setHorizontalHeaderLabels(spec["columns"])
        table.verticalHeader().hide()
        table.setSelectionBehavior(QAbstractItemView.SelectRows)
        for row, texts in enumerate(spec["rows"]):
            for column, text in enumerate(texts):
                table.setItem(row, column, QTableWidgetItem(text))
        table.resizeColumnsToContents()
        table.resizeRowsToContents()
        table.setFixedHeight(spec["height"])
        table.setMinimumWidth(min(560, table.horizontalHeader().length() + 24))
        if spec["selected"] is not None:
            table.selectRow(spec["selected"])
        QTimer.singleShot(60, lambda: _scroll(table, spec["position"]))
        return tag(table, group="|".join(spec["columns"]))

    def block_buttons(self, spec: Spec) -> QWidget:
        widget = QWidget()
        layout = QHBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        for item in spec["items"]:
            layout.addWidget(self.button(item))
        layout.addStretch()
        return widget

    def block_links(self, spec: Spec) -> QWidget:
        widget = QWidget()
        layout = QHBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        for item in spec["items"]:
            label = QLabel()
            label.setText(f'<a href="x">{item.replace("&", "&amp;").replace("<", "&lt;")}</a>')
            layout.addWidget(tag(label, name=item, group="link"))
        layout.addStretch()
        return widget

    def block_label(self, spec: Spec) -> QWidget:
        label = QLabel(spec["text"])
        label.setWordWrap(len(spec["text"]) > 50)
        return label

    def block_heading(self, spec: Spec) -> QWidget:
        label = QLabel(spec["text"])
        font = label.font()
        font.setBold(True)
        font.setPointSize(font.pointSize() + 3)
        label.setFont(font)
        return tag(label, group="heading")

    def block_columns(self, spec: Spec) -> QWidget:
        widget = QFrame()
        layout = QHBoxLayout(widget)
        layout.setContentsMargins(0, 0, 0, 0)
        for side in (spec["left"], spec["right"]):
            layout.addWidget(self.blocks(side))
        return widget


def _scroll(view: Any, position: float) -> None:
    bar = view.verticalScrollBar()
    bar.setValue(int(bar.minimum() + position * (bar.maximum() - bar.minimum())))


def _palette(colours: dict[str, str]) -> QPalette:
    palette = QPalette(QColor(colours["button"]), QColor(colours["window"]))
    roles = {"Window": "window", "WindowText": "text", "Base": "base", "Text": "text", "Button": "button", "ButtonText": "text", "Highlight": "accent", "HighlightedText": "on_accent"}
    for role, colour in roles.items():
        palette.setColor(getattr(QPalette, role), QColor(colours[colour]))
    return palette


def main() -> None:
    application = QApplication(["scene"])
    application.setQuitOnLastWindowClosed(False)
    clicks = Clicks()
    application.installEventFilter(clicks)
    QIcon.setThemeName("Adwaita")
    host = Host(application, clicks)
    lines = channel.Lines(0)

    def take() -> list[str]:
        found, clicks.events[:] = list(clicks.events), []
        return found

    commands: channel.Commands = {"build": host.build, "open": host.open, "close": host.close, "report": probe.report, "events": take}

    def readable() -> None:
        arrived = lines.read()
        if arrived is None:
            application.quit()
        for line in arrived or []:
            channel.answer(commands, line)

    notifier = QSocketNotifier(0, QSocketNotifier.Read)
    notifier.activated.connect(lambda *_: readable())
    application.exec_()


if __name__ == "__main__":
    main()
