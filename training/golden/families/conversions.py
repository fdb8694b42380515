"""What mlx-lm, mlx-vlm and mlx-audio make of the fixtures' models: how each layer is quantised, and a hash of every weight."""

import contextlib
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import mlx.core as mx
import numpy as np

from ..models import _write_json
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
_WIDTHS = {f"affine-{bits}": {"quantize": True, "q_bits": bits, "q_group_size": group} for bits, group in ((2, 32), (3, 64), (5, 128), (6, 32))}
_FLOAT16 = {"float16-affine-4": {"dtype": "float16", "quantize": True, "q_bits": 4, "q_group_size": 64}}
_DEQUANTIZE = {"dequantize": {"dequantize": True}}


def _mixed(*names: str) -> dict[str, dict]:
    return {name: {"quantize": True, "q_bits": 4, "q_group_size": 64, "quant_predicate": name} for name in names}


_SOME = {name: _RECIPES[name] for name in ("plain", "affine-4")}
_HALF = _SOME | {"bfloat16": _RECIPES["bfloat16"]}
_LM = {
    **{name: _SOME for name in ("gemma3-text", "llama", "ministral3-bf16", "mistral", "phi3", "qwen2", "qwen3-moe")},
    "qwen3": _RECIPES | _WIDTHS | _FLOAT16 | _mixed("mixed_2_6", "mixed_3_4", "mixed_3_6", "mixed_4_6"),
    **{name: _DEQUANTIZE for name in ("qwen3-4bit", "qwen3-moe-4bit")},
    # Without a word mlx-lm casts to the type that config.json names, which is not the one this was stored in.
    "qwen3-mixed": {"dequantize": {"dequantize": True, "dtype": "bfloat16"}},
}
_VLM = {
    **{name: _SOME for name in ("idefics3", "llava", "llava-next", "mistral3-bf16", "phi3-v", "qwen2-vl", "qwen3-vl-moe")},
    "gemma3": _SOME | _mixed("mixed_3_5"),
    "mistral3": _SOME | _mixed("mixed_3_6"),
    "mistral3-ministral": {"plain": {}},
    "qwen2.5-vl": _SOME | _mixed("mixed_4_8"),
    "qwen3-5": _HALF | _mixed("mixed_3_8"),
    "qwen3-5-bf16": {"plain": {}},
    "qwen3-5-moe": _HALF,
    **{name: _SOME for name in ("qwen3-5-text", "qwen3-5-moe-text")},
    "qwen3-omni": _HALF | {"affine-8": _RECIPES["affine-8"]},
    "qwen3-omni-4bit": _DEQUANTIZE,
    "qwen3-vl": _RECIPES | _FLOAT16 | _mixed("mixed_2_6", "mixed_4_6"),
    "smolvlm": _SOME,
    **{name: _DEQUANTIZE for name in ("qwen3-vl-4bit", "qwen3-5-moe-4bit", "mistral3-4bit")},
}
_AUDIO = {
    "whisper": {name: _RECIPES[name] for name in ("plain", "affine-4", "affine-8", "mxfp8")} | {"float16": {"dtype": "float16"}} | _FLOAT16,
    "whisper-128-bf16": {"float16": {"dtype": "float16"}} | _FLOAT16,
}


def _edit_config(folder: Path, edit) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    edit(config)
    _write_json(path, config)


def _write_head(folder: Path) -> None:
    """mlx-vlm's SmolVLM has a head of its own also where it is tied, and does not make it from the embeddings."""
    path = folder / "model.safetensors"
    weights = mx.load(str(path))
    weights["lm_head.weight"] = weights["model.text_model.embed_tokens.weight"]
    mx.eval(weights)
    mx.save_safetensors(str(path), weights, metadata={"format": "pt"})


def _leave_thinker(folder: Path) -> None:
    """Of Qwen3-Omni, the part that is converted. mlx-vlm reads what config.json says of the others all the same."""
    from .qwen3_omni_moe import _speaking

    path = folder / "model.safetensors"
    weights = {name: array for name, array in mx.load(str(path)).items() if name.startswith("thinker.")}
    mx.eval(weights)
    mx.save_safetensors(str(path), weights, metadata={"format": "pt"})
    _edit_config(folder, lambda config: config.update(_speaking()))


def _small_phi3_v(config: dict) -> contextlib.ExitStack:
    """Its tower's sizes stand in mlx-vlm's code."""
    from mlx_vlm.models import phi3_v

    from .phi3_v import _TOWER, _small_model

    sizes = SimpleNamespace(**{**vars(phi3_v.VisionModel.CLIP_VIT_LARGE_PATCH14_336_CONFIG), **_TOWER})
    patches = contextlib.ExitStack()
    patches.enter_context(mock.patch.object(phi3_v.VisionModel, "CLIP_VIT_LARGE_PATCH14_336_CONFIG", sizes))
    patches.enter_context(mock.patch.object(phi3_v, "Model", lambda _: _small_model(config)))
    return patches


