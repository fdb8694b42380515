"""Whisper's log-mel features on the training device, with a warp of the frequency axis by frame; without one equal to transformers' extractor."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from transformers.audio_utils import mel_filter_bank

WINDOW, HOP, MELS, SAMPLES = 400, 160, 80, 480_000
FRAMES = SAMPLES // HOP


class LogMel:
    """Tables for one device."""

    def __init__(self, device: str) -> None:
        filters = mel_filter_bank(num_frequency_bins=WINDOW // 2 + 1, num_mel_filters=MELS, min_frequency=0.0, max_frequency=8000.0, sampling_rate=16_000, norm="slaney", mel_scale="slaney")
        self.filters = torch.from_numpy(filters).float().to(device)
        self.window = torch.hann_window(WINDOW, device=device)
        self.bins = torch.arange(WINDOW // 2 + 1, device=device, dtype=torch.float32)

    def __call__(self, sound: Tensor, warp: Tensor | None = None, alter: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """(batch, samples) in [-1, 1] to (batch, 80, frames); `warp` (batch, frames) stretches a frame's spectrum, 1 leaves it as it is; `alter` changes powers (batch, bins, frames)."""
        spectrum = torch.stft(sound, WINDOW, HOP, window=self.window, return_complex=True)[..., :-1]
        power = spectrum.real.square() + spectrum.imag.square()
        if warp is not None:
            # Stretched up to 5 kHz, then in a line to the unmoved top, as in vocal tract length perturbation.
            top, knee = float(WINDOW // 2), 125.0
            edge = knee * torch.minimum(warp, torch.ones_like(warp))[:, None]
            low = self.bins[:, None] / warp[:, None]
            knee_in = edge / warp[:, None]
            high = knee_in + (self.bins[:, None] - edge) * (top - knee_in) / (top - edge)
            place = torch.where(self.bins[:, None] <= edge, low, high).clamp(0, top - 1e-3)
            left = place.long()
            share = place - left
            power = power.gather(1, left) * (1 - share) + power.gather(1, left + 1) * share
        if alter is not None:
            power = alter(power)
        mel = torch.einsum("fm,bft->bmt", self.filters, power).clamp(min=1e-10).log10()
        mel = torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 8.0)
        return (mel + 4.0) / 4.0
