"""What a window holds: which utterances, where, at which speed; and the tokens that are to be written about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from .augment import Segments
from .features import HOP, SAMPLES
from .vocabulary import CONTEXT, END, FIRST_TIME, NO_SPEECH, NO_TIMESTAMPS, PREVIOUS, SOUNDS, START

RATE = 16_000
IGNORED = -100
_SPACE = SOUNDS.index(" ")
_STEP = 5
"""Timestamps are learnt in steps of 0.1 s, five tokens apart: finer ones of synthetic speech mean nothing."""


@dataclass(frozen=True)
class Shape:
    """Of the windows of a batch: samples, and tokens at most."""

    samples: int
    context: int


LONG = Shape(SAMPLES, CONTEXT)
"""What the model takes."""
SHORT = Shape(6 * RATE, 128)
"""What it learns to hear with: a few words are soon brought in line with their sound, and five such windows cost less than one of 30 s."""


class Heard(Protocol):
    """An utterance of the pool."""

    at: int
    count: int
    ids: list[int]
    sounds: list[int]
    voice: str


@dataclass
class Placed:
    """An utterance in a window, in samples of the window."""

    item: Heard
    start: int
    count: int
    speed: float
    gain: float
    warp: float


@dataclass
class Plan:
    """One window; `end` is where its file ends. `cut` is where an utterance begins that the end of a long window cuts off; short ones hold no sound that CTC has no text for."""

    placed: list[Placed]
    end: int
    times: bool
    cut: Placed | None
    previous: list[int]


def plan(rng: Random, items: list[Heard], by_voice: dict[str, list[Heard]], shape: Shape = LONG) -> Plan:
    """A single command and a few are as usual as a window full of speech; some hold none."""
    pick = rng.random()
    times = rng.random() < 0.6
    previous: list[int] = []
    if pick < 0.04:
        return Plan([], shape.samples if rng.random() < 0.5 else int(rng.uniform(0.2 * RATE, shape.samples)), times, None, previous)
    most = 1 if pick < 0.38 else rng.randint(2, 4) if pick < 0.52 else 40
    full = most == 40
    at = rng.uniform(0, shape.samples / RATE / 3 if rng.random() < 0.1 else 0.6) if not full else rng.uniform(0, 1)
    one = by_voice[rng.choice(items).voice] if rng.random() < 0.5 else items
    if len(one) < 30:
        one = items
    manner = (rng.uniform(0.85, 1.18), rng.uniform(0.85, 1.18), rng.uniform(0.5, 1.0))
    placed: list[Placed] = []
    cut = None
    tokens = 3
    if rng.random() < (0.3 if full else 0.1):
        for _ in range(rng.randint(1, 14)):
            previous += rng.choice(one).ids
        previous = previous[-(shape.context // 2 - 1) :]
    room = shape.context - 2 - (len(previous) + 1 if previous else 0)
    while len(placed) < most:
        item = rng.choice(one)
        speed, warp, gain = manner if one is not items else (rng.uniform(0.82, 1.22), rng.uniform(0.84, 1.2), rng.uniform(0.4, 1.0))
        count = int((item.count - 1) / speed)
        start = int(at * RATE)
        part = Placed(item, start, count, speed, gain, warp)
        if start + count > shape.samples or tokens + len(item.ids) + 2 > room:
            if placed and full and times and shape is LONG and start < shape.samples - RATE // 4 and start + count > shape.samples:
                cut = part
            if placed:
                break
            at = 0.0
            if count > shape.samples or tokens + len(item.ids) + 2 > room:
                previous, room = [], shape.context - 2
                one = items
            continue
        placed.append(part)
        tokens += len(item.ids) + 2
        at = (start + count) / RATE + (rng.uniform(0.05, 0.6) if full else rng.uniform(0.2, 2.5))
    last = placed[-1].start + placed[-1].count
    end = shape.samples if cut or rng.random() < (0.7 if full else 0.08) else min(shape.samples, last + int(rng.uniform(0, 1.5 if rng.random() < 0.8 else 6) * RATE))
    return Plan(placed, end, times, cut, previous)


def _time(samples: int, up: bool) -> int:
    steps = samples / (0.02 * _STEP * RATE)
    return FIRST_TIME + min(1500, _STEP * int(math.ceil(steps) if up else math.floor(steps)))


def tokens(rng: Random, window: Plan, first: int = 0) -> tuple[list[int], list[int]]:
    """What the decoder reads and what it is to say next at each place, for a window that begins at the sample `first` of the 30 s."""
    before = [PREVIOUS, *window.previous] if window.previous else []
    if not window.placed:
        first = FIRST_TIME if window.times else NO_TIMESTAMPS
        return [*before, START, first], [IGNORED] * len(before) + [NO_SPEECH, END]
    said: list[int] = []
    for part in window.placed:
        if window.times:
            said += [_time(first + part.start, False), *part.item.ids, _time(first + part.start + part.count, True)]
        else:
            said += part.item.ids
    if window.cut:
        said.append(_time(first + window.cut.start, False))
    said.append(END)
    if not window.times:
        return [*before, START, NO_TIMESTAMPS, *said[:-1]], [IGNORED] * (len(before) + 1) + said
    read = [START, *said[:-1]]
    if rng.random() < 0.3:  # decoders that allow only the first second to begin with, and slips of its own, do no harm
        read = [min(FIRST_TIME + 1500, max(FIRST_TIME, token + _STEP * rng.randint(-10, 10))) if token >= FIRST_TIME and rng.random() < 0.5 else token for token in read]
        if read[1] >= FIRST_TIME and first == 0:
            read[1] = min(read[1], FIRST_TIME + 50)
    return [*before, *read], [IGNORED] * len(before) + said


@dataclass
class Batch:
    """Windows ready to be made on the device; `position` is the encoder's place that they begin at."""

    shape: Shape
    position: int
    segments: Segments
    warps: Tensor
    ends: Tensor
    speech: Tensor
    ids: Tensor
    labels: Tensor
    spoken: Tensor
    spoken_lengths: Tensor

    def to(self, device: str) -> Batch:
        move = {name: value.pin_memory().to(device, non_blocking=True) if device != "cpu" else value for name, value in vars(self).items() if isinstance(value, Tensor)}
        segments = Segments(**{name: value.pin_memory().to(device, non_blocking=True) if device != "cpu" else value for name, value in vars(self.segments).items()})
        return Batch(shape=self.shape, position=self.position, segments=segments, **move)


