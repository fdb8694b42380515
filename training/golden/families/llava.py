"""LLaVA on CLIP's tower: a Llama half as on the hub; as transformers 5 writes it, in bfloat16, with a Mistral half, GELU, two feature
layers and the class token; a SigLIP tower and a Qwen2 half. LLaVA-NeXT: tiles of a grid chosen by the picture's size; with a Mistral half
and its window, and with a Qwen2 half."""

from functools import partial
from pathlib import Path

import torch
from PIL import Image
from transformers.image_processing_utils import select_best_resolution

from ..cases import SCALED_CASES, VISION_CASES
from ..small_models import SmallModel, build, image_features
from . import llama, mistral

SIDE, PATCH = 32, 8
PINPOINTS = [[32, 64], [64, 32], [64, 64], [96, 32], [32, 96]]


def _vision(**own) -> dict:
    return {
        "model_type": "clip_vision_model",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": PATCH,
        "projection_dim": 32,
        **own,
    }


def _hub(ids: dict[str, int]) -> dict:
    return {
        "architectures": ["LlavaForConditionalGeneration"],
        "model_type": "llava",
        "torch_dtype": "float32",
        "image_token_index": ids["<image>"],
        "projector_hidden_act": "gelu",
        "vision_feature_layer": -2,
        "vision_feature_select_strategy": "default",
        "text_config": llama.text_config(rope_theta=5000.0),
        "vision_config": _vision(),
    }


def _newer(ids: dict[str, int]) -> dict:
    text = mistral.mistral_text_config(tie_word_embeddings=False)
    rope = {"rope_type": "default", "rope_theta": text.pop("rope_theta")}
    return _hub(ids) | {
        "dtype": "bfloat16",
        "vision_feature_layer": [-1, 1],
        "vision_feature_select_strategy": "full",
        "multimodal_projector_bias": True,
        "tie_word_embeddings": False,
        "text_config": text | {"rope_parameters": rope},
        "vision_config": _vision(hidden_act="gelu"),
    }


def _qwen2_text() -> dict:
    text = llama.text_config(rope_theta=5000.0, tie_word_embeddings=False)
    return text | {"model_type": "qwen2", "use_sliding_window": False}


def _siglip(ids: dict[str, int]) -> dict:
    vision = {name: value for name, value in _vision().items() if name != "projection_dim"}
    return _hub(ids) | {
        "vision_feature_layer": -1,
        "vision_feature_select_strategy": "full",
        "text_config": _qwen2_text(),
        "vision_config": vision | {"model_type": "siglip_vision_model", "vision_use_head": False},
    }


def _next_mistral(ids: dict[str, int]) -> dict:
    return _next(ids) | {"text_config": mistral.mistral_text_config(sliding_window=23)}


def _next_qwen2(ids: dict[str, int]) -> dict:
    return _next(ids) | {"text_config": _qwen2_text()}


def _next(ids: dict[str, int]) -> dict:
    return _hub(ids) | {
        "architectures": ["LlavaNextForConditionalGeneration"],
        "model_type": "llava_next",
        "image_grid_pinpoints": PINPOINTS,
        "use_image_newline_parameter": True,
    }


