"""Test sounds: short, seeded, 16-bit mono at 16 kHz. Whole seconds are not among them, nor whole frames of 10 ms."""

import wave
from pathlib import Path

import numpy as np

from .paths import FIXTURES

RATE = 16_000
SOUNDS = FIXTURES / "sounds"


def _time(samples: int) -> np.ndarray:
    return np.arange(samples) / RATE


def _sweep(samples: int) -> np.ndarray:
    """From 200 Hz upwards, with some noise."""
    t = _time(samples)
    noise = np.random.default_rng(7).standard_normal(samples)
    return 0.5 * np.sin(2 * np.pi * (200 + 1500 * t) * t) + 0.02 * noise


def _beeps(samples: int) -> np.ndarray:
    """Two tones, on and off: three times louder at the end."""
    t = _time(samples)
    tones = np.sin(2 * np.pi * 440 * t) + 0.5 * np.sin(2 * np.pi * 2700 * t)
    return 0.2 * tones * (np.sin(2 * np.pi * 9 * t) > 0) * (1 + 2 * t / t[-1])


_SAMPLES = {
    "sweep.wav": _sweep(14_403),
    "beeps.wav": _beeps(5_850),
    "hum.wav": _beeps(22_010),
    "rise.wav": _sweep(35_777),
    "click.wav": _sweep(321),
    "silence.wav": np.zeros(4_000),
}


def build() -> int:
    SOUNDS.mkdir(exist_ok=True)
    for name, samples in _SAMPLES.items():
        with wave.open(str(SOUNDS / name), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(np.rint(samples * 2**15).astype("<i2").tobytes())
    return 0


def read(path: Path) -> np.ndarray:
    """Samples from -1 to 1, float32."""
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(2**15)
