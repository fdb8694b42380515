"""Writes one fixture: golden.json (what a person reads) and golden.safetensors (the numbers)."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from .cases import Case
from .prompt import Prompt, as_bytes, tokenizer
from .reference import Answer


# Greedy tokens are compared exactly, so none may be a near tie. f32 noise is about 1e-6 of the largest logit.
LEAST_GAP = 2e-4


def gap(logits: np.ndarray) -> float:
    """How far the best token leads, relative to the largest logit."""
    second, first = np.sort(logits[-1])[-2:]
    return float((first - second) / np.abs(logits).max())


@dataclass
class Fixture:
    """Collects the cases of one model folder."""

    folder: Path  # holds model/, golden.json, golden.safetensors
    about: dict  # goes into golden.json as it is
    model: Path
    _cases: list[dict] = field(default_factory=list)
    _tensors: dict[str, np.ndarray] = field(default_factory=dict)

    def add(
        self,
        case: Case,
        prompt: Prompt,
        answer: Answer,
        rows: int | None = None,
        extra: dict[str, np.ndarray] | None = None,
        pixels: bool = True,
    ) -> None:
        """`rows`: how many positions to keep logits of, evenly spread and ending at the last; all of them by default.
        `extra`: other logits, kept at the same positions. `pixels`: whether to store what the image processor gave."""
        length = len(prompt.token_ids)
        positions = np.arange(length) if rows is None else np.unique(np.linspace(0, length - 1, rows).astype(int))
        tensors = {"logits": answer.logits[positions], "logit_positions": positions.astype(np.int32), **answer.tensors}
        for name, logits in (extra or {}).items():
            tensors[name] = logits[positions]
        if prompt.pixel_values is not None and pixels:
            tensors["pixel_values_u8"] = as_bytes(prompt.pixel_values)
        if prompt.image_grid_thw is not None:
            tensors["image_grid_thw"] = prompt.image_grid_thw.astype(np.int32)
        self._tensors |= {f"{case.name}.{name}": np.ascontiguousarray(value) for name, value in tensors.items()}
        self._cases.append(
            {
                "name": case.name,
                "messages": case.messages,
                "prompt": prompt.text,
                "token_ids": prompt.token_ids,
                **({} if answer.rope_delta is None else {"rope_delta": answer.rope_delta}),
                "greedy_token_ids": answer.greedy,
                "greedy_text": tokenizer(self.model).decode(answer.greedy, skip_special_tokens=True),
            }
        )

    def write(self) -> None:
        save_file(self._tensors, self.folder / "golden.safetensors")
        text = json.dumps({**self.about, "cases": self._cases}, indent=1, ensure_ascii=False)
        (self.folder / "golden.json").write_text(text + "\n", encoding="utf-8")
