"""Changes of colour and sharpness on the training device."""

from __future__ import annotations

import torch
from torch import Tensor


def augment(pictures: Tensor) -> Tensor:
    """uint8 or float (pictures, height, width, 3) → float, 0…255. Most pictures keep most of their look."""
    x = pictures.float()
    count = x.shape[0]

    def chance(share: float) -> Tensor:
        return (torch.rand(count, 1, 1, 1, device=x.device) < share).float()

    def uniform(channels: int = 1) -> Tensor:
        return torch.rand(count, 1, 1, channels, device=x.device)

    inverted = chance(0.06)
    x = x * (1 - inverted) + (255 - x) * inverted
    fringed = chance(0.2)  # as subpixel rendering of text
    left, right = torch.roll(x[..., 0], 1, 2), torch.roll(x[..., 2], -1, 2)
    x = x * (1 - fringed) + torch.stack([0.67 * x[..., 0] + 0.33 * left, x[..., 1], 0.67 * x[..., 2] + 0.33 * right], -1) * fringed
    blurred = chance(0.15) * uniform() * 0.6
    x = x * (1 - blurred) + (torch.roll(x, 1, 2) + torch.roll(x, -1, 2) + torch.roll(x, 1, 1) + torch.roll(x, -1, 1)) / 4 * blurred
    tinted = chance(0.3)
    x = x * (1 - tinted * 0.3 * uniform(3)) + tinted * 40 * (uniform(3) - 0.5)
    noise = chance(0.2) * uniform() * 12
    x = x + noise * torch.randn_like(x)
    return x.clamp(0, 255)
