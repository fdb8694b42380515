"""Another size of the same model, as a start for training: narrower MLPs in the text model, more layers in the vision tower.

    python -m model.resize --from ../models/tiny --out ../build/training/start --intermediate 1152 --vision-layers 12

An MLP keeps its strongest neurons; a new layer of the tower begins as the identity (its outputs are zero) at the tower's end.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

VISION, TEXT = "model.visual.blocks", "model.language_model.layers"


def narrowed(weights: dict[str, Tensor], layers: int, intermediate: int) -> dict[str, Tensor]:
    """Every text layer's MLP with its `intermediate` strongest neurons, by the product of the norms of what goes in and out."""
    result = dict(weights)
    for layer in range(layers):
        names = [f"{TEXT}.{layer}.mlp.{part}_proj.weight" for part in ("gate", "up", "down")]
        gate, up, down = (weights[name].float() for name in names)
        strength = gate.norm(dim=1) * up.norm(dim=1) * down.norm(dim=0)
        kept = strength.topk(intermediate).indices.sort().values
        for name, dimension in zip(names, (0, 0, 1)):
            result[name] = weights[name].index_select(dimension, kept).contiguous()
    return result


def deepened(weights: dict[str, Tensor], layers: int, wanted: int) -> dict[str, Tensor]:
    """The vision tower with `wanted` layers: copies of its last one that add nothing yet."""
    result = dict(weights)
    last = f"{VISION}.{layers - 1}."
    for layer in range(layers, wanted):
        for name, weight in weights.items():
            if name.startswith(last):
                silent = any(part in name for part in ("attn.proj.", "mlp.linear_fc2."))
                result[f"{VISION}.{layer}.{name.removeprefix(last)}"] = torch.zeros_like(weight) if silent else weight.clone()
    return result


def main() -> None:
    """Read a model's folder, write another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--intermediate", type=int, required=True, help="neurons of a text layer's MLP, not more than now")
    parser.add_argument("--vision-layers", type=int, required=True, help="not less than now")
    options = parser.parse_args()
    config = json.loads((options.source / "config.json").read_text())
    text, vision = config["text_config"], config["vision_config"]
    if not 0 < options.intermediate <= text["intermediate_size"] or options.vision_layers < vision["depth"]:
        parser.error(f"expected at most {text['intermediate_size']} neurons and at least {vision['depth']} layers, got {options.intermediate} and {options.vision_layers}")
    weights: dict[str, Tensor] = {}
    for shard in sorted(options.source.glob("*.safetensors")):
        weights.update(load_file(shard))
    weights = narrowed(weights, text["num_hidden_layers"], options.intermediate)
    weights = deepened(weights, vision["depth"], options.vision_layers)
    text["intermediate_size"], vision["depth"] = options.intermediate, options.vision_layers
    options.out.mkdir(parents=True, exist_ok=True)
    for path in options.source.iterdir():
        if path.suffix != ".safetensors" and "index" not in path.name and path.name != "README.md":
            shutil.copy(path, options.out / path.name)
    (options.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(weights, options.out / "model.safetensors", {"format": "pt"})
    print(f"{sum(weight.numel() for weight in weights.values()):,} parameters in {options.out}")


if __name__ == "__main__":
    main()
