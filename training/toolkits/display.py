"""A virtual X display with a window manager: pictures, stacking order, window frames, wallpaper, pointer."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from Xlib import X, display as xdisplay
from Xlib.ext import xtest
from Xlib.xobject.drawable import Window as XWindow

Rect = tuple[int, int, int, int]

_OPENBOX = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
  <placement><policy>Smart</policy><center>yes</center><monitor>Primary</monitor></placement>
  <theme><name>{theme}</name><titleLayout>{layout}</titleLayout><keepBorder>yes</keepBorder><animateIconify>no</animateIconify>
    <font place="ActiveWindow"><name>{font}</name><size>{size}</size></font>
    <font place="InactiveWindow"><name>{font}</name><size>{size}</size></font></theme>
  <desktops><number>1</number><popupTime>0</popupTime></desktops>
  <keyboard/>
  <mouse><doubleClickTime>400</doubleClickTime>
    <context name="Titlebar"><mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Left" action="Drag"><action name="Move"/></mousebind></context>
    <context name="Client"><mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind></context>
    <context name="Close"><mousebind button="Left" action="Click"><action name="Close"/></mousebind></context>
    <context name="Iconify"><mousebind button="Left" action="Click"><action name="Iconify"/></mousebind></context>
    <context name="Maximize"><mousebind button="Left" action="Click"><action name="ToggleMaximize"/></mousebind></context></mouse>
</openbox_config>
"""


@dataclass
class Frame:
    """A top-level window as the server stacks it. `clients` are the applications' windows inside."""

    xid: int
    rect: Rect
    clients: set[int]


def environment(display: str, **more: str) -> dict[str, str]:
    """For programs on this display: no accessibility bus, no desktop's own settings."""
    env = {name: value for name, value in os.environ.items() if name not in ("WAYLAND_DISPLAY", "XAUTHORITY", "PYTHONPATH", "DBUS_SESSION_BUS_ADDRESS")}
    return env | {
        "DISPLAY": display, "XDG_SESSION_TYPE": "x11", "GDK_BACKEND": "x11", "GDK_SCALE": "1", "QT_QPA_PLATFORM": "xcb",
        "NO_AT_BRIDGE": "1", "GTK_A11Y": "none", "GSK_RENDERER": "cairo", "LIBGL_ALWAYS_SOFTWARE": "1", "GSETTINGS_BACKEND": "memory", **more,
    }  # fmt: skip


