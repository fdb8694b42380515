"""From messages to token ids and pixels, by transformers' tokenizer, template and image processor."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from transformers import AutoImageProcessor, AutoTokenizer

from .cases import Case
from .paths import FIXTURES

_IMAGE_TOKEN = "<|image_pad|>"


@dataclass(frozen=True)
class Prompt:
    text: str  # as the template renders it, one marker a picture
    token_ids: list[int]  # with every marker repeated to the picture's number of tokens
    image_token_id: int | None
    pixel_values: np.ndarray | None  # (patches, channels * temporal * patch * patch) f32
    image_grid_thw: np.ndarray | None  # (pictures, 3)


@cache
def tokenizer(folder: Path):
    return AutoTokenizer.from_pretrained(folder)


@cache
def _image_processor(folder: Path):
    return AutoImageProcessor.from_pretrained(folder, backend="pil")


def _pictures(case: Case) -> list[Image.Image]:
    return [
        Image.open(FIXTURES / part["image"]).convert("RGB")
        for message in case.messages
        if isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "image"
    ]


def prepare(folder: Path, case: Case) -> Prompt:
    text = tokenizer(folder).apply_chat_template(case.messages, tokenize=False, add_generation_prompt=True)
    pictures = _pictures(case)
    if not pictures:
        return Prompt(text, tokenizer(folder)(text).input_ids, None, None, None)
    processor = _image_processor(folder)
    features = processor(pictures, return_tensors="np")
    grid = features["image_grid_thw"]
    head, *tails = text.split(_IMAGE_TOKEN)
    counts = [int(row.prod()) // processor.merge_size**2 for row in grid]
    expanded = head + "".join(_IMAGE_TOKEN * count + tail for count, tail in zip(counts, tails, strict=True))
    return Prompt(
        text,
        tokenizer(folder)(expanded).input_ids,
        tokenizer(folder).convert_tokens_to_ids(_IMAGE_TOKEN),
        features["pixel_values"],
        grid,
    )


def as_bytes(pixel_values: np.ndarray) -> np.ndarray:
    """The same values as uint8 (value = byte / 127.5 - 1): a quarter of the size, and exact."""
    levels = np.rint((pixel_values + 1) * 127.5)
    if np.abs(levels / 127.5 - 1 - pixel_values).max() > 1e-6:
        raise RuntimeError("pixel values are not whole levels of x / 127.5 - 1")
    return levels.astype(np.uint8)
