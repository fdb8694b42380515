"""Walks a Qt 5 application: geometries are exact, indicators and tabs come from the style that draws them."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QPoint, QRect, Qt
from PyQt5.QtWidgets import (
    QAbstractButton, QAbstractItemView, QAbstractScrollArea, QAbstractSpinBox, QApplication, QCheckBox, QComboBox, QGroupBox, QHeaderView, QLabel, QLineEdit, QListView, QMenu,
    QMenuBar, QPlainTextEdit, QProgressBar, QRadioButton, QScrollArea, QScrollBar, QSlider, QStyle, QStyleOptionButton, QStyleOptionSlider, QTabBar, QTextEdit, QToolButton, QWidget,
)  # fmt: skip

from .common import Rect, Report, Tag, intersect

TAGS: dict[Any, Tag] = {}


def tag(widget: Any, **about: Any) -> Any:
    """Remember about a widget what Qt does not know; returns the widget."""
    TAGS[widget] = Tag(**about)
    return widget


def rect_of(widget: Any, part: QRect | None = None) -> Rect:
    """A widget, or a part of it in its own coordinates, on the screen."""
    part = part if part is not None else widget.rect()
    at = widget.mapToGlobal(part.topLeft())
    return at.x(), at.y(), at.x() + part.width(), at.y() + part.height()


def plain(text: str) -> str:
    """Without the marks of shortcuts."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def report() -> dict[str, Any]:
    """Everything that is shown now."""
    result = Report()
    active = QApplication.activeWindow()
    for window in QApplication.topLevelWidgets():
        if not window.isVisible() or window.windowHandle() is None:
            continue
        xid = int(window.winId())
        popup = window.windowType() in (Qt.Popup, Qt.ToolTip) or isinstance(window, QMenu)
        owner = None
        if popup:
            top = window.parentWidget().window() if window.parentWidget() is not None else active
            while top is not None and isinstance(top, QMenu) and top.parentWidget() is not None:
                top = top.parentWidget().window()
            owner = int(top.winId()) if top is not None else xid
        role = TAGS[window].group if window in TAGS else "window"
        result.window(xid, window.windowTitle(), window is active, owner, role)
        _walk(result, window, xid, None, None, "")
    return result.as_dict()


def _walk(result: Report, widget: Any, xid: int, clip: Rect | None, area: str | None, section: str) -> None:
    about = TAGS.get(widget, Tag())
    if about.ignore:
        return
    section = about.section or section
    common: dict[str, Any] = {
        "xid": xid, "clip": clip, "area": area, "section": section, "group": about.group or None, "focused": widget.hasFocus() or None,
        "enabled": None if widget.isEnabled() else False, "hint": about.hint or None,
        "label_box": rect_of(about.label) if about.label is not None and about.label.isVisible() else None,
    }  # fmt: skip
    if _leaf(result, widget, about, common):
        return
    if isinstance(widget, QGroupBox) and widget.title():
        section = plain(widget.title())
    if isinstance(widget, QScrollArea):
        clip = intersect(clip, rect_of(widget.viewport()))
        area = _area(result, widget, xid, clip)
    for child in widget.children():
        if isinstance(child, QWidget) and child.isVisible() and not child.isWindow():
            _walk(result, child, xid, clip, area, section)


def _leaf(result: Report, widget: Any, about: Tag, common: dict[str, Any]) -> bool:
    """Report a widget that is one element or lays out its own parts; False for containers."""
    box = rect_of(widget)
    if isinstance(widget, (QCheckBox, QRadioButton)):
        option = QStyleOptionButton()
        widget.initStyleOption(option)
        radio = isinstance(widget, QRadioButton)
        style = widget.style()
        indicator = style.subElementRect(QStyle.SE_RadioButtonIndicator if radio else QStyle.SE_CheckBoxIndicator, option, widget)
        hit = style.subElementRect(QStyle.SE_RadioButtonClickRect if radio else QStyle.SE_CheckBoxClickRect, option, widget).intersected(widget.rect())
        result.add("radio" if radio else "check", about.name or plain(widget.text()), rect_of(widget, hit), checked=widget.isChecked(), indicator=rect_of(widget, indicator), **common)
    elif isinstance(widget, QAbstractButton):
        text = about.name or plain(widget.text())
        if isinstance(widget.parent(), (QTabBar, QLineEdit)):
            return True
        if text or about.hint:
            kind = "link" if about.group == "link" else "button"
            result.add(kind, text if not about.hint else "", box, selected=(widget.isCheckable() and widget.isChecked()) or None, **{**common, "group": None})
    elif isinstance(widget, QAbstractSpinBox):
        edit = widget.findChild(QLineEdit)
        result.add("spin", about.name, rect_of(edit) if edit is not None else box, value=widget.text(), minimum=_number(widget, "minimum"), maximum=_number(widget, "maximum"), **common)
    elif isinstance(widget, QLineEdit):
        placeholder = widget.placeholderText() if not widget.text() else None
        editable = False if widget.isReadOnly() else None
        result.add("field", about.name, box, value=widget.text(), placeholder=placeholder or None, editable=editable, password=widget.echoMode() == QLineEdit.Password or None, **common)
    elif isinstance(widget, (QTextEdit, QPlainTextEdit)):
        result.add("field", about.name, box, value=widget.toPlainText(), multiline=True, **common)
    elif isinstance(widget, QComboBox):
        options = [widget.itemText(index) for index in range(widget.count())]
        opened = widget.view().isVisible()
        result.add("combo", about.name, box, value=widget.currentText(), options=options, opened=opened or None, editable=widget.isEditable(), **common)
    elif isinstance(widget, QSlider):
        option = QStyleOptionSlider()
        widget.initStyleOption(option)
        knob = widget.style().subControlRect(QStyle.CC_Slider, option, QStyle.SC_SliderHandle, widget)
        result.add("slider", about.name, box, value=str(widget.value()), minimum=widget.minimum(), maximum=widget.maximum(), indicator=rect_of(widget, knob), **common)
    elif isinstance(widget, QProgressBar):
        result.add("progress", about.name, box, value=f"{widget.value()}%", **common)
    elif isinstance(widget, QMenuBar):
        for action in widget.actions():
            opened = action.menu() is not None and action.menu().isVisible()
            result.add("menu", plain(action.text()), rect_of(widget, widget.actionGeometry(action)), opened=opened or None, selected=opened or None, **common)
    elif isinstance(widget, QMenu):
        for action in widget.actions():
            if not action.isSeparator():
                enabled = None if action.isEnabled() else False
                checked = action.isChecked() if action.isCheckable() else None
                result.add("menuitem", plain(action.text()).split("\t")[0], rect_of(widget, widget.actionGeometry(action)), checked=checked, **{**common, "enabled": enabled})
    elif isinstance(widget, QTabBar):
        group = next((TAGS[parent].group for parent in (widget.parent(),) if parent in TAGS), "tabs")
        for number in range(widget.count()):
            result.add("tab", plain(widget.tabText(number)), rect_of(widget, widget.tabRect(number)), selected=number == widget.currentIndex() or None, **{**common, "clip": intersect(box, common["clip"]), "group": group, "focused": None})
    elif isinstance(widget, QHeaderView):
        model = widget.model()
        for section in range(widget.count()) if widget.orientation() == Qt.Horizontal else ():
            part = QRect(widget.sectionViewportPosition(section), 0, widget.sectionSize(section), widget.height())
            result.add("header", str(model.headerData(section, Qt.Horizontal) or ""), rect_of(widget, part), **{**common, "clip": intersect(box, common["clip"])})
    elif isinstance(widget, QAbstractItemView):
        _items(result, widget, about, common)
        return not widget.findChildren(QHeaderView)
    elif isinstance(widget, QLabel):
        if widget.text():
            kind = about.group if about.group in ("heading", "link") else "label"
            result.add(kind, about.name or plain(widget.text()), box, **{**common, "group": None})
    elif isinstance(widget, QScrollBar):
        return True
    else:
        return False
    return True


