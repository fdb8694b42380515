"""Questions about photographed held-out applications (training/evaluate asks the same of our engine), answered on the training device in seconds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image
from tokenizers import Tokenizer

from evaluate.questions import ask, questions
from evaluate.statistics import Outcome, table
from screens.store import read

from .generate import about_pictures
from .packed import Packed


def scaled(picture: np.ndarray) -> np.ndarray:
    """As the processor does it: each side to the nearest multiple of 32."""
    height, width, _ = picture.shape
    size = round(width / 32) * 32, round(height / 32) * 32
    return picture if size == (width, height) else np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def outcomes(packed: Packed, tokenizer: Tokenizer, folder: Path, seed: int = 7) -> list[Outcome]:
    """One a question, in the order of training/evaluate."""
    screens = list(read(folder))
    asked = [(index, question) for index, screen in enumerate(screens) for question in questions(screen, Random(f"{seed} {index}"))]
    answers = about_pictures(packed, tokenizer, [scaled(screen.image) for screen in screens], [(index, question.text) for index, question in asked], limit=100)
    return [ask(screens[index], question, answer.strip(), str(screens[index].task["picture"])) for (index, question), answer in zip(asked, answers)]


def measure(packed: Packed, tokenizer: Tokenizer, folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """The table, and every question with its answer."""
    found = outcomes(packed, tokenizer, folder)
    return table({"this checkpoint": found}), [asdict(outcome) for outcome in found]