_CLIP = {
    "image_processor_type": "CLIPImageProcessor",
    "size": {"shortest_edge": SIDE},
    "crop_size": {"height": SIDE, "width": SIDE},
    "resample": 3,
}
_SIGLIP = {
    "image_processor_type": "SiglipImageProcessor",
    "size": {"height": SIDE, "width": SIDE},
    "resample": 3,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
_NEXT = _CLIP | {"image_processor_type": "LlavaNextImageProcessor", "image_grid_pinpoints": PINPOINTS}


def _repeat(text: str, counts: list[int]) -> str:
    head, *tails = text.split("<image>")
    return head + "".join("<image>" * count + tail for count, tail in zip(counts, tails, strict=True))


def _expand(text: str, folder: Path, pictures: list[Image.Image], count: int) -> tuple[str, dict[str, torch.Tensor]]:
    return _repeat(text, [count] * len(pictures)), image_features(folder, pictures)


def _count(size: tuple[int, int]) -> int:
    """Tokens of a picture in LLaVA-NeXT: its base, and the tiles' rows without the padding, each with a newline."""
    (height, width), side = size, SIDE // PATCH
    best = select_best_resolution((height, width), PINPOINTS)
    rows, columns = (edge // SIDE * side for edge in best)
    if width / height > columns / rows:
        rows -= (rows - int(round(height * (columns / width), 7))) // 2 * 2
    else:
        columns -= (columns - int(round(width * (rows / height), 7))) // 2 * 2
    return side * side + rows * (columns + 1)


def _expand_next(text: str, folder: Path, pictures: list[Image.Image]) -> tuple[str, dict[str, torch.Tensor]]:
    pixels = image_features(folder, pictures)
    return _repeat(text, [_count(size) for size in pixels["image_sizes"].tolist()]), pixels


def _features(model: torch.nn.Module, pixels: dict[str, torch.Tensor]) -> torch.Tensor:
    features = model.get_image_features(**pixels).pooler_output
    return torch.cat([part.reshape(-1, part.shape[-1]) for part in features]) if isinstance(features, (list, tuple)) else features


def _as_on_the_hub(name: str) -> str:
    if name.startswith("model.language_model."):
        return name.replace("model.language_model.", "language_model.model.", 1)
    if name.startswith("model.vision_tower."):
        return name.replace("model.vision_tower.", "vision_tower.vision_model.", 1)
    return "language_model." + name if name.startswith("lm_head.") else name.removeprefix("model.")


_LLAMA = {
    "template": llama.TEMPLATE, "markers": llama.MARKERS, "bos": "<|begin_of_text|>", "eos": "<|eot_id|>", "features": _features,
}  # fmt: skip
_MISTRAL = {
    **mistral.COMMON,
    "markers": mistral.MARKERS | {"<|image_pad|>": "<image>"},
    "template": mistral.TEMPLATE.replace("[IMG]", "<image>"),
    "features": _features,
}
_PATCHES = (SIDE // PATCH) ** 2
# Pillow 13 shrinks a tall picture's rows first; the engine's arithmetic is the earlier one.
_CASES = (*VISION_CASES, *(case for case in SCALED_CASES if case.name != "tall"))
_NEXT_FILES = {"files": {"preprocessor_config.json": _NEXT}}
_FILES = {"files": {"preprocessor_config.json": _CLIP}}
BUILDERS = {
    model.name: partial(build, model)
    for model in [
        SmallModel("llava", _hub, **_LLAMA, **_FILES, expand=partial(_expand, count=_PATCHES), stored=_as_on_the_hub, cases=_CASES),
        SmallModel(
            "llava-bf16", _newer, **_MISTRAL, **_FILES, expand=partial(_expand, count=_PATCHES + 1), cases=tuple(VISION_CASES), dtype="bfloat16"
        ),
        SmallModel(
            "llava-siglip",
            _siglip,
            **_LLAMA,
            files={"preprocessor_config.json": _SIGLIP},
            expand=partial(_expand, count=_PATCHES),
            stored=_as_on_the_hub,
            cases=_CASES,
        ),
        SmallModel(
            "llava-next-mistral", _next_mistral, **_MISTRAL, **_NEXT_FILES, expand=_expand_next, stored=_as_on_the_hub, cases=tuple(VISION_CASES)
        ),
        SmallModel(
            "llava-next-qwen2", _next_qwen2, **_LLAMA, **_NEXT_FILES, expand=_expand_next, stored=_as_on_the_hub, cases=tuple(VISION_CASES)
        ),
        SmallModel(
            "llava-next", _next, **_LLAMA, files={"preprocessor_config.json": _NEXT}, expand=_expand_next, stored=_as_on_the_hub, cases=_CASES
        ),
    ]
}
