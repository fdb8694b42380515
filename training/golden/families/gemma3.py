"""Gemma 3 with pictures: pan and scan on, the hub's names; in bfloat16 without it, with the keys of transformers 5."""

from functools import partial
from pathlib import Path

import torch
from PIL import Image
from transformers import Gemma3Processor
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from ..cases import SCALED_CASES, VISION_CASES
from ..prompt import tokenizer
from ..small_models import SmallModel, build
from .gemma3_text import COMMON, HUB_ROPE, NEWER_ROPE, text_config

PATCH, SIDE, TOKENS = 8, 48, 9
_CROPS = {
    "do_pan_and_scan": True,
    "pan_and_scan_min_crop_size": 12,
    "pan_and_scan_max_num_crops": 3,
    "pan_and_scan_min_ratio_to_activate": 1.4,
}


def _preprocessor(**own) -> dict[str, dict]:
    config = {
        "image_processor_type": "Gemma3ImageProcessor",
        "processor_class": "Gemma3Processor",
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "resample": 2,
        "rescale_factor": 1 / 255,
        "size": {"height": SIDE, "width": SIDE},
        "image_seq_length": TOKENS,
    }
    return {"preprocessor_config.json": config | own}


def _config(ids: dict[str, int], text: dict, **own) -> dict:
    return {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "model_type": "gemma3",
        "boi_token_index": ids["<start_of_image>"],
        "eoi_token_index": ids["<end_of_image>"],
        "image_token_index": ids["<image_soft_token>"],
        "mm_tokens_per_image": TOKENS,
        "text_config": text,
        "vision_config": {
            "model_type": "siglip_vision_model",
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": SIDE,
            "patch_size": PATCH,
            "vision_use_head": False,
        },
        **own,
    }


def _hub(ids: dict[str, int]) -> dict:
    return _config(ids, text_config(sliding_window=14, num_hidden_layers=2, **HUB_ROPE | {"sliding_window_pattern": 2}), torch_dtype="float32")


def _newer(ids: dict[str, int]) -> dict:
    text = text_config(sliding_window=16, tie_word_embeddings=True, **NEWER_ROPE)
    return _config(ids, text, dtype="bfloat16", tie_word_embeddings=True)


def _stored(name: str) -> str:
    """As the hub's folders have it."""
    name = name.removeprefix("model.").replace("language_model.", "language_model.model.", 1)
    return name.replace("vision_tower.", "vision_tower.vision_model.", 1)


def _expand(text: str, folder: Path, pictures: list[Image.Image]) -> tuple[str, dict[str, torch.Tensor]]:
    """By the family's own processors, with Pillow's arithmetic."""
    words = tokenizer(folder)
    words.boi_token, words.eoi_token, words.image_token = "<start_of_image>", "<end_of_image>", "<image_soft_token>"
    words.boi_token_id, words.image_token_id = (words.convert_tokens_to_ids(t) for t in (words.boi_token, words.image_token))
    images = Gemma3ImageProcessorPil.from_pretrained(folder)
    processor = Gemma3Processor(image_processor=images, tokenizer=words, image_seq_length=TOKENS)
    options = {"do_pan_and_scan": bool(images.do_pan_and_scan)}
    features = images(pictures, return_tensors="pt", **options)
    pieces = text.split(words.boi_token)
    marks = [processor.replace_image_token({"num_crops": features["num_crops"]}, i) for i in range(len(pictures))]
    expanded = pieces[0] + "".join(mark + piece for mark, piece in zip(marks, pieces[1:], strict=True))
    return expanded, {"pixel_values": features["pixel_values"]}


def _features(model: torch.nn.Module, pixels: dict[str, torch.Tensor]) -> torch.Tensor:
    return model.get_image_features(pixels["pixel_values"]).pooler_output.flatten(0, 1)


def _types(ids: torch.Tensor, image_token: int) -> dict[str, torch.Tensor]:
    return {"token_type_ids": (ids == image_token).int()}


# The small tokenizer's <|image_pad|>.
_IMAGE_TOKEN = 378
# Not the tall picture: Pillow since 13 takes rows first where the height shrinks much more than the width, torchvision does not.
_CASES = (*VISION_CASES, SCALED_CASES[0], SCALED_CASES[2])
_common = {
    **COMMON,
    "cases": _CASES,
    "expand": _expand,
    "features": _features,
    "types": partial(_types, image_token=_IMAGE_TOKEN),
    "skipped": ("lm_head.weight",),
}
BUILDERS = {
    model.name: partial(build, model)
    for model in [
        SmallModel("gemma3", _hub, **_common, files=_preprocessor(**_CROPS), stored=_stored),
        SmallModel("gemma3-bf16", _newer, **_common, files=_preprocessor(do_pan_and_scan=None), dtype="bfloat16"),
    ]
}
