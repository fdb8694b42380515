"""A scene as a page: plain forms, cards, dialogs, drop-downs made of lists, in one of the styles of css.py."""

from __future__ import annotations

from html import escape
from typing import Any

from .css import style

Spec = dict[str, Any]


def page(scene: Spec) -> str:
    """The whole document."""
    main, *others = scene["windows"]
    if others and main["role"] == "window" and others[-1]["role"] != "popup" and scene["look"]["aside"]:
        main, others = others[-1], [main]
    maker = Maker(scene["look"], scene["open"])
    body = maker.window(main)
    for other in others:
        if other["role"] == "popup":
            body += f'<div class="veil"><div class="dialog" role="dialog" data-role="popup"><h3>{escape(other["title"])}</h3>{maker.blocks(other["blocks"])}{maker.buttons(other["buttons"])}</div></div>'
        else:
            body = f'<div class="side"><div class="card">{body}</div><div class="card aside"><h3>{escape(other["title"])}</h3>{maker.blocks(other["blocks"][:2])}{maker.buttons(other["buttons"])}</div></div>'
    return f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(main["title"])}</title><style>{style(scene["look"])}</style></head><body>{body}</body></html>'


class Maker:
    """Turns blocks into markup; ids are numbered over the page."""

    def __init__(self, look: Spec, opened: Spec | None) -> None:
        self.look = look
        self.opened = opened["name"] if opened else None
        self.number = 0

    def id(self) -> str:
        self.number += 1
        return f"e{self.number}"

    def window(self, spec: Spec) -> str:
        parts = []
        if spec["menus"]:
            parts.append('<nav class="menubar">' + "".join(self.menu(menu) for menu in spec["menus"]) + "</nav>")
        if spec["toolbar"]:
            parts.append('<div class="toolbar">' + "".join(self.button(item) for item in spec["toolbar"]) + "</div>")
        if self.look["heading"]:
            parts.append(f"<h1>{escape(spec['title'])}</h1>")
        inside = self.blocks(spec["blocks"])
        if spec["scroll"]:
            inside = f'<div class="scroll" style="height:{spec["scroll"]["height"]}px" data-scroll="{spec["scroll"]["position"]}">{inside}</div>'
        parts.append(f"<main>{inside}{self.buttons(spec['buttons'], spec['button_align'])}</main>")
        return "".join(parts)

    def menu(self, menu: Spec) -> str:
        opened = menu["label"] == self.opened
        items = "".join(
            "<hr>" if item is None else f'<div role="menuitem" data-kind="menuitem" class="item" aria-disabled="{str(not item.get("enabled", True)).lower()}">{escape(item["label"])}</div>' for item in menu["items"]
        )
        drop = f'<div class="drop">{items}</div>' if opened else ""
        return f'<div class="menu"><span data-kind="menu" role="button" aria-expanded="{str(opened).lower()}">{escape(menu["label"])}</span>{drop}</div>'

    def blocks(self, specs: list[Spec]) -> str:
        return "".join(f'<div class="block">{getattr(self, "block_" + spec["kind"])(spec)}</div>' for spec in specs)

    def button(self, item: Spec, main: bool = False) -> str:
        off = "" if item.get("enabled", True) else " disabled"
        if item.get("icon_only"):
            sign = {"New": "✚", "Delete": "✖", "Back": "←", "Forward": "→", "Add": "+", "Refresh": "↻", "Close": "×", "Find": "⌕", "Undo": "↶", "Save": "⇩", "About": "?", "Copy": "⧉", "Open": "▤", "Paste": "▣"}.get(item["label"], "★")
            return f'<button data-kind="button" data-name="" aria-label="{escape(item["label"])}" data-event="{escape(item["label"])}"{off}>{sign}</button>'
        return f'<button{" class=main" if main else ""}{off}>{escape(item["label"])}</button>'

    def buttons(self, items: list[Spec], align: str = "end") -> str:
        return f'<div class="buttons {align}">' + "".join(self.button(item, index == len(items) - 1) for index, item in enumerate(items)) + "</div>" if items else ""

    def block_form(self, spec: Spec) -> str:
        rows = "".join(self.row(row, spec["suffix"]) for row in spec["rows"])
        return f'<div class="form {spec["label_side"]} cols{spec["columns"]}">{rows}</div>'

    def row(self, row: Spec, suffix: str) -> str:
        ident, kind = self.id(), row["widget"]
        off = ("" if row.get("enabled", True) else " disabled") + (" autofocus" if row.get("focus") else "") + (" readonly" if row.get("readonly") else "")
        label = f'<label for="{ident}">{escape(row["label"] + suffix)}</label>'
        value = escape(str(row.get("value", "")))
        if kind == "combo":
            widget = self.combo(row, ident, off)
        elif kind == "spin":
            widget = f'<input id="{ident}" type="number" min="{row["minimum"]}" max="{row["maximum"]}" value="{value}"{off}>'
        elif kind == "slider":
            widget = f'<input id="{ident}" type="range" min="{row["minimum"]}" max="{row["maximum"]}" value="{value}"{off}>'
        elif kind == "switch":
            widget = f'<span class="switch" role="switch" data-kind="switch" data-name="{escape(row["label"])}" aria-checked="{str(row["checked"]).lower()}"></span>'
        elif kind == "progress":
            widget = f'<progress id="{ident}" data-name="{escape(row["label"])}" max="100" value="{value}"></progress>'
        elif kind == "text":
            widget = f'<textarea id="{ident}" rows="3"{off}>{value}</textarea>'
        else:
            hint = f' placeholder="{escape(row.get("placeholder", ""))}"' if row.get("placeholder") else ""
            widget = f'<input id="{ident}" type="{"password" if kind == "password" else "text"}" size="{row.get("chars", 18)}" value="{value}"{hint}{off}>'
        return f'<div class="row">{label}{widget}</div>'

    def combo(self, row: Spec, ident: str, off: str) -> str:
        opened = row["label"] == self.opened
        if not self.look["own_combos"] and not opened:
            options = "".join(f'<option{" selected" if option == row["value"] else ""}>{escape(option)}</option>' for option in row["options"])
            empty = "" if row["value"] in row["options"] else "<option selected></option>"
            return f'<select id="{ident}"{off}>{empty}{options}</select>'
        items = "".join(f'<div class="item" role="option" data-kind="menuitem" aria-selected="{str(option == row["value"]).lower()}">{escape(option)}</div>' for option in row["options"])
        drop = f'<div class="drop">{items}</div>' if opened else ""
        shown = f"{escape(row['value'])} ▾"
        return f'<div class="combo"><div class="select" tabindex="0" data-kind="combo" data-name="{escape(row["label"])}" aria-expanded="{str(opened).lower()}">{shown}</div>{drop}</div>'

    def check(self, item: Spec, kind: str, group: str = "", section: str = "") -> str:
        ident = self.id()
        state = (" checked" if item["checked"] else "") + ("" if item.get("enabled", True) else " disabled")
        more = f' name="{escape(group)}" data-group="{escape(group)}" data-section="{escape(section)}"' if group else ""
        if self.look["wrap_labels"]:
            return f'<label class="check"><input id="{ident}" type="{kind}"{state}{more}> {escape(item["label"])}</label>'
        return f'<span class="check" data-kind="none"><input id="{ident}" type="{kind}"{state}{more}><label for="{ident}">{escape(item["label"])}</label></span>'.replace(' data-kind="none"', "")

    def block_checks(self, spec: Spec) -> str:
        return f'<div class="checks" style="grid-template-columns:repeat({spec["columns"]},auto);row-gap:{spec["gap"]}px">' + "".join(self.check(item, "checkbox") for item in spec["items"]) + "</div>"

    def block_radios(self, spec: Spec) -> str:
        group = spec["title"] or self.id()
        items = "".join(self.check({"label": item, "checked": index == spec["selected"]}, "radio", group, spec["title"]) for index, item in enumerate(spec["items"]))
        title = f"<p>{escape(spec['title'])}</p>" if spec["title"] else ""
        return f'{title}<div class="radios {"wide" if spec["horizontal"] else ""}">{items}</div>'

    def block_section(self, spec: Spec) -> str:
        return f"<fieldset><legend>{escape(spec['title'])}</legend>{self.blocks(spec['blocks'])}</fieldset>"

    def block_tabs(self, spec: Spec) -> str:
        group = escape("|".join(page["label"] for page in spec["pages"]))
        tabs = "".join(f'<button role="tab" class="tab" data-group="{group}" aria-selected="{str(index == spec["current"]).lower()}">{escape(page["label"])}</button>' for index, page in enumerate(spec["pages"]))
        return f'<div class="tabs">{tabs}</div><div class="page">{self.blocks(spec["pages"][spec["current"]]["blocks"])}</div>'

    def block_list(self, spec: Spec) -> str:
        group = escape(spec["title"] or "list")
        items = "".join(f'<div role="option" class="item" data-group="{group}" aria-selected="{str(index == spec["selected"]).lower()}">{escape(item)}</div>' for index, item in enumerate(spec["items"]))
        title = f"<p>{escape(spec['title'])}</p>" if spec["title"] else ""
        return f'{title}<div class="list" style="height:{spec["height"]}px" data-scroll="{spec["position"]}">{items}</div>'

    def block_table(self, spec: Spec) -> str:
        head = "".join(f"<th>{escape(column)}</th>" for column in spec["columns"])
        group = escape("|".join(spec["columns"]))
        rows = "".join(
            f'<tr{" class=chosen" if index == spec["selected"] else ""}>' + "".join(f'<td data-group="{group}"{" aria-selected=true" if index == spec["selected"] else ""}>{escape(text)}</td>' for text in row) + "</tr>"
            for index, row in enumerate(spec["rows"])
        )
        return f'<div class="list" style="max-height:{spec["height"]}px" data-scroll="{spec["position"]}"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'

    def block_buttons(self, spec: Spec) -> str:
        return self.buttons(spec["items"], "start")

    def block_links(self, spec: Spec) -> str:
        return '<div class="links">' + " ".join(f'<a href="#">{escape(item)}</a>' for item in spec["items"]) + "</div>"

    def block_label(self, spec: Spec) -> str:
        return f"<p>{escape(spec['text'])}</p>"

    def block_heading(self, spec: Spec) -> str:
        return f"<h2>{escape(spec['text'])}</h2>"

    def block_columns(self, spec: Spec) -> str:
        return f'<div class="side"><div>{self.blocks(spec["left"])}</div><div>{self.blocks(spec["right"])}</div></div>'
