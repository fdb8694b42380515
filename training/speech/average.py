"""The mean of two trainings' weights, the second begun from the first: what the second learnt, without what it lost.

    python -m speech.average FIRST SECOND --share 0.5 --out FOLDER
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

_WEIGHTS = "model.safetensors"


def average(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """`share` of `second`, computed in float32, in the type of `first`. Raises ValueError when the names or shapes differ."""
    if {name: tensor.shape for name, tensor in first.items()} != {name: tensor.shape for name, tensor in second.items()}:
        raise ValueError("expected two sets of weights with the same names and shapes, got different ones; the second training must begin from the first")
    return {name: torch.lerp(first[name].float(), second[name].float(), share).to(first[name].dtype) for name in first}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path, help="model folder; its settings and tokenizer are kept")
    parser.add_argument("second", type=Path, help="model folder")
    parser.add_argument("--share", type=float, default=0.5, help="of the second")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    weights = average(load_file(options.first / _WEIGHTS), load_file(options.second / _WEIGHTS), options.share)
    options.out.mkdir(parents=True, exist_ok=True)
    for path in options.first.iterdir():
        if path.suffix == ".json":
            shutil.copy(path, options.out / path.name)
    save_file(weights, options.out / _WEIGHTS, metadata={"format": "pt"})


if __name__ == "__main__":
    main()
