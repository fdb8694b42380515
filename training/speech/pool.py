"""Synthesising processes, and the utterances they made: all samples in one tensor on the training device, the texts here."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from .synthesise import Utterance, read, write
from .voices import environment
from .vocabulary import sounds, text_ids

_CHUNK = 4_000_000
_HERE = Path(__file__).resolve().parents[1]


class Item:
    """Where an utterance lies in the pool, its tokens and its sounds."""

    __slots__ = ("at", "count", "ids", "sounds", "voice")

    def __init__(self, at: int, count: int, ids: list[int], sounds: list[int], voice: str) -> None:
        self.at, self.count, self.ids, self.sounds, self.voice = at, count, ids, sounds, voice


class Pool:
    """Grows to `capacity` samples, then keeps what it has. What arrives is also written to `keep`, which a later call begins with."""

    def __init__(self, tokenizer: Tokenizer, device: str, capacity: int, workers: int, seed: int, keep: Path | None = None) -> None:
        self.tokenizer, self.capacity = tokenizer, capacity
        self.samples = torch.zeros(capacity, dtype=torch.int16, device=device)
        self.filled = 0
        self.items: list[Item] = []
        self.by_voice: dict[str, list[Item]] = defaultdict(list)
        self.seconds: dict[str, float] = defaultdict(float)
        self.waiting: list[tuple[np.ndarray, list[int], list[int], str]] = []
        self.waiting_samples = 0
        self.lock = threading.Lock()
        self.full = False
        self.keep = keep
        self.processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        if keep is not None and keep.exists():
            self._start(self._load, sorted(keep.parent.glob(f"{keep.stem}.*-*")))
        where = environment() if workers else {}
        for number in range(workers):
            process = subprocess.Popen([sys.executable, "-m", "speech.synthesise", str(seed * 1000 + number)], stdout=subprocess.PIPE, cwd=_HERE, env=where)
            self.processes.append(process)
            self._start(self._receive, process, keep.with_suffix(f".{seed}-{number}") if keep else None)

    def _start(self, target: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _receive(self, process: subprocess.Popen[bytes], keep: Path | None) -> None:
        file = keep.open("wb") if keep else None
        for utterance in read(process.stdout):
            self._add(utterance)
            if file:
                write(file, utterance)
            if self.full:
                break
        if file:
            file.close()
        process.kill()

    def _load(self, paths: list[Path]) -> None:
        for path in paths:
            with path.open("rb") as file:
                for utterance in read(file):
                    self._add(utterance)

    def _add(self, utterance: Utterance) -> None:
        ids, said = text_ids(self.tokenizer, utterance.text.written), sounds(utterance.text.spoken)
        with self.lock:
            self.waiting.append((utterance.sound, ids, said, utterance.voice))
            self.waiting_samples += len(utterance.sound)
            self.seconds[utterance.voice.split("-")[0].split("+")[0]] += len(utterance.sound) / 16_000

    def take(self) -> None:
        """Moves what has arrived to the device; called between steps, by the thread that trains."""
        while self.waiting:
            with self.lock:
                count, size = 0, 0
                while count < len(self.waiting) and (size == 0 or size + len(self.waiting[count][0]) <= _CHUNK):
                    size += len(self.waiting[count][0])
                    count += 1
                part, self.waiting = self.waiting[:count], self.waiting[count:]
                self.waiting_samples -= size
            if self.filled + size > self.capacity:
                self.full = True
                self.waiting = []
                return
            self.samples[self.filled : self.filled + size] = torch.from_numpy(np.concatenate([sound for sound, *_ in part]))
            at = self.filled
            for sound, ids, said, voice in part:
                item = Item(at, len(sound), ids, said, voice)
                self.by_voice[voice].append(item)
                self.items.append(item)
                at += len(sound)
            self.filled = at

    def close(self) -> None:
        """Ends the processes."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
