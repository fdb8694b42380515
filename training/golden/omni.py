"""Random Qwen-Omni models, which hear and see: their prompts by transformers' processors, and their fixtures."""

import contextlib
import importlib.metadata
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import AutoImageProcessor, AutoTokenizer, PreTrainedConfig, PreTrainedModel, ProcessorMixin, WhisperFeatureExtractor

from . import models, small_tokenizer, sounds
from .cases import Case, _picture, _user
from .fixture import LEAST_GAP, Fixture, gap
from .paths import FIXTURES
from .prompt import Prompt, _pictures, tokenizer
from .random_models import NEW_TOKENS, SEED_TRIES
from .reference import Answer

MELS = 128
# Qwen2's turns, with the family's marks for pictures, sounds and videos.
_TEMPLATE = """\
{%- set marks = {
  'image': '{vision_bos}{image}{vision_eos}',
  'audio': '{audio_bos}{audio}{audio_eos}',
  'video': '{vision_bos}{video}{vision_eos}'
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
_MARKS = ("image", "audio", "video", "vision_bos", "vision_eos", "audio_bos", "audio_eos")


def sound(name: str) -> dict:
    return {"type": "audio", "audio": f"sounds/{name}"}


def cases(short: str, long: str) -> list[Case]:
    """Conversations about two sounds of different length."""
    return [
        Case("text", [_user("What colour is the fox?")]),
        Case("one_picture", [_user(_picture("gradient-96x64.png"), "Describe this picture.")]),
        Case("one_sound", [_user(sound(long), "What is this sound?")]),
        Case(
            "picture_and_sound",
            [_user("See ", _picture("shapes-64x80.png"), " and hear ", sound(short), ": do they belong together?")],
        ),
        Case("two_sounds", [_user(sound(short), "Is that longer than ", sound(long), "?")]),
        Case(
            "second_turn",
            [
                _user(sound(short), _picture("gradient-97x61.png"), "Describe both."),
                {"role": "assistant", "content": "It is a beep, and blue on the left."},
                _user("And now? ", sound(long)),
            ],
        ),
    ]


@dataclass(frozen=True)
class OmniModel:
    """`marks`: the family's tokens for media (image, audio, vision_bos, …). `config` is given the ids of the tokens. `published`
    renames and takes apart a weight of the thinker; without it the thinker is stored alone, by the same names less `thinker.`"""

    name: str
    model_type: str
    dtype: str
    cases: list[Case]
    marks: dict[str, str]
    config: Callable[[dict[str, int]], dict]
    processor_config: dict
    thinker_config: type[PreTrainedConfig]
    thinker: type[PreTrainedModel]
    processor: type[ProcessorMixin]
    published: Callable[[str, torch.Tensor], Iterator[tuple[str, torch.Tensor]]]
    others: tuple[str, ...] = ()  # weights of the parts that speak


@dataclass(frozen=True)
class _Inputs:
    text: str
    feed: dict[str, torch.Tensor]

    @property
    def token_ids(self) -> list[int]:
        return self.feed["input_ids"][0].tolist()

    def followed_by(self, tokens: list[int]) -> dict[str, torch.Tensor]:
        ids = torch.cat([self.feed["input_ids"], torch.tensor([tokens], dtype=torch.long)], dim=1)
        return self.feed | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def _tokenizer(folder: Path, marks: dict[str, str]) -> dict[str, int]:
    """The small tokenizer with the family's markers. Returns their ids."""
    small_tokenizer.build(folder)
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    names = {
        "<|vision_start|>": marks["vision_bos"],
        "<|vision_end|>": marks["vision_eos"],
        "<|vision_pad|>": marks["audio_bos"],
        "<tool_response>": marks["audio_eos"],
        "</tool_response>": marks["audio"],
        "<|image_pad|>": marks["image"],
        "<|video_pad|>": marks["video"],
    }
    ids = {}
    for token in content["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
        token["special"] = token["content"].startswith("<|")
        ids[token["content"]] = token["id"]
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    named = {f"{mark}_token": marks[mark] for mark in _MARKS}
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 4096,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "clean_up_tokenization_spaces": False,
        "extra_special_tokens": named,
        **named,
    }
    models._write_json(folder / "tokenizer_config.json", config)
    return ids


def _template(marks: dict[str, str]) -> str:
    text = _TEMPLATE
    for mark in _MARKS:
        text = text.replace("{" + mark + "}", marks[mark])
    return text


