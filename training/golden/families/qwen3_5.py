"""Qwen3.5, with and without experts, and their decoders alone: gated-delta layers, and attention in every third here."""

from functools import partial
from pathlib import Path

import torch

from ..models import Variant, _config
from ..qwen_experts import Family, Weights, build, build_quantised

_EXPERTS = {
    "num_experts": 3,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
    "shared_expert_intermediate_size": 32,
}


def _config_of(model_type: str, mlp: dict, folder: Path, dtype: str) -> dict:
    config = _config(Variant("", "qwen3_vl", dtype, tied="num_experts" in mlp, shards=1, spelling="transformers-5"), folder)
    text = {
        key: value
        for key, value in config["text_config"].items()
        if key not in ("intermediate_size", "rope_parameters")
    }
    text |= {
        "model_type": f"{model_type}_text",
        "num_hidden_layers": 3,
        "full_attention_interval": 3,
        "layer_types": ["linear_attention", "linear_attention", "full_attention"],
        "head_dim": 32,
        "linear_conv_kernel_dim": 4,
        "linear_key_head_dim": 16,
        "linear_value_head_dim": 24,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "attn_output_gate": True,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 5000.0,
            "partial_rotary_factor": 0.5,
            "mrope_section": [4, 2, 2],
            "mrope_interleaved": True,
        },
        **mlp,
    }
    vision = config["vision_config"] | {"model_type": model_type, "depth": 2}
    del vision["deepstack_visual_indexes"]
    return config | {
        "architectures": ["Qwen3_5MoeForConditionalGeneration" if "num_experts" in mlp else "Qwen3_5ForConditionalGeneration"],
        "model_type": model_type,
        "text_config": text,
        "vision_config": vision,
    }


def _as_it_is(name: str, tensor: torch.Tensor) -> Weights:
    yield name, tensor


def _tied(name: str, tensor: torch.Tensor) -> Weights:
    if name != "lm_head.weight":
        yield name, tensor


_DENSE = Family(partial(_config_of, "qwen3_5", {"intermediate_size": 64}), _as_it_is, vision=True, zero_centred=True)
_EXPERT = Family(partial(_config_of, "qwen3_5_moe", _EXPERTS), _tied, vision=True, zero_centred=True)



def _text_of(model_type: str, mlp: dict, folder: Path, dtype: str) -> dict:
    """The decoder as a model of its own: its fields at the top."""
    config = _config_of(model_type, mlp, folder, dtype)
    kept = {key: config[key] for key in ("eos_token_id", "tie_word_embeddings")}
    architecture = "Qwen3_5MoeForCausalLM" if "num_experts" in mlp else "Qwen3_5ForCausalLM"
    return config["text_config"] | kept | {"architectures": [architecture], "dtype": dtype}


_DENSE_TEXT = Family(partial(_text_of, "qwen3_5", {"intermediate_size": 64}), _as_it_is, vision=False, zero_centred=True)
_EXPERT_TEXT = Family(partial(_text_of, "qwen3_5_moe", _EXPERTS), _as_it_is, vision=False, zero_centred=True)

BUILDERS = {
    "qwen3-5-text": partial(build, "qwen3-5-text", _DENSE_TEXT, "float32"),
    "qwen3-5-moe-text": partial(build, "qwen3-5-moe-text", _EXPERT_TEXT, "float32"),
    "qwen3-5": partial(build, "qwen3-5", _DENSE, "float32"),
    "qwen3-5-bf16": partial(build, "qwen3-5-bf16", _DENSE, "bfloat16"),
    "qwen3-5-moe": partial(build, "qwen3-5-moe", _EXPERT, "float32"),
    "qwen3-5-moe-4bit": partial(build_quantised, "qwen3-5-moe-4bit", _EXPERT, 4),
}
