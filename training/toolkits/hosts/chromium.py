"""Builds scenes as pages in Chromium. Run by harvest.py with Debian's Python; see channel.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkits import channel  # noqa: E402
from toolkits.browser import Browser  # noqa: E402
from toolkits.hosts.page import page  # noqa: E402

_NOTE_CLICKS = """window.seen = []; addEventListener("mousedown", (event) => {
  const node = event.target.closest("[data-event], button, a, input, select, textarea, label, td, th, [role]");
  if (node) window.seen.push(node.dataset.event ?? node.dataset.name ?? node.labels?.[0]?.innerText.trim() ?? (node.value || node.innerText || node.getAttribute("aria-label") || "").trim());
}, true);"""


class Host:
    """One browser window; further windows of a scene are cards and dialogs in the page."""

    def __init__(self) -> None:
        self.browser = Browser(dict(os.environ), app=Random(os.environ["DISPLAY"] + str(os.getpid())).random() < 0.7)

    def build(self, scene: dict[str, Any]) -> None:
        look = scene["look"]
        self.browser.place(*look["bounds"])
        self.browser.show(page(scene))
        self.browser.evaluate(_NOTE_CLICKS)
        self.browser.evaluate(f"document.fonts.ready.then(() => scrollTo(0, {look['scroll']} * (document.scrollingElement.scrollHeight - innerHeight)))")
        self.browser.evaluate("for (const node of document.querySelectorAll('[data-scroll]')) node.scrollTop = Number(node.dataset.scroll) * (node.scrollHeight - node.clientHeight)")
        self.browser.evaluate("document.querySelector('[autofocus]')?.focus()")

    def open(self, window: int, kind: str, name: str) -> None:
        """Nothing to do: what is open is part of the page."""

    def events(self) -> list[str]:
        found: list[str] = self.browser.evaluate("window.seen.splice(0)")
        return found


def main() -> None:
    host = Host()
    commands: channel.Commands = {"build": host.build, "open": host.open, "report": host.browser.report, "events": host.events}
    try:
        for line in sys.stdin:
            channel.answer(commands, line)
    finally:
        host.browser.close()


if __name__ == "__main__":
    main()
