"""Positions of a picture's patches and of the text around it, as transformers' Qwen3-VL computes them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PREFIX = ("<|im_start|>", "user", "\n", "<|vision_start|>")
"""Tokens before a picture; `<|vision_end|>` follows it."""


@dataclass(frozen=True)
class Geometry:
    """For pictures of `rows` × `columns` patches. Patches are in merge order: the four of a 2 × 2 group stand together.

    `grid_index`, `grid_weight`: (4, patches) and (4, patches, 1) for the bilinear look-up of learned positions; `cosine`, `sine`:
    (patches, head_dim) of the vision tower; `prefix`: (3, tokens) positions of everything up to and with `<|vision_end|>`;
    `next_position`: the position of the first text token; `tokens`: merged visual tokens.
    """

    rows: int
    columns: int
    grid_index: Tensor
    grid_weight: Tensor
    cosine: Tensor
    sine: Tensor
    prefix: Tensor
    next_position: int
    tokens: int


def make_geometry(rows: int, columns: int, side: int, head_dim: int, device: torch.device | str) -> Geometry:
    """`side`: edge of the square of learned positions; `head_dim`: of the vision tower."""

    def merged(grid: Tensor) -> Tensor:
        return grid.reshape(rows // 2, 2, columns // 2, 2).permute(0, 2, 1, 3).reshape(-1)

    row_grid, column_grid = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    row, column = merged(row_grid), merged(column_grid)
    at_row, at_column = torch.linspace(0, side - 1, rows)[row], torch.linspace(0, side - 1, columns)[column]
    row0, column0 = at_row.floor().long(), at_column.floor().long()
    row1, column1 = (row0 + 1).clamp(max=side - 1), (column0 + 1).clamp(max=side - 1)
    down, right = at_row - row0, at_column - column0
    index = torch.stack([row0 * side + column0, row0 * side + column1, row1 * side + column0, row1 * side + column1])
    weight = torch.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right])[..., None]
    frequency = 1 / (10000.0 ** (torch.arange(0, head_dim // 2, 2).float() / (head_dim // 2)))
    angle = torch.cat([row[:, None] * frequency, column[:, None] * frequency], -1)
    angle = torch.cat([angle, angle], -1)
    before = len(PREFIX)
    high, wide = rows // 2, columns // 2
    image_row = torch.arange(high).repeat_interleave(wide) + before
    image_column = torch.arange(wide).repeat(high) + before
    start = torch.arange(before)
    end = torch.tensor([before + max(high, wide)])
    prefix = torch.stack([
        torch.cat([start, torch.full_like(image_row, before), end]), torch.cat([start, image_row, end]), torch.cat([start, image_column, end])
    ])
    return Geometry(
        rows, columns, index.to(device), weight.to(device), angle.cos().to(device), angle.sin().to(device), prefix.to(device),
        before + max(high, wide) + 1, high * wide,
    )
