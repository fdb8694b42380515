"""Qwen2, Qwen2-VL and Qwen2.5-VL: random models as on the hub, as transformers 5 saves them, and as mlx-vlm converts them."""

import contextlib
import importlib.metadata
import io
import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

from .. import models, quantized, small_tokenizer
from ..cases import SCALED_CASES, TEXT_CASES, VISION_CASES, Case
from ..fixture import Fixture
from ..paths import FIXTURES
from ..prompt import Prompt, prepare, tokenizer
from ..random_models import NEW_TOKENS, SEED_TRIES, _is_clear
from ..reference import Answer, Reference

THETA = 5000.0
# The model whose patches are stored, and every how manieth: all have the same image processor.
PIXELS_OF, PIXEL_STRIDE = "qwen2-vl", 16
# Qwen2's turns: a default system message, and in the vision models a mark for every picture.
TEMPLATE = """\
{%- if messages[0].role != 'system' -%}
  {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
  {{- '<|im_start|>' + message.role + '\\n' -}}
  {%- if message.content is string -%}
    {{- message.content -}}
  {%- else -%}
    {%- for part in message.content -%}
      {%- if part.type == 'image' -%}
        {{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
      {%- elif part.type == 'video' -%}
        {{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
      {%- else -%}
        {{- part.text -}}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
  {{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


@dataclass(frozen=True)
class Model:
    """`hub`: text fields at the top of config.json and the published names of weights, or else transformers 5's of both."""

    name: str
    model_type: Literal["qwen2", "qwen2_vl", "qwen2_5_vl"]
    dtype: Literal["float32", "bfloat16"]
    tied: bool
    hub: bool
    groups_of: int | None = None  # quantised to 4 bits by mlx-vlm, in groups of so many

    @property
    def vision(self) -> bool:
        return self.model_type != "qwen2"

    @property
    def cases(self) -> list[Case]:
        if not self.vision:
            return TEXT_CASES
        return VISION_CASES if self.groups_of or self.dtype == "bfloat16" else VISION_CASES + SCALED_CASES


class _Reference(Reference):
    def _vision(self, pixels: torch.Tensor, grid: torch.Tensor) -> dict[str, np.ndarray]:
        tower = self.model.model.visual
        output = tower(pixels.to(tower.dtype), grid_thw=grid).pooler_output
        return {"vision_output": output.float().numpy()}


class _Converted(quantized._Model):
    def logits(self, prompt: Prompt, token_ids: list[int]) -> np.ndarray:
        """mlx-vlm keeps the positions of the call before."""
        language = self.model.language_model
        language._position_ids = language._rope_deltas = None
        return super().logits(prompt, token_ids)


def _text_config(model: Model) -> dict:
    config = {
        "vocab_size": small_tokenizer.VOCAB_SIZE,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "hidden_act": "silu",
        "max_position_embeddings": 4096,
        "max_window_layers": 2,
        "rms_norm_eps": 1e-6,
        "sliding_window": 4096,
        "use_sliding_window": False,
    }
    sections = {"mrope_section": [2, 3, 3]} if model.vision else {}
    if model.hub:
        scaling = {"rope_scaling": {"type": "mrope", **sections}} if model.vision else {}
        return config | {"rope_theta": THETA, **scaling}
    layers = {"layer_types": ["full_attention"] * 2, "sliding_window": None}
    return config | layers | {"rope_parameters": {"rope_type": "default", "rope_theta": THETA, **sections}}


def _vision_config(model: Model) -> dict:
    config = {
        "model_type": model.model_type if model.hub else f"{model.model_type}_vision",
        "depth": 3,
        "num_heads": 2,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "in_chans" if model.hub else "in_channels": 3,
    }
    if model.model_type == "qwen2_vl":
        return config | {"embed_dim": 32, "hidden_size": 64, "hidden_act": "quick_gelu", "mlp_ratio": 2}
    # Windows of 2 × 2 merged patches: whole, and cut at the right, below and in the corner.
    own = {"window_size": 56, "fullatt_block_indexes": [1], "tokens_per_second": 2, "hidden_act": "silu"}
    return config | own | {"hidden_size": 32, "out_hidden_size": 64, "intermediate_size": 44}


def _config(model: Model, folder: Path) -> dict:
    names = {"qwen2": "Qwen2ForCausalLM", "qwen2_vl": "Qwen2VLForConditionalGeneration"}
    config = {
        "architectures": [names.get(model.model_type, "Qwen2_5_VLForConditionalGeneration")],
        "model_type": model.model_type,
        "torch_dtype" if model.hub else "dtype": model.dtype,
        "tie_word_embeddings": model.tied,
        "eos_token_id": small_tokenizer.token_id(folder, "<|im_end|>"),
    }
    text = _text_config(model)
    if not model.vision:
        return config | text
    text = text if model.hub else {"text_config": {"model_type": f"{model.model_type}_text", **text}}
    marks = {"image_token_id": "image_pad", "video_token_id": "video_pad"}
    marks |= {f"vision_{end}_token_id": f"vision_{end}" for end in ("start", "end")}
    ids = {key: small_tokenizer.token_id(folder, f"<|{mark}|>") for key, mark in marks.items()}
    return config | text | ids | {"vision_config": _vision_config(model)}


