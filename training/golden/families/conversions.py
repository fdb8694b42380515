"""What mlx-lm and mlx-vlm make of the dense fixtures: how each layer is quantised, and a hash of every weight."""

import contextlib
import hashlib
import io
import json
import tempfile
from pathlib import Path

import mlx.core as mx
import numpy as np

from ..paths import FIXTURES

_RECIPES = {
    "plain": {},
    "affine-4": {"quantize": True, "q_bits": 4, "q_group_size": 32},
    "affine-8": {"quantize": True, "q_bits": 8, "q_group_size": 64},
    "mxfp4": {"quantize": True, "q_mode": "mxfp4", "q_bits": 4, "q_group_size": 32},
    "nvfp4": {"quantize": True, "q_mode": "nvfp4", "q_bits": 4, "q_group_size": 16},
    "mxfp8": {"quantize": True, "q_mode": "mxfp8", "q_bits": 8, "q_group_size": 32},
    "bfloat16": {"dtype": "bfloat16"},
}
# mlx-vlm's recipes choose other layers than mlx-lm's; its own are not compared.
_MIXED = {
    name: {"quantize": True, "q_bits": 4, "q_group_size": 64, "quant_predicate": name}
    for name in ("mixed_2_6", "mixed_3_4", "mixed_3_6", "mixed_4_6")
}


def _convert(fixture: str, vision: bool, recipe: dict) -> dict:
    """How MLX converts a fixture's model."""
    if vision:
        from mlx_vlm.convert import convert
    else:
        from mlx_lm.convert import convert
    with tempfile.TemporaryDirectory() as parent, contextlib.redirect_stdout(io.StringIO()):
        folder = Path(parent) / "model"
        convert(str(FIXTURES / fixture / "model"), mlx_path=str(folder), **recipe)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = mx.load(str(folder / "model.safetensors"))
        return {
            "quantization": config.get("quantization"),
            "weights": {name: _describe(weights[name]) for name in sorted(weights)},
        }


def _describe(array: mx.array) -> str:
    # numpy has no bfloat16.
    stored = np.array(array.view(mx.uint16) if array.dtype == mx.bfloat16 else array)
    dtype = str(array.dtype).removeprefix("mlx.core.")
    return f"{dtype} {list(array.shape)} {hashlib.sha256(stored.tobytes()).hexdigest()[:16]}"


_TEXT = ["gemma3-text", "llama", "mistral", "phi3", "qwen2", "qwen3-moe"]
_VISION = ["idefics3", "qwen2-vl", "qwen2.5-vl", "qwen3-vl-moe"]


def build() -> int:
    folder = FIXTURES / "conversions"
    folder.mkdir(exist_ok=True)
    some = {name: _RECIPES[name] for name in ("plain", "affine-4")}
    wanted = {name: (False, some) for name in _TEXT} | {name: (True, some) for name in _VISION}
    wanted |= {"qwen3": (False, _RECIPES | _MIXED), "qwen3-vl": (True, _RECIPES)}
    found = {
        fixture: {name: _convert(fixture, vision, recipe) for name, recipe in recipes.items()}
        for fixture, (vision, recipes) in sorted(wanted.items())
    }
    (folder / "conversions.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


BUILDERS = {"conversions": build}
