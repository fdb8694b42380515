"""A quick look at word errors on the held-out voice during training; training/evaluate measures the folder that ships."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor
from tokenizers import Tokenizer

from .conditions import CONDITIONS, heard
from .features import SAMPLES, LogMel
from .network import Network, greedy
from .synthesise import Utterance, read
from .vocabulary import END, NO_TIMESTAMPS, START, text_of
from .voices import environment
from .wer import errors, rate, words

_HERE = Path(__file__).resolve().parents[1]


class HeldOut:
    """Utterances of the held-out voice, spoken by a process beside the training."""

    def __init__(self, count: int, seed: int = 5) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "speech.synthesise", str(seed), str(count)], stdout=subprocess.PIPE, cwd=_HERE, env=environment())
        self.found: list[Utterance] = []

    def wait(self) -> list[Utterance]:
        self.found += read(self.process.stdout)
        self.process.wait()
        return self.found


def windows(utterances: list[Utterance], condition: str, first: int) -> Tensor:
    """Utterances, from the number `first` on, as they are heard in a condition: each in a window of its own (utterances, 480000)."""
    sounds = torch.zeros(len(utterances), SAMPLES)
    for row, utterance in enumerate(utterances):
        sound = heard(utterance.sound, condition, Random(f"{condition} {first + row}"))[:SAMPLES]
        sounds[row, : len(sound)] = torch.from_numpy(sound)
    return sounds


@torch.no_grad()
def evaluate(network: Network, tokenizer: Tokenizer, utterances: list[Utterance], mel: LogMel, device: str, seconds: float, size: int = 64) -> dict[str, Any]:
    """Word error rates by condition and kind of text, with and without timestamps, and what was said wrong."""
    deadline = time.time() + seconds
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    wrong: list[tuple[str, str, str]] = []
    silent = [0, 0]
    for condition in CONDITIONS:
        for start in range(0, len(utterances), size):
            if time.time() > deadline:
                break
            part = utterances[start : start + size]
            states = network.listen(mel(windows(part, condition, start).to(device)))
            for mode, prompt in (("", [START, NO_TIMESTAMPS]), (" with times", [START])):
                if mode and condition != "clean":
                    continue
                for utterance, ids in zip(part, greedy(network, states, prompt, END, 90)):
                    given = text_of(tokenizer, ids)
                    if condition == "silence":
                        silent[0] += given == ""
                        silent[1] += 1
                        continue
                    wanted = words(utterance.text.written)
                    count = errors(wanted, words(given))
                    for line in (f"{condition}{mode}", f"{condition}{mode} · {utterance.text.kind}"):
                        found[line].append((count, len(wanted)))
                    if count and not mode:
                        wrong.append((condition, utterance.text.written, given))
    lines = {line: {"rate": rate(pairs)[0], "low": rate(pairs)[1], "high": rate(pairs)[2], "sentences": len(pairs)} for line, pairs in found.items()}
    return {"lines": lines, "silence": silent, "wrong": wrong[:200]}


def lines(result: dict[str, Any]) -> str:
    """For the log."""
    rows = [f"  {line}: {one['rate']:.1%} ({one['low']:.1%}-{one['high']:.1%}, {one['sentences']})" for line, one in result["lines"].items()]
    return "\n".join([*rows, f"  silence empty: {result['silence'][0]} of {result['silence'][1]}", *(f"    [{condition}] {wanted} -> {given}" for condition, wanted, given in result["wrong"][:24])])