def _number(widget: Any, name: str) -> float | None:
    value = getattr(widget, name, None)
    return float(value()) if value is not None else None


def _items(result: Report, view: Any, about: Tag, common: dict[str, Any]) -> None:
    """Rows of lists (also of an open combo) and cells of tables."""
    model, viewport = view.model(), view.viewport()
    clip = intersect(rect_of(viewport), common["clip"])
    in_combo = isinstance(view.window().parent(), QComboBox) or any(isinstance(parent, QComboBox) for parent in _parents(view))
    area = _area(result, view, common["xid"], clip) or common["area"]
    columns = 1 if isinstance(view, QListView) else model.columnCount()
    single = columns == 1
    more = {**common, "clip": clip, "area": area, "group": about.group or about.name or "list", "focused": None, "label_box": None}
    for row in range(model.rowCount()):
        for column in range(1 if single else columns):
            index = model.index(row, column)
            box = rect_of(viewport, view.visualRect(index))
            if view.visualRect(index).isEmpty():
                continue
            text = str(index.data() or "")
            state = index.data(Qt.CheckStateRole)
            chosen = view.selectionModel() is not None and view.selectionModel().isSelected(index)
            if state is not None:
                result.add("check", text, box, checked=state == Qt.Checked, row=row, indicator=(box[0] + 2, box[1], box[0] + 18, box[3]), **more)
            elif in_combo:
                result.add("menuitem", text, box, row=row, selected=chosen or None, **more)
            elif single:
                result.add("listitem", text, box, row=row, selected=chosen or None, **more)
            else:
                title = str(model.headerData(column, Qt.Horizontal) or "")
                result.add("cell", text, box, row=row, column=column, selected=chosen or None, **{**more, "section": title})


def _parents(widget: Any) -> list[Any]:
    found = []
    while widget is not None:
        widget = widget.parent()
        found.append(widget)
    return found


def _area(result: Report, view: QAbstractScrollArea, xid: int, clip: Rect | None) -> str | None:
    bar = view.verticalScrollBar()
    if bar.maximum() <= bar.minimum() or clip is None:
        return None
    name = f"{xid}:{len(result.areas)}"
    span = bar.maximum() - bar.minimum()
    result.areas.append({"id": name, "box": clip, "xid": xid, "position": (bar.value() - bar.minimum()) / span, "page": bar.pageStep() / (span + bar.pageStep())})
    return name


def name_at(widget: Any, position: QPoint) -> str:
    """What lies at this point of a widget, for the record of clicks."""
    parent = widget.parent()
    if isinstance(parent, QAbstractItemView):
        return str(parent.indexAt(position).data() or "")
    if isinstance(widget, QTabBar):
        return plain(widget.tabText(widget.tabAt(position))) if widget.tabAt(position) >= 0 else ""
    if isinstance(parent, QHeaderView):
        return str(parent.model().headerData(parent.logicalIndexAt(position), Qt.Horizontal) or "")
    if isinstance(widget, (QMenu, QMenuBar)):
        action = widget.actionAt(position)
        return plain(action.text()) if action is not None else ""
    for candidate in (widget, parent, parent.parent() if parent is not None else None):
        about = TAGS.get(candidate, Tag())
        if about.name or about.hint:
            return about.name or about.hint
    return plain(widget.text()) if isinstance(widget, (QAbstractButton, QLabel, QToolButton)) else ""


