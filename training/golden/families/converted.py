"""Quantised and bfloat16 models of every family: conversions of the plain fixtures, of which only the answers are stored.

The tests make the folder with `deskhand convert` and hold its weights against those of the folder that answered here: what mlx-lm or
mlx-vlm made of the same fixture. Where the MLX package does not compute what the family's own code does, transformers answers with the
values that MLX's quantised weights stand for, as it does for bfloat16."""

import copy
import hashlib
import importlib.metadata
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import mlx.core as mx
import numpy as np
import torch
from mlx import nn
from mlx.utils import tree_map
from mlx_vlm.models.qwen3_5.qwen3_5 import NORM_WEIGHT_SUFFIXES
from mlx_vlm.utils import skip_multimodal_module
from safetensors.torch import load_file, save_file

from .. import manifest, quantized, small_models
from ..cases import TEXT_CASES, VISION_CASES, Case
from ..fixture import LEAST_GAP, Fixture, gap
from ..paths import FIXTURES
from ..prompt import Prompt, prepare, tokenizer
from ..random_models import NEW_TOKENS
from ..reference import Answer, Reference
from ..small_models import Inputs, SmallModel
from . import conversions, gemma3, gemma3_text, idefics3, llama, llava, mistral, mistral3, phi3, phi3_v, qwen2
from .qwen3_moe import _mend_vision

# A position more or less says nothing new of a model whose plain form has twelve.
_ROWS, _ROWS_BFLOAT16 = 4, 6
_MODULES = (gemma3, gemma3_text, idefics3, llama, llava, mistral, mistral3, phi3)
_SMALL: dict[str, SmallModel] = {
    name: builder.args[0] for module in _MODULES for name, builder in module.BUILDERS.items() if isinstance(builder, partial)
}
# How MLX's names of what it quantised begin, where the source's are others.
_SOURCE_NAMES = {"smolvlm": {"language_model.": "model.text_model.", "connector.": "model.connector."}}
# What is added to a question until the answer is a good one: none of its tokens a marker or a near tie.
_WORDINGS = ["", " Why?", " Say it in short.", " Now.", " And then?", " Look well.", " Tell me more.", " Yes or no?", " Where?", " Who?", " Count them."]

Logits = Callable[[list[int]], np.ndarray]


@dataclass(frozen=True)
class Conversion:
    """`options` are the library's, `recipe` says the same to MLX's."""

    name: str
    source: str
    options: dict
    recipe: dict
    oracle: Literal["mlx", "transformers"] = "mlx"
    mend: Callable[[Any], None] = lambda _: None  # puts right what MLX's model computes otherwise than the family's own code

    @property
    def model(self) -> Path:
        return FIXTURES / self.source / "model"

    @property
    def vision(self) -> bool:
        return (self.model / "preprocessor_config.json").exists()

    @property
    def half(self) -> bool:
        return "dtype" in self.options


@dataclass(frozen=True)
class Question:
    case: Case
    prompt: Prompt
    inputs: Any  # of what kind, the family knows


def _question(conversion: Conversion, case: Case) -> Question:
    source, folder = conversion.source, conversion.model
    if source == "phi3-v":
        text, ids, pixels = phi3_v._prepare(folder, case)
        return Question(case, Prompt(text, [id if id >= 0 else phi3_v._VOCAB - 1 for id in ids], None, None, None), (ids, pixels))
    if source in _SMALL:
        inputs = small_models.inputs_of(_SMALL[source], folder, case)
        return Question(case, Prompt(inputs.text, inputs.token_ids, None, None, None), inputs)
    prompt = prepare(folder, case)
    return Question(case, prompt, prompt)


def _mlx(conversion: Conversion, folder: Path, half: bool) -> Callable[[Question], Logits]:
    """mlx-lm or mlx-vlm; activations in f32, or in bfloat16."""
    source, vision = conversion.source, conversion.vision
    if source in _SMALL and vision:
        oracle = small_models._Mlx(folder)
    else:
        oracle = (qwen2._Converted if vision and source.startswith("qwen2") else quantized._Model)(folder, vision)
    conversion.mend(oracle.model)
    if half:
        narrow = lambda array: array.astype(mx.bfloat16) if array.dtype == mx.float32 else array
        oracle.model.update(tree_map(narrow, oracle.model.parameters()))

    def asked(question: Question) -> Logits:
        if source == "phi3-v":
            ids, pixels = question.inputs
            return lambda new: _numpy(oracle.model(mx.array([[*ids, *new]]), **pixels).logits[0])
        if source in _SMALL and vision:
            return lambda new: oracle.logits([*question.inputs.token_ids, *new], question.inputs)
        return lambda new: oracle.logits(question.prompt, [*question.prompt.token_ids, *new])

    return asked


