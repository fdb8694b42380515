"""Llama: with every bias, an odd head size and Llama 3's rope scaling; tied in bfloat16 with YaRN and the keys of transformers 5."""

from functools import partial

from .. import small_tokenizer
from ..small_models import SmallModel, build

MARKERS = {
    "<|endoftext|>": "<|begin_of_text|>",
    "<|im_start|>": "<|end_of_text|>",
    "<|im_end|>": "<|eot_id|>",
    "<|vision_start|>": "<|start_header_id|>",
    "<|vision_end|>": "<|end_header_id|>",
    "<|vision_pad|>": "<|python_tag|>",
    "<|image_pad|>": "<image>",
}
TEMPLATE = """{{- bos_token }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}
    {%- if message.content is string %}
        {{- message.content | trim }}
    {%- else %}
        {%- for part in message.content %}
            {{- '<image>\\n' if part.type == 'image' else part.text }}
        {%- endfor %}
    {%- endif %}
    {{- '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""


def text_config(**own) -> dict:
    return {
        "model_type": "llama",
        "vocab_size": small_tokenizer.VOCAB_SIZE,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "hidden_act": "silu",
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
        **own,
    }


def _hub(_ids: dict[str, int]) -> dict:
    scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    return text_config(
        architectures=["LlamaForCausalLM"],
        torch_dtype="float32",
        head_dim=24,
        attention_bias=True,
        mlp_bias=True,
        tie_word_embeddings=False,
        rope_theta=5000.0,
        rope_scaling=scaling | {"original_max_position_embeddings": 128},
    )


def _newer(_ids: dict[str, int]) -> dict:
    rope = {"rope_type": "yarn", "rope_theta": 5000.0, "factor": 4.0, "original_max_position_embeddings": 1024}
    return text_config(
        architectures=["LlamaForCausalLM"],
        dtype="bfloat16",
        num_key_value_heads=4,
        tie_word_embeddings=True,
        rope_parameters=rope,
    )


_common = {"template": TEMPLATE, "markers": MARKERS, "bos": "<|begin_of_text|>", "eos": "<|eot_id|>"}
BUILDERS = {
    model.name: partial(build, model)
    for model in [
        SmallModel("llama", _hub, **_common),
        SmallModel("llama-bf16", _newer, **_common, dtype="bfloat16", skipped=("lm_head.weight",)),
    ]
}
