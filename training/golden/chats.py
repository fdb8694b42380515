"""Conversations, and what jinja2 makes of them with transformers' settings."""

from datetime import datetime

import jinja2
from transformers.utils import chat_template_utils

from .expressions import EXPRESSIONS, VARIABLES

NOW = datetime(2026, 3, 5, 14, 7, 9)

_TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "The weather \"now\" & later, in °C <b>.", "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "Where.", "enum": ["Zürich", "東京"]}, "days": {"type": "integer", "minimum": 1, "default": 2, "x-hint": True}, "flags": {"type": ["array", "null"], "items": {"type": "string"}, "default": None}}, "required": ["city"]}}},
    {"type": "function", "function": {"name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}}}},
]  # fmt: skip


def _call(identifier: str, name: str, arguments: dict) -> dict:
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


def _text(text: str) -> dict:
    return {"type": "text", "text": text}


_SYSTEM = {"role": "system", "content": "Be brief.\n  Answer in 日本語. "}
_USER = {"role": "user", "content": " Wetter in Zürich? 😀 <b>\"x\"</b>\n"}
_ANSWER = {"role": "assistant", "content": "Yes.\n"}
_NEXT = {"role": "user", "content": "And\n\ntomorrow?"}
_CALL = _call("call12345", "get_weather", {"city": "Zürich", "days": 2, "sure": True, "none": None, "part": 1.5, "flags": ["a", None, True, "q\"\\\n'"], "deep": {"x": [False, {}]}})
_RESULT = {"role": "tool", "content": "12 °C\n{\"a\": 1}", "tool_call_id": "call12345", "name": "get_weather"}
_CALLING = {"role": "assistant", "content": "", "tool_calls": [_CALL]}
_TIME = {"role": "tool", "content": "12:00", "tool_call_id": "call67890", "name": "now"}
_IMAGE = {"type": "image"}
_PICTURE = {"role": "user", "content": [_IMAGE, _text("What is this?")]}

CHATS = {
    "text": {"messages": [_USER]},
    "answer last": {"messages": [_USER, _ANSWER], "add_generation_prompt": False},
    "system": {"messages": [_SYSTEM, _USER]},
    "system, folded": {"messages": [{**_SYSTEM, "role": "user"}, {"role": "assistant", "content": "Understood."}, _USER]},
    "several turns": {"messages": [_SYSTEM, _USER, _ANSWER, _NEXT, _ANSWER, _USER]},
    "turns without system": {"messages": [_USER, _ANSWER, _NEXT]},
    "an answer that thought": {"messages": [_USER, {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nYes."}, _NEXT]},
    "thinking on": {"messages": [_USER], "variables": {"enable_thinking": True, "thinking": True}},
    "thinking off": {"messages": [_SYSTEM, _USER], "variables": {"enable_thinking": False, "thinking": False}},
    "tools": {"messages": [_USER], "tools": _TOOLS},
    "system and tools": {"messages": [_SYSTEM, _USER], "tools": _TOOLS},
    "call and result": {"messages": [_SYSTEM, _USER, _CALLING, _RESULT], "tools": _TOOLS},
    "call, result, answer": {"messages": [_USER, {**_CALLING, "content": "Let me look."}, _RESULT, _ANSWER, _NEXT], "tools": _TOOLS},
    "two calls": {"messages": [_USER, {**_CALLING, "tool_calls": [_CALL, _call("call67890", "now", {})]}, _RESULT, _TIME], "tools": _TOOLS},
    "picture": {"messages": [_PICTURE]},
    "two pictures": {"messages": [{"role": "user", "content": [_text("One: "), _IMAGE, _text("two: "), _IMAGE, _text("?")]}]},
    "system and picture": {"messages": [_SYSTEM, _PICTURE]},
    "picture in a later turn": {"messages": [_PICTURE, _ANSWER, {"role": "user", "content": [_text("And this?"), _IMAGE]}]},
    "picture and tools": {"messages": [_PICTURE], "tools": _TOOLS},
}  # fmt: skip


def rendered(template: str) -> dict[str, str | None]:
    """Each conversation the template has a place for; None where it raises an exception of its own."""
    chats = {name: chat for name, chat in CHATS.items() if _has_place(template, chat)}
    return {name: _render(template, chat) for name, chat in chats.items()}


def printed() -> list[dict]:
    """Small templates of `expressions.py` with what they print."""
    chat_template_utils.datetime = _Clock
    return [
        {"source": source, "text": chat_template_utils.render_jinja_template([[]], chat_template=source, **VARIABLES)[0][0]}
        for source in EXPRESSIONS
    ]


def _has_place(template: str, chat: dict) -> bool:
    holds_pictures = any(isinstance(message["content"], list) for message in chat["messages"])
    return ("tools" in template or "tools" not in chat) and ("image" in template or not holds_pictures)


def _render(template: str, chat: dict) -> str | None:
    try:
        return _apply(template, chat, chat["messages"])
    except jinja2.exceptions.UndefinedError:
        # Written for contents that are lists of parts, as the family's processor makes them.
        return _apply(template, chat, [{**message, "content": _parts(message["content"])} for message in chat["messages"]])
    except jinja2.exceptions.TemplateError:
        return None


def _apply(template: str, chat: dict, messages: list[dict]) -> str:
    chat_template_utils.datetime = _Clock
    return chat_template_utils.render_jinja_template(
        [messages],
        tools=chat.get("tools"),
        chat_template=template,
        add_generation_prompt=chat.get("add_generation_prompt", True),
        bos_token="<s>",
        eos_token="</s>",
        **chat.get("variables", {}),
    )[0][0]


def _parts(content: str | list[dict]) -> list[dict]:
    return [_text(content)] if isinstance(content, str) else content


class _Clock(datetime):
    @classmethod
    def now(cls, tz: object = None) -> datetime:
        return NOW
