"""The exact words of prompts and answers. What models/tiny was trained on stays byte for byte; see training/README.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from screens.record import Box

END = "<|im_end|>\n<|im_start|>assistant\n"
"""Between a prompt and its answer."""
STOP = "<|im_end|>"


@dataclass
class Sample:
    """A prompt about a picture and its answer. `box` (pixels) is where the answer's coordinate may lie; None: the text must be exact."""

    kind: str
    prompt: str
    answer: str
    box: Box | None = None


def call(**arguments: Any) -> str:
    """One action as the model writes it."""
    return "<tool_call>\n" + json.dumps({"name": "computer_use", "arguments": arguments}, ensure_ascii=False) + "\n</tool_call>"


def place(point: tuple[float, float], size: tuple[int, int]) -> list[int]:
    """Pixels as thousandths of the picture."""
    return [max(0, min(1000, round(point[0] / size[0] * 1000))), max(0, min(1000, round(point[1] / size[1] * 1000)))]


def prompt(task: str, history: Sequence[str]) -> str:
    """The task with all earlier actions."""
    return f"Task: {task}\nPrevious actions:" + (" none" if not history else "".join(f"\n{number}. {line}" for number, line in enumerate(history, 1)))


def act(words: str, action: str, note: str = "") -> str:
    """An answer: what it does in words, perhaps what it saw, and the call."""
    return f"Action: {words}\n{note}{action}"


SUCCESS = call(action="terminate", status="success")
FAILURE = call(action="terminate", status="failure")
WAIT = call(action="wait", time=1)
DONE = act("done", SUCCESS)
GIVE_UP = act("give up", FAILURE)
NO_CHANGE = " (no change)"
SCROLL_PIXELS = 300
