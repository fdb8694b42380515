"""Random models given by their config, answered by transformers: for families whose prompts and inputs are not Qwen's."""

import contextlib
import importlib.metadata
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from transformers import AutoConfig, AutoImageProcessor, AutoModelForCausalLM, AutoModelForImageTextToText

from . import models, small_tokenizer
from .cases import TEXT_CASES, Case
from .fixture import LEAST_GAP, Fixture, gap
from .paths import FIXTURES
from .prompt import Prompt, _pictures, tokenizer
from .random_models import NEW_TOKENS, SEED_TRIES
from .reference import Answer


@dataclass(frozen=True)
class Inputs:
    """What the model is given: token ids with every picture's places spelt out, and the pixels."""

    text: str
    token_ids: list[int]
    pixels: dict[str, torch.Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class SmallModel:
    """`config` is given the ids of the tokenizer's markers; `markers` renames those of the small tokenizer; `expand` spells out
    the pictures' places in a rendered text; `stored` renames weights, as the folder's layout has them."""

    name: str
    config: Callable[[dict[str, int]], dict]
    template: str
    markers: dict[str, str]
    bos: str
    eos: str
    dtype: str = "float32"
    cases: tuple[Case, ...] = tuple(TEXT_CASES)
    files: dict[str, dict] = field(default_factory=dict)  # preprocessor_config.json and the like
    expand: Callable[[str, Path, list[Image.Image]], tuple[str, dict[str, torch.Tensor]]] | None = None
    features: Callable[[torch.nn.Module, dict[str, torch.Tensor]], torch.Tensor] | None = None
    stored: Callable[[str], str] = lambda name: name
    skipped: tuple[str, ...] = ()  # weights not stored: tied ones
    scales: dict[str, float] = field(default_factory=dict)  # by a part of the name: weights larger or smaller than usual
    types: Callable[[torch.Tensor], dict[str, torch.Tensor]] = lambda ids: {}  # inputs that say what each token is

    @property
    def vision(self) -> bool:
        return self.expand is not None


def _name_markers(folder: Path, model: SmallModel) -> dict[str, int]:
    """Give the small tokenizer this family's markers, all of them special. Returns their ids."""
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    ids = {}
    for token in content["added_tokens"]:
        token["content"] = model.markers.get(token["content"], token["content"])
        token["special"] = True
        ids[token["content"]] = token["id"]
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 4096,
        "bos_token": model.bos,
        "eos_token": model.eos,
        "pad_token": model.eos,
        "clean_up_tokenization_spaces": False,
    }
    models._write_json(folder / "tokenizer_config.json", config)
    return ids