def _processor(model: Model) -> dict:
    least, most = 8000, 18000
    name = "Qwen2VLProcessor" if model.model_type == "qwen2_vl" else "Qwen2_5_VLProcessor"
    return {
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": name,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        **({"min_pixels": least, "max_pixels": most} if model.hub else {"size": {"shortest_edge": least, "longest_edge": most}}),
    }


def _values(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """The merger's norm is called `ln_q`."""
    return models._values(name.replace("ln_q", "norm"), shape, seed)


def _published(name: str) -> str:
    return name.removeprefix("model.") if name.startswith("model.visual.") else name.replace("model.language_model.", "model.")


def _make_folder(model: Model, folder: Path, seed: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    small_tokenizer.build(folder)
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    config = _config(model, folder)
    models._write_json(folder / "config.json", config)
    models._write_json(folder / "generation_config.json", {"do_sample": False, "eos_token_id": [config["eos_token_id"]]})
    if model.vision:
        models._write_json(folder / "preprocessor_config.json", _processor(model))
    factory = AutoModelForImageTextToText if model.vision else AutoModelForCausalLM
    shapes = factory.from_config(AutoConfig.from_pretrained(folder)).state_dict()
    weights = {
        _published(name) if model.hub else name: torch.from_numpy(_values(name, tuple(tensor.shape), seed)).to(
            getattr(torch, model.dtype)
        )
        for name, tensor in sorted(shapes.items())
        if not (model.tied and name == "lm_head.weight")
    }
    models._save_weights(folder, weights, shards=1)


Done = list[tuple[Case, Prompt, Answer]]


@torch.no_grad()
def _answered(model: Model, folder: Path, seed: int) -> Done | None:
    _make_folder(model, folder, seed)
    tokenizer.cache_clear()
    special = set(tokenizer(folder).added_tokens_decoder)
    reference = _Reference(folder, model.vision)
    done = []
    for case in model.cases:
        prompt = prepare(folder, case)
        answer = reference.answer(prompt, NEW_TOKENS)
        if not _is_clear(reference, prompt, answer, special):
            return None
        done.append((case, prompt, answer))
    return done


def _language_only(path: str) -> bool:
    return not path.startswith("vision_tower")


def _converted(model: Model, folder: Path, seed: int) -> Done | None:
    recipe = quantized.Recipe(model.name, "", bits=4, group_size=model.groups_of, dtype=model.dtype, choose=_language_only)
    with tempfile.TemporaryDirectory() as source, contextlib.redirect_stdout(io.StringIO()):
        _make_folder(model, Path(source), seed)
        quantized._convert(recipe, Path(source), folder, model.vision)
        cases = [(case, prepare(Path(source), case)) for case in model.cases]
    tokenizer.cache_clear()
    special = set(tokenizer(folder).added_tokens_decoder)
    reference, done = _Converted(folder, model.vision), []
    for case, prompt in cases:
        answer = reference.answer(prompt, special)
        if answer is None:
            return None
        done.append((case, prompt, answer))
    return done


def build(model: Model) -> int:
    """Make the model with the first seed whose greedy answers are clear, and write its goldens (in f32). Returns the seed."""
    folder = FIXTURES / model.name
    folder.mkdir(exist_ok=True)
    for seed in range(SEED_TRIES):
        done = (_converted if model.groups_of else _answered)(model, folder / "model", seed)
        if done:
            break
    else:
        raise RuntimeError(f"{model.name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    oracle = f"mlx-vlm {importlib.metadata.version('mlx-vlm')}" if model.groups_of else f"transformers {transformers.__version__}"
    about = {"oracle": oracle, "model_type": model.model_type, "stored_dtype": model.dtype, "computed_dtype": "float32", "seed": seed}
    fixture = Fixture(folder, about, folder / "model")
    half = model.dtype == "bfloat16" and not model.groups_of
    coarse = _Reference(folder / "model", model.vision, torch.bfloat16) if half else None
    for case, prompt, answer in done:
        extra = {"logits_bfloat16": coarse.answer(prompt, new_tokens=1).logits} if coarse else None
        kept = {"position_ids"} | (set() if coarse else {"vision_output"})
        answer.tensors = {name: value for name, value in answer.tensors.items() if name in kept}
        if prompt.pixel_values is not None and model.name == PIXELS_OF:
            answer.tensors["pixel_values"] = prompt.pixel_values[::PIXEL_STRIDE]
        fixture.add(case, prompt, answer, rows=12, extra=extra, pixels=False)
    fixture.write()
    return seed


MODELS = [
    Model("qwen2", "qwen2", "float32", tied=True, hub=True),
    Model("qwen2-bf16", "qwen2", "bfloat16", tied=False, hub=False),
    Model("qwen2-vl", "qwen2_vl", "float32", tied=False, hub=True),
    Model("qwen2-vl-4bit", "qwen2_vl", "float32", tied=True, hub=True, groups_of=32),
    Model("qwen2.5-vl", "qwen2_5_vl", "float32", tied=False, hub=True),
    Model("qwen2.5-vl-bf16", "qwen2_5_vl", "bfloat16", tied=True, hub=False),
]

BUILDERS = {model.name: partial(build, model) for model in MODELS}
