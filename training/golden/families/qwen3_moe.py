"""Qwen3 and Qwen3-VL with mixtures of experts, in the layouts of their published folders."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from mlx import nn

from ..models import Variant, _config
from ..qwen_experts import Family, Weights, build, build_quantised

_EXPERTS = {"num_experts": 5, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "decoder_sparse_step": 1}


def _text_config(folder: Path, dtype: str) -> dict:
    spelling = "hub" if dtype == "float32" else "transformers-5"
    config = _config(Variant("", "qwen3", dtype, tied=False, shards=1, spelling=spelling), folder)
    return config | {
        "architectures": ["Qwen3MoeForCausalLM"],
        "model_type": "qwen3_moe",
        "num_hidden_layers": 3,
        "intermediate_size": 96,
        "norm_topk_prob": dtype == "float32",
        "mlp_only_layers": [1],
        **_EXPERTS,
    }


def _vision_config(moe_intermediate_size: int, folder: Path, dtype: str) -> dict:
    spelling = "hub" if dtype == "float32" else "transformers-5"
    config = _config(Variant("", "qwen3_vl", dtype, tied=False, shards=1, spelling=spelling), folder)
    text = config["text_config"] | {"model_type": "qwen3_vl_moe_text", "mlp_only_layers": [], **_EXPERTS, "num_experts": 4}
    text["moe_intermediate_size"] = moe_intermediate_size
    return config | {
        "architectures": ["Qwen3VLMoeForConditionalGeneration"],
        "model_type": "qwen3_vl_moe",
        "text_config": text,
        "vision_config": config["vision_config"]
        | {"model_type": "qwen3_vl_moe" if spelling == "hub" else "qwen3_vl_moe_vision", "depth": 3},
    }


def _one_by_one(name: str, tensor: torch.Tensor) -> Weights:
    """The published folders of Qwen3-MoE have three matrices an expert."""
    path, _, projection = name.rpartition(".")
    if projection == "gate_up_proj":
        for index, matrix in enumerate(tensor):
            gate, up = matrix.chunk(2)
            yield f"{path}.{index}.gate_proj.weight", gate
            yield f"{path}.{index}.up_proj.weight", up
    elif projection == "down_proj":
        for index, matrix in enumerate(tensor):
            yield f"{path}.{index}.down_proj.weight", matrix
    else:
        yield name, tensor


def _inputs_first(name: str, tensor: torch.Tensor) -> Weights:
    """Those of Qwen3-VL-MoE have one tensor for all experts, (experts, in, out)."""
    yield name, tensor.transpose(1, 2) if ".experts." in name else tensor


def _mend_vision(model: Any) -> None:
    """mlx-vlm's tower of this family has the error function's GELU where transformers has the tanh's, and the other way round."""
    tower = model.vision_tower
    for block in tower.blocks:
        block.mlp.act_fn = nn.GELU(approx="tanh")
    for merger in [tower.merger, *tower.deepstack_merger_list]:
        merger.act_fn = nn.GELU()


_TEXT = Family(_text_config, _one_by_one, vision=False)
# transformers tells the layouts apart by each tensor's shape, so none may be square; MLX's groups of 32 must divide the inputs.
_VISION = Family(partial(_vision_config, 24), _inputs_first, vision=True)
_VISION_IN_GROUPS = Family(partial(_vision_config, 32), _inputs_first, vision=True)

BUILDERS = {
    "qwen3-moe": partial(build, "qwen3-moe", _TEXT, "float32"),
    "qwen3-moe-bf16": partial(build, "qwen3-moe-bf16", _TEXT, "bfloat16"),
    "qwen3-moe-4bit": partial(build_quantised, "qwen3-moe-4bit", _TEXT, 4),
    "qwen3-vl-moe": partial(build, "qwen3-vl-moe", _VISION, "float32"),
    "qwen3-vl-moe-8bit": partial(build_quantised, "qwen3-vl-moe-8bit", _VISION_IN_GROUPS, 8, mend=_mend_vision),
}
