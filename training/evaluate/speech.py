"""Speech by a voice that training never heard: commands as people give them, others of names and words that training never had, sentences; clean, with noise at 10 dB, by telephone, and silence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path
from random import Random
from typing import Any, Protocol

import numpy as np

from speech.conditions import CONDITIONS, RATE, heard
from speech.synthesise import Utterance, read
from speech.texts import is_usual
from speech.voices import HELD_OUT, environment
from speech.wer import errors, words
from toolkits.channel import Application

from .statistics import Outcome

DRIVER = Path(__file__).resolve().parent / "speech-driver.mjs"
_TRAINING = Path(__file__).resolve().parents[1]


class Ears(Protocol):
    """What hears a WAVE file."""

    def hear(self, path: Path) -> str: ...

    def close(self) -> None: ...


class Engine:
    """Our own engine, by the library's `loadTranscriber`."""

    def __init__(self, folder: Path) -> None:
        self.process = Application(["node", str(DRIVER), str(folder)], dict(os.environ), quiet=False)

    def hear(self, path: Path) -> str:
        return str(self.process.ask("hear", timeout_s=120, path=str(path)))

    def close(self) -> None:
        self.process.close()


class Transformers:
    """The same weights in PyTorch."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import WhisperForConditionalGeneration, WhisperProcessor

        self.torch = torch
        self.processor = WhisperProcessor.from_pretrained(folder)
        self.model = WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()

    def hear(self, path: Path) -> str:
        with wave.open(str(path)) as file:
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
        inputs = self.processor(sound, sampling_rate=RATE, return_tensors="pt")
        with self.torch.no_grad():
            ids = self.model.generate(**inputs, return_timestamps=True)
        return str(self.processor.decode(ids[0], skip_special_tokens=True)).strip()

    def close(self) -> None:
        """Nothing is held."""


def spoken(count: int, seed: int) -> list[Utterance]:
    """`count` texts by the held-out voice."""
    process = subprocess.Popen([sys.executable, "-m", "speech.synthesise", str(seed), str(count)], stdout=subprocess.PIPE, cwd=_TRAINING, env=environment())
    found = list(read(process.stdout))
    if process.wait() != 0 or len(found) != count:
        raise RuntimeError(f"expected {count} utterances of {HELD_OUT}, got {len(found)}")
    return found


def listen_all(ears: Ears, count: int, seed: int) -> list[Outcome]:
    """Every text in every condition; an outcome's `more` has errors and words."""
    outcomes: list[Outcome] = []
    utterances = spoken(count, seed)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "heard.wav"
        for number, utterance in enumerate(utterances):
            for condition in CONDITIONS:
                _write(path, heard(utterance.sound, condition, Random(f"{seed} {condition} {number}")))
                given = ears.hear(path)
                outcomes.append(_judge(utterance, condition, given))
            if number % 20 == 19:
                print(f"speech: {number + 1} of {count}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return outcomes


def _judge(utterance: Utterance, condition: str, given: str) -> Outcome:
    text = utterance.text
    if condition == "silence":
        return Outcome("silence", given == "", "", "", "", given)
    wanted = words(text.written)
    more: dict[str, Any] = {"errors": errors(wanted, words(given)), "words": len(wanted)}
    line = text.kind if text.kind in ("sentence", "unheard") else "command"
    group = {"command": "usual words alone" if is_usual(text.written) else "with a name or a word of the dictionary"}.get(text.kind, text.kind)
    return Outcome(f"{line}-{condition}", more["errors"] == 0, group, json.dumps({"spoken": text.spoken}), text.written, given, more=more)


def _write(path: Path, sound: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.clip(np.round(sound * 32767), -32768, 32767).astype("<i2").tobytes())