def _fetch(folder: Path, lazy: bool, trust_remote_code: bool) -> tuple:
    """What mlx-vlm converts, without the processor: not every small one loads there, and its files are copied in any case."""
    from mlx_vlm.utils import load_config, load_model

    return load_model(folder, lazy=lazy), load_config(folder), None


def _prepare(fixture: str, folder: Path) -> None:
    """A copy of the fixture's model that mlx-vlm takes."""
    shutil.copytree(FIXTURES / fixture / "model", folder)
    if fixture == "smolvlm":
        _write_head(folder)
    if fixture == "qwen3-omni":
        _leave_thinker(folder)
    if fixture == "gemma3":
        # mlx-vlm looks for it in the decoder's half only, and takes the published number for granted.
        _edit_config(folder, lambda config: config["text_config"].update(mm_tokens_per_image=config["mm_tokens_per_image"]))


def _exact_whisper(recipe: dict) -> contextlib.ExitStack:
    """mlx-audio rounds every weight to float16 before it does anything else, and leaves layers plain whose inputs 64 does not divide,
    which those of every published model are; where a recipe asks for other things, it is made to do them."""
    from mlx_audio.stt.models.whisper import whisper

    patches = contextlib.ExitStack()
    if recipe.get("dtype") != "float16":
        patches.enter_context(mock.patch.object(whisper.Model.__init__, "__defaults__", (mx.float32,)))
        every = lambda model, name: lambda path, module: hasattr(module, "to_quantized")
        patches.enter_context(mock.patch("mlx_audio.convert.build_quant_predicate", every))
    return patches


@contextlib.contextmanager
def converted(fixture: str, vision: bool, recipe: dict) -> Iterator[Path]:
    """The folder that MLX makes of a fixture's model; while it is there, mlx-vlm loads it too."""
    with tempfile.TemporaryDirectory() as parent, contextlib.redirect_stdout(io.StringIO()), contextlib.ExitStack() as patches:
        source, folder = Path(parent) / "source", Path(parent) / "model"
        _prepare(fixture, source)
        if fixture in _AUDIO:
            from mlx_audio.convert import convert as convert_audio

            convert = partial(convert_audio, model_domain="stt")
            patches.enter_context(_exact_whisper(recipe))
        elif vision:
            from mlx_vlm.convert import convert

            patches.enter_context(mock.patch("mlx_vlm.convert.fetch_from_hub", _fetch))
        else:
            from mlx_lm.convert import convert
        if fixture == "phi3-v":
            patches.enter_context(_small_phi3_v(json.loads((source / "config.json").read_text(encoding="utf-8"))))
        convert(str(source), mlx_path=str(folder), **recipe)
        yield folder


def described(folder: Path) -> dict[str, str]:
    """Type, shape and a hash of every weight."""
    weights = mx.load(str(folder / "model.safetensors"))
    return {name: _describe(weights[name]) for name in sorted(weights)}


def _convert(fixture: str, vision: bool, recipe: dict) -> dict:
    """How MLX converts a fixture's model."""
    with converted(fixture, vision, recipe) as folder:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        # mlx-vlm's config.json still has it when the weights are plain again.
        quantization = None if recipe.get("dequantize") else config.get("quantization")
        return {"quantization": quantization, "weights": described(folder)}


def _describe(array: mx.array) -> str:
    # numpy has no bfloat16.
    stored = np.array(array.view(mx.uint16) if array.dtype == mx.bfloat16 else array)
    dtype = str(array.dtype).removeprefix("mlx.core.")
    return f"{dtype} {list(array.shape)} {hashlib.sha256(stored.tobytes()).hexdigest()[:16]}"


def _without_repeats(converted: dict[str, dict]) -> dict[str, dict]:
    """What a recipe leaves as `plain` has it is said there only."""
    for name, one in converted.items():
        if name != "plain" and "plain" in converted:
            plain = converted["plain"]["weights"]
            one["weights"] = {weight: said for weight, said in one["weights"].items() if plain.get(weight) != said}
    return converted


def build() -> int:
    folder = FIXTURES / "conversions"
    folder.mkdir(exist_ok=True)
    wanted = {name: (False, recipes) for name, recipes in (_LM | _AUDIO).items()} | {name: (True, recipes) for name, recipes in _VLM.items()}
    found = {
        fixture: _without_repeats({name: _convert(fixture, vision, recipe) for name, recipe in recipes.items()})
        for fixture, (vision, recipes) in sorted(wanted.items())
    }
    (folder / "conversions.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


BUILDERS = {"conversions": build}
READS_FIXTURES = True
