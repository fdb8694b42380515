"""Greedy answers to many prompts at once, for evaluation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from tokenizers import Tokenizer

from tasks.form import END, STOP

from .geometry import PREFIX
from .packed import Packed


@torch.no_grad()
def about_pictures(packed: Packed, tokenizer: Tokenizer, pictures: Sequence[np.ndarray], prompts: Sequence[tuple[int, str]], limit: int = 72, batch: int = 192) -> list[str]:
    """Answers to `(index of the picture, prompt)`; pictures of one size are worked on together."""
    device = packed.frequency.device
    answers = [""] * len(prompts)
    sizes: dict[tuple[int, int], list[int]] = {}
    for number, (index, _) in enumerate(prompts):
        height, width, _ = pictures[index].shape
        sizes.setdefault((height, width), []).append(number)
    for numbers in sizes.values():
        for start in range(0, len(numbers), batch):
            part = numbers[start : start + batch]
            used = sorted({prompts[number][0] for number in part})
            place = {index: row for row, index in enumerate(used)}
            visual, deep = [], []
            for first in range(0, len(used), 32):
                stack = torch.from_numpy(np.stack([pictures[index] for index in used[first : first + 32]])).to(device)
                merged, levels, _ = packed.vision(stack)
                visual.append(merged)
                deep.append(levels)
            rows = torch.tensor([place[prompts[number][0]] for number in part], device=device)
            features = torch.cat(visual)[rows]
            levels = [torch.cat([one[level] for one in deep])[rows] for level in range(len(deep[0]))]
            height, width, _ = pictures[used[0]].shape
            texts = [tokenizer.encode(prompts[number][1] + END).ids for number in part]
            for number, text in zip(part, _greedy(packed, tokenizer, texts, limit, (features, levels, height, width))):
                answers[number] = text
    return answers


@torch.no_grad()
def about_text(packed: Packed, tokenizer: Tokenizer, prompts: Sequence[str], limit: int = 160, batch: int = 64) -> list[str]:
    """Answers to rendered prompts without pictures."""
    order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
    answers = [""] * len(prompts)
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        for number, text in zip(part, _greedy(packed, tokenizer, [tokenizer.encode(prompts[number]).ids for number in part], limit, None)):
            answers[number] = text
    return answers


def _greedy(packed: Packed, tokenizer: Tokenizer, texts: list[list[int]], limit: int, picture: tuple[torch.Tensor, list[torch.Tensor], int, int] | None) -> list[str]:
    """Recomputes the whole row for each token: rows are short and the device is wide. Padding stands at the end, where causal attention does not look."""
    device = packed.frequency.device
    stop = tokenizer.token_to_id(STOP)
    longest = max(map(len, texts)) + limit
    ids = torch.zeros(len(texts), longest, dtype=torch.long)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
    ids = ids.to(device)
    length = torch.tensor([len(text) for text in texts], device=device)
    begin, done = length.clone(), torch.zeros(len(texts), dtype=torch.bool, device=device)
    rows = torch.arange(len(texts), device=device)
    position = torch.arange(longest, device=device)[None].expand(len(texts), -1)
    before = 0
    for _ in range(limit):
        end = int(length.max())
        if picture is None:
            x = packed._embed(ids[:, :end])
            states = packed.decode(x, position[None, :, :end].expand(3, -1, -1), None, [], 0)
        else:
            features, levels, height, width = picture
            geometry = packed.geometry(height // 16, width // 16)
            before = geometry.tokens + len(PREFIX) + 1
            x, place = packed.with_picture(features, ids[:, :end], position[:, :end], geometry)
            states = packed.decode(x, place, None, levels, len(texts))
        token = packed.logits(states[rows, before + length - 1]).argmax(-1)
        token = torch.where(done, torch.full_like(token, stop), token)
        ids[rows, length] = token
        done |= token == stop
        length = torch.where(done, length, length + 1)
        if bool(done.all()):
            break
    return [tokenizer.decode(ids[row, begin[row] : length[row]].tolist(), skip_special_tokens=False) for row in range(len(texts))]
