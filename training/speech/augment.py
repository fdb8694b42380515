"""Windows from a pool of utterances, made on the training device: joined at other speeds, then room, noise and channel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .features import HOP

_ECHO = 9600
"""Samples of the longest echo."""


@dataclass
class Segments:
    """One row an utterance: which samples of the pool go where. All are int64 but `speed` and `gain`."""

    window: Tensor
    at: Tensor
    count: Tensor
    source: Tensor
    length: Tensor
    speed: Tensor
    gain: Tensor


def compose(pool: Tensor, segments: Segments, windows: int, samples: int, sway: Tensor | None = None) -> Tensor:
    """Cubic interpolation between the pool's samples; (windows, samples). `sway` (utterances, 2), of `strangers.sways`, makes each quicker and slower in waves, its length unchanged."""
    device = pool.device
    out = torch.zeros(windows * samples, device=device)
    if len(segments.window) == 0:
        return out.view(windows, samples)
    row = torch.repeat_interleave(torch.arange(len(segments.window), device=device), segments.count)
    first = segments.count.cumsum(0) - segments.count
    index = torch.arange(row.shape[0], device=device) - first[row]
    place = index.double().mul(segments.speed.double()[row])
    if sway is not None:
        turns, depth = sway.double()[row].unbind(1)
        whole = segments.count.double()[row].clamp(min=1)
        place = place + segments.speed.double()[row] * whole * depth / (2 * math.pi * turns) * torch.sin(2 * math.pi * turns * index / whole)
    left = place.long()
    share = (place - left).float()
    last = segments.length[row] - 1
    start = segments.source[row]

    def sample(offset: int) -> Tensor:
        return pool[start + torch.minimum((left + offset).clamp(min=0), last)].float()

    before, here, after, beyond = sample(-1), sample(0), sample(1), sample(2)
    value = here + 0.5 * share * (after - before + share * (2 * before - 5 * here + 4 * after - beyond + share * (3 * (here - after) + beyond - before)))
    out[segments.window[row] * samples + segments.at[row] + index] = value * (segments.gain[row] / 32768)
    return out.view(windows, samples)


