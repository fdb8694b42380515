"""Fixtures of the random models, with transformers as the oracle."""

from pathlib import Path

import torch
import transformers

from . import models
from .cases import SCALED_CASES, TEXT_CASES, VISION_CASES, Case
from .fixture import LEAST_GAP, Fixture
from .models import Variant
from .paths import FIXTURES
from .prompt import Prompt, prepare, tokenizer
from .reference import Answer, Reference

NEW_TOKENS = 16
SEED_TRIES = 200


def cases_of(variant: Variant) -> list[Case]:
    if variant.model_type == "qwen3":
        return TEXT_CASES
    return VISION_CASES + SCALED_CASES if variant.dtype == "float32" else VISION_CASES


@torch.no_grad()
def _is_clear(reference: Reference, prompt: Prompt, answer: Answer, special: set[int]) -> bool:
    """Whether the greedy tokens are a good fixture: varied, no markers among them, and each well ahead of the next best."""
    if special & set(answer.greedy) or len(set(answer.greedy)) < NEW_TOKENS // 2:
        return False
    whole = Prompt(
        prompt.text,
        prompt.token_ids + answer.greedy,
        prompt.image_token_id,
        prompt.pixel_values,
        prompt.image_grid_thw,
    )
    logits = torch.from_numpy(reference.answer(whole, new_tokens=1).logits[len(prompt.token_ids) - 1 : -1])
    first, second = logits.topk(2).values.unbind(-1)
    return bool(((first - second) / logits.abs().max() > LEAST_GAP).all())


def _attempt(variant: Variant, folder: Path, seed: int) -> list[tuple[Case, Prompt, Answer]] | None:
    models.build(variant, folder, seed)
    tokenizer.cache_clear()
    special = set(tokenizer(folder).all_special_ids) | set(tokenizer(folder).added_tokens_decoder)
    reference = Reference(folder, variant.model_type == "qwen3_vl")
    done = []
    for case in cases_of(variant):
        prompt = prepare(folder, case)
        answer = reference.answer(prompt, NEW_TOKENS)
        if not _is_clear(reference, prompt, answer, special):
            return None
        done.append((case, prompt, answer))
    return done


def build(variant: Variant) -> int:
    """Make the model with the first seed whose greedy answers are clear, and write its goldens (in f32). Returns the seed."""
    folder = FIXTURES / variant.name
    for seed in range(SEED_TRIES):
        done = _attempt(variant, folder / "model", seed)
        if done:
            break
    else:
        raise RuntimeError(f"{variant.name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    fixture = Fixture(
        folder,
        {
            "oracle": f"transformers {transformers.__version__}",
            "model_type": variant.model_type,
            "stored_dtype": variant.dtype,
            "computed_dtype": "float32",
            "seed": seed,
        },
        folder / "model",
    )
    half = variant.dtype == "bfloat16"
    coarse = Reference(folder / "model", variant.model_type == "qwen3_vl", torch.bfloat16) if half else None
    for case, prompt, answer in done:
        extra = {"logits_bfloat16": coarse.answer(prompt, new_tokens=1).logits} if coarse else None
        keep_all = not half and case in (*TEXT_CASES, *VISION_CASES) and len(prompt.token_ids) < 100
        if not keep_all:
            answer.tensors = {name: value for name, value in answer.tensors.items() if name == "position_ids"}
        fixture.add(case, prompt, answer, rows=None if keep_all and case in TEXT_CASES else 12, extra=extra)
    fixture.write()
    return seed
