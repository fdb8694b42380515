"""Qwen3 and Ministral 3 in 8-bit floats, laid out as on the hub: a scale for each block of a matrix, or one for all of it. What the
reference answers with is the same numbers made plain by PyTorch, in bfloat16."""

import json
import tempfile
from functools import partial
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

from .. import models
from ..fixture import Fixture
from ..paths import FIXTURES
from ..prompt import Prompt, tokenizer
from ..random_models import SEED_TRIES
from ..small_models import SmallModel, _Oracle, inputs_of, write_model
from . import llama, mistral

BLOCK = 32  # the hub's are 128; matrices here have blocks that are not whole
_LARGEST = 448.0


def _qwen3(_ids: dict[str, int]) -> dict:
    text = llama.text_config(
        architectures=["Qwen3ForCausalLM"], torch_dtype="bfloat16", head_dim=24, attention_bias=False, tie_word_embeddings=False
    )
    return text | {"model_type": "qwen3", "intermediate_size": 80}


def _ministral(_ids: dict[str, int]) -> dict:
    return mistral.ministral3_text_config(architectures=["Ministral3ForCausalLM"], dtype="bfloat16", tie_word_embeddings=False)


def _rounded(weight: torch.Tensor, block: int | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The 8-bit matrix, its scales, and what the two stand for."""
    rows, columns = weight.shape
    step = (rows, columns) if block is None else (block, block)
    scales = torch.zeros([-(-rows // step[0]), -(-columns // step[1])])
    packed, plain = torch.zeros_like(weight, dtype=torch.float8_e4m3fn), torch.zeros_like(weight)
    for i in range(scales.shape[0]):
        for j in range(scales.shape[1]):
            place = (slice(i * step[0], (i + 1) * step[0]), slice(j * step[1], (j + 1) * step[1]))
            scales[i, j] = (weight[place].abs().max() / _LARGEST).bfloat16()
            packed[place] = (weight[place] / scales[i, j]).to(torch.float8_e4m3fn)
            plain[place] = packed[place].float() * scales[i, j]
    return packed, scales.bfloat16() if block else scales.bfloat16().reshape([]), plain


def _write(model: SmallModel, folder: Path, seed: int, block: int | None) -> dict[str, torch.Tensor]:
    """The folder in 8-bit floats. Returns the weights made plain."""
    write_model(model, folder, seed)
    weights = load_file(folder / "model.safetensors")
    stored, plain = {}, dict(weights)
    for name, tensor in weights.items():
        stored[name] = tensor
        if name.endswith("proj.weight"):
            packed, scales, values = _rounded(tensor.float(), block)
            stored |= {name: packed, f"{name}_scale_inv": scales}
            if block is None:
                stored[name.replace("weight", "activation_scale")] = torch.tensor(0.05).bfloat16()
            plain[name] = values.bfloat16()
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    how = {"activation_scheme": "static" if block is None else "dynamic", "fmt": "e4m3", "quant_method": "fp8"}
    how["weight_block_size"] = None if block is None else [block, block]
    models._write_json(folder / "config.json", config | {"quantization_config": how})
    return plain


def _attempt(model: SmallModel, folder: Path, seed: int, block: int | None) -> list[tuple] | None:
    plain = _write(model, folder, seed, block)
    with tempfile.TemporaryDirectory() as name:
        source = Path(name)
        write_model(model, source, seed)
        save_file(plain, source / "model.safetensors", metadata={"format": "pt"})
        tokenizer.cache_clear()
        oracle, special = _Oracle(model, source), set(tokenizer(source).added_tokens_decoder)
        done = []
        for case in model.cases:
            inputs = inputs_of(model, source, case)
            answer = oracle.answer(inputs, special)
            if answer is None:
                return None
            done.append((case, inputs, answer))
    return done


def _build(model: SmallModel, block: int | None) -> int:
    folder = FIXTURES / model.name
    for seed in range(SEED_TRIES):
        done = _attempt(model, folder / "model", seed, block)
        if done:
            break
    else:
        raise RuntimeError(f"{model.name}: none of {SEED_TRIES} seeds gives clear greedy answers")
    about = {
        "oracle": f"transformers {transformers.__version__}",
        "model_type": model.config({marker: 0 for marker in model.markers.values()})["model_type"],
        "stored_dtype": "float8_e4m3fn",
        "computed_dtype": "float32",
        "seed": seed,
    }
    fixture = Fixture(folder, about, folder / "model")
    for case, inputs, answer in done:
        fixture.add(case, Prompt(inputs.text, inputs.token_ids, None, None, None), answer, rows=12)
    fixture.write()
    return seed


_LLAMA = {"template": llama.TEMPLATE, "markers": llama.MARKERS, "bos": "<|begin_of_text|>", "eos": "<|eot_id|>"}
BUILDERS = {
    "qwen3-fp8": partial(_build, SmallModel("qwen3-fp8", _qwen3, **_LLAMA, dtype="bfloat16"), BLOCK),
    "ministral3-fp8": partial(_build, SmallModel("ministral3-fp8", _ministral, **mistral.COMMON, dtype="bfloat16"), None),
}
