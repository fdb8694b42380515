"""The evaluation's pages in Chromium: `web.py NAME LOOK` with LOOK as JSON. See kit.py; the pages are in pages/."""

from __future__ import annotations

import json
import os
import select
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkits import channel  # noqa: E402
from toolkits.applications.kit import Kit  # noqa: E402
from toolkits.browser import Browser  # noqa: E402

PAGES = Path(__file__).resolve().parent / "pages"
APPLICATIONS = tuple(sorted(page.stem for page in PAGES.glob("*.html")))
# A press is answered in words: toolkits draw the focus on what was pressed, a page would look as if nothing had happened.
_SCRIPT = """
window.kit = { pressed: [], clicks: 0 };
kit.nameOf = (node) => (node.labels?.[0]?.innerText ?? node.getAttribute("aria-label") ?? node.innerText).trim().replace(/:$/, "");
kit.inputs = () => [...document.querySelectorAll("input, textarea, select")];
kit.read = () => { const values = {}; for (const node of kit.inputs()) {
  if (node.type === "radio") { if (node.checked) values[node.dataset.group] = node.value; } else if (node.type === "checkbox") values[kit.nameOf(node)] = node.checked;
  else values[kit.nameOf(node)] = node.tagName === "SELECT" ? node.selectedOptions[0].text : node.value; } return values; };
kit.write = (values) => { for (const node of kit.inputs()) {
  if (node.type === "radio") { if (values[node.dataset.group] === node.value) node.checked = true; continue; } const value = values[kit.nameOf(node)]; if (value === undefined) continue;
  if (node.type === "checkbox") node.checked = value; else if (node.tagName === "SELECT") node.selectedIndex = [...node.options].findIndex((option) => option.text === value); else node.value = value; } };
kit.controls = () => { const found = [], groups = new Set(); for (const node of document.querySelectorAll("input, textarea, select, button, a")) {
  if (node.closest("[role=dialog]")) continue;
  if (node.type === "radio") { if (!groups.has(node.dataset.group)) { groups.add(node.dataset.group); found.push({ kind: "radio", name: node.dataset.group, options: kit.inputs().filter((other) => other.dataset.group === node.dataset.group).map((other) => other.value) }); } }
  else if (node.type === "checkbox") found.push({ kind: "check", name: kit.nameOf(node) });
  else if (node.tagName === "SELECT") found.push({ kind: "combo", name: kit.nameOf(node), options: [...node.options].map((option) => option.text) });
  else found.push({ kind: node.tagName === "BUTTON" ? "button" : node.tagName === "A" ? "link" : "field", name: kit.nameOf(node) }); } return found; };
addEventListener("click", (event) => { const node = event.target.closest("button, a"); if (node && !node.closest("[role=dialog]")) { kit.pressed.push(kit.nameOf(node)); event.preventDefault(); kit.say(kit.nameOf(node)); } }, true);
kit.say = (name) => { let note = document.querySelector("[role=status]"); if (!note) { note = document.createElement("div"); note.setAttribute("role", "status"); note.style = "position:fixed;right:10px;bottom:8px;padding:6px 12px;background:#222;color:#fff"; document.body.append(note); }
  note.textContent = `${name}: done`; };
addEventListener("mousedown", () => kit.clicks++, true);
kit.popup = (title, text, button) => { const veil = document.createElement("div"); veil.style = "position:fixed;inset:0;background:#0007;display:flex;align-items:center;justify-content:center";
  veil.innerHTML = `<div role="dialog" data-role="popup" style="background:#fff;color:#111;padding:16px 22px;border-radius:6px"><h3>${title}</h3><p>${text}</p><button>${button}</button></div>`;
  veil.querySelector("button").onclick = () => veil.remove(); document.body.append(veil); };
"""


class WebKit(Kit):
    """One window of Chromium with a page."""

    def __init__(self, name: str, look: dict[str, Any]) -> None:
        super().__init__()
        self.browser = Browser(dict(os.environ), app=look.get("app", True))
        self.browser.place(*look["bounds"])
        self.size = look["bounds"][2:]
        self.browser.show((PAGES / f"{name}.html").read_text().replace("%FONT%", f"'{look['font']}', sans-serif"))
        self.browser.evaluate(_SCRIPT)
        self.browser.evaluate("document.fonts.ready.then(() => 1)")
        values = self.browser.evaluate("kit.read()")
        for control in self.browser.evaluate("kit.controls()"):
            name, kind = control["name"], control["kind"]
            holds = name in values
            get = (lambda key=name: self.browser.evaluate("kit.read()")[key]) if holds else None
            put = (lambda value, key=name: self.browser.evaluate(f"kit.write({json.dumps({key: value})})")) if holds else None
            self.add(kind, name, get, put, tuple(control.get("options", ())))

    def state(self) -> dict[str, Any]:
        return {"values": self.browser.evaluate("kit.read()"), "pressed": self.browser.evaluate("kit.pressed")}

    def popup(self, title: str, text: str, button: str) -> None:
        self.browser.evaluate(f"kit.popup({json.dumps(title)}, {json.dumps(text)}, {json.dumps(button)})")

    def move(self, x: int, y: int) -> None:
        self.browser.place(x, y, *self.size)

    def watch(self) -> None:
        """The page counts the presses; a disturbance waits for them here."""
        if self.disturbance is not None:
            clicks = self.browser.evaluate("kit.clicks")
            if clicks > self.clicks:
                self.clicks = clicks - 1
                self.clicked()

    def disturb(self, **disturbance: Any) -> None:
        self.browser.evaluate("kit.clicks = 0")
        super().disturb(**disturbance)

    def run(self) -> None:
        lines, commands = channel.Lines(0), self.commands(self.browser.report)
        try:
            while True:
                ready, _, _ = select.select([0], [], [], 0.05)
                arrived = lines.read() if ready else []
                if arrived is None:
                    return
                for line in arrived:
                    channel.answer(commands, line)
                self.watch()
        finally:
            self.browser.close()


if __name__ == "__main__":
    WebKit(sys.argv[1], json.loads(sys.argv[2])).run()
