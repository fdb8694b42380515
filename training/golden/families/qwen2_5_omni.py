"""Qwen2.5-Omni: the thinker with a random model's talker beside it, as on the hub, and alone in bfloat16, as transformers 5 saves it."""

import json
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import AutoImageProcessor, AutoTokenizer, Qwen2_5OmniProcessor, WhisperFeatureExtractor
from transformers import Qwen2_5OmniThinkerConfig as ThinkerConfig
from transformers import Qwen2_5OmniThinkerForConditionalGeneration as Thinker

from .. import models, small_tokenizer, sounds
from ..cases import Case, _picture, _text, _user
from ..fixture import LEAST_GAP, Fixture
from ..paths import FIXTURES
from ..prompt import Prompt, _pictures, tokenizer
from ..random_models import NEW_TOKENS, SEED_TRIES
from ..reference import Answer

THETA = 5000.0
MELS = 128
# The family's markers, by those of the small tokenizer.
MARKERS = {
    "<|vision_start|>": "<|vision_bos|>",
    "<|vision_end|>": "<|vision_eos|>",
    "<|vision_pad|>": "<|audio_bos|>",
    "<tool_response>": "<|audio_eos|>",
    "</tool_response>": "<|AUDIO|>",
    "<|image_pad|>": "<|IMAGE|>",
    "<|video_pad|>": "<|VIDEO|>",
}
NAMED = {
    **{f"{kind}_token": f"<|{kind.upper()}|>" for kind in ("image", "audio", "video")},
    **{f"{kind}_{end}_token": f"<|{kind}_{end}|>" for kind in ("vision", "audio") for end in ("bos", "eos")},
}
# Qwen2's turns, with the family's marks for pictures, sounds and videos.
TEMPLATE = """\
{%- set marks = {
  'image': '<|vision_bos|><|IMAGE|><|vision_eos|>',
  'audio': '<|audio_bos|><|AUDIO|><|audio_eos|>',
  'video': '<|vision_bos|><|VIDEO|><|vision_eos|>'
} -%}
{%- if messages[0].role != 'system' -%}
  {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
  {{- '<|im_start|>' + message.role + '\\n' -}}
  {%- if message.content is string -%}
    {{- message.content -}}
  {%- else -%}
    {%- for part in message.content -%}
      {{- marks[part.type] if part.type in marks else part.text -}}
    {%- endfor -%}
  {%- endif -%}
  {{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


def _sound(name: str) -> dict:
    return {"type": "audio", "audio": f"sounds/{name}"}


CASES = [
    Case("text", [_user("What colour is the fox?")]),
    Case("one_picture", [_user(_picture("gradient-96x64.png"), "Describe this picture.")]),
    Case("one_sound", [_user(_sound("sweep.wav"), "What is this sound?")]),
    Case(
        "picture_and_sound",
        [_user("See ", _picture("shapes-64x80.png"), " and hear ", _sound("beeps.wav"), ": do they belong together?")],
    ),
    Case("two_sounds", [_user(_sound("beeps.wav"), "Is that longer than ", _sound("sweep.wav"), "?")]),
    Case(
        "second_turn",
        [
            _user(_sound("beeps.wav"), _picture("gradient-97x61.png"), "Describe both."),
            {"role": "assistant", "content": "It is a beep, and blue on the left."},
            _user("And now? ", _sound("sweep.wav")),
        ],
    ),
]
EDGE_CASES = [
    Case("shortest_sound", [_user(_sound("click.wav"), "What is this sound?")]),
    Case("silence", [_user("Do you hear anything? ", _sound("silence.wav"))]),
]


@dataclass(frozen=True)
class Model:
    """`whole`: the published layout, with a talker and token2wav; or else the thinker alone."""

    name: str
    dtype: str
    whole: bool
    cases: list[Case]


@dataclass(frozen=True)
class Inputs:
    text: str
    feed: dict[str, torch.Tensor]

    @property
    def token_ids(self) -> list[int]:
        return self.feed["input_ids"][0].tolist()

    def followed_by(self, tokens: list[int]) -> dict[str, torch.Tensor]:
        ids = torch.cat([self.feed["input_ids"], torch.tensor([tokens], dtype=torch.long)], dim=1)
        return self.feed | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def _tokenizer(folder: Path) -> dict[str, int]:
    """The small tokenizer with the family's markers. Returns their ids."""
    small_tokenizer.build(folder)
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    ids = {}
    for token in content["added_tokens"]:
        token["content"] = MARKERS.get(token["content"], token["content"])
        token["special"] = token["content"].startswith("<|")
        ids[token["content"]] = token["id"]
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 4096,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "clean_up_tokenization_spaces": False,
        "extra_special_tokens": NAMED,
        **NAMED,
    }
    models._write_json(folder / "tokenizer_config.json", config)
    return ids


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