def feature_extractor() -> dict:
    """The fields of preprocessor_config.json that say how sound is prepared."""
    return {
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
    values = models._values(name.replace("ln_q", "norm").replace("ln_post", "norm"), shape, seed)
    if "experts." in name:  # (experts, out, in)
        return values * np.float32(np.sqrt(shape[1]))
    return values


def _make_folder(model: OmniModel, folder: Path, seed: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ids = _tokenizer(folder, model.marks)
    (folder / "chat_template.jinja").write_text(_template(model.marks), encoding="utf-8")
    config = model.config(ids)
    models._write_json(folder / "config.json", config)
    models._write_json(folder / "generation_config.json", {"do_sample": False, "eos_token_id": ids["<|im_end|>"]})
    models._write_json(folder / "preprocessor_config.json", model.processor_config)
    dtype = getattr(torch, model.dtype)
    prefix = "thinker." if "thinker_config" in config else ""
    weights = {}
    thinker = model.thinker(model.thinker_config(**config.get("thinker_config", config)))
    for name, tensor in sorted(thinker.state_dict().items()):
        made = torch.from_numpy(_values(name, tuple(tensor.shape), seed)).to(dtype)
        weights |= {prefix + key: part.contiguous() for key, part in model.published(name, made)}
    # Nobody reads these: their shapes are not the published ones.
    weights |= {name: torch.ones(2, dtype=dtype) for name in model.others}
    models._save_weights(folder, weights, shards=1)


class _Reference:
    def __init__(self, model: OmniModel, folder: Path, dtype: torch.dtype = torch.float32):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        thinker = model.thinker_config(**config.get("thinker_config", config))
        self.model, report = model.thinker.from_pretrained(folder, config=thinker, dtype=dtype, output_loading_info=True)
        wrong = {key: names for key, names in report.items() if names}
        if wrong:
            raise RuntimeError(f"{folder}: {wrong}")
        self.model.eval()
        self.processor = model.processor(
            image_processor=AutoImageProcessor.from_pretrained(folder, backend="pil"),
            feature_extractor=WhisperFeatureExtractor.from_pretrained(folder),
            tokenizer=AutoTokenizer.from_pretrained(folder),
            chat_template=_template(model.marks),
        )

    def inputs(self, case: Case) -> _Inputs:
        text = self.processor.apply_chat_template(case.messages, tokenize=False, add_generation_prompt=True)
        parts = [part for message in case.messages if isinstance(message["content"], list) for part in message["content"]]
        heard = [sounds.read(FIXTURES / part["audio"]) for part in parts if part["type"] == "audio"]
        seen = _pictures(case)
        media = {"images": seen or None, "audio": heard or None}
        return _Inputs(text, dict(self.processor(text=[text], **media, return_tensors="pt")))

    @torch.no_grad()
    def logits(self, feed: dict[str, torch.Tensor]) -> np.ndarray:
        return self.model(**feed).logits[0].float().numpy()

    @torch.no_grad()
    def answer(self, inputs: _Inputs, special: set[int]) -> Answer | None:
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
            if len(mask) == 1:  # once is enough of each sound
                found["input_features"] = feed["input_features"].transpose(1, 2)[mask].numpy()
            heard = self.model.get_audio_features(feed["input_features"], mask.long()).last_hidden_state
            found["audio_output"] = heard.float().numpy()
        if "pixel_values" in feed:
            seen = self.model.get_image_features(feed["pixel_values"], feed["image_grid_thw"])
            found["vision_output"] = torch.cat(list(seen.pooler_output)).float().numpy()
            for level, features in enumerate(getattr(seen, "deepstack_features", None) or []):
                found[f"deepstack_{level}"] = torch.cat(list(features)).float().numpy()
        return found


def _attempt(model: OmniModel, folder: Path, seed: int) -> list[tuple[Case, _Inputs, Answer]] | None:
    _make_folder(model, folder, seed)
    tokenizer.cache_clear()
    reference = _Reference(model, folder)
    special = set(tokenizer(folder).added_tokens_decoder)
    done = []
    for case in model.cases:
        inputs = reference.inputs(case)
        answer = reference.answer(inputs, special)
        if answer is None:
            return None
        done.append((case, inputs, answer))
    return done


def _about(model: OmniModel, oracle: str, seed: int) -> dict:
    return {
        "oracle": oracle,
        "model_type": model.model_type,
        "stored_dtype": model.dtype,
        "computed_dtype": "float32",
        "seed": seed,
    }


def build(model: OmniModel) -> int:
    """Make the model with the first seed whose greedy answers are clear, and write its goldens (in f32). Returns the seed."""
    sounds.build()
    folder = FIXTURES / model.name
    for seed in range(SEED_TRIES):
        done = _attempt(model, folder / "model", seed)
        if done:
            break
    else:
        raise RuntimeError(f"{model.name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    about = _about(model, f"transformers {transformers.__version__}", seed)
    fixture = Fixture(folder, about, folder / "model")
    coarse = _Reference(model, folder / "model", torch.bfloat16) if model.dtype == "bfloat16" else None
    for case, inputs, answer in done:
        extra = {"logits_bfloat16": coarse.logits(inputs.feed)} if coarse else None
        if coarse:
            answer.tensors = {}
        fixture.add(case, Prompt(inputs.text, inputs.token_ids, None, None, None), answer, rows=12, extra=extra)
    fixture.write()
    return seed


class _Mlx:
    """A folder in mlx-vlm, without a cache."""

    def __init__(self, folder: Path, mend: Callable):
        import mlx.core as mx
        from mlx_vlm.utils import load_model

        self.mx = mx
        self.model = load_model(folder)
        mend(self.model)

    def _logits(self, feed: dict[str, torch.Tensor]) -> np.ndarray:
        # It keeps the positions of the call before.
        language = self.model.language_model
        language._position_ids = language._rope_deltas = None
        arrays = {name: self.mx.array(tensor.numpy()) for name, tensor in feed.items() if name != "attention_mask"}
        return np.array(self.model(arrays.pop("input_ids"), arrays.pop("pixel_values", None), **arrays).logits[0])

    def answer(self, inputs: _Inputs, special: set[int]) -> Answer | None:
        greedy: list[int] = []
        first = logits = self._logits(inputs.feed)
        while len(greedy) < NEW_TOKENS:
            token = int(logits[-1].argmax())
            if token in special or gap(logits) < LEAST_GAP:
                return None
            greedy.append(token)
            logits = self._logits(inputs.followed_by(greedy))
        return Answer(first, greedy) if len(set(greedy)) >= NEW_TOKENS // 2 else None


def _quantised_attempt(
    model: OmniModel, folder: Path, seed: int, bits: int, group_size: int, speaking: Callable[[], dict], mend: Callable
) -> list[tuple[Case, _Inputs, Answer]] | None:
    from mlx_vlm.convert import convert

    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as source, contextlib.redirect_stdout(io.StringIO()):
        _make_folder(model, Path(source), seed)
        tokenizer.cache_clear()
        reference = _Reference(model, Path(source))
        inputs = [(case, reference.inputs(case)) for case in model.cases]
        path = Path(source) / "config.json"
        models._write_json(path, json.loads(path.read_text(encoding="utf-8")) | speaking())
        convert(source, str(folder), quantize=True, q_bits=bits, q_group_size=group_size)
    for name in ("README.md", "processor_config.json"):
        (folder / name).unlink(missing_ok=True)
    special = set(tokenizer(folder).added_tokens_decoder)
    oracle, done = _Mlx(folder, mend), []
    for case, given in inputs:
        answer = oracle.answer(given, special)
        if answer is None:
            return None
        done.append((case, given, answer))
    return done


def build_quantised(model: OmniModel, *, bits: int, group_size: int, speaking: Callable[[], dict], mend: Callable) -> int:
    """The same, quantised and answered by mlx-vlm. `speaking`: what config.json says of the parts that speak, which mlx-vlm reads
    though they are not there; `mend`: puts right what it computes otherwise than transformers. Returns the seed."""
    sounds.build()
    folder = FIXTURES / model.name
    for seed in range(SEED_TRIES):
        done = _quantised_attempt(model, folder / "model", seed, bits, group_size, speaking, mend)
        if done:
            break
    else:
        raise RuntimeError(f"{model.name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    fixture = Fixture(folder, _about(model, f"mlx-vlm {importlib.metadata.version('mlx-vlm')}", seed), folder / "model")
    for case, inputs, answer in done:
        fixture.add(case, Prompt(inputs.text, inputs.token_ids, None, None, None), answer, rows=12)
    fixture.write()
    return seed