def _numpy(array: mx.array) -> np.ndarray:
    return np.array(array.astype(mx.float32))


def _transformers(conversion: Conversion, folder: Path, half: bool) -> Callable[[Question], Logits]:
    source, dtype = conversion.source, torch.bfloat16 if half else torch.float32
    if source in _SMALL:
        small = small_models._Oracle(_SMALL[source], folder, dtype)
        return lambda question: lambda new: small.logits([*question.inputs.token_ids, *new], question.inputs)
    reference = (qwen2._Reference if source.startswith("qwen2") else Reference)(folder, conversion.vision, dtype)

    def asked(question: Question) -> Logits:
        prompt = question.prompt
        rest = (prompt.image_token_id, prompt.pixel_values, prompt.image_grid_thw)
        return lambda new: reference.answer(Prompt(prompt.text, [*prompt.token_ids, *new], *rest), new_tokens=1).logits

    return asked


def _write_values(conversion: Conversion, converted: Path, folder: Path) -> None:
    """The source with the values that its weights have after the conversion."""
    shutil.copytree(conversion.model, folder)
    weights = load_file(folder / "model.safetensors")
    if conversion.half:
        weights = {name: _half_value(conversion.source, name, tensor) for name, tensor in weights.items()}
    else:
        config = json.loads((converted / "config.json").read_text(encoding="utf-8"))["quantization"]
        stored = mx.load(str(converted / "model.safetensors"))
        for layer in [name.removesuffix(".scales") for name in stored if name.endswith(".scales")]:
            settings = {**config, **config.get(layer, {})}
            values = mx.dequantize(
                *(stored[f"{layer}.{part}"] for part in ("weight", "scales", "biases")), settings["group_size"], settings["bits"]
            )
            name = f"{layer}.weight"
            for start, instead in _SOURCE_NAMES.get(conversion.source, {}).items():
                name = instead + name.removeprefix(start) if name.startswith(start) else name
            if name in weights:
                weights[name] = torch.from_numpy(_numpy(values))
            elif "lm_head" not in name:
                raise RuntimeError(f"{conversion.name}: {name} is not in the source")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _half_value(source: str, name: str, tensor: torch.Tensor) -> torch.Tensor:
    if source != "qwen3-5-moe":
        return tensor.to(torch.bfloat16)
    # MLX adds 1 to the norms before they lose digits, and leaves the rates of decay as they are.
    if name.endswith(NORM_WEIGHT_SUFFIXES):
        return (tensor + 1).to(torch.bfloat16).float() - 1
    return tensor if name.endswith("A_log") else tensor.to(torch.bfloat16)


def _greedy(logits: Logits, special: set[int]) -> Answer | None:
    """None when a greedy token is a marker or a near tie."""
    first = last = logits([])
    greedy: list[int] = []
    for _ in range(NEW_TOKENS):
        token = int(last[-1].argmax())
        if token in special or gap(last) < LEAST_GAP:
            return None
        greedy.append(token)
        last = logits(greedy)
    return Answer(first, greedy)


def _reworded(case: Case, words: str) -> Case:
    messages = copy.deepcopy(case.messages)
    last = messages[-1]
    if isinstance(last["content"], str):
        last["content"] += words
    else:
        last["content"][-1]["text"] += words
    return Case(case.name, messages)


def _answered(conversion: Conversion, case: Case, asked: Callable[[Question], Logits], special: set[int]) -> tuple[Question, Answer]:
    for words in _WORDINGS:
        question = _question(conversion, _reworded(case, words))
        answer = _greedy(asked(question), special)
        if answer:
            return question, answer
    raise RuntimeError(f"{conversion.name}: no wording of {case.name} has a clear answer")


