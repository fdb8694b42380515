"""Gemma 3 as a text model: windows shorter than the prompts, the hub's keys; untied in bfloat16 with those of transformers 5."""

import importlib.metadata
import tempfile
from functools import partial
from pathlib import Path

from .. import quantized, small_tokenizer
from ..fixture import Fixture
from ..paths import FIXTURES
from ..prompt import Prompt, tokenizer
from ..small_models import SEED_TRIES, SmallModel, build, inputs_of, write_model

MARKERS = {
    "<|endoftext|>": "<bos>",
    "<|im_start|>": "<start_of_turn>",
    "<|im_end|>": "<end_of_turn>",
    "<|vision_start|>": "<start_of_image>",
    "<|vision_end|>": "<end_of_image>",
    "<|vision_pad|>": "<eos>",
    "<|image_pad|>": "<image_soft_token>",
    "<|video_pad|>": "<unused0>",
}
# There is no system role: what the system says opens the user's first turn.
TEMPLATE = """{{- bos_token }}
{%- set opening = '' %}
{%- set turns = messages %}
{%- if messages[0].role == 'system' %}
    {%- set opening = (messages[0].content if messages[0].content is string else messages[0].content[0].text) + '\\n\\n' %}
    {%- set turns = messages[1:] %}
{%- endif %}
{%- for message in turns %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
    {{- '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\\n' + (opening if loop.first else '') }}
    {%- if message.content is string %}
        {{- message.content | trim }}
    {%- else %}
        {%- for part in message.content %}
            {{- '<start_of_image>' if part.type == 'image' else part.text | trim }}
        {%- endfor %}
    {%- endif %}
    {{- '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<start_of_turn>model\\n' }}
{%- endif %}
"""
# Embeddings are scaled up by the root of their width: as large as usual, a tied model would only repeat its last token.
SCALES = {"embed_tokens": 0.25}
COMMON = {"template": TEMPLATE, "markers": MARKERS, "bos": "<bos>", "eos": "<end_of_turn>", "scales": SCALES}


def text_config(**own) -> dict:
    return {
        "model_type": "gemma3_text",
        "vocab_size": small_tokenizer.VOCAB_SIZE,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 24,
        "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-6,
        "query_pre_attn_scalar": 40,
        "pad_token_id": 0,
        **own,
    }


HUB_ROPE = {
    "rope_theta": 5000.0,
    "rope_local_base_freq": 500.0,
    "rope_scaling": {"rope_type": "linear", "factor": 8.0},
    "sliding_window_pattern": 3,
}
NEWER_ROPE = {
    "rope_parameters": {
        "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 500.0},
    },
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
}


def _hub(_ids: dict[str, int]) -> dict:
    own = {"architectures": ["Gemma3ForCausalLM"], "torch_dtype": "float32", "sliding_window": 17}
    return text_config(**own, **HUB_ROPE)


def _newer(_ids: dict[str, int]) -> dict:
    own = {"architectures": ["Gemma3ForCausalLM"], "dtype": "bfloat16", "sliding_window": 12, "tie_word_embeddings": False}
    return text_config(**own, **NEWER_ROPE)


_TEXT = SmallModel("gemma3-text", _hub, **COMMON, skipped=("lm_head.weight",))
_NEWER = SmallModel("gemma3-text-bf16", _newer, **COMMON, dtype="bfloat16")


def _attempt(recipe: quantized.Recipe, folder: Path, seed: int) -> list[tuple] | None:
    with tempfile.TemporaryDirectory() as source:
        write_model(_TEXT, Path(source), seed)
        tokenizer.cache_clear()
        quantized._convert(recipe, Path(source), folder, vision=False)
        inputs = [(case, inputs_of(_TEXT, Path(source), case)) for case in _TEXT.cases]
    special = set(tokenizer(folder).added_tokens_decoder)
    oracle, done = quantized._Model(folder, vision=False), []
    for case, given in inputs:
        prompt = Prompt(given.text, given.token_ids, None, None, None)
        answer = oracle.answer(prompt, special)
        if answer is None:
            return None
        done.append((case, prompt, answer))
    return done


def _build_quantized() -> int:
    """The first model whose greedy answers are clear after mlx-lm quantised it. Returns the seed."""
    recipe = quantized.Recipe("gemma3-text-4bit", "gemma3-text", bits=4, group_size=32, dtype="float32")
    folder = FIXTURES / recipe.name
    folder.mkdir(exist_ok=True)
    for seed in range(SEED_TRIES):
        done = _attempt(recipe, folder / "model", seed)
        if done:
            break
    else:
        raise RuntimeError(f"{recipe.name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    about = {
        "oracle": f"mlx-lm {importlib.metadata.version('mlx-lm')}",
        "model_type": "gemma3_text",
        "stored_dtype": recipe.dtype,
        "computed_dtype": "float32",
        "seed": seed,
    }
    fixture = Fixture(folder, about, folder / "model")
    for case, prompt, answer in done:
        fixture.add(case, prompt, answer, rows=12)
    fixture.write()
    return seed


BUILDERS = {model.name: partial(build, model) for model in [_TEXT, _NEWER]} | {"gemma3-text-4bit": _build_quantized}
