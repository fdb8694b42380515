"""Goldens of the embedded model on real screenshots (test/golden/fixtures/embedded/screens), with transformers as the oracle."""

import numpy as np
import torch
import transformers

from .cases import Case
from .fixture import Fixture
from .paths import FIXTURES, TINY
from .prompt import prepare, tokenizer
from .reference import Reference

_SIGN_UP = "Task: set First name to Ada, Email to ada@example.org, then press OK\nPrevious actions:"
_CONTACT = "Task: set Phone to 555-0199, tick Subscribe, then press OK\nPrevious actions:"
_SETTINGS = 'Task: tick "Remember me", tick "Send reports" and press Save\nPrevious actions:'
_NAME = "\n1. click First name\n2. type Ada"
_EMAIL = "\n3. click Email\n4. type ada@example.org"

_CASES = [
    ("first_click", "zenity-empty.png", _SIGN_UP + " none"),
    ("type", "zenity-empty.png", _SIGN_UP + "\n1. click First name"),
    ("press", "zenity-filled.png", _SIGN_UP + _NAME + _EMAIL),
    ("done", "zenity-filled.png", _SIGN_UP + _NAME + _EMAIL + "\n5. click OK"),
    ("check", "yad-form.png", _CONTACT + "\n1. click Phone\n2. type 555-0199"),
    ("wait", "tk-form.png", _SETTINGS + " none"),
    ("click_alone", "tk-form.png", "Click the Save button"),
    ("question", "tk-form.png", "Is Remember me checked?"),
]
_NEW_TOKENS = 64
_ROWS = np.arange(0, 300, 12, dtype=np.int32)
_PARTS = ["vision_output", "deepstack_0", "deepstack_1"]


def build() -> None:
    stop = tokenizer(TINY).convert_tokens_to_ids("<|im_end|>")
    reference = Reference(TINY, vision=True)
    coarse = Reference(TINY, vision=True, dtype=torch.bfloat16)
    fixture = Fixture(
        FIXTURES / "embedded",
        {
            "oracle": f"transformers {transformers.__version__}",
            "model": "models/tiny",
            "model_type": "qwen3_vl",
            "stored_dtype": "bfloat16",
            "computed_dtype": "float32",
        },
        TINY,
    )
    for name, screen, text in _CASES:
        picture = {"type": "image", "image": f"embedded/screens/{screen}"}
        case = Case(name, [{"role": "user", "content": [picture, {"type": "text", "text": text}]}])
        prompt = prepare(TINY, case)
        answer = reference.answer(prompt, _NEW_TOKENS, stop)
        # The screenshot is stored and is not resized, so its pixel values need not be; of the tower's outputs, some rows do.
        kept = {"position_ids": answer.tensors["position_ids"]}
        if name == "first_click":
            kept |= {"vision_rows": _ROWS} | {part: answer.tensors[part][_ROWS] for part in _PARTS}
        answer.tensors = kept
        extra = {"logits_bfloat16": coarse.answer(prompt, new_tokens=1).logits}
        fixture.add(case, prompt, answer, rows=4, extra=extra, pixels=False)
    fixture.write()
