"""Phi-3: heads rotated in part and longrope, whose prompts lie on both sides of its border; a window and all of a head in bfloat16."""

from functools import partial

from .. import small_tokenizer
from ..small_models import SmallModel, build

MARKERS = {
    "<|endoftext|>": "<|endoftext|>",
    "<|im_start|>": "<s>",
    "<|im_end|>": "<|end|>",
    "<|vision_start|>": "<|user|>",
    "<|vision_end|>": "<|assistant|>",
    "<|vision_pad|>": "<|system|>",
}
TEMPLATE = """{%- for message in messages %}
    {{- '<|' + message.role + '|>\\n' + message.content + '<|end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>\\n' }}
{%- endif %}
"""


def _config(**own) -> dict:
    return {
        "architectures": ["Phi3ForCausalLM"],
        "model_type": "phi3",
        "vocab_size": small_tokenizer.VOCAB_SIZE,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "hidden_act": "silu",
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5,
        "pad_token_id": 0,
        **own,
    }


def _hub(_ids: dict[str, int]) -> dict:
    scaling = {
        "type": "longrope",
        "short_factor": [1.0 + 0.1 * i for i in range(6)],
        "long_factor": [1.5 + 2.0 * i for i in range(6)],
    }
    return _config(
        torch_dtype="float32",
        rope_theta=5000.0,
        rope_scaling=scaling,
        partial_rotary_factor=0.75,
        original_max_position_embeddings=128,
        sliding_window=None,
        tie_word_embeddings=False,
    )


def _border(ids: dict[str, int]) -> dict:
    """Longrope's border lies a few tokens after the shortest prompt: its answer crosses it."""
    return _hub(ids) | {"original_max_position_embeddings": 26, "tie_word_embeddings": True}


def _newer(_ids: dict[str, int]) -> dict:
    rope = {"rope_type": "default", "rope_theta": 5000.0, "partial_rotary_factor": 1.0}
    return _config(dtype="bfloat16", rope_parameters=rope, sliding_window=19, tie_word_embeddings=False)


_common = {"template": TEMPLATE, "markers": MARKERS, "bos": "<s>", "eos": "<|end|>"}
BUILDERS = {
    model.name: partial(build, model)
    for model in [
        SmallModel("phi3", _hub, **_common),
        SmallModel("phi3-border", _border, **_common, skipped=("lm_head.weight",)),
        SmallModel("phi3-bf16", _newer, **_common, dtype="bfloat16"),
    ]
}
