"""Processes that draw screens and pack rows, and the pool on the training device that the rows are taken from."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from functions.make import conversation
from screens import desktop, harvested, render
from screens.record import Screen
from tasks.make import samples

from .geometry import PREFIX
from .packing import Row, pack

LENGTH = 1408
"""Tokens of a row, picture included: the same for every size, so that the text model has one shape."""
BUCKETS = desktop.SIZES
SHARES = [0.44, 0.14, 0.06, 0.1, 0.08, 0.06, 0.06, 0.04, 0.02]
IGNORED = 255
"""In the map of characters: not known."""
CHUNK = 8
"""Pictures that a process hands over at once."""
KEPT, AGAIN = 24, 0.6
"""A process keeps so many screens of a size, and takes one of them instead of a new one so often: questions are seven times as quick to make as screens."""


def text_room(size: tuple[int, int]) -> int:
    """Tokens behind a picture of this size."""
    return LENGTH - (size[0] // 32) * (size[1] // 32) - len(PREFIX) - 1


def drawn(rng: Random, size: tuple[int, int], held_out: bool = False) -> tuple[Screen, np.ndarray]:
    """A rendered screen of this size; now and then drawn at another size and scaled, as processors do."""
    width, height = size
    pick = rng.random()
    if size in desktop.UNEVEN and pick < 0.5:
        width, height = desktop.UNEVEN[size]
    elif pick < 0.12:
        factor = rng.uniform(0.85, 1.15)
        width, height = round(width * factor), round(height * factor * rng.uniform(0.97, 1.03))
    scene = desktop.make_scene(rng, width, height, held_out)
    return render.render(scene, size)


class Rows(IterableDataset[tuple[int, list[torch.Tensor]]]):
    """Endless chunks: (bucket, [pictures, maps, ids, segment, position, learn]); bucket -1 holds text-only rows without pictures and maps."""

    def __init__(self, tokenizer_file: str, seed: int, text_share: float, harvest: Path | None, harvest_share: float) -> None:
        self.tokenizer_file, self.seed, self.text_share = tokenizer_file, seed, text_share
        self.harvest, self.harvest_share = harvest, harvest_share

    def __iter__(self) -> Iterator[tuple[int, list[torch.Tensor]]]:
        worker = get_worker_info()
        rng = Random(self.seed * 1000 + (worker.id if worker else 0))
        torch.set_num_threads(1)
        render.variant = worker.id if worker else 0
        tokenizer = Tokenizer.from_file(self.tokenizer_file)
        real = harvested.by_size(self.harvest, BUCKETS) if self.harvest else [[] for _ in BUCKETS]
        kept: list[deque[tuple[Screen, np.ndarray]]] = [deque(maxlen=KEPT) for _ in BUCKETS]
        while True:
            if rng.random() < self.text_share:
                yield -1, _stack([_text_row(rng, tokenizer) for _ in range(CHUNK)])
                continue
            bucket = rng.choices(range(len(BUCKETS)), SHARES)[0]
            size = BUCKETS[bucket]
            pictures = np.empty((CHUNK, size[1], size[0], 3), np.uint8)
            maps = np.empty((CHUNK, size[1] // 16, size[0] // 4), np.uint8)
            rows = []
            for index in range(CHUNK):
                if len(kept[bucket]) == KEPT and rng.random() < AGAIN:
                    screen, slots = rng.choice(kept[bucket])
                else:
                    screen, slots = harvested.prepared(rng, *rng.choice(real[bucket]), size) if real[bucket] and rng.random() < self.harvest_share else drawn(rng, size)
                    kept[bucket].append((screen, slots))
                pictures[index], maps[index] = screen.image, slots
                rows.append(pack(tokenizer, samples(rng, screen, text_room(size) / 1050), text_room(size)))
            yield bucket, [torch.from_numpy(pictures), torch.from_numpy(maps), *_stack(rows)]


def _text_row(rng: Random, tokenizer: Tokenizer) -> Row:
    return pack(tokenizer, [conversation(rng) for _ in range(4)], LENGTH, rendered=True)


def _stack(rows: list[Row]) -> list[torch.Tensor]:
    return [torch.from_numpy(np.stack(arrays)) for arrays in zip(*(row.arrays() for row in rows))]


@dataclass
class Ring:
    """Rows of one bucket on the device. `fresh` were never used; they are taken first, then any."""

    tensors: list[torch.Tensor]
    capacity: int
    head: int = 0
    filled: int = 0
    fresh: int = 0

    def put(self, chunk: list[torch.Tensor]) -> None:
        """Overwrites the oldest."""
        count = chunk[0].shape[0]
        if self.head + count > self.capacity:
            self.head = 0
        for kept, new in zip(self.tensors, chunk):
            kept[self.head : self.head + count].copy_(new, non_blocking=True)
        self.head += count
        self.filled = max(self.filled, self.head)
        self.fresh = min(self.filled, self.fresh + count)

    def take(self, count: int, generator: torch.Generator) -> tuple[list[torch.Tensor], bool]:
        """`count` rows, and whether they are fresh."""
        new = self.fresh >= count
        if new:
            index = torch.arange(self.head - self.fresh, self.head - self.fresh + count) % self.filled
            self.fresh -= count
        else:
            index = torch.randint(0, self.filled, (count,), generator=generator)
        index = index.to(self.tensors[0].device)
        return [tensor[index] for tensor in self.tensors], new


class Pool:
    """Fills rings from the processes in a thread of its own, so that a step never waits once the first rows are there."""

    def __init__(self, rows: Rows, workers: int, device: str, gigabytes: float, seed: int, shared_seed: int) -> None:
        self.device, self.gigabytes = device, gigabytes
        self.rings: dict[int, Ring] = {}
        self.generator = torch.Generator().manual_seed(seed)
        self.rng = Random(shared_seed)
        self.received = 0
        self.failure: BaseException | None = None
        loader: DataLoader[Any] = DataLoader(rows, batch_size=None, num_workers=workers, pin_memory=False, prefetch_factor=4 if workers else None)
        self._chunks: queue.Queue[tuple[int, list[torch.Tensor]]] = queue.Queue(64)
        self._iterator = iter(loader)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            if self.device.startswith("cuda"):
                torch.cuda.set_device(self.device)
            while True:
                bucket, chunk = next(self._iterator)
                self._chunks.put((bucket, [tensor.pin_memory() for tensor in chunk] if self.device.startswith("cuda") else chunk))
        except BaseException as error:  # handed to the training thread, which raises it
            self.failure = error

    def _store(self, bucket: int, chunk: list[torch.Tensor]) -> None:
        if bucket not in self.rings:
            bytes_each = sum(tensor[0].numel() * tensor.element_size() for tensor in chunk)
            share = 0.02 if bucket < 0 else SHARES[bucket] * 0.98
            capacity = max(CHUNK * 2, int(self.gigabytes * 2**30 * share / bytes_each) // CHUNK * CHUNK)
            self.rings[bucket] = Ring([torch.empty((capacity, *tensor.shape[1:]), dtype=tensor.dtype, device=self.device) for tensor in chunk], capacity)
        self.rings[bucket].put(chunk)
        self.received += chunk[0].shape[0]

    def collect(self, wait: bool) -> None:
        """Move what has arrived into the rings."""
        if self.failure is not None:
            raise RuntimeError("a process that makes rows failed") from self.failure
        moved = 0
        while moved < 12:
            try:
                bucket, chunk = self._chunks.get(timeout=1.0) if wait and moved == 0 else self._chunks.get_nowait()
            except queue.Empty:
                return
            self._store(bucket, chunk)
            moved += 1

    def wait(self, rows: int) -> None:
        """Until this many rows have come, some of them without pictures."""
        while self.received < rows or -1 not in self.rings or not self._ready():
            self.collect(wait=True)

    def _ready(self) -> list[int]:
        return [bucket for bucket in sorted(self.rings) if bucket >= 0 and self.rings[bucket].filled >= CHUNK]

    def batch(self, pictures: int, texts: int) -> tuple[list[torch.Tensor], list[torch.Tensor] | None, bool]:
        """(rows with pictures of one size, text-only rows, whether the pictures are fresh). Processes with one seed draw the same size."""
        self.collect(wait=False)
        ready = self._ready()
        chosen = self.rng.choices(ready, [SHARES[bucket] for bucket in ready])[0]
        rows, fresh = self.rings[chosen].take(pictures, self.generator)
        return rows, self.rings[-1].take(texts, self.generator)[0] if texts else None, fresh
