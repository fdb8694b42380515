"""Fixtures of quantised models: converted and answered by mlx-lm and mlx-vlm, activations in f32."""

import contextlib
import importlib.metadata
import io
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx import nn
from mlx.utils import tree_map

from . import models
from .cases import TEXT_CASES, VISION_CASES, Case
from .fixture import LEAST_GAP, Fixture, gap
from .models import Variant
from .paths import FIXTURES
from .prompt import Prompt, prepare, tokenizer
from .random_models import NEW_TOKENS, SEED_TRIES
from .reference import Answer


@dataclass(frozen=True)
class Recipe:
    """`choose(path)` gives a layer's own bits and group size, False to leave it alone, True for the defaults."""

    name: str
    source: str
    bits: int
    group_size: int
    dtype: str
    choose: Callable[[str], bool | dict] | None = None


def _mixed(path: str) -> bool | dict:
    """One layer of every width that MLX has, and one that stays as it is."""
    own = {
        "embed_tokens": (8, 64),
        "layers.0.self_attn.q_proj": (3, 32),
        "layers.0.self_attn.k_proj": (5, 64),
        "layers.0.self_attn.v_proj": (6, 32),
        "layers.0.mlp.gate_proj": (2, 32),
        "layers.1.mlp.down_proj": (8, 128),
    }
    if path.endswith("layers.1.self_attn.o_proj"):
        return False
    for suffix, (bits, group_size) in own.items():
        if path.endswith(suffix):
            return {"bits": bits, "group_size": group_size}
    return True


def _language_only(path: str) -> bool | dict:
    if path.startswith("vision_tower"):
        return False
    return {"bits": 8, "group_size": 32} if path.endswith(("embed_tokens", "lm_head")) else True


RECIPES = [
    Recipe("qwen3-4bit", "qwen3", bits=4, group_size=32, dtype="float32"),
    Recipe("qwen3-mixed", "qwen3", bits=4, group_size=64, dtype="bfloat16", choose=_mixed),
    # o_proj has 96 inputs, which groups of 64 do not divide: the converter leaves it unquantised and config.json does not say so.
    Recipe("qwen3-vl-4bit", "qwen3-vl", bits=4, group_size=64, dtype="bfloat16", choose=_language_only),
]


def _convert(recipe: Recipe, source: Path, folder: Path, vision: bool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if vision:
        from mlx_vlm.convert import convert
    else:
        from mlx_lm.convert import convert
    choose = recipe.choose
    with contextlib.redirect_stdout(io.StringIO()):
        convert(
            str(source),
            mlx_path=str(folder),
            quantize=True,
            q_bits=recipe.bits,
            q_group_size=recipe.group_size,
            dtype=recipe.dtype,
            quant_predicate=None if choose is None else lambda path, _module: choose(path),
        )
    (folder / "README.md").unlink(missing_ok=True)


class _WideEmbedding(nn.QuantizedEmbedding):
    """Embeddings of the modes whose scales are no floating-point numbers unpack to bfloat16, in which mlx-vlm would go on."""

    def __call__(self, x: mx.array) -> mx.array:
        return super().__call__(x).astype(mx.float32)


class _Model:
    def __init__(self, folder: Path, vision: bool):
        if vision:
            from mlx_vlm.utils import load_model

            self.model = load_model(folder)
        else:
            from mlx_lm.utils import load_model

            self.model, _ = load_model(folder)
        self.vision = vision
        wide = lambda array: array.astype(mx.float32) if mx.issubdtype(array.dtype, mx.floating) else array
        self.model.update(tree_map(wide, self.model.parameters()))
        for module in self.model.modules():
            if type(module) is nn.QuantizedEmbedding:
                module.__class__ = _WideEmbedding

    def logits(self, prompt: Prompt, token_ids: list[int]) -> np.ndarray:
        """(L, vocabulary) f32, without a cache."""
        tokens = mx.array([token_ids])
        if not self.vision:
            return np.array(self.model(tokens)[0])
        if prompt.pixel_values is None:
            return np.array(self.model(tokens, None, None).logits[0])
        output = self.model(
            tokens, mx.array(prompt.pixel_values), None, image_grid_thw=mx.array(prompt.image_grid_thw)
        )
        return np.array(output.logits[0])

    def answer(self, prompt: Prompt, special: set[int]) -> Answer | None:
        """None when a greedy token is a marker or a near tie, or they hardly vary: such a model makes a poor fixture."""
        tokens, greedy = list(prompt.token_ids), []
        first = logits = self.logits(prompt, tokens)
        for _ in range(NEW_TOKENS):
            token = int(logits[-1].argmax())
            if token in special or gap(logits) < LEAST_GAP:
                return None
            greedy.append(token)
            tokens.append(token)
            logits = self.logits(prompt, tokens)
        return Answer(first, greedy) if len(set(greedy)) >= NEW_TOKENS // 2 else None


def _attempt(recipe: Recipe, variant: Variant, folder: Path, seed: int) -> list[tuple[Case, Prompt, Answer]] | None:
    vision = variant.model_type == "qwen3_vl"
    with tempfile.TemporaryDirectory() as source:
        models.build(variant, Path(source), seed)
        _convert(recipe, Path(source), folder, vision)
        cases = [(case, prepare(Path(source), case)) for case in (VISION_CASES if vision else TEXT_CASES)]
    tokenizer.cache_clear()
    special = set(tokenizer(folder).added_tokens_decoder)
    model, done = _Model(folder, vision), []
    for case, prompt in cases:
        answer = model.answer(prompt, special)
        if answer is None:
            return None
        done.append((case, prompt, answer))
    return done


def build(recipe: Recipe) -> int:
    """Quantise the first random model whose greedy answers are clear, and write its goldens. Returns the seed."""
    variant = next(variant for variant in models.VARIANTS if variant.name == recipe.source)
    folder = FIXTURES / recipe.name
    folder.mkdir(exist_ok=True)
    for seed in range(SEED_TRIES):
        done = _attempt(recipe, variant, folder / "model", seed)
        if done:
            break
    else:
        raise RuntimeError(f"{recipe.name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    package = "mlx-vlm" if variant.model_type == "qwen3_vl" else "mlx-lm"
    fixture = Fixture(
        folder,
        {
            "oracle": f"{package} {importlib.metadata.version(package)}",
            "model_type": variant.model_type,
            "stored_dtype": recipe.dtype,
            "computed_dtype": "float32",
            "seed": seed,
        },
        folder / "model",
    )
    for case, prompt, answer in done:
        fixture.add(case, prompt, answer, rows=12, pixels=False)
    fixture.write()
    return seed
