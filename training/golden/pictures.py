"""Test pictures: some for the models, and one of every awkward kind for the decoder."""

import json

import numpy as np
from PIL import Image, ImageDraw, ImageOps
from safetensors.numpy import save_file

from .paths import PICTURES

DECODE = PICTURES / "decode"


def _gradient(width: int, height: int) -> np.ndarray:
    """Red grows to the right, green downwards, blue to the lower left: no two corners are alike."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return np.rint(np.stack([x, y, (1 - x + y) / 2], axis=-1) * 255).astype(np.uint8)


def _shapes(width: int, height: int) -> np.ndarray:
    image = Image.new("RGB", (width, height), (240, 236, 220))
    draw = ImageDraw.Draw(image)
    draw.ellipse((width * 0.1, height * 0.15, width * 0.45, height * 0.8), fill=(200, 30, 40))
    draw.rectangle((width * 0.5, height * 0.4, width * 0.93, height * 0.9), fill=(20, 60, 200), outline=(0, 0, 0))
    draw.line((0, height - 1, width - 1, 0), fill=(10, 140, 60), width=3)
    return np.asarray(image)


def _noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(11).integers(0, 256, (height, width, 3), dtype=np.uint8)


MODEL_PICTURES = {
    # On the 16-pixel grid of the random models and within their limits: nothing is resized.
    "gradient-96x64.png": _gradient(96, 64),
    "shapes-64x80.png": _shapes(64, 80),
    # Rounded to the grid, scaled down, scaled up.
    "gradient-97x61.png": _gradient(97, 61),
    "shapes-200x150.png": _shapes(200, 150),
    "noise-64x224.png": _noise(64, 224),
    "shapes-21x13.png": _shapes(21, 13),
}


def build() -> None:
    """Write the pictures, and decode.safetensors with the pixels that a decoder must give: `NAME` (H, W, 3) uint8."""
    DECODE.mkdir(parents=True, exist_ok=True)
    for name, pixels in MODEL_PICTURES.items():
        Image.fromarray(pixels).save(PICTURES / name)

    base = _gradient(24, 16)
    ramp = base[..., 0]
    alpha = np.rint(np.linspace(0, 255, 16)[:, None].repeat(24, 1)).astype(np.uint8)
    grey = np.repeat(ramp[..., None], 3, axis=-1)
    white = lambda pixels: np.rint(pixels * (alpha[..., None] / 255) + 255 - alpha[..., None]).astype(np.uint8)

    # What a picture shows, whatever is in the file: transparency is seen on white paper.
    expected: dict[str, np.ndarray] = {}
    tolerance: dict[str, int] = {}

    def case(name: str, pixels: np.ndarray, within: int = 0) -> str:
        expected[name] = np.ascontiguousarray(pixels)
        tolerance[name] = within
        return str(DECODE / name)

    Image.fromarray(base).save(case("rgb.png", base))
    Image.fromarray(np.dstack([base, np.full_like(ramp, 255)])).save(case("rgba-opaque.png", base))
    # One level: implementations round the blend differently.
    Image.fromarray(np.dstack([base, alpha])).save(case("rgba.png", white(base), within=1))
    Image.fromarray(ramp).save(case("grey.png", grey))
    Image.fromarray(np.dstack([ramp, alpha])).save(case("grey-alpha.png", white(grey), within=1))
    # 257 v has the same 8-bit value v whether a decoder shifts, divides or rounds.
    Image.fromarray(ramp.astype(np.uint16) * 257).save(case("grey-16-bit.png", grey))
    bits = ramp > 127
    Image.fromarray(bits).save(case("one-bit.png", np.repeat(np.where(bits, 255, 0).astype(np.uint8)[..., None], 3, -1)))
    palette = Image.fromarray(base).quantize(16)
    palette.save(case("palette.png", np.asarray(palette.convert("RGB"))))
    seen = np.asarray(palette.convert("RGB")).copy()
    seen[np.asarray(palette) == 3] = 255
    palette.save(case("palette-transparent.png", seen), transparency=3)
    palette.save(case("palette.gif", np.asarray(palette.convert("RGB"))))
    Image.fromarray(base).save(case("lossless.webp", base), lossless=True, exact=True)

    # JPEG decoders may differ by rounding in the inverse transform; without chroma subsampling that stays within 3 levels.
    # Each file holds the same scene, stored turned or mirrored, with the EXIF tag that undoes it.
    scene = _shapes(48, 32)
    stored = {1: scene, 2: scene[:, ::-1], 3: scene[::-1, ::-1], 6: np.rot90(scene), 8: np.rot90(scene, -1)}
    for orientation, pixels in stored.items():
        name = f"exif-{orientation}.jpg"
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = DECODE / name
        Image.fromarray(np.ascontiguousarray(pixels)).save(path, quality=95, subsampling=0, exif=exif)
        case(name, np.asarray(ImageOps.exif_transpose(Image.open(path))), within=3)
    save_file(expected, PICTURES / "decode.safetensors")
    (PICTURES / "decode.json").write_text(json.dumps({"tolerance": tolerance}, indent=1) + "\n")
