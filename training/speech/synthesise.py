"""A process that speaks: utterances as frames on its standard output, until nobody reads them.

    python -m speech.synthesise SEED [COUNT]        # held-out voice and texts when COUNT is given
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import wave
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, BinaryIO

import numpy as np

from .texts import Text, examined, taught
from .voices import HELD_OUT_MANNER, RATE, SHARES, Voices, manner

_HEAD = struct.Struct("<II")
LONGEST_S = 26.0
_FAILURES = 3
"""After so many an engine is left out: the system may lack something that it needs."""


@dataclass(frozen=True)
class Utterance:
    """One text as one voice says it."""

    sound: np.ndarray
    text: Text
    voice: str


def write(file: BinaryIO, utterance: Utterance) -> None:
    about = json.dumps([utterance.text.written, utterance.text.spoken, utterance.text.kind, utterance.voice]).encode()
    file.write(_HEAD.pack(len(utterance.sound), len(about)) + about + utterance.sound.astype("<i2").tobytes())


def read(file: Any) -> Iterator[Utterance]:
    """The inverse of `write`, until the file ends."""
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        count, length = _HEAD.unpack(head)
        *text, voice = json.loads(file.read(length))
        data = file.read(2 * count)
        if len(data) < 2 * count:
            return
        yield Utterance(np.frombuffer(data, "<i2"), Text(*text), voice)


def speak(seed: int, count: int | None = None) -> Iterator[Utterance]:
    """Without end by all voices of training, or `count` texts of evaluation by the voice held out."""
    rng, voices = Random(seed), Voices()
    made, failures = 0, Counter[str]()
    while count is None or made < count:
        how = manner(rng) if count is None else HELD_OUT_MANNER
        if failures[how.engine] >= _FAILURES:
            continue
        for _ in range(1 if count is not None else 4 if "_" in how.engine else 2):  # changing festival's voice takes time
            text = taught(rng) if count is None else examined(rng)
            try:
                sound = voices.say(text.spoken, how)
            except (OSError, RuntimeError, ValueError, EOFError, wave.Error) as error:
                failures[how.engine] += 1
                if count is not None or all(failures[engine] >= _FAILURES for engine in SHARES):
                    raise
                print(f"{how.engine} failed to say {text.spoken!r}: {error!r}", file=sys.stderr, flush=True)
                break
            if 0.15 * RATE < len(sound) < LONGEST_S * RATE and np.abs(sound.astype(np.int32)).max() > 500:
                made += 1
                yield Utterance(sound, text, how.name)
    voices.close()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(5)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else None
    try:
        for utterance in speak(int(sys.argv[1]), count):
            write(sys.stdout.buffer, utterance)
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
