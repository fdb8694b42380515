"""Muon for the matrices, AdamW for the rest."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95


def orthogonalised(matrices: Tensor) -> Tensor:
    """Newton-Schulz iteration towards the nearest orthogonal matrix; (count, rows, columns)."""
    a, b, c = 3.4445, -4.775, 2.0315
    x = matrices.bfloat16() if matrices.is_cuda else matrices
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


class Muon:
    """Momentum, made orthogonal; matrices of one shape are updated together."""

    def __init__(self, parameters: list[nn.Parameter], weight_decay: float) -> None:
        self.weight_decay = weight_decay
        self.groups: dict[tuple[int, int], list[nn.Parameter]] = {}
        for parameter in parameters:
            self.groups.setdefault((parameter.shape[0], parameter[0].numel()), []).append(parameter)
        self.momentum = {shape: torch.zeros(len(group), *shape, device=group[0].device) for shape, group in self.groups.items()}

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One update at this learning rate, scaled so that AdamW's rates fit."""
        for shape, group in self.groups.items():
            gradient = torch.stack([parameter.grad.view(shape) if parameter.grad is not None else torch.zeros(shape, device=parameter.device) for parameter in group])
            momentum = self.momentum[shape]
            momentum.lerp_(gradient, 1 - MOMENTUM)
            update = orthogonalised(gradient.lerp(momentum, MOMENTUM)).float().mul_(rate * 0.2 * math.sqrt(max(shape)))
            torch._foreach_mul_(group, 1 - rate * self.weight_decay)
            torch._foreach_sub_(group, [one.view(parameter.shape) for one, parameter in zip(update.unbind(0), group)])

    def state_dict(self) -> dict[str, Any]:
        """Momentum by shape."""
        return {f"{rows}x{columns}": tensor for (rows, columns), tensor in self.momentum.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        for (rows, columns), tensor in self.momentum.items():
            tensor.copy_(state[f"{rows}x{columns}"])


def make_optimisers(packed: nn.Module, weight_decay: float) -> tuple[Muon, torch.optim.AdamW]:
    """Embeddings, learned positions, norms, biases and the auxiliary head go to AdamW."""
    matrices, rest = [], []
    for name, parameter in packed.named_parameters():
        plain = parameter.dim() < 2 or "embed_tokens" in name or "pos_embed" in name or name.startswith("auxiliary")
        (rest if plain else matrices).append(parameter)
    fused = next(packed.parameters()).is_cuda
    return Muon(matrices, weight_decay), torch.optim.AdamW(rest, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0, fused=fused)


def update(network: nn.Module, muon: Muon, adam: torch.optim.AdamW, rate: float) -> Tensor:
    """One step of both with gradients clipped to a norm of 1; returns the norm before. A gradient that is not finite is left out. None is left behind."""
    norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    if bool(torch.isfinite(norm)):
        for group in adam.param_groups:
            group["lr"] = rate
        muon.step(rate)
        adam.step()
    network.zero_grad(set_to_none=True)  # the whole network's: each optimiser knows only some of it
    return norm
