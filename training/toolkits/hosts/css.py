"""Styles of pages: the browser's own, flat, rounded, material, dense, retro, each with colours of its own."""

from __future__ import annotations

from typing import Any

_BASE = """
* { box-sizing: border-box; } body { margin: %(margin)spx; font: %(size)spx "%(font)s"; background: %(window)s; color: %(text)s; }
.row { display: flex; gap: 8px; align-items: center; } .form { display: grid; gap: %(gap)spx 16px; } .form.cols2 { grid-template-columns: 1fr 1fr; }
.form.left .row label:first-child { width: %(label)spx; flex: none; } .form.top .row { flex-direction: column; align-items: stretch; gap: 2px; }
input, select, textarea, button { font: inherit; } input[type=range] { width: 160px; } .block { margin-bottom: %(gap)spx; }
.buttons { display: flex; gap: 8px; margin-top: 8px; } .end { justify-content: flex-end; } .center { justify-content: center; } .spread { justify-content: space-between; }
.checks { display: grid; justify-content: start; column-gap: 18px; } .radios { display: flex; flex-direction: column; gap: 3px; } .radios.wide { flex-direction: row; flex-wrap: wrap; gap: 14px; }
.list { overflow-y: auto; border: 1px solid %(line)s; background: %(base)s; } .item { padding: %(pad)spx 8px; } .item[aria-selected=true], tr.chosen td { background: %(accent)s; color: %(on_accent)s; }
table { border-collapse: collapse; width: 100%%; } th, td { text-align: left; padding: %(pad)spx 8px; border-bottom: 1px solid %(line)s; white-space: nowrap; } th { font-weight: 600; }
.scroll { overflow-y: auto; border: 1px solid %(line)s; padding: 6px; } .menubar { display: flex; gap: 2px; } .menu { position: relative; } .menu > span { display: block; padding: 3px 9px; }
.drop { position: absolute; z-index: 5; left: 0; top: 100%%; min-width: 120px; background: %(base)s; color: %(text)s; border: 1px solid %(line)s; box-shadow: 0 3px 8px #0005; }
.drop .item { white-space: nowrap; } .item[aria-disabled=true] { opacity: .4; } .combo { position: relative; } .select { border: 1px solid %(line)s; background: %(base)s; padding: 3px 8px; min-width: 110px; }
.toolbar { display: flex; gap: 4px; padding: 4px 0; } .side { display: flex; gap: 18px; align-items: flex-start; } .side > * { flex: 1; } .card { border: 1px solid %(line)s; padding: 10px; }
.aside { flex: 0 0 34%%; } .tabs { display: flex; gap: 2px; border-bottom: 1px solid %(line)s; } .tab { border: 1px solid %(line)s; border-bottom: 0; background: %(window)s; color: %(text)s; padding: 4px 11px; }
.tab[aria-selected=true] { background: %(base)s; font-weight: 600; } .page { border: 1px solid %(line)s; border-top: 0; padding: 9px; } .links { display: flex; gap: 14px; } a { color: %(accent)s; }
.switch { display: inline-block; width: 36px; height: 18px; border-radius: 9px; background: %(line)s; position: relative; } .switch::after { content: ""; position: absolute; left: 2px; top: 2px; width: 14px; height: 14px; border-radius: 50%%; background: #fff; }
.switch[aria-checked=true] { background: %(accent)s; } .switch[aria-checked=true]::after { left: 20px; } h1, h2, h3, p { margin: 4px 0 8px; } h1 { font-size: 1.5em; } h2 { font-size: 1.25em; } h3 { font-size: 1.1em; }
.veil { position: fixed; inset: 0; background: #0006; display: flex; align-items: center; justify-content: center; z-index: 9; } .dialog { background: %(base)s; padding: 16px 20px; border-radius: 6px; max-width: 420px; box-shadow: 0 6px 30px #0007; }
fieldset { border: 1px solid %(line)s; }
"""
_STYLES = {
    "browser": "",
    "flat": "input:not([type=checkbox],[type=radio],[type=range]), select, textarea, .select { border: 1px solid %(line)s; border-radius: 4px; padding: 5px 9px; background: %(base)s; color: %(text)s; } button { border: 1px solid %(line)s; border-radius: 4px; padding: 5px 13px; background: %(button)s; color: %(text)s; } button.main { background: %(accent)s; color: %(on_accent)s; border-color: %(accent)s; }",
    "round": "input:not([type=checkbox],[type=radio],[type=range]), select, textarea, .select { border: 2px solid %(line)s; border-radius: 14px; padding: 5px 12px; background: %(base)s; color: %(text)s; } button { border: 0; border-radius: 16px; padding: 7px 17px; background: %(accent)s; color: %(on_accent)s; } input[type=checkbox], input[type=radio] { accent-color: %(accent)s; } .card { border-radius: 12px; }",
    "material": "input:not([type=checkbox],[type=radio],[type=range]), select, textarea, .select { border: 0; border-bottom: 2px solid %(accent)s; padding: 6px 4px; background: %(base)s; color: %(text)s; } button { border: 0; padding: 8px 16px; background: transparent; color: %(accent)s; text-transform: none; font-weight: 600; } button.main { background: %(accent)s; color: %(on_accent)s; box-shadow: 0 2px 4px #0005; } input { accent-color: %(accent)s; } input[type=checkbox], input[type=radio] { width: 18px; height: 18px; }",
    "dense": "body { line-height: 1.15; } input:not([type=checkbox],[type=radio],[type=range]), select, textarea { border: 1px solid %(line)s; padding: 1px 3px; background: %(base)s; color: %(text)s; } button { padding: 1px 7px; border: 1px solid %(line)s; background: %(button)s; color: %(text)s; } .item { padding: 1px 5px; } th, td { padding: 1px 5px; }",
    "retro": "input:not([type=checkbox],[type=radio],[type=range]), select, textarea { border: 2px inset #999; background: #fff; color: #000; } button { border: 2px outset #ccc; background: #c8c8c8; color: #000; padding: 3px 12px; }",
    "boxes": "input[type=checkbox] { appearance: none; width: 16px; height: 16px; border: 2px solid %(text)s; background: %(base)s; vertical-align: middle; } input[type=checkbox]:checked { background: radial-gradient(%(accent)s 0 100%%) center/8px 8px no-repeat %(base)s; } input[type=radio] { appearance: none; width: 16px; height: 16px; border: 2px solid %(text)s; border-radius: 50%%; vertical-align: middle; } input[type=radio]:checked { border-width: 5px; border-color: %(accent)s; } button { border: 2px solid %(text)s; background: %(base)s; color: %(text)s; padding: 5px 12px; font-weight: 700; } input, select, textarea, .select { border: 2px solid %(text)s; padding: 4px 6px; background: %(base)s; color: %(text)s; }",
}


def style(look: dict[str, Any]) -> str:
    """The sheet for a look of looks.py."""
    return (_BASE + _STYLES[look["theme"]]) % {**look["palette"], **look}
