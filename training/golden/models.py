"""Model folders with seeded random weights, as they look on the Hugging Face hub."""

import json
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

from . import small_tokenizer
from .paths import TINY


@dataclass(frozen=True)
class Variant:
    """One random model. `spelling` is how config.json writes rope and vision: as on the hub, or as transformers 5 saves it."""

    name: str
    model_type: Literal["qwen3", "qwen3_vl"]
    dtype: Literal["float32", "bfloat16"]
    tied: bool
    shards: int
    spelling: Literal["hub", "transformers-5"]


VARIANTS = [
    Variant("qwen3", "qwen3", "float32", tied=True, shards=2, spelling="hub"),
    Variant("qwen3-bf16", "qwen3", "bfloat16", tied=False, shards=1, spelling="transformers-5"),
    Variant("qwen3-vl", "qwen3_vl", "float32", tied=False, shards=1, spelling="hub"),
    Variant("qwen3-vl-bf16", "qwen3_vl", "bfloat16", tied=True, shards=3, spelling="transformers-5"),
]

THETA = 5000.0
PATCH, MERGE = 8, 2


def _text(variant: Variant, head_dim: int, sections: list[int] | None) -> dict:
    rope: dict = {"rope_type": "default"}
    if sections:
        rope |= {"mrope_section": sections, "mrope_interleaved": True}
    config = {
        "vocab_size": small_tokenizer.VOCAB_SIZE,
        "hidden_size": 64,
        "intermediate_size": 64 if sections else 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": head_dim,  # neither hidden_size / num_attention_heads nor a power of two for the VLM
        "hidden_act": "silu",
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-6,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "tie_word_embeddings": variant.tied,
        "use_cache": True,
    }
    if variant.spelling == "hub":
        config |= {"rope_theta": THETA, "rope_scaling": rope if sections else None}
    else:
        config |= {"rope_parameters": rope | {"rope_theta": THETA}}
    return config


def _config(variant: Variant, folder: Path) -> dict:
    eos = small_tokenizer.token_id(folder, "<|im_end|>")
    dtype_key = "torch_dtype" if variant.spelling == "hub" else "dtype"
    if variant.model_type == "qwen3":
        return {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            dtype_key: variant.dtype,
            "eos_token_id": eos,
            **_text(variant, head_dim=32, sections=None),
            "use_sliding_window": False,
            "sliding_window": None,
        }
    return {
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "model_type": "qwen3_vl",
        dtype_key: variant.dtype,
        "eos_token_id": eos,
        "tie_word_embeddings": variant.tied,
        "image_token_id": small_tokenizer.token_id(folder, "<|image_pad|>"),
        "video_token_id": small_tokenizer.token_id(folder, "<|video_pad|>"),
        "vision_start_token_id": small_tokenizer.token_id(folder, "<|vision_start|>"),
        "vision_end_token_id": small_tokenizer.token_id(folder, "<|vision_end|>"),
        "text_config": {
            "model_type": "qwen3_vl_text",
            dtype_key: variant.dtype,
            **_text(variant, head_dim=24, sections=[6, 3, 3]),
        },
        "vision_config": {
            "model_type": "qwen3_vl" if variant.spelling == "hub" else "qwen3_vl_vision",
            "depth": 4,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "in_channels": 3,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": 2,
            "out_hidden_size": 64,
            "num_position_embeddings": 256,
            "deepstack_visual_indexes": [0, 2],
            "hidden_act": "gelu_pytorch_tanh",
        },
    }


def _processor(variant: Variant) -> dict:
    least, most = 32 * 32, 112 * 96
    pixels = (
        {"min_pixels": least, "max_pixels": most}
        if variant.spelling == "hub"
        else {"size": {"shortest_edge": least, "longest_edge": most}}
    )
    return {
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen3VLProcessor",
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "patch_size": PATCH,
        "temporal_patch_size": 2,
        "merge_size": MERGE,
        **pixels,
    }


def _values(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Random weights that make a lively model: norms near 1, linear layers that keep the variance, logits far apart."""
    noise = np.random.default_rng([seed, zlib.crc32(name.encode())]).standard_normal(shape, dtype=np.float32)
    if name.endswith("bias"):
        return 0.1 * noise
    if "norm" in name:
        return (1.6 if "q_norm" in name else 1.0) + 0.2 * noise
    if "pos_embed" in name:
        return 0.5 * noise
    if "embed_tokens" in name:
        return 0.3 * noise
    if "lm_head" in name:
        return 0.4 * noise
    fan_in = int(np.prod(shape[1:]))
    return noise * np.float32(1.2 / np.sqrt(fan_in))


def _save_weights(folder: Path, weights: dict[str, torch.Tensor], shards: int) -> None:
    if shards == 1:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names = list(weights)
    weight_map = {}
    for index in range(shards):
        part = names[index::shards]
        file = f"model-{index + 1:05}-of-{shards:05}.safetensors"
        save_file({name: weights[name] for name in part}, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, file)
    size = sum(tensor.numel() * tensor.element_size() for tensor in weights.values())
    index_file = {"metadata": {"total_size": size}, "weight_map": dict(sorted(weight_map.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index_file, indent=1) + "\n")


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def build(variant: Variant, folder: Path, seed: int) -> None:
    """Make the model folder anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    small_tokenizer.build(folder)
    shutil.copy(TINY / "chat_template.jinja", folder)
    config = _config(variant, folder)
    _write_json(folder / "config.json", config)
    _write_json(folder / "generation_config.json", {"do_sample": False, "eos_token_id": [config["eos_token_id"]]})
    if variant.model_type == "qwen3_vl":
        _write_json(folder / "preprocessor_config.json", _processor(variant))

    factory = AutoModelForCausalLM if variant.model_type == "qwen3" else AutoModelForImageTextToText
    shapes = factory.from_config(AutoConfig.from_pretrained(folder)).state_dict()
    weights = {
        name: torch.from_numpy(_values(name, tuple(tensor.shape), seed)).to(getattr(torch, variant.dtype))
        for name, tensor in sorted(shapes.items())
        if not (variant.tied and name == "lm_head.weight")
    }
    _save_weights(folder, weights, variant.shards)
