"""How a controller speaks with an application that it started: one JSON object a line on stdin, one reply a line on stdout.

A reply is `{"ok": value}` or `{"error": text}`. The application keeps its own main loop and hands lines to `answer`.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

Commands = dict[str, Callable[..., Any]]


def answer(commands: Commands, line: str) -> None:
    """Do the command of one line and write the reply."""
    try:
        request = json.loads(line)
        reply = {"ok": commands[request.pop("do")](**request)}
    except Exception:  # the controller decides whether that scene matters
        reply = {"error": traceback.format_exc()}
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


class Lines:
    """Whole lines from a descriptor that a main loop watches."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.rest = b""

    def read(self) -> list[str] | None:
        """Lines that have arrived; None at the end of the stream."""
        data = os.read(self.descriptor, 1 << 16)
        if not data:
            return None
        *lines, self.rest = (self.rest + data).split(b"\n")
        return [line.decode() for line in lines]


class ApplicationError(RuntimeError):
    """The application failed, ended or took too long."""


class Application:
    """A program that was started and answers on its channel."""

    def __init__(self, command: list[str], env: dict[str, str], quiet: bool = True) -> None:
        errors = subprocess.DEVNULL if quiet else None
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        assert self.process.stdout is not None
        self.lines = Lines(self.process.stdout.fileno())

    def ask(self, do: str, timeout_s: float = 20, **arguments: Any) -> Any:
        """Send a command and return its value. Lines that are no replies (a program's own output) are passed over."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write((json.dumps({"do": do, **arguments}) + "\n").encode())
            self.process.stdin.flush()
        except OSError as error:
            raise ApplicationError(f"{do}: the application has ended") from error
        while True:
            ready, _, _ = select.select([self.lines.descriptor], [], [], timeout_s)
            if not ready:
                raise ApplicationError(f"{do}: no reply within {timeout_s} s")
            lines = self.lines.read()
            if lines is None:
                raise ApplicationError(f"{do}: the application has ended")
            for line in lines:
                if not line.startswith('{"ok"') and not line.startswith('{"error"'):
                    continue
                reply = json.loads(line)
                if "error" in reply:
                    raise ApplicationError(f"{do}: {reply['error']}")
                return reply["ok"]

    def close(self) -> None:
        """End the program. Idempotent."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass
