"""Random scenes: what windows to build, in words that every toolkit's host understands.

A scene is `{"look", "windows": [window], "open": None | {"window", "kind", "name"}}`; a window has menus, a tool bar, blocks (forms, checks,
radios, lists, tables, tabs, sections, …) and a row of buttons. `hosts/gtk3.py` shows what each of them means.
"""

from __future__ import annotations

from random import Random
from typing import Any

from screens import words

Spec = dict[str, Any]

ICONS = ["document-new", "document-open", "document-save", "edit-copy", "edit-paste", "edit-delete", "edit-undo", "edit-find", "go-previous", "go-next", "list-add", "view-refresh", "window-close", "help-about"]
ICON_HINTS = ["New", "Open", "Save", "Copy", "Paste", "Delete", "Undo", "Find", "Back", "Forward", "Add", "Refresh", "Close", "About"]


class Names:
    """Labels of one scene; seldom the same twice, as on real screens."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.used: set[str] = set()

    def __call__(self, role: str) -> str:
        for _ in range(8):
            text = words.label(self.rng, role).strip()
            if text and (text.lower() not in self.used or self.rng.random() < 0.02):
                break
        self.used.add(text.lower())
        return text

    def several(self, role: str, low: int, high: int) -> list[str]:
        """Now and then ones that look alike."""
        if self.rng.random() < 0.2:
            family = [text for text in words.family(self.rng) if text.lower() not in self.used]
            if low <= len(family):
                self.used.update(text.lower() for text in family)
                return family[:high]
        return [self(role) for _ in range(self.rng.randint(low, high))]


def scene(rng: Random, width: int, height: int) -> Spec:
    """A scene for a screen of this size; the look is the toolkit's to choose (looks.py)."""
    names = Names(rng)
    main = window(rng, names, width, height)
    windows = [main]
    # Windows that come first lie behind.
    if rng.random() < 0.35:
        other = window(rng, names, width, height, small=rng.random() < 0.6)
        other["at"] = [rng.randint(0, width // 2), rng.randint(0, height // 2)]
        main["at"] = main["at"] or [rng.randint(0, width // 4), rng.randint(0, height // 4)]
        windows = [main, other] if rng.random() < 0.3 else [other, main]
    if rng.random() < 0.14:
        windows.append(popup(rng, names, width, height))
    result: Spec = {"windows": windows, "open": None}
    _open_something(rng, result)
    return result


def _open_something(rng: Random, result: Spec) -> None:
    number = len(result["windows"]) - 1
    front = result["windows"][number]
    if front["menus"] and rng.random() < 0.22:
        result["open"] = {"window": number, "kind": "menu", "name": rng.choice(front["menus"])["label"]}
        return
    combos = [row["label"] for row in rows_of(front["blocks"]) if row["widget"] == "combo" and row.get("enabled", True)]
    if combos and rng.random() < 0.25 and not front["scroll"]:
        result["open"] = {"window": number, "kind": "combo", "name": rng.choice(combos)}


def rows_of(blocks: list[Spec]) -> list[Spec]:
    """The rows of all forms that are shown at once."""
    found: list[Spec] = []
    for block in blocks:
        if block["kind"] == "form":
            found += block["rows"]
        elif block["kind"] == "section":
            found += rows_of(block["blocks"])
        elif block["kind"] == "tabs":
            found += rows_of(block["pages"][block["current"]]["blocks"])
        elif block["kind"] == "columns":
            found += rows_of(block["left"]) + rows_of(block["right"])
    return found


def window(rng: Random, names: Names, width: int, height: int, small: bool = False) -> Spec:
    """An application's window."""
    big = width * height > 700_000 and not small
    count = rng.choice([1, 1, 2, 2, 3, 3]) + (1 if big else 0) - (1 if small and rng.random() < 0.5 else 0)
    scroll = {"height": rng.randint(120, max(130, height // 2)), "position": rng.choice([0.0, 0.0, 0.5, 1.0, rng.random()])} if rng.random() < 0.13 else None
    blocks = [block(rng, names, 0, big) for _ in range(max(1, count) + (2 if scroll else 0))]
    if rng.random() < 0.15:
        blocks.insert(0, {"kind": rng.choice(["heading", "label"]), "text": words.sentence(rng, 2, 6)})
    return {
        "title": words.title(rng),
        "menus": menus(rng, names) if rng.random() < 0.3 else [],
        "toolbar": [button(rng, names, icons=True) for _ in range(rng.randint(2, 6))] if rng.random() < 0.22 else [],
        "blocks": blocks,
        "buttons": [button(rng, names) for _ in range(rng.choice([1, 2, 2, 3, 3, 4]))] if rng.random() < 0.85 else [],
        "button_align": rng.choice(["end", "end", "start", "center", "spread"]),
        "spacing": rng.randint(3, 12), "margin": rng.randint(4, 14), "scroll": scroll,
        "width": rng.choice([0, 0, rng.randint(260, int(width * 0.9))]), "height": 0,
        "at": [rng.randint(0, width // 3), rng.randint(0, height // 4)] if rng.random() < 0.6 else None,
        "role": "window",
    }  # fmt: skip


def popup(rng: Random, names: Names, width: int, height: int) -> Spec:
    """A message that came unasked."""
    return {
        "title": rng.choice([names("title"), words.label(rng, "title")]), "menus": [], "toolbar": [],
        "blocks": [{"kind": "label", "text": rng.choice(words.MESSAGES) if rng.random() < 0.6 else words.sentence(rng, 4, 11)}],
        "buttons": [{"label": text} for text in rng.choice([["OK"], ["Close"], ["Cancel", "OK"], ["No", "Yes"], ["Later", "Install now"], ["Not now", "Continue"], ["Dismiss"], ["Got it"], ["Remind me later", "Update"]])],
        "button_align": rng.choice(["end", "center"]), "spacing": 8, "margin": rng.randint(8, 18), "scroll": None, "width": 0, "height": 0,
        "at": [rng.randint(0, width // 2), rng.randint(20, height // 2)], "role": "popup",
    }  # fmt: skip


def menus(rng: Random, names: Names) -> list[Spec]:
    result: list[Spec] = []
    for _ in range(rng.randint(2, 6)):
        items: list[Spec | None] = []
        for _ in range(rng.randint(2, 9)):
            item: Spec = {"label": names("menuitem"), "enabled": rng.random() > 0.08}
            if rng.random() < 0.12:
                item["checked"] = rng.random() < 0.5
            items.append(item)
            if rng.random() < 0.18:
                items.append(None)
        result.append({"label": names("menu"), "items": items if items[-1] else items[:-1]})
    return result


def button(rng: Random, names: Names, icons: bool = False) -> Spec:
    result: Spec = {"label": names("button"), "enabled": rng.random() > 0.06}
    if icons and rng.random() < 0.4 or rng.random() < 0.07:
        number = rng.randrange(len(ICONS))
        result["icon"] = ICONS[number]
        if icons and rng.random() < 0.45:
            result |= {"icon_only": True, "label": ICON_HINTS[number]}
    return result


def block(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    kinds = ["form"] * 6 + ["checks"] * 3 + ["radios"] * 2 + ["list"] * 2 + ["table"] * 2 + ["buttons", "links", "label"]
    if depth == 0:
        kinds += ["tabs"] * 2 + ["section"] * 3 + ["columns"] * (3 if big else 1)
    return _MAKERS[rng.choice(kinds)](rng, names, depth, big)


def _inner(rng: Random, names: Names, big: bool, low: int = 1, high: int = 2) -> list[Spec]:
    return [block(rng, names, 1, big) for _ in range(rng.randint(low, high))]


def _form(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    labels = names.several("field", 1, 7 if big or depth == 0 else 4)
    return {
        "kind": "form", "rows": [row(rng, names, label) for label in labels], "label_side": rng.choice(["left", "left", "left", "top"]),
        "align": rng.choice(["start", "end"]), "columns": rng.choice([1, 1, 1, 2]), "suffix": rng.choice([":", ":", "", "", " *"]), "gap": rng.randint(2, 10),
    }  # fmt: skip


def row(rng: Random, names: Names, label: str) -> Spec:
    """A label with what stands beside it."""
    kind = rng.choice(["field"] * 11 + ["combo"] * 4 + ["spin", "spin", "slider", "slider", "switch", "password", "text", "progress"])
    result: Spec = {"label": label, "widget": kind, "enabled": rng.random() > 0.05}
    filled = rng.random() < 0.62
    if kind == "combo":
        options = names.several("option", 2, 8)
        result |= {"options": options, "value": rng.choice(options) if rng.random() < 0.85 else ""}
    elif kind in ("spin", "slider", "progress"):
        low, high = rng.choice([(0, 100), (0, 10), (1, 99), (0, 255), (-50, 50), (10, 500)]) if kind != "progress" else (0, 100)
        result |= {"minimum": low, "maximum": high, "value": str(rng.randint(low, high)), "draw_value": rng.random() < 0.5}
    elif kind == "switch":
        result["checked"] = rng.random() < 0.5
    elif kind == "text":
        result["value"] = words.sentence(rng, 3, 12) if filled else ""
    else:
        result["value"] = words.value(rng, label) if filled else ""
        result |= {"chars": rng.randint(8, 26), "readonly": rng.random() < 0.03, "placeholder": words.value(rng, label) if rng.random() < 0.12 else ""}
    if kind in ("field", "password") and rng.random() < 0.12:
        result["focus"] = True
    return result


def _checks(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    labels = names.several("check", 1, 7)
    items = [{"label": label, "checked": rng.random() < 0.45, "enabled": rng.random() > 0.06} for label in labels]
    return {"kind": "checks", "items": items, "columns": rng.choice([1, 1, 1, 2, 3]), "gap": rng.randint(0, 8)}


def _radios(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    items = names.several("option", 2, 5)
    return {"kind": "radios", "title": names("field") if rng.random() < 0.6 else "", "items": items, "selected": rng.randrange(len(items)), "horizontal": rng.random() < 0.4}


def _list(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    make = rng.choice([lambda: names("option"), lambda: words.filename(rng), lambda: words.person(rng), lambda: words.words(rng, 1, 2), lambda: rng.choice(words.CITIES)])
    items = list(dict.fromkeys(make() for _ in range(rng.randint(3, 18))))
    selected = rng.randrange(len(items)) if rng.random() < 0.6 else None
    return {"kind": "list", "title": names("field") if rng.random() < 0.5 else None, "items": items, "selected": selected, "height": rng.randint(60, 150), "position": rng.choice([0, 0, 0, 0.5, 1, rng.random()])}


def _table(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    columns = names.several("field", 2, 5 if big else 4)
    rows = [[words.value(rng, column)[:22] for column in columns] for _ in range(rng.randint(2, 14))]
    selected = rng.randrange(len(rows)) if rng.random() < 0.4 else None
    return {"kind": "table", "columns": columns, "rows": rows, "selected": selected, "height": rng.randint(80, 170), "position": rng.choice([0, 0, 0, 0.5, 1])}


def _section(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    return {"kind": "section", "title": names("tab"), "blocks": _inner(rng, names, big)}


def _tabs(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    labels = names.several("tab", 2, 5)
    pages = [{"label": label, "blocks": _inner(rng, names, big, 1, 2)} for label in labels]
    return {"kind": "tabs", "pages": pages, "current": rng.randrange(len(pages))}


def _columns(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    return {"kind": "columns", "left": _inner(rng, names, big), "right": _inner(rng, names, big)}


def _buttons(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    return {"kind": "buttons", "items": [button(rng, names) for _ in range(rng.randint(1, 4))]}


def _links(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    return {"kind": "links", "items": names.several("link", 1, 4)}


def _label(rng: Random, names: Names, depth: int, big: bool) -> Spec:
    return {"kind": "label", "text": words.sentence(rng, 3, 14)}


_MAKERS = {
    "form": _form, "checks": _checks, "radios": _radios, "list": _list, "table": _table, "section": _section, "tabs": _tabs, "columns": _columns,
    "buttons": _buttons, "links": _links, "label": _label,
}  # fmt: skip