def _values(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    noise = models._values(name, shape, seed)
    if name.endswith("bias") or "norm" in name or "lm_head" in name or "embed_tokens" in name:
        return noise
    if len(shape) == 1 and name.endswith("weight"):
        return 1 + 0.2 * noise / 1.2
    return 0.5 * noise if len(shape) == 1 else noise


def _scaled(model: SmallModel, name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    factors = [factor for part, factor in model.scales.items() if part in name]
    return np.float32(np.prod(factors)) * _values(name, shape, seed)


def write_model(model: SmallModel, folder: Path, seed: int) -> None:
    """Make the model folder anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    small_tokenizer.build(folder)
    ids = _name_markers(folder, model)
    (folder / "chat_template.jinja").write_text(model.template, encoding="utf-8")
    config = {**model.config(ids), "eos_token_id": ids[model.eos], "bos_token_id": ids[model.bos]}
    models._write_json(folder / "config.json", config)
    models._write_json(folder / "generation_config.json", {"do_sample": False, "eos_token_id": ids[model.eos]})
    for name, content in model.files.items():
        models._write_json(folder / name, content)
    factory = AutoModelForImageTextToText if model.vision else AutoModelForCausalLM
    shapes = factory.from_config(AutoConfig.from_pretrained(folder)).state_dict()
    weights = {
        model.stored(name): torch.from_numpy(_scaled(model, name, tuple(tensor.shape), seed)).to(getattr(torch, model.dtype))
        for name, tensor in sorted(shapes.items())
        if tensor.is_floating_point() and name not in model.skipped
    }
    models._save_weights(folder, weights, shards=1)


def inputs_of(model: SmallModel, folder: Path, case: Case) -> Inputs:
    text = tokenizer(folder).apply_chat_template(case.messages, tokenize=False, add_generation_prompt=True)
    pictures = _pictures(case)
    if not pictures:
        return Inputs(text, tokenizer(folder)(text, add_special_tokens=False).input_ids)
    expanded, pixels = model.expand(text, folder, pictures)
    ids = tokenizer(folder)(expanded, add_special_tokens=False).input_ids
    return Inputs(text, ids, pixels)


def image_features(folder: Path, pictures: list[Image.Image], **options) -> dict[str, torch.Tensor]:
    """What the family's own image processor (Pillow's arithmetic) makes of the pictures."""
    return dict(AutoImageProcessor.from_pretrained(folder, backend="pil")(pictures, return_tensors="pt", **options))


class _Oracle:
    def __init__(self, model: SmallModel, folder: Path, dtype: torch.dtype = torch.float32):
        factory = AutoModelForImageTextToText if model.vision else AutoModelForCausalLM
        self.model, report = factory.from_pretrained(folder, dtype=dtype, output_loading_info=True)
        wrong = {key: names for key, names in report.items() if names}
        if wrong:
            raise RuntimeError(f"{folder}: {wrong}")
        self.model.eval()
        self._features, self._types = model.features, model.types

    def _feed(self, token_ids: list[int], inputs: Inputs) -> dict[str, torch.Tensor]:
        ids = torch.tensor([token_ids])
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), **self._types(ids), **inputs.pixels}

    @torch.no_grad()
    def logits(self, token_ids: list[int], inputs: Inputs) -> np.ndarray:
        return self.model(**self._feed(token_ids, inputs)).logits[0].float().numpy()

    def _answering(self, inputs: Inputs, greedy: list[int]) -> np.ndarray:
        """Logits of the prompt's rows, and of each row of the answer as it was the last."""
        rope = getattr(self.model.config.get_text_config(), "rope_parameters", None) or {}
        if rope.get("rope_type") != "longrope":
            return self.logits(inputs.token_ids + greedy, inputs)
        # Rows change with the length they are computed in.
        steps = [self.logits(inputs.token_ids + greedy[:count], inputs) for count in range(len(greedy) + 1)]
        return np.concatenate([steps[0], *(logits[-1:] for logits in steps[1:])])

    @torch.no_grad()
    def answer(self, inputs: Inputs, special: set[int]) -> Answer | None:
        """None when a greedy token is a marker or a near tie, or they hardly vary: such a model makes a poor fixture."""
        length = len(inputs.token_ids)
        feed = self._feed(inputs.token_ids, inputs)
        greedy = self.model.generate(**feed, max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0)[0, length:].tolist()
        if special & set(greedy) or len(greedy) < NEW_TOKENS or len(set(greedy)) < NEW_TOKENS // 2:
            return None
        logits = self._answering(inputs, greedy)
        second, first = np.sort(logits[length - 1 : -1], axis=-1)[:, -2:].T
        if ((first - second) / np.abs(logits).max() <= LEAST_GAP).any():
            return None
        tensors = {}
        if inputs.pixels and self._features is not None:
            tensors["vision_output"] = self._features(self.model.model, inputs.pixels).float().numpy()
            # Of processors that make several pictures of one: tiles, or a batch of them.
            if len(inputs.pixels["pixel_values"]) > 1 or inputs.pixels["pixel_values"].dim() > 4:
                tensors["pixel_values"] = inputs.pixels["pixel_values"].numpy()
        return Answer(logits[:length], greedy, tensors=tensors)


def _attempt(model: SmallModel, folder: Path, seed: int) -> list[tuple[Case, Inputs, Answer]] | None:
    write_model(model, folder, seed)
    tokenizer.cache_clear()
    special = set(tokenizer(folder).added_tokens_decoder)
    oracle = _Oracle(model, folder)
    done = []
    for case in model.cases:
        inputs = inputs_of(model, folder, case)
        answer = oracle.answer(inputs, special)
        if answer is None:
            return None
        done.append((case, inputs, answer))
    return done


def build(model: SmallModel) -> int:
    """Make the model with the first seed whose greedy answers are clear, and write its goldens (in f32). Returns the seed."""
    folder = FIXTURES / model.name
    for seed in range(SEED_TRIES):
        done = _attempt(model, folder / "model", seed)
        if done:
            break
    else:
        raise RuntimeError(f"{model.name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    about = {
        "oracle": f"transformers {transformers.__version__}",
        "model_type": model.config({marker: 0 for marker in model.markers.values()})["model_type"],
        "stored_dtype": model.dtype,
        "computed_dtype": "float32",
        "seed": seed,
    }
    fixture = Fixture(folder, about, folder / "model")
    half = model.dtype == "bfloat16"
    coarse = _Oracle(model, folder / "model", torch.bfloat16) if half else None
    for case, inputs, answer in done:
        extra = {"logits_bfloat16": coarse.logits(inputs.token_ids, inputs)} if coarse else None
        if half:
            answer.tensors = {}
        fixture.add(case, Prompt(inputs.text, inputs.token_ids, None, None, None), answer, rows=12, extra=extra)
    fixture.write()
    return seed


class _Mlx:
    """A folder in mlx-vlm, activations in f32, without a cache."""

    def __init__(self, folder: Path):
        import mlx.core as mx
        from mlx.utils import tree_map
        from mlx_vlm.utils import load_model

        self.mx = mx
        self.model = load_model(folder)
        wide = lambda array: array.astype(mx.float32) if mx.issubdtype(array.dtype, mx.floating) else array
        self.model.update(tree_map(wide, self.model.parameters()))

    def logits(self, token_ids: list[int], inputs: Inputs) -> np.ndarray:
        pixels = {name: self.mx.array(tensor.numpy()) for name, tensor in inputs.pixels.items()}
        # An all-ones mask changes what some of its models answer.
        output = self.model(self.mx.array([token_ids]), pixels.pop("pixel_values", None), None, **pixels)
        return np.array(output.logits[0])

    def answer(self, inputs: Inputs, special: set[int]) -> Answer | None:
        tokens = list(inputs.token_ids)
        first = logits = self.logits(tokens, inputs)
        for _ in range(NEW_TOKENS):
            token = int(logits[-1].argmax())
            if token in special or gap(logits) < LEAST_GAP:
                return None
            tokens.append(token)
            logits = self.logits(tokens, inputs)
        greedy = tokens[len(inputs.token_ids) :]
        return Answer(first, greedy) if len(set(greedy)) >= NEW_TOKENS // 2 else None


def _quantized_attempt(
    model: SmallModel, folder: Path, seed: int, bits: int, group_size: int
) -> list[tuple[Case, Inputs, Answer]] | None:
    from mlx_vlm.convert import convert

    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as source:
        write_model(model, Path(source), seed)
        tokenizer.cache_clear()
        with contextlib.redirect_stdout(io.StringIO()):
            convert(
                source,
                mlx_path=str(folder),
                quantize=True,
                q_bits=bits,
                q_group_size=group_size,
                dtype=model.dtype,
                quant_predicate=lambda path, _module: path.startswith("language_model"),
            )
        (folder / "README.md").unlink(missing_ok=True)
        cases = [(case, inputs_of(model, Path(source), case)) for case in model.cases]
    special = set(tokenizer(folder).added_tokens_decoder)
    oracle, done = _Mlx(folder), []
    for case, inputs in cases:
        answer = oracle.answer(inputs, special)
        if answer is None:
            return None
        done.append((case, inputs, answer))
    return done


def build_quantized(model: SmallModel, bits: int, group_size: int) -> int:
    """The first such model whose greedy answers are clear after mlx-vlm quantised its language half. Returns the seed."""
    folder = FIXTURES / model.name
    folder.mkdir(exist_ok=True)
    for seed in range(SEED_TRIES):
        done = _quantized_attempt(model, folder / "model", seed, bits, group_size)
        if done:
            break
    else:
        raise RuntimeError(f"{model.name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    about = {
        "oracle": f"mlx-vlm {importlib.metadata.version('mlx-vlm')}",
        "model_type": model.config({marker: 0 for marker in model.markers.values()})["model_type"],
        "stored_dtype": model.dtype,
        "computed_dtype": "float32",
        "seed": seed,
    }
    fixture = Fixture(folder, about, folder / "model")
    for case, inputs, answer in done:
        fixture.add(case, Prompt(inputs.text, inputs.token_ids, None, None, None), answer, rows=12)
    fixture.write()
    return seed