def _digest(folder: Path) -> str:
    lines = [f"{name} {said}" for name, said in conversions.described(folder).items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def build(conversion: Conversion) -> int:
    """Let the oracle answer and write the goldens. Returns the source's seed."""
    folder = FIXTURES / conversion.name
    folder.mkdir(exist_ok=True)
    tokenizer.cache_clear()
    special = set(tokenizer(conversion.model).added_tokens_decoder)
    config = json.loads((conversion.model / "config.json").read_text(encoding="utf-8"))
    cases = VISION_CASES if conversion.vision else TEXT_CASES
    package = ("mlx-vlm" if conversion.vision else "mlx-lm") if conversion.oracle == "mlx" else "transformers"
    with conversions.converted(conversion.source, conversion.vision, conversion.recipe) as made, tempfile.TemporaryDirectory() as parent:
        model = made
        if conversion.oracle == "transformers":
            model = Path(parent) / "model"
            _write_values(conversion, made, model)
        load = _mlx if conversion.oracle == "mlx" else _transformers
        fixture = Fixture(
            folder,
            {
                "oracle": f"{package} {importlib.metadata.version(package)}",
                "model_type": config["model_type"],
                "converted": {"from": conversion.source, "options": conversion.options, "weights": _digest(made)},
                "computed_dtype": "float32",
            },
            conversion.model,
        )
        asked = load(conversion, model, False)
        done = [_answered(conversion, case, asked, special) for case in cases]
        coarse = load(conversion, model, True) if conversion.half else None
        for question, answer in done:
            extra = {"logits_bfloat16": coarse(question)([])} if coarse else None
            rows = _ROWS_BFLOAT16 if coarse else _ROWS
            prompt = Prompt(question.prompt.text, question.prompt.token_ids, None, None, None)
            fixture.add(question.case, prompt, answer, rows=rows, extra=extra)
    fixture.write()
    return manifest.seeds()[conversion.source]


def _affine(source: str, *widths: int, **how: Any) -> list[Conversion]:
    return [
        Conversion(
            f"{source.removesuffix('-bf16')}-{bits}bit",
            source,
            {"quantize": {"bits": bits, "groupSize": 32}},
            {"quantize": True, "q_bits": bits, "q_group_size": 32},
            **how,
        )
        for bits in widths
    ]


def _modes(source: str, *modes: str) -> list[Conversion]:
    groups = {"mxfp4": (4, 32), "nvfp4": (4, 16), "mxfp8": (8, 32)}
    return [
        Conversion(
            f"{source}-{mode}",
            source,
            {"quantize": {"mode": mode}},
            {"quantize": True, "q_mode": mode, "q_bits": groups[mode][0], "q_group_size": groups[mode][1]},
        )
        for mode in modes
    ]


def _towers(source: str) -> Conversion:
    """With the tower's layers, but for its table of positions."""
    chosen = lambda path, module: not (skip_multimodal_module(path) and isinstance(module, nn.Embedding))
    return Conversion(
        f"{source}-8bit-tower",
        source,
        {"quantize": {"bits": 8, "groupSize": 32}, "quantizeTowers": True},
        {"quantize": True, "q_bits": 8, "q_group_size": 32, "quant_predicate": chosen},
    )


def _half(source: str, **how: Any) -> Conversion:
    return Conversion(f"{source}-bf16", source, {"dtype": "bfloat16"}, {"dtype": "bfloat16"}, **how)


_CONVERSIONS = [
    *[one for source in ("llama", "mistral", "qwen2", "llava", "phi3-v", "qwen2.5-vl", "qwen3-5") for one in _affine(source, 4, 8)],
    *[one for source in ("gemma3-text", "qwen3", "qwen3-moe", "idefics3", "qwen2-vl", "qwen3-vl", "qwen3-5-moe") for one in _affine(source, 8)],
    *_affine("ministral3-bf16", 4, 8),
    *_affine("qwen3-vl-moe", 4, mend=_mend_vision),
    # mlx-lm's Phi-3 has the long factors only; mlx-vlm's Gemma 3 and SmolVLM read rope from other keys, its LLaVA-NeXT does not put
    # tiles together, its Pixtral tower knows SiLU only.
    *[one for source in ("phi3", "gemma3", "smolvlm", "llava-next") for one in _affine(source, 4, 8, oracle="transformers")],
    *_affine("mistral3", 8, oracle="transformers"),
    *[_towers(source) for source in ("idefics3", "llava", "qwen2.5-vl", "qwen3-vl")],
    *_modes("qwen3", "mxfp4", "nvfp4", "mxfp8"),
    *_modes("qwen3-vl", "mxfp4", "nvfp4", "mxfp8"),
    *_modes("qwen3-moe", "mxfp4"),
    *[_half(source, oracle="transformers") for source in ("mistral", "idefics3", "llava-next", "qwen2-vl", "qwen3-vl-moe", "qwen3-5-moe")],
    _half("phi3-v"),
]
BUILDERS = {conversion.name: partial(build, conversion) for conversion in _CONVERSIONS}
READS_FIXTURES = True
