"""Samples as rows of tokens: many prompts and answers one after the other, each its own segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from tasks.form import END, STOP, Sample


@dataclass
class Row:
    """`learn` marks the positions whose next token is part of an answer."""

    ids: np.ndarray
    segment: np.ndarray
    position: np.ndarray
    learn: np.ndarray
    count: int = 0
    used: int = 0

    @staticmethod
    def empty(length: int) -> Row:
        """Nothing but padding."""
        return Row(np.zeros(length, np.int16), np.full(length, -1, np.int16), np.zeros(length, np.int16), np.zeros(length, np.uint8))

    def add(self, prompt: list[int], answer: list[int]) -> bool:
        """Append one sample; False when it does not fit."""
        start, length = self.used, len(prompt) + len(answer)
        if start + length > len(self.ids):
            return False
        self.count += 1
        self.ids[start : start + len(prompt)] = prompt
        self.ids[start + len(prompt) : start + length] = answer
        self.segment[start : start + length] = self.count
        self.position[start : start + length] = np.arange(length)
        self.learn[start + len(prompt) - 1 : start + length - 1] = 1
        self.used = start + length
        return True

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """In the order of the fields."""
        return self.ids, self.segment, self.position, self.learn


def encode(tokenizer: Tokenizer, samples: list[Sample], rendered: bool) -> list[tuple[list[int], list[int]]]:
    """(prompt, answer) tokens; `rendered` prompts already end where the answer starts."""
    texts = [text for sample in samples for text in (sample.prompt + ("" if rendered else END), sample.answer + STOP)]
    encoded = tokenizer.encode_batch_fast(texts)
    return [(encoded[index].ids, encoded[index + 1].ids) for index in range(0, len(encoded), 2)]


def pack(tokenizer: Tokenizer, samples: list[Sample], length: int, rendered: bool = False) -> Row:
    """As many samples as fit, in their order."""
    row = Row.empty(length)
    for prompt, answer in encode(tokenizer, samples, rendered):
        row.add(prompt, answer)
    return row
