"""Mistral 3: as on the hub (its key names and layout), as transformers 5 writes it (SiLU, an inner feature layer) in bfloat16, and
converted by mlx-vlm to 4 bits; with a Ministral 3 half and a window."""

from functools import partial
from pathlib import Path

import torch
from PIL import Image

from ..cases import SCALED_CASES, VISION_CASES
from ..small_models import SmallModel, build, build_quantized, image_features
from .mistral import COMMON, ministral3_text_config, mistral_text_config

PATCH, MERGE = 8, 2


def _vision(**own) -> dict:
    return {
        "model_type": "pixtral",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "head_dim": 16,
        "num_channels": 3,
        "image_size": 96,
        "patch_size": PATCH,
        "attention_dropout": 0.0,
        **own,
    }


def _hub(ids: dict[str, int], act: str = "gelu") -> dict:
    return {
        "architectures": ["Mistral3ForConditionalGeneration"],
        "model_type": "mistral3",
        "torch_dtype": "float32",
        "image_token_index": ids["[IMG]"],
        "multimodal_projector_bias": False,
        "projector_hidden_act": "gelu",
        "spatial_merge_size": MERGE,
        "vision_feature_layer": -1,
        "tie_word_embeddings": False,
        "text_config": mistral_text_config(),
        "vision_config": _vision(hidden_act=act, rope_theta=1000.0),
    }


def _newer(ids: dict[str, int]) -> dict:
    text = mistral_text_config()
    rope = {"rope_type": "default", "rope_theta": text.pop("rope_theta")}
    return {
        "architectures": ["Mistral3ForConditionalGeneration"],
        "model_type": "mistral3",
        "dtype": "bfloat16",
        "image_token_index": ids["[IMG]"],
        "multimodal_projector_bias": True,
        "spatial_merge_size": MERGE,
        "vision_feature_layer": -2,
        "tie_word_embeddings": False,
        "text_config": text | {"rope_parameters": rope},
        "vision_config": _vision(hidden_act="silu", rope_parameters={"rope_type": "axial", "rope_theta": 10000.0}),
    }


def _ministral(ids: dict[str, int]) -> dict:
    """A Ministral 3 half; its window is shorter than a picture."""
    return _newer(ids) | {"dtype": "float32", "text_config": ministral3_text_config(sliding_window=21)}


_PIXTRAL = {"image_processor_type": "PixtralImageProcessor", "patch_size": PATCH, "size": {"longest_edge": 96}}
_PREPROCESSOR = {"preprocessor_config.json": _PIXTRAL | {"resample": 3, "processor_class": "PixtralProcessor"}}


def _places(height: int, width: int) -> str:
    """A picture's places: transformers' PixtralProcessor needs torchvision, so its layout is written down here again."""
    rows, columns = height // (PATCH * MERGE), width // (PATCH * MERGE)
    return "[IMG_BREAK]".join(["[IMG]" * columns] * rows) + "[IMG_END]"


def _expand(text: str, folder: Path, pictures: list[Image.Image]) -> tuple[str, dict[str, torch.Tensor]]:
    pixels = image_features(folder, pictures, patch_size=PATCH * MERGE)
    head, *tails = text.split("[IMG]")
    places = [_places(*size) for size in pixels["image_sizes"].tolist()]
    return head + "".join(place + tail for place, tail in zip(places, tails, strict=True)), pixels


def _features(model: torch.nn.Module, pixels: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat(list(model.get_image_features(**pixels).pooler_output))


def _as_on_the_hub(name: str) -> str:
    if name.startswith("model.language_model."):
        return name.replace("model.language_model.", "language_model.model.", 1)
    return "language_model." + name if name.startswith("lm_head.") else name.removeprefix("model.")


_common = {**COMMON, "files": _PREPROCESSOR, "expand": _expand, "features": _features}
# Pillow 13 shrinks a tall picture's rows first; the engine's arithmetic is the earlier one.
_SCALED = [case for case in SCALED_CASES if case.name != "tall"]
_HUB = SmallModel("mistral3", _hub, **_common, stored=_as_on_the_hub, cases=(*VISION_CASES, *_SCALED))
_MINISTRAL = SmallModel("mistral3-ministral", _ministral, **_common, cases=tuple(VISION_CASES))
_NEWER = SmallModel("mistral3-bf16", _newer, **_common, dtype="bfloat16", cases=tuple(VISION_CASES))
# mlx-vlm's tower knows SiLU only.
_SOURCE = SmallModel(
    "mistral3-4bit", partial(_hub, act="silu"), **_common, stored=_as_on_the_hub, cases=tuple(VISION_CASES)
)

BUILDERS = {model.name: partial(build, model) for model in [_HUB, _NEWER, _MINISTRAL]} | {
    _SOURCE.name: partial(build_quantized, _SOURCE, bits=4, group_size=32)
}
