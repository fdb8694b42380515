"""Makes what is in test/golden/fixtures anew, all of it or some, and writes the manifest."""

import importlib.metadata
import shutil

import torch

from . import embedded, families, manifest, pictures, quantized, random_models, text_tools
from .models import VARIANTS
from .paths import EMBEDDED, FIXTURES, PICTURES

_PACKAGES = [
    "torch", "transformers", "tokenizers", "safetensors", "Jinja2", "numpy", "pillow", "mlx", "mlx-lm", "mlx-vlm", "mlx-audio",
]  # fmt: skip


def main(only: list[str]) -> None:
    torch.set_num_threads(1)  # the order of sums, and so the last bits, must not depend on the machine's cores
    seeds = make_families(only) if only else make_all()
    versions = {package: importlib.metadata.version(package) for package in _PACKAGES}
    manifest.write(versions, seeds)
    size = sum(path.stat().st_size for path in FIXTURES.rglob("*") if path.is_file())
    print(f"{FIXTURES}: {size / 1e6:.1f} MB")


def make_families(names: list[str]) -> dict[str, int]:
    """Make these fixtures of golden/families and leave the others as they are."""
    builders = families.builders()
    unknown = [name for name in names if name not in builders]
    if unknown:
        raise SystemExit(f"Expected fixtures among {', '.join(sorted(builders))} but received {', '.join(unknown)}.")
    seeds = manifest.seeds()
    for name in names:
        print(f"{name}: random model, answered by its reference", flush=True)
        shutil.rmtree(FIXTURES / name, ignore_errors=True)
        seeds[name] = builders[name]()
    return seeds


def make_all() -> dict[str, int]:
    for entry in FIXTURES.iterdir():
        if entry.is_file():
            entry.unlink()
        elif entry != EMBEDDED:
            shutil.rmtree(entry)
    PICTURES.mkdir()
    pictures.build()
    seeds = {}
    for variant in VARIANTS:
        print(f"{variant.name}: random model, answered by transformers", flush=True)
        seeds[variant.name] = random_models.build(variant)
    for recipe in quantized.RECIPES:
        print(f"{recipe.name}: converted and answered by MLX", flush=True)
        seeds[recipe.name] = quantized.build(recipe)
    print("the embedded model, answered by transformers", flush=True)
    embedded.build()
    text_tools.build(FIXTURES / "qwen3" / "model")
    return seeds | make_families(list(families.builders()))
