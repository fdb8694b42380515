"""What a window of 30 s holds: which utterances, where, at which speed; and the tokens that are to be written about it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Protocol

import torch
from torch import Tensor

from .augment import Segments
from .features import SAMPLES
from .vocabulary import CONTEXT, END, FIRST_TIME, NO_SPEECH, NO_TIMESTAMPS, PREVIOUS, START

RATE = 16_000
IGNORED = -100
_STEP = 5
"""Timestamps are learnt in steps of 0.1 s, five tokens apart: finer ones of synthetic speech mean nothing."""


class Heard(Protocol):
    """An utterance of the pool."""

    at: int
    count: int
    ids: list[int]
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
    """One window; `end` is where its file ends. `cut` is where an utterance begins that the window's end cuts off."""

    placed: list[Placed]
    end: int
    times: bool
    cut: Placed | None
    previous: list[int]


def plan(rng: Random, items: list[Heard], by_voice: dict[str, list[Heard]]) -> Plan:
    """A single command and a few are as usual as a window full of speech; some hold none."""
    pick = rng.random()
    times = rng.random() < 0.6
    previous: list[int] = []
    if pick < 0.04:
        return Plan([], SAMPLES if rng.random() < 0.5 else int(rng.uniform(0.2, 30) * RATE), times, None, previous)
    most = 1 if pick < 0.38 else rng.randint(2, 4) if pick < 0.52 else 40
    full = most == 40
    at = rng.uniform(0, 10 if rng.random() < 0.1 else 0.6) if not full else rng.uniform(0, 1)
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
        previous = previous[-(CONTEXT // 2 - 1) :]
    room = CONTEXT - 2 - (len(previous) + 1 if previous else 0)
    while len(placed) < most:
        item = rng.choice(one)
        speed, warp, gain = manner if one is not items else (rng.uniform(0.82, 1.22), rng.uniform(0.84, 1.2), rng.uniform(0.4, 1.0))
        count = int((item.count - 1) / speed)
        start = int(at * RATE)
        part = Placed(item, start, count, speed, gain, warp)
        if start + count > SAMPLES or tokens + len(item.ids) + 2 > room:
            if placed and full and times and start < SAMPLES - RATE // 4 and start + count > SAMPLES:
                cut = part
            if placed:
                break
            at = 0.0
            if count > SAMPLES or tokens + len(item.ids) + 2 > room:
                previous, room = [], CONTEXT - 2
                one = items
            continue
        placed.append(part)
        tokens += len(item.ids) + 2
        at = (start + count) / RATE + (rng.uniform(0.05, 0.6) if full else rng.uniform(0.2, 2.5))
    last = placed[-1].start + placed[-1].count
    end = SAMPLES if cut or rng.random() < (0.7 if full else 0.08) else min(SAMPLES, last + int(rng.uniform(0, 1.5 if rng.random() < 0.8 else 6) * RATE))
    return Plan(placed, end, times, cut, previous)


def _time(samples: int, up: bool) -> int:
    steps = samples / (0.02 * _STEP * RATE)
    return FIRST_TIME + min(1500, _STEP * int(math.ceil(steps) if up else math.floor(steps)))


def tokens(rng: Random, window: Plan) -> tuple[list[int], list[int]]:
    """What the decoder reads and what it is to say next at each place."""
    before = [PREVIOUS, *window.previous] if window.previous else []
    if not window.placed:
        first = FIRST_TIME if window.times else NO_TIMESTAMPS
        return [*before, START, first], [IGNORED] * len(before) + [NO_SPEECH, END]
    said: list[int] = []
    for part in window.placed:
        if window.times:
            said += [_time(part.start, False), *part.item.ids, _time(part.start + part.count, True)]
        else:
            said += part.item.ids
    if window.cut:
        said.append(_time(window.cut.start, False))
    said.append(END)
    if not window.times:
        return [*before, START, NO_TIMESTAMPS, *said[:-1]], [IGNORED] * (len(before) + 1) + said
    read = [START, *said[:-1]]
    if rng.random() < 0.3:  # decoders that allow only the first second to begin with, and slips of its own, do no harm
        read = [min(FIRST_TIME + 1500, max(FIRST_TIME, token + _STEP * rng.randint(-10, 10))) if token >= FIRST_TIME and rng.random() < 0.5 else token for token in read]
        if read[1] >= FIRST_TIME:
            read[1] = min(read[1], FIRST_TIME + 50)
    return [*before, *read], [IGNORED] * len(before) + said


@dataclass
class Batch:
    """Windows ready to be made on the device."""

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
        return Batch(segments=segments, **move)


def batch(rng: Random, items: list[Heard], by_voice: dict[str, list[Heard]], size: int) -> Batch:
    """`size` windows."""
    rows: list[tuple[int, int, int, int, int, float, float]] = []
    warps: list[float] = []
    ids, labels = torch.full((size, CONTEXT), END), torch.full((size, CONTEXT), IGNORED)
    spoken: list[list[int]] = []
    ends, speech = [], []
    for number in range(size):
        window = plan(rng, items, by_voice)
        for part in [*window.placed, *([window.cut] if window.cut else [])]:
            count = min(part.count, SAMPLES - part.start)
            rows.append((number, part.start, count, part.item.at, part.item.count, part.speed, part.gain))
            warps.append(part.warp)
        read, say = tokens(rng, window)
        ids[number, : len(read)] = torch.tensor(read)
        labels[number, : len(say)] = torch.tensor(say)
        # A word that the window cuts off is heard in part: what CTC would have to say of it is unknown, so it says nothing.
        spoken.append([token for part in window.placed for token in part.item.ids])
        ends.append(window.end)
        speech.append(bool(window.placed))
    columns = list(zip(*rows)) if rows else [()] * 7
    segments = Segments(*(torch.tensor(column, dtype=torch.int64) for column in columns[:5]), *(torch.tensor(column, dtype=torch.float32) for column in columns[5:]))
    longest = max(1, max(map(len, spoken)))
    targets = torch.zeros(size, longest, dtype=torch.int64)
    for number, row in enumerate(spoken):
        targets[number, : len(row)] = torch.tensor(row, dtype=torch.int64) + 1
    return Batch(segments, torch.tensor(warps), torch.tensor(ends), torch.tensor(speech), ids, labels, targets, torch.tensor([len(row) for row in spoken]))