def _processor() -> dict:
    return {
        "processor_class": "Qwen2_5OmniProcessor",
        "image_processor_type": "Qwen2VLImageProcessor",
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "min_pixels": 8000,
        "max_pixels": 18000,
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": MELS,
        "sampling_rate": sounds.RATE,
        "hop_length": 160,
        "n_fft": 400,
        "chunk_length": 300,
        "n_samples": 300 * sounds.RATE,
        "nb_max_frames": 30000,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": True,
        "dither": 0.0,
    }


def _values(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    return models._values(name.replace("ln_q", "norm").replace("ln_post", "norm"), shape, seed)


def _published(name: str) -> str:
    return name.removeprefix("model.") if "_model." not in name else name.replace("model.language_model.", "model.")


def _make_folder(model: Model, folder: Path, seed: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ids = _tokenizer(folder)
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    thinker = _thinker(ids, model.whole)
    end = {"eos_token_id": ids["<|im_end|>"]}
    if model.whole:
        config = {
            "architectures": ["Qwen2_5OmniModel"],
            "model_type": "qwen2_5_omni",
            "torch_dtype": model.dtype,
            "enable_audio_output": True,
            "thinker_config": thinker | end,
            "talker_config": {"model_type": "qwen2_5_omni_talker"},
            "token2wav_config": {"model_type": "qwen2_5_omni_token2wav"},
        }
    else:
        config = {"architectures": [Thinker.__name__], "dtype": model.dtype, "tie_word_embeddings": False, **thinker, **end}
    models._write_json(folder / "config.json", config)
    models._write_json(folder / "generation_config.json", {"do_sample": False, **end})
    models._write_json(folder / "preprocessor_config.json", _processor())
    dtype = getattr(torch, model.dtype)
    prefix = "thinker." if model.whole else ""
    weights = {
        prefix + _published(name): torch.from_numpy(_values(name, tuple(tensor.shape), seed)).to(dtype)
        for name, tensor in sorted(Thinker(ThinkerConfig(**thinker)).state_dict().items())
    }
    if model.whole:
        # Nobody reads these: their shapes are not the published ones.
        others = ["talker.model.embed_tokens.weight", "talker.codec_head.weight", "token2wav.code2wav_bigvgan_model.conv_pre.bias"]
        weights |= {name: torch.ones(2, dtype=dtype) for name in others}
    models._save_weights(folder, weights, shards=1)


class _Processor(Qwen2_5OmniProcessor):
    """Without its part for videos, which needs torchvision."""

    def check_argument_for_proper_class(self, argument_name, argument):
        return type(argument) if argument is None else super().check_argument_for_proper_class(argument_name, argument)


class _Reference:
    def __init__(self, folder: Path, dtype: torch.dtype = torch.float32):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        thinker = ThinkerConfig(**config.get("thinker_config", config))
        self.model, report = Thinker.from_pretrained(folder, config=thinker, dtype=dtype, output_loading_info=True)
        wrong = {key: names for key, names in report.items() if names}
        if wrong:
            raise RuntimeError(f"{folder}: {wrong}")
        self.model.eval()
        self.processor = _Processor(
            image_processor=AutoImageProcessor.from_pretrained(folder, backend="pil"),
            feature_extractor=WhisperFeatureExtractor.from_pretrained(folder),
            tokenizer=AutoTokenizer.from_pretrained(folder),
            chat_template=TEMPLATE,
        )

    def inputs(self, case: Case) -> Inputs:
        text = self.processor.apply_chat_template(case.messages, tokenize=False, add_generation_prompt=True)
        parts = [part for message in case.messages if isinstance(message["content"], list) for part in message["content"]]
        heard = [sounds.read(FIXTURES / part["audio"]) for part in parts if part["type"] == "audio"]
        seen = _pictures(case)
        media = {"images": seen or None, "audio": heard or None}
        return Inputs(text, dict(self.processor(text=[text], **media, return_tensors="pt")))

    @torch.no_grad()
    def logits(self, feed: dict[str, torch.Tensor]) -> np.ndarray:
        return self.model(**feed).logits[0].float().numpy()

    @torch.no_grad()
    def answer(self, inputs: Inputs, special: set[int]) -> Answer | None:
        """None when a greedy token is a marker or a near tie, or they hardly vary: such a model makes a poor fixture."""
        length = len(inputs.token_ids)
        greedy = self.model.generate(**inputs.feed, max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0)[0, length:].tolist()
        if special & set(greedy) or len(greedy) < NEW_TOKENS or len(set(greedy)) < NEW_TOKENS // 2:
            return None
        logits = self.logits(inputs.followed_by(greedy))
        second, first = np.sort(logits[length - 1 : -1], axis=-1)[:, -2:].T
        if ((first - second) / np.abs(logits).max() <= LEAST_GAP).any():
            return None
        positions, delta = self._positions(inputs.feed)
        return Answer(logits[:length], greedy, delta, {"position_ids": positions, **self._towers(inputs.feed)})

    def _positions(self, feed: dict[str, torch.Tensor]) -> tuple[np.ndarray, int]:
        mask = feed.get("feature_attention_mask")
        positions, delta = self.model.get_rope_index(
            feed["input_ids"],
            feed.get("image_grid_thw"),
            None,
            feed["attention_mask"],
            audio_seqlens=None if mask is None else mask.sum(-1),
        )
        return positions.numpy().astype(np.int32), int(delta)

    def _towers(self, feed: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
        """What the towers take in and give: log-mel features of the frames that hold sound, and rows of either tower."""
        found = {}
        if "input_features" in feed:
            mask = feed["feature_attention_mask"].bool()
            found["input_features"] = feed["input_features"].transpose(1, 2)[mask].numpy()
            heard = self.model.get_audio_features(feed["input_features"], mask.long()).last_hidden_state
            found["audio_output"] = heard.float().numpy()
        if "pixel_values" in feed:
            seen = self.model.get_image_features(feed["pixel_values"], feed["image_grid_thw"]).pooler_output
            found["vision_output"] = torch.cat(list(seen)).float().numpy()
        return found


def _attempt(model: Model, folder: Path, seed: int) -> list[tuple[Case, Inputs, Answer]] | None:
    _make_folder(model, folder, seed)
    tokenizer.cache_clear()
    reference = _Reference(folder)
    special = set(tokenizer(folder).added_tokens_decoder)
    done = []
    for case in model.cases:
        inputs = reference.inputs(case)
        answer = reference.answer(inputs, special)
        if answer is None:
            return None
        done.append((case, inputs, answer))
    return done


def build(model: Model) -> int:
    """Make the model with the first seed whose greedy answers are clear, and write its goldens (in f32). Returns the seed."""
    sounds.build()
    folder = FIXTURES / model.name
    for seed in range(SEED_TRIES):
        done = _attempt(model, folder / "model", seed)
        if done:
            break
    else:
        raise RuntimeError(f"{model.name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    about = {
        "oracle": f"transformers {transformers.__version__}",
        "model_type": "qwen2_5_omni" if model.whole else "qwen2_5_omni_thinker",
        "stored_dtype": model.dtype,
        "computed_dtype": "float32",
        "seed": seed,
    }
    fixture = Fixture(folder, about, folder / "model")
    coarse = _Reference(folder / "model", torch.bfloat16) if model.dtype == "bfloat16" else None
    for case, inputs, answer in done:
        extra = {"logits_bfloat16": coarse.logits(inputs.feed)} if coarse else None
        if coarse:
            answer.tensors = {}
        fixture.add(case, Prompt(inputs.text, inputs.token_ids, None, None, None), answer, rows=12, extra=extra)
    fixture.write()
    return seed


MODELS = [
    Model("qwen2-5-omni", "float32", whole=True, cases=CASES + EDGE_CASES),
    Model("qwen2-5-omni-bf16", "bfloat16", whole=False, cases=CASES),
]

BUILDERS = {"sounds": sounds.build, **{model.name: partial(build, model) for model in MODELS}}
