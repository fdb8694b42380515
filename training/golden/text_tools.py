"""Goldens of what needs no model: tokenizers, chat template, picture sizes."""

import json
from pathlib import Path

from tokenizers import Tokenizer
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from .paths import FIXTURES, TINY
from .prompt import tokenizer

_TEXTS = [
    "",
    "Hello, world!",
    " leading and trailing \t\n",
    "line one\nline two\r\n\r\n\tindented   text",
    "They've said it's RAINING'S and we'LL see",
    "12,345.67 = x*(z+1)/0x1F; 1e-5",
    "héllo wörld, naïve café",
    "e\u0301 is e with an accent, and Å is A with a ring",
    "日本語と中文 한국어 العربية עברית हिन्दी",
    "😀 👩‍👩‍👧 🇩🇪 ✊🏽",
    "\u0000\u0007 control \u200b\ufeff zero width",
    "<|im_start|>user\nnot a marker: <|im_start <|image_pad|><|im_end|>",
    '<tool_call>\n{"name": "computer_use", "arguments": {"action": "left_click", "coordinate": [423, 52]}}\n</tool_call>',
    'Task: set Name to "Ada"\nPrevious actions:\n1. click Name\n2. select all',
    "Action: type ada@example.org\nAction: click OK",
    "a" * 70,
]

_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": 'The weather of a place: "now" & later, in °C',
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
                "required": ["city"],
            },
        },
    },
    {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
]
_CALL = {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Zürich", "days": 2}}}
_CONVERSATIONS = {
    "user": {"messages": [{"role": "user", "content": "Hi"}]},
    "system": {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]},
    "picture then text": {
        "messages": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Click OK"}]}]
    },
    "tools": {"messages": [{"role": "user", "content": "Weather?"}], "tools": _TOOLS},
    "tool round trip": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "Let me see.", "tool_calls": [_CALL, _CALL]},
            {"role": "tool", "content": "12 °C"},
            {"role": "tool", "content": [{"type": "text", "text": "9 °C"}]},
            {"role": "assistant", "content": "12 and 9."},
            {"role": "user", "content": "Thanks"},
        ],
        "tools": _TOOLS,
    },
    "call without text": {
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "", "tool_calls": [_CALL]},
            {"role": "tool", "content": "12 °C"},
        ]
    },
}

_SIZES = [
    (480, 640), (768, 1024), (1080, 1920), (1, 1), (13, 21), (61, 97), (150, 200), (224, 64), (100, 100), (500, 630),
    (31, 6000), (2160, 3840), (1440, 900), (48, 80), (16, 16), (33, 4000), (1000, 10),
]  # fmt: skip
_LIMITS = [(32, 65536, 16777216), (32, 307200, 307200), (16, 1024, 10752), (28, 3136, 1003520)]


def _write(name: str, value: object) -> None:
    (FIXTURES / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _encoded(folder: Path) -> list[dict]:
    model = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = []
    for text in _TEXTS:
        ids = model.encode(text, add_special_tokens=False).ids
        rows.append(
            {
                "text": text,
                "token_ids": ids,
                "decoded": model.decode(ids, skip_special_tokens=False),
                "decoded_without_special": model.decode(ids, skip_special_tokens=True),
            }
        )
    return rows


def build(small: Path) -> None:
    """`small`: a folder with the small tokenizer."""
    _write("tokenizer.json", {"models/tiny": _encoded(TINY), "qwen3": _encoded(small)})
    rendered = [
        {
            "name": name,
            **conversation,
            "rendered": tokenizer(TINY).apply_chat_template(
                conversation["messages"], tools=conversation.get("tools"), tokenize=False, add_generation_prompt=True
            ),
        }
        for name, conversation in _CONVERSATIONS.items()
    ]
    _write("chat-template.json", rendered)
    sizes = []
    for factor, least, most in _LIMITS:
        for height, width in _SIZES:
            try:
                result = list(smart_resize(height, width, factor, least, most))
            except ValueError:
                result = None  # too narrow: sides differ by more than 200 times
            sizes.append(
                {
                    "height": height, "width": width, "factor": factor,
                    "min_pixels": least, "max_pixels": most, "result": result,
                }
            )  # fmt: skip
    _write("smart-resize.json", sizes)
