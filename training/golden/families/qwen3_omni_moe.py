"""Qwen3-Omni: the thinker with experts, as on the hub."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch
from transformers import BatchFeature, Qwen3OmniMoeProcessor, Qwen3OmniMoeThinkerConfig, Qwen3OmniMoeThinkerForConditionalGeneration
from transformers.models.qwen3_omni_moe.configuration_qwen3_omni_moe import Qwen3OmniMoeCode2WavConfig, Qwen3OmniMoeTalkerConfig

from .. import small_tokenizer
from ..cases import Case, _user
from ..models import MERGE, PATCH
from ..omni import MELS, OmniModel, build, build_quantised, cases, feature_extractor, sound

MARKS = {
    **{kind: f"<|{kind}_pad|>" for kind in ("image", "audio", "video")},
    **{f"{kind}_bos": f"<|{kind}_start|>" for kind in ("vision", "audio")},
    **{f"{kind}_eos": f"<|{kind}_end|>" for kind in ("vision", "audio")},
}
# More than a second each, since a shorter sound is heard otherwise beside a longer one: see _Processor.
CASES = cases("hum.wav", "rise.wav")
EDGE_CASES = [Case("shorter_than_a_second", [_user(sound("beeps.wav"), "What is this sound?")])]


class _Processor(Qwen3OmniMoeProcessor):
    """Hears every sound as if it were alone; a batch fills all up to the longest, which changes the last frames of the others.
    Without its part for videos, which needs torchvision."""

    def check_argument_for_proper_class(self, argument_name, argument):
        return type(argument) if argument is None else super().check_argument_for_proper_class(argument_name, argument)

    def _process_audio(self, audio, **kwargs):
        heard, texts = zip(*(super(_Processor, self)._process_audio([one], **kwargs) for one in audio), strict=True)
        frames = max(one["input_features"].shape[-1] for one in heard)
        joined = {}
        for name in ("input_features", "feature_attention_mask"):
            parts = [torch.as_tensor(one[name]) for one in heard]
            joined[name] = torch.cat([torch.nn.functional.pad(part, (0, frames - part.shape[-1])) for part in parts])
        return BatchFeature(joined), [text for own in texts for text in own]


def _config(ids: dict[str, int], expert_width: int = 24) -> dict:
    return {
        "architectures": ["Qwen3OmniMoeForConditionalGeneration"],
        "model_type": "qwen3_omni_moe",
        "dtype": "float32",
        "enable_audio_output": True,
        "talker_config": {"model_type": "qwen3_omni_moe_talker"},
        "code2wav_config": {"model_type": "qwen3_omni_moe_code2wav"},
        "thinker_config": {
            "model_type": "qwen3_omni_moe_thinker",
            "eos_token_id": ids["<|im_end|>"],
            "audio_token_id": ids[MARKS["audio"]],
            "image_token_id": ids[MARKS["image"]],
            "video_token_id": ids[MARKS["video"]],
            "audio_start_token_id": ids[MARKS["audio_bos"]],
            "audio_end_token_id": ids[MARKS["audio_eos"]],
            "vision_start_token_id": ids[MARKS["vision_bos"]],
            "vision_end_token_id": ids[MARKS["vision_eos"]],
            "position_id_per_seconds": 13,
            "text_config": {
                "model_type": "qwen3_omni_moe_text",
                "vocab_size": small_tokenizer.VOCAB_SIZE,
                "hidden_size": 64,
                "intermediate_size": 48,
                "moe_intermediate_size": expert_width,
                "num_experts": 6,
                "num_experts_per_tok": 2,
                "norm_topk_prob": True,
                "decoder_sparse_step": 1,
                "mlp_only_layers": [],
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "num_key_value_heads": 2,
                "head_dim": 24,
                "hidden_act": "silu",
                "max_position_embeddings": 4096,
                "rms_norm_eps": 1e-6,
                "attention_bias": False,
                "rope_theta": 5000.0,
                "rope_scaling": {"interleaved": True, "mrope_interleaved": True, "mrope_section": [6, 3, 3], "rope_type": "default", "type": "default"},
            },
            "vision_config": {
                "model_type": "qwen3_omni_moe_vision_encoder",
                "depth": 3,
                "hidden_size": 16,
                "intermediate_size": 28,
                "num_heads": 2,
                "in_channels": 3,
                "patch_size": PATCH,
                "spatial_merge_size": MERGE,
                "temporal_patch_size": 2,
                "out_hidden_size": 64,
                "num_position_embeddings": 256,
                "deepstack_visual_indexes": [0, 1],
                "hidden_act": "gelu_pytorch_tanh",
            },
            "audio_config": {
                "model_type": "qwen3_omni_moe_audio_encoder",
                "num_mel_bins": MELS,
                "d_model": 32,
                "encoder_layers": 2,
                "encoder_attention_heads": 4,
                "encoder_ffn_dim": 48,
                "activation_function": "gelu",
                "max_source_positions": 1500,
                "n_window": 50,
                # Windows of two seconds: the longer sound has two.
                "n_window_infer": 200,
                "conv_chunksize": 500,
                "downsample_hidden_size": 12,
                "output_dim": 64,
            },
        },
    }


PROCESSOR = {
    "processor_class": "Qwen3OmniMoeProcessor",
    "image_processor_type": "Qwen2VLImageProcessor",
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "patch_size": PATCH,
    "temporal_patch_size": 2,
    "merge_size": MERGE,
    "min_pixels": 32 * 32,
    "max_pixels": 112 * 96,
    **feature_extractor(),
}


def _published(name: str, tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    path = name.replace("model.language_model.", "model.") if "_model." in name else name.removeprefix("model.")
    if path.endswith("experts.gate_up_proj"):
        for i, expert in enumerate(tensor):
            for part, matrix in zip(("gate_proj", "up_proj"), expert.chunk(2), strict=True):
                yield path.replace("gate_up_proj", f"{i}.{part}.weight"), matrix
    elif path.endswith("experts.down_proj"):
        for i, expert in enumerate(tensor):
            yield path.replace("down_proj", f"{i}.down_proj.weight"), expert
    else:
        yield path, tensor


def _speaking() -> dict:
    """Transformers' defaults, in mlx-vlm's words."""
    talker = Qwen3OmniMoeTalkerConfig().to_dict()
    for part in ("text_config", "code_predictor_config"):
        talker[part] |= {"rope_theta": talker[part]["rope_parameters"]["rope_theta"], "num_experts": 8, "head_dim": 64}
    code2wav = Qwen3OmniMoeCode2WavConfig().to_dict()
    return {"enable_audio_output": False, "talker_config": talker, "code2wav_config": code2wav | {"rope_theta": 10000.0}}


def _mend_vision(model) -> None:
    """mlx-vlm takes the tower's activation to be the exact GELU; the config, and transformers, say its tanh approximation."""
    import mlx.nn

    for block in model.thinker.vision_tower.blocks:
        block.mlp.act_fn = mlx.nn.GELU(approx="tanh")


def _model(name: str, **own) -> OmniModel:
    model = OmniModel(
        name,
        "qwen3_omni_moe",
        "float32",
        CASES + EDGE_CASES,
        MARKS,
        _config,
        PROCESSOR,
        Qwen3OmniMoeThinkerConfig,
        Qwen3OmniMoeThinkerForConditionalGeneration,
        _Processor,
        _published,
        ("talker.model.codec_embedding.weight", "code2wav.code_embedding.weight"),
    )
    return replace(model, **own)


BUILDERS = {
    "qwen3-omni": partial(build, _model("qwen3-omni")),
    "qwen3-omni-4bit": partial(
        build_quantised,
        # MLX's groups of 32 must divide the inputs.
        _model("qwen3-omni-4bit", config=partial(_config, expert_width=32), others=()),
        bits=4,
        group_size=32,
        speaking=_speaking,
        mend=_mend_vision,
    ),
}
