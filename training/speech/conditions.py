"""What lies between a voice and the model in evaluation: nothing, noise at 10 dB, a telephone, or the voice is missing."""

from __future__ import annotations

from random import Random

import numpy as np

CONDITIONS = ("clean", "noise", "telephone", "silence")
RATE = 16_000


def _shaped(rng: np.random.Generator, count: int, slope: float) -> np.ndarray:
    spectrum = np.fft.rfft(rng.standard_normal(count))
    return np.fft.irfft(spectrum * np.maximum(np.arange(len(spectrum)), 20.0 * count / RATE) ** -slope, count)


def heard(sound: np.ndarray, condition: str, rng: Random) -> np.ndarray:
    """int16 speech to float32 in [-1, 1], with a little silence around it. Noise is white, pink or brown, at 10 dB below the speech's power."""
    noise = np.random.default_rng(rng.getrandbits(32))
    before, after = int(rng.uniform(0.1, 0.6) * RATE), int(rng.uniform(0.2, 0.8) * RATE)
    padded = np.concatenate([np.zeros(before), sound / 32768, np.zeros(after)])
    if condition == "silence":
        kind = rng.random()
        padded = padded * 0 + (0 if kind < 0.25 else _unit(_shaped(noise, len(padded), rng.choice([0.0, 0.5, 1.0]))) * 10 ** rng.uniform(-4, -1.3))
    elif condition == "noise":
        power = np.sqrt(np.mean((sound / 32768) ** 2))
        padded = padded + _unit(_shaped(noise, len(padded), rng.choice([0.0, 0.5, 1.0]))) * power * 10 ** (-10 / 20)
    elif condition == "telephone":
        spectrum = np.fft.rfft(padded)
        hertz = np.fft.rfftfreq(len(padded), 1 / RATE)
        padded = np.fft.irfft(spectrum * ((hertz > 300) & (hertz < 3400)), len(padded))
        padded = padded / max(1e-9, np.abs(padded).max()) * 0.7
        law = np.sign(padded) * np.log1p(255 * np.abs(padded)) / np.log(256)  # G.711's curve, 8 bits
        law = np.round(law * 127) / 127
        padded = np.sign(law) * (256 ** np.abs(law) - 1) / 255
    peak = np.abs(padded).max()
    return (padded / max(1.0, peak)).astype(np.float32)


def _unit(noise: np.ndarray) -> np.ndarray:
    return noise / np.sqrt(np.mean(noise**2))
