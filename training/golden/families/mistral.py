"""Mistral as a text model: heads of a size of their own, without a window of attention and with one that prompts outgrow. Ministral 3: YaRN,
queries that grow with their position."""

from functools import partial

from ..small_models import SmallModel, build
from .llama import text_config

MARKERS = {
    "<|endoftext|>": "<s>",
    "<|im_start|>": "[INST]",
    "<|im_end|>": "</s>",
    "<|vision_start|>": "[/INST]",
    "<|vision_end|>": "[SYSTEM_PROMPT]",
    "<|vision_pad|>": "[/SYSTEM_PROMPT]",
    "<|image_pad|>": "[IMG]",
    "<|video_pad|>": "[IMG_BREAK]",
    "<tool_call>": "[IMG_END]",
}
TEMPLATE = """{{- bos_token }}
{%- macro content_of(content) %}
    {%- if content is string %}
        {{- content }}
    {%- else %}
        {%- for part in content %}
            {{- '[IMG]' if part.type == 'image' else part.text }}
        {%- endfor %}
    {%- endif %}
{%- endmacro %}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {{- '[SYSTEM_PROMPT]' + content_of(message.content) + '[/SYSTEM_PROMPT]' }}
    {%- elif message.role == 'user' %}
        {{- '[INST]' + content_of(message.content) + '[/INST]' }}
    {%- else %}
        {{- content_of(message.content) + eos_token }}
    {%- endif %}
{%- endfor %}
"""
COMMON = {"template": TEMPLATE, "markers": MARKERS, "bos": "<s>", "eos": "</s>"}


def mistral_text_config(**own) -> dict:
    return text_config(**{"head_dim": 32, "sliding_window": None, "rope_theta": 100000.0, **own}) | {"model_type": "mistral"}


def _config(_ids: dict[str, int]) -> dict:
    return mistral_text_config(architectures=["MistralForCausalLM"], torch_dtype="float32", tie_word_embeddings=False)


def _windowed(ids: dict[str, int]) -> dict:
    return _config(ids) | {"sliding_window": 19}


def ministral3_text_config(**own) -> dict:
    """Prompts cross several steps of the queries' growth."""
    rope = {
        "rope_type": "yarn",
        "rope_theta": 10000.0,
        "factor": 16.0,
        "original_max_position_embeddings": 24,
        "max_position_embeddings": 384,
        "beta_fast": 32.0,
        "beta_slow": 1.0,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
        "llama_4_scaling_beta": 0.1,
    }
    text = mistral_text_config(rope_parameters=rope, **own) | {"model_type": "ministral3"}
    del text["rope_theta"]
    return text


def _ministral3(_ids: dict[str, int]) -> dict:
    return ministral3_text_config(architectures=["Ministral3ForCausalLM"], dtype="bfloat16", tie_word_embeddings=True)


BUILDERS = {
    model.name: partial(build, model)
    for model in [
        SmallModel("mistral", _config, **COMMON),
        SmallModel("mistral-window", _windowed, **COMMON),
        SmallModel("ministral3-bf16", _ministral3, **COMMON, dtype="bfloat16", skipped=("lm_head.weight",)),
    ]
}
