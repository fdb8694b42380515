"""Voices that no synthesiser has: windows whose speed sways, whose resonances are moved apart from each other, whose throat is hoarse or smooth.

All of it is drawn by window and made on the training device. The few voices of training would otherwise be learnt by heart."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .augment import chance, uniform

_BINS_PER_KHZ = 25
"""Of the features' spectrum (40 Hz each)."""


def sways(generator: torch.Generator, utterances: int, share: float) -> Tensor:
    """For `augment.compose`: waves in an utterance, and by which share its speed rises and falls; (utterances, 2)."""
    turns = uniform(generator, utterances, 1, 5).floor()
    return torch.stack([turns, uniform(generator, utterances, -0.22, 0.22) * chance(generator, utterances, share)], 1)


def altered(power: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Of `share` of the windows: powers (windows, bins, frames) with bent resonances, a throat that is smoother or hoarser, and another balance of bands."""
    strange = chance(generator, power.shape[0], share)
    power = _throat(bent(power, strange, generator), strange, generator)
    return power * _balance(power, strange, generator)


def bent(power: Tensor, strange: Tensor, generator: torch.Generator) -> Tensor:
    """Frequencies moved by up to 7 % in waves of one to two and a half octaves: a vocal tract of another shape, not only of another length. Hisses move as far for their height as vowels do."""
    windows, bins, _ = power.shape
    place = torch.arange(bins, device=power.device, dtype=torch.float32)
    octave = torch.log2(place.clamp(min=2))
    depth = (uniform(generator, windows, -0.07, 0.07) * strange)[:, None]
    wave = uniform(generator, windows, 1.0, 2.5)[:, None]
    phase = uniform(generator, windows, 0, 2 * math.pi)[:, None]
    edge = ((bins - 1 - place) / 16).clamp(max=1)  # nothing comes from above 8 kHz
    moved = (place * (1 + depth * edge * torch.sin(2 * math.pi * octave / wave + phase))).clamp(0, bins - 1.001)
    left = moved.long()
    part = (moved - left)[:, :, None]
    index = left[:, :, None].expand_as(power)
    return power.gather(1, index) * (1 - part) + power.gather(1, index + 1) * part


def _throat(power: Tensor, strange: Tensor, generator: torch.Generator) -> Tensor:
    """For a third the harmonics are smoothed away, for a quarter noise is what sounds above some frequency (a whisper where that is low)."""
    windows, bins, frames = power.shape
    smooth = (chance(generator, windows, 0.35) & strange).nonzero()[:, 0]
    if len(smooth):
        rows = power[smooth].transpose(1, 2)
        mean = torch.nn.functional.avg_pool1d(rows.reshape(-1, 1, bins), 5, 1, 2, count_include_pad=False).view(len(smooth), frames, bins).transpose(1, 2)
        power = power.index_copy(0, smooth, torch.lerp(power[smooth], mean, uniform(generator, len(smooth), 0.3, 1.0)[:, None, None]))
    hoarse = (chance(generator, windows, 0.25) & strange).nonzero()[:, 0]
    if len(hoarse):
        noise = torch.empty(len(hoarse), bins, frames, device=power.device).exponential_(generator=generator)
        above = torch.sigmoid((torch.arange(bins, device=power.device) - uniform(generator, len(hoarse), 0, 4)[:, None] * _BINS_PER_KHZ) / 6)
        amount = above * uniform(generator, len(hoarse), 0.3, 1.0)[:, None]
        power = power.index_copy(0, hoarse, power[hoarse] * (1 + amount[:, :, None] * (noise - 1)))
    return power


def _balance(power: Tensor, strange: Tensor, generator: torch.Generator) -> Tensor:
    """Gains (windows, bins, 1) that run from level to level of up to 6 dB at eight frequencies: no voice's average spectrum is worth knowing."""
    windows, bins, _ = power.shape
    knots = 8
    level = uniform(generator, windows * knots, -6, 6).view(windows, 1, knots) * strange[:, None, None]
    decibel = torch.nn.functional.interpolate(level, size=bins, mode="linear", align_corners=True)[:, 0]
    return 10 ** (decibel / 10)[:, :, None]
