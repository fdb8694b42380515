"""Random models of the Qwen families with experts or gated-delta layers, and their fixtures."""

import contextlib
import importlib.metadata
import io
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

from . import models, quantized, small_tokenizer
from .cases import TEXT_CASES, VISION_CASES, Case
from .fixture import Fixture
from .paths import FIXTURES, TINY
from .prompt import Prompt, prepare, tokenizer
from .random_models import NEW_TOKENS, SEED_TRIES, _is_clear
from .reference import Answer, Reference

T = TypeVar("T")
Weights = Iterator[tuple[str, torch.Tensor]]


@dataclass(frozen=True)
class Family:
    """How a family's folder on the hub looks: its config, and its weights where transformers names or lays them out otherwise."""

    config: Callable[[Path, str], dict]
    published: Callable[[str, torch.Tensor], Weights]
    vision: bool
    zero_centred: bool = False  # norm weights are stored as their distance from 1


def values(family: Family, name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Random weights that make a lively model, as models.py's."""
    noise = np.random.default_rng([seed, zlib.crc32(name.encode())]).standard_normal(shape, dtype=np.float32)
    if "experts." in name:  # (experts, out, in), no name in `weight`
        return noise * np.float32(1.2 / np.sqrt(shape[-1]))
    if name.endswith("A_log"):
        return 0.5 * noise - 1  # three quarters of the state are kept a step
    if family.zero_centred and "norm" in name and "visual" not in name and "linear_attn" not in name:
        return (0.6 if "q_norm" in name else 0.0) + 0.2 * noise
    return models._values(name, shape, seed)


def make_folder(family: Family, folder: Path, dtype: str, seed: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    small_tokenizer.build(folder)
    shutil.copy(TINY / "chat_template.jinja", folder)
    config = family.config(folder, dtype)
    models._write_json(folder / "config.json", config)
    models._write_json(folder / "generation_config.json", {"do_sample": False, "eos_token_id": [config["eos_token_id"]]})
    if family.vision:
        variant = models.Variant("", "qwen3_vl", "float32", tied=False, shards=1, spelling="hub")
        models._write_json(folder / "preprocessor_config.json", models._processor(variant))
    factory = AutoModelForImageTextToText if family.vision else AutoModelForCausalLM
    shapes = factory.from_config(AutoConfig.from_pretrained(folder)).state_dict()
    weights = {}
    for name, tensor in sorted(shapes.items()):
        made = torch.from_numpy(values(family, name, tuple(tensor.shape), seed)).to(getattr(torch, dtype))
        weights |= {key: part.contiguous() for key, part in family.published(name, made)}
    models._save_weights(folder, weights, shards=1)


def _cases(family: Family) -> list[Case]:
    return VISION_CASES if family.vision else TEXT_CASES


@torch.no_grad()
def _attempt(family: Family, folder: Path, dtype: str, seed: int) -> list[tuple[Case, Prompt, Answer]] | None:
    make_folder(family, folder, dtype, seed)
    tokenizer.cache_clear()
    special = set(tokenizer(folder).added_tokens_decoder)
    reference = Reference(folder, family.vision)
    done = []
    for case in _cases(family):
        prompt = prepare(folder, case)
        answer = reference.answer(prompt, NEW_TOKENS)
        if not _is_clear(reference, prompt, answer, special):
            return None
        done.append((case, prompt, answer))
    return done


def _about(oracle: str, model_type: str, dtype: str, seed: int) -> dict:
    return {
        "oracle": oracle,
        "model_type": model_type,
        "stored_dtype": dtype,
        "computed_dtype": "float32",
        "seed": seed,
    }


def _first_clear(name: str, attempt: Callable[[int], T | None]) -> tuple[int, T]:
    for seed in range(SEED_TRIES):
        done = attempt(seed)
        if done:
            return seed, done
    raise RuntimeError(f"{name}: none of {SEED_TRIES} seeds gives clear greedy answers")


def build(name: str, family: Family, dtype: str) -> int:
    """Make the model with the first seed whose greedy answers are clear, answered by transformers. Returns the seed."""
    folder = FIXTURES / name
    seed, done = _first_clear(name, lambda seed: _attempt(family, folder / "model", dtype, seed))
    model_type = family.config(folder / "model", dtype)["model_type"]
    fixture = Fixture(
        folder, _about(f"transformers {transformers.__version__}", model_type, dtype, seed), folder / "model"
    )
    coarse = Reference(folder / "model", family.vision, torch.bfloat16) if dtype == "bfloat16" else None
    for case, prompt, answer in done:
        extra = {"logits_bfloat16": coarse.answer(prompt, new_tokens=1).logits} if coarse else None
        kept = ("position_ids",) if coarse else ("position_ids", "vision_output", "deepstack_0", "deepstack_1")
        answer.tensors = {key: value for key, value in answer.tensors.items() if key in kept}
        fixture.add(case, prompt, answer, rows=12, extra=extra, pixels=False)  # the processor is Qwen3-VL's
    fixture.write()
    return seed


def build_quantised(name: str, family: Family, bits: int, mend: Callable[[Any], None] = lambda _: None) -> int:
    """Quantise the first model whose greedy answers are clear with mlx-lm or mlx-vlm, and let the same answer. Returns the seed.

    `mend`: puts right what the oracle computes otherwise than transformers."""
    folder = FIXTURES / name
    recipe = quantized.Recipe(name, "", bits=bits, group_size=32, dtype="float32", choose=_choose if family.vision else None)

    def attempt(seed: int) -> list[tuple[Case, Prompt, Answer]] | None:
        with tempfile.TemporaryDirectory() as source, contextlib.redirect_stdout(io.StringIO()):
            make_folder(family, Path(source), "float32", seed)
            quantized._convert(recipe, Path(source), folder / "model", family.vision)
            cases = [(case, prepare(Path(source), case)) for case in _cases(family)]
        tokenizer.cache_clear()
        special = set(tokenizer(folder / "model").added_tokens_decoder)
        model = quantized._Model(folder / "model", family.vision)
        mend(model.model)
        answers = [(case, prompt, model.answer(prompt, special)) for case, prompt in cases]
        return None if any(answer is None for _, _, answer in answers) else answers

    folder.mkdir(exist_ok=True)
    seed, done = _first_clear(name, attempt)
    package = "mlx-vlm" if family.vision else "mlx-lm"
    config = AutoConfig.from_pretrained(folder / "model")
    about = _about(f"{package} {importlib.metadata.version(package)}", config.model_type, "float32", seed)
    fixture = Fixture(folder, about, folder / "model")
    for case, prompt, answer in done:
        fixture.add(case, prompt, answer, rows=12, pixels=False)
    fixture.write()
    return seed


def _choose(path: str) -> bool:
    """Whether a layer is quantised: the language half."""
    return not path.startswith("vision_tower")
