"""Idefics3 and SmolVLM: pictures cut into tiles, their places spelt out by transformers' own processors."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import torch
from PIL import Image
from transformers.models.idefics3.processing_idefics3 import Idefics3Processor
from transformers.models.smolvlm.processing_smolvlm import get_image_prompt_string

from ..cases import SCALED_CASES, VISION_CASES
from ..small_models import SmallModel, build, build_quantized, image_features
from .llama import text_config

# Without the tall one: Pillow 13 shrinks its height before its width, which earlier ones and torchvision do not.
_SCALED = [case for case in SCALED_CASES if case.name != "tall"]
_IMAGE, _BORDER, _GLOBAL = "<image>", "<fake_token_around_image>", "<global-img>"
# Idefics3's tokenizer reads tags of tiles as text, SmolVLM's has tokens for them.
_MARKERS = {
    "<|endoftext|>": "<|begin_of_text|>",
    "<|im_end|>": "<end_of_utterance>",
    "<|vision_start|>": _BORDER,
    "<|image_pad|>": _IMAGE,
}
_SMOL_MARKERS = {
    "<|im_end|>": "<end_of_utterance>",
    "<|vision_start|>": _BORDER,
    "<|vision_end|>": _GLOBAL,
    "<|vision_pad|>": "<row_1_col_1>",
    "<|video_pad|>": "<row_2_col_1>",
    "<|image_pad|>": _IMAGE,
}
_TEMPLATE = """{{- '%s' }}
{%%- for message in messages %%}
    {{- message.role | capitalize }}
    {%%- if message.content is string %%}
        {{- ': ' + message.content }}
    {%%- else %%}
        {{- ':' if message.content and message.content[0].type == 'image' else ': ' }}
        {%%- for part in message.content %%}
            {{- '<image>' if part.type == 'image' else part.text }}
        {%%- endfor %%}
    {%%- endif %%}
    {{- '<end_of_utterance>\\n' }}
{%%- endfor %%}
{%%- if add_generation_prompt %%}
    {{- 'Assistant:' }}
{%%- endif %%}
"""


def _vision(image_size: int, patch: int, **own) -> dict:
    return {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": image_size,
        "patch_size": patch,
        **own,
    }


def _idefics3(ids: dict[str, int]) -> dict:
    return {
        "architectures": ["Idefics3ForConditionalGeneration"],
        "model_type": "idefics3",
        "torch_dtype": "float32",
        "image_token_id": ids[_IMAGE],
        "scale_factor": 2,
        "tie_word_embeddings": False,
        "text_config": text_config(rope_theta=5000.0),
        # Nine positions a side were learned, a tile has six patches.
        "vision_config": _vision(36, 4, model_type="idefics3_vision"),
    }


def _smolvlm(dtype: str, ids: dict[str, int]) -> dict:
    rope = {"rope_type": "default", "rope_theta": 5000.0}
    return {
        "architectures": ["SmolVLMForConditionalGeneration"],
        "model_type": "smolvlm",
        "dtype": dtype,
        "image_token_id": ids[_IMAGE],
        "scale_factor": 3,
        "tie_word_embeddings": True,
        "text_config": text_config(dtype=dtype, head_dim=16, rope_parameters=rope),
        "vision_config": _vision(26, 4, model_type="smolvlm_vision"),
    }


def _processor(kind: str, longest: int, tile: int) -> dict:
    return {
        "image_processor_type": f"{kind}ImageProcessor",
        "processor_class": f"{kind}Processor",
        "do_image_splitting": True,
        "do_resize": True,
        "resample": 1,
        "size": {"longest_edge": longest},
        "max_image_size": {"longest_edge": tile},
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }


def _expand(kind: str, tokens: int, text: str, folder: Path, pictures: list[Image.Image]) -> tuple[str, dict[str, torch.Tensor]]:
    features = image_features(folder, [pictures], return_row_col_info=True)
    rows, columns = features.pop("rows"), features.pop("cols")
    words = SimpleNamespace(fake_image_token=_BORDER, image_token=_IMAGE, global_image_tag=_GLOBAL, image_seq_len=tokens)
    head, *tails = text.split(_IMAGE)
    expanded = head
    for index, tail in enumerate(tails):
        if kind == "SmolVLM":
            expanded += get_image_prompt_string(rows[0][index], columns[0][index], tokens, _BORDER, _IMAGE, _GLOBAL)
        else:
            expanded += Idefics3Processor.replace_image_token(words, {"rows": rows, "cols": columns}, index)
        expanded += tail
    return expanded, features


def _features(model: torch.nn.Module, pixels: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat(model.get_image_features(**pixels).pooler_output)


def _model(name: str, kind: str, dtype: str = "float32") -> SmallModel:
    smol = kind == "SmolVLM"
    # In SmolVLM's, two pixels of a tile are left over on the right and below.
    longest, tile, tokens = (50, 26, 4) if smol else (60, 24, 9)
    return SmallModel(
        name,
        partial(_smolvlm, dtype) if smol else _idefics3,
        template=_TEMPLATE % ("<|im_start|>" if smol else "<|begin_of_text|>"),
        markers=_SMOL_MARKERS if smol else _MARKERS,
        bos="<|im_start|>" if smol else "<|begin_of_text|>",
        eos="<end_of_utterance>",
        dtype=dtype,
        cases=tuple(VISION_CASES + _SCALED if name == "smolvlm" else VISION_CASES),
        files={"preprocessor_config.json": _processor(kind, longest, tile)},
        expand=partial(_expand, kind, tokens),
        features=_features,
        skipped=("lm_head.weight",) if smol else (),
    )


BUILDERS = {
    model.name: partial(build, model)
    for model in [_model("idefics3", "Idefics3"), _model("smolvlm", "SmolVLM"), _model("smolvlm-bf16", "SmolVLM", "bfloat16")]
} | {"idefics3-4bit": partial(build_quantized, _model("idefics3-4bit", "Idefics3"), bits=4, group_size=32)}