class Display:
    """Xvfb with openbox. Use it as a context manager."""

    def __init__(self, width: int, height: int, theme: str = "Clearlooks", layout: str = "NLIMC", font: str = "sans", font_size: int = 9) -> None:
        self.width, self.height, self.layout = width, height, layout
        reader, writer = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{width}x{height}x24", "-dpi", "96", "-nolisten", "tcp", "-noreset"],
            pass_fds=[writer], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(writer)
        with os.fdopen(reader) as stream:
            number = stream.readline().strip()
        if not number:
            raise RuntimeError("Expected Xvfb to name a free display but it ended.")
        self.name = f":{number}"
        self.env = environment(self.name)
        self._folder = tempfile.TemporaryDirectory(prefix="toolkits-")
        config = Path(self._folder.name) / "rc.xml"
        config.write_text(_OPENBOX.format(theme=theme, layout=layout, font=font, size=font_size))
        self._manager = subprocess.Popen(
            ["openbox", "--sm-disable", "--config-file", str(config), "--startup", "echo ready"],
            env=self.env | {"LC_ALL": "C.UTF-8"}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self._manager.stdout is not None
        self._manager.stdout.readline()
        self.x = xdisplay.Display(self.name)
        self.root = self.x.screen().root

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the window manager and the server. Idempotent."""
        try:
            self.x.close()
        except Exception:
            pass  # the server has gone before
        for process in (self._manager, self._server):
            if process.poll() is None:
                process.terminate()
                process.wait(10)
        self._folder.cleanup()

    def picture(self) -> np.ndarray:
        """H × W × 3, RGB."""
        image = self.root.get_image(0, 0, self.width, self.height, X.ZPixmap, 0xFFFFFFFF)
        data = np.frombuffer(image.data, np.uint8).reshape(self.height, self.width, 4)
        return np.ascontiguousarray(data[:, :, 2::-1])

    def still_picture(self, timeout_s: float = 3.0, interval_s: float = 0.08) -> np.ndarray:
        """A picture once nothing but a blinking caret has changed for an interval."""
        deadline = time.monotonic() + timeout_s
        last = self.picture()
        while True:
            time.sleep(interval_s)
            now = self.picture()
            if np.count_nonzero((now != last).any(axis=2)) < 64 or time.monotonic() > deadline:
                return now
            last = now

    def wallpaper(self, picture: np.ndarray) -> None:
        """Show this H × W × 3 picture on the root window."""
        pixmap = self.root.create_pixmap(self.width, self.height, self.x.screen().root_depth)
        context = pixmap.create_gc()
        pixmap.put_pil_image(context, 0, 0, Image.fromarray(picture))
        self.root.change_attributes(background_pixmap=pixmap)
        self.root.clear_area(0, 0, self.width, self.height)
        context.free()
        pixmap.free()
        self.x.sync()

    def move_pointer(self, x: int, y: int) -> None:
        xtest.fake_input(self.x, X.MotionNotify, x=x, y=y)
        self.x.sync()

    def click(self, x: int, y: int, button: int = 1) -> None:
        """A real click, after which the pointer stays there."""
        self.move_pointer(x, y)
        xtest.fake_input(self.x, X.ButtonPress, button)
        xtest.fake_input(self.x, X.ButtonRelease, button)
        self.x.sync()

    def frames(self) -> list[Frame]:
        """Everything that is shown, front first."""
        found = []
        for child in reversed(self.root.query_tree().children):
            try:
                if child.get_attributes().map_state != X.IsViewable:
                    continue
                found.append(Frame(child.id, self.rect(child), _descendants(child, 3)))
            except Exception:  # it vanished meanwhile
                continue
        return [frame for frame in found if frame.rect[2] > 0 and frame.rect[3] > 0 and frame.rect[0] < self.width and frame.rect[1] < self.height]

    def rect(self, window: XWindow) -> Rect:
        """On the screen, with the border."""
        size = window.get_geometry()
        at = self.root.translate_coords(window, 0, 0)
        border = size.border_width
        return at.x - border, at.y - border, at.x + size.width + border, at.y + size.height + border

    def frame_parts(self, frame: Frame) -> dict[str, Rect]:
        """The buttons of openbox's title bar and the title by name: openbox makes each a window of its own."""
        window = self.x.create_resource_object("window", frame.xid)
        parts: list[Rect] = []
        for child in window.query_tree().children:
            for part in child.query_tree().children:
                if child.id in frame.clients and part.get_attributes().map_state == X.IsViewable and child.get_geometry().height < 60:
                    parts.append(self.rect(part))
        parts = sorted({part for part in parts if part[3] - part[1] > 5})
        small = [part for part in parts if part[2] - part[0] < 36 and abs((part[2] - part[0]) - (part[3] - part[1])) < 8]
        wide = [part for part in parts if part not in small]
        names = {"I": "minimize", "M": "maximize", "C": "close", "N": "icon"}
        wanted = [names[letter] for letter in self.layout if letter in names]
        if len(small) == len(wanted) - 1 and "icon" in wanted:
            wanted.remove("icon")
        named = dict(zip(wanted, small)) if len(small) == len(wanted) else {}
        if wide:
            named["title"] = max(wide, key=lambda part: part[2] - part[0])
        return named


    def titled(self, box: tuple[float, ...], bar: tuple[float, ...], texts: list[str], last: str) -> list[np.ndarray]:
        """How the window at `box` shows each of these titles in `bar`; afterwards it has the title `last`."""
        client = next((client for frame in self.frames() if frame.rect == box for client in frame.clients if self._is_managed(client)), None)
        if client is None:
            return []
        x0, y0, x1, y1 = (int(edge) for edge in bar)
        window = self.x.create_resource_object("window", client)
        found: list[np.ndarray] = []
        for text in [*texts, last]:
            for name, kind in (("_NET_WM_NAME", "UTF8_STRING"), ("WM_NAME", "STRING")):
                window.change_property(self.x.intern_atom(name), self.x.intern_atom(kind), 8, text.encode() if kind == "UTF8_STRING" else text.encode("latin-1", "replace"))
            self.x.sync()
            before = np.zeros(0)
            for _ in range(20):
                time.sleep(0.02)
                now = self.picture()[y0:y1, x0:x1]
                if np.array_equal(now, before):
                    break
                before = now
            found.append(now)
        return found[:-1]

    def _is_managed(self, client: int) -> bool:
        state = self.x.intern_atom("WM_STATE")
        return self.x.create_resource_object("window", client).get_property(state, state, 0, 2) is not None


def _descendants(window: XWindow, depth: int) -> set[int]:
    found = {window.id}
    if depth:
        for child in window.query_tree().children:
            found |= _descendants(child, depth - 1)
    return found
