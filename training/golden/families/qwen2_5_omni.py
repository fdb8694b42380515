"""Qwen2.5-Omni: the thinker with a random model's talker beside it, as on the hub, and alone in bfloat16, as transformers 5 saves it."""

from collections.abc import Iterator
from functools import partial

import torch
from transformers import Qwen2_5OmniProcessor, Qwen2_5OmniThinkerConfig, Qwen2_5OmniThinkerForConditionalGeneration

from .. import small_tokenizer, sounds
from ..cases import Case, _user
from ..omni import MELS, OmniModel, build, cases, feature_extractor, sound

THETA = 5000.0
MARKS = {
    **{kind: f"<|{kind.upper()}|>" for kind in ("image", "audio", "video")},
    **{f"{kind}_{end}": f"<|{kind}_{end}|>" for kind in ("vision", "audio") for end in ("bos", "eos")},
}
CASES = cases("beeps.wav", "sweep.wav")
EDGE_CASES = [
    Case("shortest_sound", [_user(sound("click.wav"), "What is this sound?")]),
    Case("silence", [_user("Do you hear anything? ", sound("silence.wav"))]),
]


class _Processor(Qwen2_5OmniProcessor):
    """Without its part for videos, which needs torchvision."""

    def check_argument_for_proper_class(self, argument_name, argument):
        return type(argument) if argument is None else super().check_argument_for_proper_class(argument_name, argument)


def _thinker(ids: dict[str, int], whole: bool) -> dict:
    sections = {"mrope_section": [2, 3, 3]}
    if whole:
        rope = {"rope_theta": THETA, "rope_scaling": {"type": "default", "rope_type": "default", **sections}}
    else:
        rope = {"rope_parameters": {"rope_type": "default", "rope_theta": THETA, **sections}}
    return {
        "model_type": "qwen2_5_omni_thinker",
        "audio_token_index": ids["<|AUDIO|>"],
        "image_token_index": ids["<|IMAGE|>"],
        "video_token_index": ids["<|VIDEO|>"],
        "audio_start_token_id": ids["<|audio_bos|>"],
        "audio_end_token_id": ids["<|audio_eos|>"],
        "vision_start_token_id": ids["<|vision_bos|>"],
        "vision_end_token_id": ids["<|vision_eos|>"],
        "position_id_per_seconds": 25,
        "seconds_per_chunk": 2,
        "text_config": {
            "model_type": "qwen2_5_omni_text",
            "vocab_size": small_tokenizer.VOCAB_SIZE,
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "hidden_act": "silu",
            "max_position_embeddings": 4096,
            "max_window_layers": 2,
            "rms_norm_eps": 1e-6,
            "sliding_window": 4096,
            "use_sliding_window": False,
            **rope,
        },
        "vision_config": {
            "model_type": "qwen2_5_omni_vision_encoder",
            "depth": 3,
            "num_heads": 2,
            "hidden_size": 16,
            "intermediate_size": 28,
            "out_hidden_size": 64,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "in_channels": 3,
            "window_size": 56,
            "fullatt_block_indexes": [1],
            "tokens_per_second": 25,
            "hidden_act": "silu",
        },
        "audio_config": {
            "model_type": "qwen2_5_omni_audio_encoder",
            "num_mel_bins": MELS,
            "d_model": 32,
            "encoder_layers": 2,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 48,
            "activation_function": "gelu",
            "max_source_positions": 60,
            # Windows of 26 frames: 13 rows, so that the rows averaged lie in two windows at times.
            "n_window": 13,
            "output_dim": 64,
        },
    }


def _config(ids: dict[str, int], whole: bool) -> dict:
    thinker = _thinker(ids, whole)
    end = {"eos_token_id": ids["<|im_end|>"]}
    if not whole:
        name = Qwen2_5OmniThinkerForConditionalGeneration.__name__
        return {"architectures": [name], "dtype": "bfloat16", "tie_word_embeddings": False, **thinker, **end}
    return {
        "architectures": ["Qwen2_5OmniModel"],
        "model_type": "qwen2_5_omni",
        "torch_dtype": "float32",
        "enable_audio_output": True,
        "thinker_config": thinker | end,
        "talker_config": {"model_type": "qwen2_5_omni_talker"},
        "token2wav_config": {"model_type": "qwen2_5_omni_token2wav"},
    }


PROCESSOR = {
    "processor_class": "Qwen2_5OmniProcessor",
    "image_processor_type": "Qwen2VLImageProcessor",
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "min_pixels": 8000,
    "max_pixels": 18000,
    **feature_extractor(),
}


def _published(name: str, tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    yield name.removeprefix("model.") if "_model." not in name else name.replace("model.language_model.", "model."), tensor


def _model(name: str, dtype: str, whole: bool, cases: list[Case]) -> OmniModel:
    return OmniModel(
        name,
        "qwen2_5_omni" if whole else "qwen2_5_omni_thinker",
        dtype,
        cases,
        MARKS,
        partial(_config, whole=whole),
        PROCESSOR,
        Qwen2_5OmniThinkerConfig,
        Qwen2_5OmniThinkerForConditionalGeneration,
        _Processor,
        _published,
        ("talker.model.embed_tokens.weight", "talker.codec_head.weight", "token2wav.code2wav_bigvgan_model.conv_pre.bias") if whole else (),
    )


MODELS = [
    _model("qwen2-5-omni", "float32", True, CASES + EDGE_CASES),
    _model("qwen2-5-omni-bf16", "bfloat16", False, CASES),
]

BUILDERS = {"sounds": sounds.build, **{model.name: partial(build, model) for model in MODELS}}
