"""Chromium on a virtual display, driven over the DevTools protocol: pages in, exact boxes out."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import websocket
from Xlib import X, display as xdisplay

from .probes.common import clean_name

DOM = (Path(__file__).resolve().parent / "probes" / "dom.js").read_text()
_PREFERENCES = {"browser": {"custom_chrome_frame": False, "has_seen_welcome_page": True}, "session": {"restore_on_startup": 5}, "translate": {"enabled": False}}


class Browser:
    """One window of Chromium; `app` is a window without tabs and address line. `env` names the display."""

    def __init__(self, env: dict[str, str], app: bool) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="toolkits-", ignore_cleanup_errors=True)
        profile = Path(self._folder.name)
        (profile / "Default").mkdir()
        (profile / "Default" / "Preferences").write_text(json.dumps(_PREFERENCES))
        page = "data:text/html,<title>page</title>"
        self.process = subprocess.Popen(
            ["chromium", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--test-type", "--force-device-scale-factor=1", "--remote-debugging-port=0",
             "--remote-allow-origins=*", "--disable-extensions", "--disable-sync", "--disable-background-networking", "--disable-component-update", "--disable-features=Translate,MediaRouter,OptimizationHints",
             "--password-store=basic", f"--user-data-dir={profile}", f"--app={page}" if app else page],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        port = self._port(profile / "DevToolsActivePort")
        self._socket = websocket.create_connection(self._page(port)["webSocketDebuggerUrl"], timeout=15, suppress_origin=True)
        self._number = 0
        self._x = xdisplay.Display(env["DISPLAY"])
        deadline = time.monotonic() + 15
        while self.evaluate("document.title + document.readyState") != "pagecomplete" and time.monotonic() < deadline:
            time.sleep(0.05)
        self._window = self.call("Browser.getWindowForTarget")["windowId"]

    def _port(self, file: Path) -> int:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            if file.exists() and "\n" in file.read_text():
                return int(file.read_text().splitlines()[0])
            time.sleep(0.1)
        raise RuntimeError("Expected Chromium to offer its debugging port within 30 s but it did not.")

    @staticmethod
    def _page(port: int) -> Any:
        for _ in range(100):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
                pages = [target for target in json.load(answer) if target["type"] == "page"]
            if pages:
                return pages[0]
            time.sleep(0.1)
        raise RuntimeError("Expected Chromium to show a page within 10 s but it did not.")

    def call(self, method: str, **parameters: Any) -> Any:
        """One call of the protocol; its events are passed over."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"].get("exception", answer["exceptionDetails"]))[:400])
        return answer["result"].get("value")

    def show(self, html: str) -> None:
        """Replace the page."""
        frame = self.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self.call("Page.setDocumentContent", frameId=frame, html=html)

    def place(self, left: int, top: int, width: int, height: int) -> None:
        """Move and size the window."""
        self.call("Browser.setWindowBounds", windowId=self._window, bounds={"windowState": "normal"})
        self.call("Browser.setWindowBounds", windowId=self._window, bounds={"left": left, "top": top, "width": width, "height": height})

    def report(self) -> dict[str, Any]:
        """As the other probes report, with boxes on the screen."""
        page = self.evaluate(DOM)
        xid, (left, bottom) = self._client()
        top = bottom - page["height"]

        def shift(box: Any) -> Any:
            return None if box is None else [box[0] + left, box[1] + top, box[2] + left, box[3] + top]

        view = [left, top, left + page["width"], bottom]
        for element in page["elements"]:
            for name in ("box", "indicator", "label_box", "clip"):
                if element.get(name) is not None:
                    element[name] = shift(element[name])
            element["clip"] = element["clip"] or view
            element["clip"] = [max(element["clip"][0], view[0]), max(element["clip"][1], view[1]), min(element["clip"][2], view[2]), min(element["clip"][3], view[3])]
            element["xid"] = xid
            shown = element["name"]
            element["name"] = clean_name(shown)
            if element["name"] != shown:
                element["shown_name"] = shown
        for area in page["areas"]:
            area["box"], area["xid"] = shift(area["box"]), xid
        window = {"xid": xid, "title": page["title"], "active": page["active"], "owner": None, "role": "window"}
        inner = page["inner"] and {**page["inner"], "box": shift(page["inner"]["box"]), "xid": xid}
        return {"windows": [window], "inner": inner, "elements": page["elements"], "areas": page["areas"]}

    def _client(self) -> tuple[int, tuple[int, int]]:
        """The browser's X window and the left bottom corner of its inside: the page ends there."""
        root = self._x.screen().root
        best: tuple[int, Any] | None = None
        stack = list(root.query_tree().children)
        while stack:
            window = stack.pop()
            try:
                if window.get_wm_class() and "chromium" in window.get_wm_class()[1].lower() and window.get_attributes().map_state == X.IsViewable:
                    size = window.get_geometry()
                    if best is None or size.width * size.height > best[0]:
                        best = size.width * size.height, window
                stack += window.query_tree().children
            except Exception:  # it vanished meanwhile
                continue
        if best is None:
            raise RuntimeError("Chromium shows no window")
        size = best[1].get_geometry()
        at = root.translate_coords(best[1], 0, 0)
        return best[1].id, (at.x, at.y + size.height)

    def close(self) -> None:
        self._socket.close()
        self._x.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._folder.cleanup()