def uniform(generator: torch.Generator, count: int, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(count, device=generator.device, generator=generator)


def chance(generator: torch.Generator, count: int, share: float) -> Tensor:
    return torch.rand(count, device=generator.device, generator=generator) < share


def _transform(samples: int) -> int:
    """Length of the transforms: a window and its echo, a number that is quick."""
    unit = 2**12
    return -(-(samples + _ECHO) // unit) * unit


def _echoes(generator: torch.Generator, windows: int, length: int) -> Tensor:
    """Impulse responses of rooms: the direct sound, a few reflections, a tail that decays; spectra (windows, bins)."""
    device, count = generator.device, _ECHO
    time = torch.arange(count, device=device) / 16_000
    decay = uniform(generator, windows, 0.08, 0.6)
    tail = torch.randn(windows, count, device=device, generator=generator) * torch.exp(-6.9 * time / decay[:, None]) * (time > 0.004)
    tail = tail / tail.square().sum(1, keepdim=True).sqrt()
    response = tail * 10 ** (uniform(generator, windows, -14, 2)[:, None] / 20)
    response[:, 0] = 1
    for _ in range(3):
        place = (60 + torch.rand(windows, device=device, generator=generator) * 700).long()
        response.scatter_add_(1, place[:, None], uniform(generator, windows, -0.5, 0.5)[:, None])
    response = response / response.square().sum(1, keepdim=True).sqrt()
    return torch.fft.rfft(response, length)


def _channel(generator: torch.Generator, windows: int, length: int) -> Tensor:
    """Gains by frequency: a tilt and waves of a microphone, for some the band of a telephone; (windows, bins)."""
    device = generator.device
    hertz = torch.linspace(0, 8000, length // 2 + 1, device=device)
    octave = torch.log2(hertz.clamp(min=60) / 1000)
    decibel = uniform(generator, windows, -3.0, 3.0)[:, None] * octave
    for waves in (0.6, 1.3, 2.5):
        decibel = decibel + uniform(generator, windows, -3, 3)[:, None] * torch.sin(2 * math.pi * (waves * octave / 3 + torch.rand(windows, 1, device=device, generator=generator)))
    decibel = decibel * chance(generator, windows, 0.45)[:, None]
    low, high = uniform(generator, windows, 150, 350)[:, None], uniform(generator, windows, 3000, 4000)[:, None]
    outside = (low - hertz).clamp(min=0) / 100 + (hertz - high).clamp(min=0) / 200
    return 10 ** ((decibel - torch.where(chance(generator, windows, 0.14)[:, None], (12 * outside).clamp(max=70), torch.zeros_like(outside))) / 20)


def _noise(generator: torch.Generator, windows: int, samples: int) -> Tensor:
    """White, pink, brown and in between, for some with hum, clicks or a level that changes; (windows, samples) of mean power 1."""
    device = generator.device
    bins = samples // 2 + 1
    slope = uniform(generator, windows, 0.0, 1.1)[:, None] * chance(generator, windows, 0.7)[:, None]
    shape = torch.linspace(0, 8000, bins, device=device).clamp(min=20) / 33
    spectrum = torch.complex(torch.randn(windows, bins, device=device, generator=generator), torch.randn(windows, bins, device=device, generator=generator)) * shape ** -slope
    noise = torch.fft.irfft(spectrum, samples)
    noise = noise / noise.square().mean(1, keepdim=True).sqrt()
    time = torch.arange(samples, device=device) / 16_000
    wave = 1 + 0.8 * torch.sin(2 * math.pi * (uniform(generator, windows, 0.05, 3)[:, None] * time + torch.rand(windows, 1, device=device, generator=generator)))
    noise = torch.where(chance(generator, windows, 0.25)[:, None], noise * wave, noise)
    hum = sum(torch.sin(2 * math.pi * multiple * time * torch.where(chance(generator, windows, 0.5), 50.0, 60.0)[:, None]) / multiple for multiple in (1, 2, 3, 5))
    noise = noise + chance(generator, windows, 0.15)[:, None] * uniform(generator, windows, 0.3, 2)[:, None] * hum
    clicks = (torch.rand(windows, samples, device=device, generator=generator) < 2e-4) * torch.randn(windows, samples, device=device, generator=generator) * 25
    noise = noise + chance(generator, windows, 0.12)[:, None] * clicks
    return noise / noise.square().mean(1, keepdim=True).sqrt().clamp(min=1e-9)


def _babble(pool: Tensor, filled: int, generator: torch.Generator, windows: int, samples: int) -> Tensor:
    """Five stretches of the pool at once."""
    span = torch.arange(samples, device=pool.device)
    total = torch.zeros(windows, samples, device=pool.device)
    for _ in range(5):
        start = (torch.rand(windows, device=pool.device, generator=generator) * max(1, filled)).long()
        total += pool[(start[:, None] + span) % max(1, filled)].float()
    return total / total.square().mean(1, keepdim=True).sqrt().clamp(min=1e-9)


def disturb(sound: Tensor, speech: Tensor, end: Tensor, pool: Tensor, filled: int, share: float, generator: torch.Generator) -> Tensor:
    """For `share` of the windows: room, noise at 1 to 25 dB (hardly any for some), channel, clipping, rounding; nothing after `end` (windows, samples), where the file ends. `speech` says which windows hold any."""
    windows, samples = sound.shape
    length = _transform(samples)
    clean = sound
    active = sound.abs() > 1e-3
    power = ((sound.square() * active).sum(1) / active.sum(1).clamp(min=1)).sqrt()
    loud = torch.where(speech, power.clamp(min=1e-4), 10 ** (uniform(generator, windows, -4.0, -0.5)))
    noise = _noise(generator, windows, samples)
    crowd = chance(generator, windows, 0.2) & speech
    chosen = crowd.nonzero()[:, 0]
    if len(chosen) and filled > samples:
        noise[chosen] = _babble(pool, filled, generator, len(chosen), samples) + 0.05 * noise[chosen]
    ratio = torch.where(chance(generator, windows, 0.7), uniform(generator, windows, 1, 25), uniform(generator, windows, 35, 70))
    ratio = ratio + crowd * 3  # several voices at the level of the one that is meant are nobody's to tell apart
    noise = noise * (loud * 10 ** (-ratio / 20))[:, None]
    noise = noise * ~chance(generator, windows, 0.08)[:, None]
    spectrum = torch.fft.rfft(sound, length)
    room = chance(generator, windows, 0.35)
    spectrum = torch.where(room[:, None], spectrum * _echoes(generator, windows, length), spectrum)
    spectrum = (spectrum + torch.fft.rfft(noise, length)) * _channel(generator, windows, length)
    sound = torch.fft.irfft(spectrum, length)[:, :samples]
    peak = sound.abs().amax(1).clamp(min=1e-6)
    limit = torch.where(chance(generator, windows, 0.08), uniform(generator, windows, 0.15, 0.7), torch.ones_like(peak)) * peak
    sound = sound.clamp(-limit[:, None], limit[:, None])
    level = 10 ** uniform(generator, windows, -1.6, 0.0)
    sound = torch.where(speech[:, None], sound * (level / peak)[:, None], sound)
    coarse = torch.where(chance(generator, windows, 0.06), 256.0, 32768.0)[:, None]
    sound = (sound * coarse).round() / coarse
    sound = torch.where(chance(generator, windows, share)[:, None], sound, clean)
    return (sound * (torch.arange(samples, device=sound.device) < end[:, None])).clamp(-1, 1)


def hide(features: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """For `share` of the windows: bands and short stretches of the spectrogram at their mean. Bands are up to a quarter of all; stretches stay below 0.15 s, or whole sounds would have to be guessed."""
    windows, length = features.shape[0], features.shape[2]
    mels, frames = torch.arange(features.shape[1], device=features.device), torch.arange(length, device=features.device)
    hidden = torch.zeros(windows, features.shape[1], length, dtype=torch.bool, device=features.device)
    for _ in range(2):
        low, wide = uniform(generator, windows, -8, 80)[:, None], uniform(generator, windows, 0, 20)[:, None]
        hidden |= ((mels >= low) & (mels < low + wide))[:, :, None]
    for _ in range(max(1, length // 250)):
        low, wide = uniform(generator, windows, 0, length)[:, None], uniform(generator, windows, 0, 14)[:, None]
        hidden |= ((frames >= low) & (frames < low + wide))[:, None, :]
    hidden &= chance(generator, windows, share)[:, None, None]
    return torch.where(hidden, features.mean((1, 2), keepdim=True), features)


def frames_of(segments: Segments, values: Tensor, windows: int, frames: int) -> Tensor:
    """A value of each segment spread over the frames from its start to the window's next; (windows, frames)."""
    marks = torch.ones(windows * frames, device=values.device)
    count = segments.count // HOP
    row = torch.repeat_interleave(torch.arange(len(count), device=values.device), count)
    index = torch.arange(row.shape[0], device=values.device) - (count.cumsum(0) - count)[row]
    marks[segments.window[row] * frames + segments.at[row] // HOP + index] = values[row]
    return marks.view(windows, frames)