def batch(rng: Random, items: list[Heard], by_voice: dict[str, list[Heard]], size: int, shape: Shape = LONG) -> Batch:
    """`size` windows. Short ones lie at the beginning of the 30 s or, in every other batch, anywhere: all positions are learnt with them."""
    room = (SAMPLES - shape.samples) // (2 * HOP * _STEP)
    position = _STEP * rng.randint(0, room) if rng.random() < 0.5 else 0
    rows: list[tuple[int, int, int, int, int, float, float]] = []
    warps: list[float] = []
    ids: list[list[int]] = []
    labels: list[list[int]] = []
    spoken: list[list[int]] = []
    ends, speech = [], []
    for number in range(size):
        window = plan(rng, items, by_voice, shape)
        for part in [*window.placed, *([window.cut] if window.cut else [])]:
            count = min(part.count, shape.samples - part.start)
            rows.append((number, part.start, count, part.item.at, part.item.count, part.speed, part.gain))
            warps.append(part.warp)
        read, say = tokens(rng, window, position * 2 * HOP)
        ids.append(read)
        labels.append(say)
        # A word that the window cuts off is heard in part: what CTC would have to say of it is unknown, so it says nothing.
        spoken.append([sound for index, part in enumerate(window.placed) for sound in ([_SPACE] if index else []) + part.item.sounds])
        ends.append(window.end)
        speech.append(bool(window.placed))
    columns = list(zip(*rows)) if rows else [()] * 7
    segments = Segments(*(torch.tensor(column, dtype=torch.int64) for column in columns[:5]), *(torch.tensor(column, dtype=torch.float32) for column in columns[5:]))
    lengths = [len(row) for row in spoken]
    read_at, said_at, heard_at = _padded(ids, shape.context, END), _padded(labels, shape.context, IGNORED), _padded(spoken, max(1, *lengths), 0)
    return Batch(shape, position, segments, torch.tensor(warps), torch.tensor(ends), torch.tensor(speech), read_at, said_at, heard_at, torch.tensor(lengths))


def _padded(rows: list[list[int]], width: int, value: int) -> Tensor:
    made = np.full((len(rows), width), value, np.int64)  # NumPy fills rows from lists in a third of torch's time, which the training loop waits for
    for number, row in enumerate(rows):
        made[number, : len(row)] = row
    return torch.from_numpy(made)
