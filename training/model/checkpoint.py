"""Loading a model folder, saving what training needs to go on, and exporting what ships."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

from .packed import Packed

TINY = Path(__file__).resolve().parents[2] / "models/tiny"


def load(folder: Path, classes: int) -> tuple[Packed, Tokenizer]:
    """The model of a Hugging Face folder in float32, ready for packed passes, and its tokenizer."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    config = Qwen3VLConfig(**json.loads((folder / "config.json").read_text()))
    model = Qwen3VLForConditionalGeneration(config).float()
    weights: dict[str, torch.Tensor] = {}
    for shard in sorted(folder.glob("*.safetensors")):
        weights.update(load_file(shard))
    result = model.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, strict=False)
    if result.unexpected_keys or any("lm_head" not in name for name in result.missing_keys):
        raise ValueError(f"{folder}: expected the weights of the configuration, missing {result.missing_keys}, not known {result.unexpected_keys}")
    model.tie_weights()

    def token_id(token: str) -> int:
        ids = tokenizer.encode(token).ids
        if len(ids) != 1:
            raise ValueError(f"expected {token!r} to be one token, got {ids}")
        return ids[0]

    return Packed(model, token_id, classes), tokenizer


def save_state(path: Path, packed: Packed, optimisers: list[Any], progress: dict[str, Any]) -> None:
    """Weights in float32, the optimisers' state and how far training is; replaces the file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    torch.save({"model": packed.state_dict(), "optimisers": [optimiser.state_dict() for optimiser in optimisers], "progress": progress}, partial)
    partial.rename(path)


def load_state(path: Path, packed: Packed, optimisers: list[Any]) -> dict[str, Any]:
    """The inverse of `save_state`; returns the progress."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    packed.load_state_dict(state["model"])
    for optimiser, saved in zip(optimisers, state["optimisers"]):
        optimiser.load_state_dict(saved)
    progress: dict[str, Any] = state["progress"]
    return progress


def export(packed: Packed, folder: Path, shard: str = "14MB") -> list[str]:
    """bfloat16 shards with their index in `folder`; returns the names. The other files of a model folder do not change."""
    with torch.no_grad():
        weights = {name: tensor.detach().bfloat16().cpu() for name, tensor in packed.model.state_dict().items()}
    plain = Qwen3VLForConditionalGeneration(packed.model.config).bfloat16()
    plain.load_state_dict(weights)
    plain.tie_weights()
    scratch = folder / "export-scratch"
    plain.save_pretrained(scratch, max_shard_size=shard)
    names = []
    for path in sorted(scratch.glob("model*")):
        shutil.move(str(path), folder / path.name)
        names.append(path.name)
    shutil.rmtree(scratch)
    return names
