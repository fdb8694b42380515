"""The mean of several trainings' weights, all begun from the same ones: what they agree on, without what each learnt by heart.

    python -m speech.average FOLDER FOLDER … --out FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from .network import save


def average(trainings: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Equal shares of all, computed in float32, in the types of the first. Raises ValueError when the names or shapes differ."""
    first, *others = trainings
    shapes = {name: tensor.shape for name, tensor in first.items()}
    if any({name: tensor.shape for name, tensor in other.items()} != shapes for other in others):
        raise ValueError("expected sets of weights with the same names and shapes, got different ones; the trainings must begin from the same weights")
    return {name: torch.stack([training[name].float() for training in trainings]).mean(0).to(first[name].dtype) for name in first}


def write(folders: Sequence[Path], out: Path) -> None:
    """The mean as a model folder; settings and tokenizer are those of the first."""
    save(average([load_file(folder / "model.safetensors") for folder in folders]), folders[0], out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="model folders; settings and tokenizer are those of the first")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    write(options.folders, options.out)


if __name__ == "__main__":
    main()
