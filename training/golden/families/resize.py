"""A tall picture made much smaller, as transformers' default processors do it: PyTorch's antialiased bicubic of eight-bit pictures."""

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file

from ..paths import FIXTURES

_SIZE = (96, 27)


def build() -> int:
    """Write resize/tall.safetensors: the picture in Pillow's size and PyTorch's arithmetic. Nothing is random."""
    picture = torch.from_numpy(np.array(Image.open(FIXTURES / "pictures" / "noise-64x224.png").convert("RGB")))
    small = torch.nn.functional.interpolate(picture.permute(2, 0, 1)[None], size=_SIZE, mode="bicubic", antialias=True)
    folder = FIXTURES / "resize"
    folder.mkdir(exist_ok=True)
    save_file({"tall": np.ascontiguousarray(small[0].permute(1, 2, 0).numpy())}, folder / "tall.safetensors")
    return 0


BUILDERS = {"resize": build}
