"""A model to ask: our own engine over HTTP, or transformers in this process."""

from __future__ import annotations

import base64
import json
import os
import re
import urllib.request
from pathlib import Path
from typing import Any, Protocol

from toolkits.channel import Application

DRIVER = Path(__file__).resolve().parent / "driver.mjs"
_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)


class Model(Protocol):
    """What the screen questions and function calls need."""

    def answer(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None = None) -> str:
        """Greedy, calls in Hermes' format."""
        ...


class Engine:
    """The engine's server, and the agent beside it."""

    def __init__(self, folder: Path) -> None:
        self.process = Application(["node", str(DRIVER), str(folder)], dict(os.environ), quiet=False)
        where = self.process.ask("where", timeout_s=120)
        self.url, self.model = where["url"], where["model"]

    def answer(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None = None) -> str:
        body: dict[str, Any] = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": 200}
        if tools:
            body["tools"] = tools
        url = self.url.rstrip("/") + ("" if self.url.rstrip("/").endswith("/v1") else "/v1") + "/chat/completions"
        request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as reply:
            message = json.load(reply)["choices"][0]["message"]
        calls = "".join(f'\n<tool_call>\n{{"name": {json.dumps(call["function"]["name"])}, "arguments": {call["function"]["arguments"]}}}\n</tool_call>' for call in message.get("tool_calls") or [])
        return ((message.get("content") or "") + calls).strip()

    def run(self, **options: Any) -> dict[str, Any]:
        """One run of the agent; see driver.mjs."""
        result: dict[str, Any] = self.process.ask("run", timeout_s=600, **options)
        return result

    def close(self) -> None:
        self.process.close()


class Transformers:
    """The same weights in PyTorch, to tell a fault of the model from one of the engine. Runs no episodes."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor

        self.torch = torch
        self.processor = AutoProcessor.from_pretrained(folder)
        self.model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()

    def answer(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None = None) -> str:
        turns = [{**message, "content": [_part(part) for part in message["content"]] if isinstance(message["content"], list) else message["content"]} for message in messages]
        inputs = self.processor.apply_chat_template(turns, tools=tools, tokenize=True, add_generation_prompt=True, return_dict=True, return_tensors="pt")
        with self.torch.no_grad():
            tokens = self.model.generate(**inputs, do_sample=False, max_new_tokens=200)
        return str(self.processor.decode(tokens[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)).strip()

    def close(self) -> None:
        """Nothing is held."""


def _part(part: dict[str, Any]) -> dict[str, Any]:
    return {"type": "image", "url": part["image_url"]["url"]} if part["type"] == "image_url" else part


def about_picture(png: bytes, text: str) -> list[dict[str, Any]]:
    """One user turn: a picture, then a text."""
    url = "data:image/png;base64," + base64.b64encode(png).decode()
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": text}]}]


def calls_of(text: str) -> list[dict[str, Any]]:
    """The calls in an answer; one that is no JSON counts as none."""
    found = []
    for match in _CALL.finditer(text):
        try:
            found.append(json.loads(match[1]))
        except ValueError:
            continue
    return found
