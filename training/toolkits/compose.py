"""From what applications report and how the server stacks their windows to the record of a screen."""

from __future__ import annotations

from typing import Any

import numpy as np

from screens.record import Element, Screen, ScrollArea, Window

from .display import Display, Frame

Rect = tuple[float, float, float, float]
_LEAST_CONTRAST = 24
"""Of 255: text that differs less from what is behind it cannot be read (some themes draw white on white inside other widgets)."""
_WRITTEN = ("button", "label", "heading", "check", "radio", "tab", "menu", "menuitem", "listitem", "cell", "header", "link")
TITLE_LETTER = 8.5
"""Pixels for a letter of a title, more than any font of the title bars needs on average: a title with fewer may be cut."""
_EXTRA = ("xid", "clip", "box", "area", "share", "inner")


def compose(display: Display, reports: list[dict[str, Any]], picture: np.ndarray, source: str, theme: str, seed: int) -> Screen:
    """The record. Elements of which nothing can be seen are left out, unless a scroll area hides them."""
    frames = display.frames()
    owners = {window["xid"]: window for report in reports for window in report["windows"]}
    order = {client: number for number, frame in enumerate(frames) for client in frame.clients}
    windows: list[Window] = []
    index_of: dict[int, int] = {}
    titles: list[tuple[int, Frame]] = []
    for frame in frames:
        known = [owners[client] for client in frame.clients if client in owners]
        if not known or known[0]["owner"] is not None:
            continue
        index_of[known[0]["xid"]] = len(windows)
        titles.append((len(windows), frame))
        windows.append(Window(known[0]["title"], _float(frame.rect), bool(known[0]["active"]), known[0]["role"]))
    screen = Screen(display.width, display.height, windows, [], image=picture, source=source, theme=theme, seed=seed)

    def window_index(xid: int) -> int | None:
        known = owners.get(xid)
        return None if known is None else index_of.get(known["owner"] or xid)

    # A dialog that a page draws itself is a window to the user, in front of its own.
    inner = next((report["inner"] for report in reports if report.get("inner") and index_of.get(report["inner"]["xid"]) == 0), None)
    if inner is not None:
        windows.insert(0, Window(inner["title"], _box(inner["box"]), windows[0].active, inner["role"]))
        index_of = {xid: index + 1 for xid, index in index_of.items()}
        titles = [(index + 1, frame) for index, frame in titles]
        windows[1].active = False

    for report in reports:
        kept: set[str] = set()
        for area in report["areas"]:
            index = window_index(area["xid"])
            if index is not None:
                kept.add(area["id"])
                screen.areas.append(ScrollArea(area["id"], _box(area["box"]), index, position=min(1.0, max(0.0, area["position"])), page=area["page"]))
        for item in report["elements"]:
            index = window_index(item["xid"])
            if index is None or item["xid"] not in order:
                continue
            if inner is not None and item.get("inner"):
                index = 0
            above = [frame.rect for frame in frames[: order[item["xid"]]]]
            box = _box(item["box"])
            if box[2] - box[0] < 2 or box[3] - box[1] < 2:
                continue
            own = _float(frames[order[item["xid"]]].rect)
            visible = _visible(box, _both(_both(own, item.get("clip")), (0, 0, display.width, display.height)), above) * item.get("share", 1.0)
            area = item.get("area") if item.get("area") in kept else None
            if visible <= 0 and area is None:
                continue
            rest = {name: value for name, value in item.items() if name not in _EXTRA}
            for name in ("indicator", "label_box"):
                if rest.get(name) is not None:
                    rest[name] = _box(rest[name])
            screen.elements.append(Element(**{**rest, "box": box, "window": index, "visible": round(visible, 3), "area": area}))
    fade(screen)
    _decorate(screen, display, frames, titles)
    return screen


def fade(screen: Screen) -> None:
    """Count what is written illegibly as not visible."""
    assert screen.image is not None
    light = screen.image.astype(np.int16).sum(axis=2) // 3
    for element in screen.elements:
        written = element.label_box if element.label_box is not None else element.box if element.kind in _WRITTEN and element.name else None
        if written is None or element.visible == 0:
            continue
        x0, y0, x1, y1 = (max(0, int(edge)) for edge in written)
        inside = light[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2]
        if element.kind in ("check", "radio") and element.indicator is not None:
            inside = light[y0 + 2 : y1 - 2, max(x0, int(element.indicator[2]) + 3) : x1 - 1]
        if inside.size and inside.max() - inside.min() < _LEAST_CONTRAST:
            element.visible = 0.0


def _decorate(screen: Screen, display: Display, frames: list[Frame], titles: list[tuple[int, Frame]]) -> None:
    """The window manager's own buttons, and where it writes each title that is not cut."""
    for index, frame in titles:
        above = [other.rect for other in frames[: frames.index(frame)]]
        for name, rect in display.frame_parts(frame).items():
            if name == "title" and rect[2] - rect[0] > TITLE_LETTER * len(screen.windows[index].title) and _visible(_float(rect), (0, 0, display.width, display.height), above) == 1:
                screen.windows[index].title_box = _float(rect)
            if name in ("close", "maximize", "minimize"):
                visible = _visible(_float(rect), (0, 0, display.width, display.height), above)
                if visible > 0:
                    screen.elements.append(Element("window_button", name, _float(rect), window=index, visible=round(visible, 3), section=screen.windows[index].title))


def _visible(box: Rect, clip: Rect, above: list[tuple[int, int, int, int]]) -> float:
    x0, y0, x1, y1 = (int(round(edge)) for edge in box)
    free = np.zeros((max(1, y1 - y0), max(1, x1 - x0)), bool)
    cx0, cy0, cx1, cy1 = (int(round(edge)) for edge in clip)
    free[max(0, cy0 - y0) : max(0, cy1 - y0), max(0, cx0 - x0) : max(0, cx1 - x0)] = True
    for ax0, ay0, ax1, ay1 in above:
        free[max(0, ay0 - y0) : max(0, ay1 - y0), max(0, ax0 - x0) : max(0, ax1 - x0)] = False
    return float(free.mean())


def _both(a: Rect, b: Any) -> Rect:
    if b is None:
        return a
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def _box(value: Any) -> Rect:
    x0, y0, x1, y1 = (float(edge) for edge in value)
    return x0, y0, x1, y1


def _float(rect: tuple[int, int, int, int]) -> Rect:
    return _box(rect)
