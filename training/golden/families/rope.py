"""Frequencies and attention factors of every way to scale rotary positions, by transformers' own functions."""

import json

import transformers
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from ..paths import FIXTURES

_MAX = 4096
_THETA = 10000.0
_HEAD = 64

_SHORT = [1.0 + 0.05 * i for i in range(32)]
_LONG = [1.0 + 1.5 * i for i in range(32)]

# name: (rope parameters, lengths, fields of the config that differ)
_CASES: dict[str, tuple[dict, list[int], dict]] = {
    "linear": ({"rope_type": "linear", "factor": 8.0}, [10], {}),
    "older-type": ({"type": "linear", "factor": 2.5}, [10], {}),
    "partial": ({"rope_type": "linear", "factor": 4.0, "partial_rotary_factor": 0.5}, [10], {}),
    "dynamic": ({"rope_type": "dynamic", "factor": 4.0}, [10, _MAX, _MAX + 1, 3 * _MAX], {}),
    "llama3": (
        {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 1024,
        },
        [10],
        {"rope_theta": 500000.0},
    ),
    "yarn": ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024}, [10], {}),
    "yarn-without-factor": (
        {"rope_type": "yarn", "factor": None, "original_max_position_embeddings": 512, "beta_fast": 16, "beta_slow": 2},
        [10],
        {},
    ),
    "yarn-mscale": (
        {
            "rope_type": "yarn",
            "factor": 40.0,
            "original_max_position_embeddings": 1024,
            "mscale": 1.0,
            "mscale_all_dim": 0.707,
            "truncate": False,
        },
        [10],
        {"rope_theta": 150000.0},
    ),
    "yarn-attention-factor": ({"rope_type": "yarn", "factor": 2.0, "attention_factor": 0.9}, [10], {}),
    "longrope": (
        {
            "rope_type": "longrope",
            "short_factor": _SHORT,
            "long_factor": _LONG,
            "original_max_position_embeddings": 1024,
        },
        [10, 1024, 1025],
        {},
    ),
    "longrope-factors": (
        {
            "rope_type": "longrope",
            "short_factor": _SHORT,
            "long_factor": _LONG,
            "factor": 32.0,
            "original_max_position_embeddings": 1024,
        },
        [10, 2000],
        {},
    ),
    "longrope-attention-factor": (
        {
            "rope_type": "longrope",
            "short_factor": _SHORT,
            "long_factor": _LONG,
            "attention_factor": 1.25,
            "original_max_position_embeddings": 1024,
        },
        [10, 2000],
        {},
    ),
}


def _case(name: str) -> dict:
    parameters, lengths, fields = _CASES[name]
    theta = fields.get("rope_theta", _THETA)
    config = LlamaConfig(
        head_dim=_HEAD,
        hidden_size=128,
        num_attention_heads=2,
        max_position_embeddings=_MAX,
        rope_parameters={**parameters, "rope_theta": theta},
    )
    config.standardize_rope_params()
    init = ROPE_INIT_FUNCTIONS[config.rope_parameters["rope_type"]]
    answers = []
    for length in lengths:
        frequencies, factor = init(config, "cpu", seq_len=length)
        answers.append({"length": length, "inverse_frequencies": frequencies.tolist(), "attention_factor": float(factor)})
    return {
        "name": name,
        "head_dim": _HEAD,
        "rope_theta": theta,
        "max_position_embeddings": _MAX,
        "rope_scaling": parameters,
        "answers": answers,
    }


def build() -> int:
    """Write rope/frequencies.json. Nothing is random."""
    folder = FIXTURES / "rope"
    folder.mkdir(exist_ok=True)
    text = json.dumps({"oracle": f"transformers {transformers.__version__}", "cases": [_case(name) for name in _CASES]})
    (folder / "frequencies.json").write_text(text + "\n", encoding="utf-8")
    return 0


BUILDERS = {"rope": build}
