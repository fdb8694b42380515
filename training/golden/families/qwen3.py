"""Qwen3 with YaRN, as its folders say to add it for long prompts."""

from functools import partial

from ..small_models import SmallModel, build
from . import llama


def _config(_ids: dict[str, int]) -> dict:
    text = llama.text_config(
        architectures=["Qwen3ForCausalLM"],
        torch_dtype="float32",
        head_dim=24,
        attention_bias=False,
        tie_word_embeddings=False,
        rope_theta=5000.0,
        rope_scaling={"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024},
        use_sliding_window=False,
        sliding_window=None,
    )
    return text | {"model_type": "qwen3"}


BUILDERS = {
    "qwen3-yarn": partial(
        build,
        SmallModel("qwen3-yarn", _config, template=llama.TEMPLATE, markers=llama.MARKERS, bos="<|begin_of_text|>", eos="<|eot_id|>"),
    )
}
