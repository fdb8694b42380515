"""Shows messages of xmessage, an application of X's own toolkit. Run by harvest.py with Debian's Python; see channel.py.

Every widget of that toolkit is a window of the server, so the server knows the boxes; the names are the ones given on the command line.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from Xlib import X, display as xdisplay

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkits import channel  # noqa: E402
from toolkits.probes.common import Report  # noqa: E402

Spec = dict[str, Any]


class Message:
    """One xmessage: its text, its buttons, and its end code, which says what was pressed."""

    def __init__(self, spec: Spec, look: Spec) -> None:
        self.title, self.role = spec["title"] or "xmessage", spec["role"]
        labels = [item["label"] for item in spec["buttons"]] or ["okay"]
        self.buttons = list(dict.fromkeys(label.replace(",", "").replace(":", "").encode("ascii", "ignore").decode() or "okay" for label in labels))
        text = next((block["text"] for block in spec["blocks"] if block["kind"] in ("label", "heading")), "") or "\n".join(_lines(spec["blocks"]))
        self.text = text.encode("ascii", "ignore").decode()
        at = ["-geometry", f"+{spec['at'][0]}+{spec['at'][1]}"] if spec["at"] else []
        font = ["-xrm", f"*font: {look['bitmap']}"]
        colours = ["-bg", look["palette"]["window"], "-fg", look["palette"]["text"]] if look["palette"] else []
        listed = ",".join(f"{label}:{number + 10}" for number, label in enumerate(self.buttons))
        self.process = subprocess.Popen(["xmessage", "-title", self.title, "-buttons", listed, *at, *font, *colours, self.text or "."], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def pressed(self) -> list[str]:
        """The button that ended it, once."""
        code = self.process.poll()
        return [] if code is None or not 10 <= code < 10 + len(self.buttons) else [self.buttons[code - 10]]


def _lines(blocks: list[Spec]) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        lines += [f"{row['label']}: {row.get('value', '')}" for row in block.get("rows", []) if isinstance(row, dict)]
        lines += [item if isinstance(item, str) else item["label"] for item in block.get("items", [])]
    return lines[:14]


class Host:
    """The messages of one scene."""

    def __init__(self) -> None:
        self.x = xdisplay.Display(os.environ["DISPLAY"])
        self.messages: list[Message] = []

    def build(self, scene: Spec) -> None:
        for message in self.messages:
            message.process.terminate()
            message.process.wait()
        self.messages = []
        for window in scene["windows"]:
            self.messages.append(Message(window, scene["look"]))
            time.sleep(0.25)

    def open(self, window: int, kind: str, name: str) -> None:
        """There is nothing that opens."""

    def events(self) -> list[str]:
        return [name for message in self.messages for name in message.pressed()]

    def report(self) -> dict[str, Any]:
        result = Report()
        waiting = [message for message in self.messages if message.process.poll() is None]
        for window in self._windows(self.x.screen().root, 3):
            title = window.get_wm_name()
            message = next((message for message in waiting if message.title.encode("latin-1", "replace").decode("latin-1") == title), None)
            if message is None:
                continue
            waiting.remove(message)
            result.window(window.id, message.title, message is self.messages[-1], role=message.role)
            self._parts(result, window, message)
        return result.as_dict()

    def _parts(self, result: Report, window: Any, message: Message) -> None:
        """The form's children: the text first, then the buttons from left to right."""
        form = window.query_tree().children[0]
        boxes = []
        for child in form.query_tree().children:
            size = child.get_geometry()
            at = self.x.screen().root.translate_coords(child, 0, 0)
            border = size.border_width
            boxes.append((at.x - border, at.y - border, at.x + size.width + border, at.y + size.height + border))
        boxes.sort(key=lambda box: (round(box[1] / 8), box[0]))
        if boxes and message.text:
            result.add("label", message.text, boxes[0], window.id)
        for name, box in zip(message.buttons, boxes[1:]):
            result.add("button", name, box, window.id)

    def _windows(self, window: Any, depth: int) -> list[Any]:
        found = []
        for child in window.query_tree().children:
            try:
                if child.get_attributes().map_state == X.IsViewable:
                    found += [child] if child.get_wm_name() else self._windows(child, depth - 1) if depth else []
            except Exception:  # it vanished meanwhile
                continue
        return found


def main() -> None:
    host = Host()
    commands: channel.Commands = {"build": host.build, "open": host.open, "report": host.report, "events": host.events}
    try:
        for line in sys.stdin:
            channel.answer(commands, line)
    finally:
        for message in host.messages:
            message.process.terminate()


if __name__ == "__main__":
    main()
