"""Mistral as a text model: heads of a size of their own, no window of attention."""

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


BUILDERS = {model.name: partial(build, model) for model in [SmallModel("mistral", _config, **COMMON)]}
