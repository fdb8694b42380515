"""Synthesisers as functions from text to sound: espeak-ng and flite in this process, festival in one beside it. Samples are int16 at 16 kHz."""

from __future__ import annotations

import ctypes
import lzma
import os
import re
import subprocess
import tarfile
import wave
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from .collect import FESTIVAL
from .numbers import LETTERS
from .texts import PACK

RATE = 16_000
HELD_OUT = "rms"
"""flite's clustergen voice of the speaker rms: made from recordings of a person, and no other synthesiser here has that speaker."""
SHARES = {"espeak": 0.3, "awb": 0.19, "slt": 0.19, "kal16": 0.1, "ked_diphone": 0.12, "cmu_us_slt_arctic_hts": 0.1}
"""Of utterances. espeak-ng has the most voices, but the others are nearer to people, and it is from them that the held-out voice is learnt."""
_SHIFTED = {"awb": (0.75, 1.5), "slt": (0.5, 1.2), HELD_OUT: (1.0, 1.0)}
"""flite's voices made by statistics, and how far their pitch is moved: a woman's an octave down is a second man (the features are warped as well, augment.compose)."""
_KAL_HERTZ = 105.0
"""kal's own pitch."""
_ACCENTS = ("en-us", "en-us", "en-us", "en", "en", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc")
_VARIANTS = (
    "", "", "f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "klatt", "klatt2", "klatt3", "klatt4", "klatt5", "klatt6", "Alex", "Alicia", "Andrea", "Andy",
    "Annie", "Denis", "Diogo", "Gene", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike", "Nguyen", "adam", "anika", "antonio", "aunty", "belinda", "benjamin", "boris",
    "caleb", "david", "ed", "edward", "grandma", "grandpa", "gustave", "iven", "john", "linda", "marcelo", "max", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob",
    "robert", "sandro", "shelby", "steph", "travis", "victor", "zac",
)  # fmt: skip
_LIBRARIES = "usr/lib/x86_64-linux-gnu"


def unpacked() -> Path:
    """The folder that the pack of synthesisers is unpacked in."""
    archive = PACK / "voices.tar.xz"
    root = Path(f"/tmp/deskhand-voices-{archive.stat().st_size}")
    if not root.exists():
        partial = root.with_suffix(f".{os.getpid()}")
        with lzma.open(archive) as file, tarfile.open(fileobj=file) as tar:
            tar.extractall(partial, **({"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}))  # Debian 12 knows no filters
        for library in (partial / _LIBRARIES).glob("*.so.*"):  # the system's own, where it has them: the interpreter is linked with some
            if (Path("/") / _LIBRARIES / library.name).exists() and not library.name.startswith(("libflite", "libespeak", "libest", "libsonic", "libpcaudio")):
                library.unlink()
        try:
            partial.rename(root)
        except OSError:  # another process was quicker
            pass
    link = Path(FESTIVAL)
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(root / "usr/share/festival")
    return root


def environment() -> dict[str, str]:
    """For the process that loads the synthesisers: it must start with it."""
    return {**os.environ, "LD_LIBRARY_PATH": str(unpacked() / _LIBRARIES), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Manner:
    """How a text is said; `name` tells voices apart, a variant of espeak-ng is one of its own."""

    engine: str
    name: str
    rate: float
    pitch: float


def manner(rng: Random) -> Manner:
    """A voice for training."""
    engine = rng.choices(list(SHARES), list(SHARES.values()))[0]
    name = engine
    if engine == "espeak":
        name = "+".join(part for part in (rng.choice(_ACCENTS), rng.choice(_VARIANTS)) if part)
    low, high = _SHIFTED.get(engine, (0.8, 1.25))
    return Manner(engine, name, min(1.5, max(0.7, rng.gauss(1.0, 0.13))), low * (high / low) ** rng.random())


HELD_OUT_MANNER = Manner(HELD_OUT, HELD_OUT, 1.0, 1.0)


def _letters(text: str, as_words: bool) -> str:
    return re.sub(r"\^([A-Z])", (lambda found: LETTERS[found[1]]) if as_words else r"\1", text)


class _Wave(ctypes.Structure):
    _fields_ = [("type", ctypes.c_char_p), ("rate", ctypes.c_int), ("count", ctypes.c_int), ("channels", ctypes.c_int), ("samples", ctypes.POINTER(ctypes.c_short))]


class Flite:
    """flite's voices: kal16 (diphones), awb, slt and rms (clustergen)."""

    def __init__(self, root: Path) -> None:
        folder = root / _LIBRARIES
        self.lib = ctypes.CDLL(str(folder / "libflite.so.1"), mode=ctypes.RTLD_GLOBAL)
        for name in ("usenglish", "cmulex"):
            ctypes.CDLL(str(folder / f"libflite_{name}.so.1"), mode=ctypes.RTLD_GLOBAL)
        self.lib.flite_init()
        self.lib.flite_text_to_wave.restype = ctypes.POINTER(_Wave)
        self.lib.flite_text_to_wave.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self.lib.delete_wave.argtypes = [ctypes.POINTER(_Wave)]
        self.lib.flite_feat_set_float.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float]
        self.folder, self.voices = folder, dict[str, int]()

    def say(self, text: str, how: Manner) -> np.ndarray:
        if how.engine not in self.voices:
            library = ctypes.CDLL(str(self.folder / f"libflite_cmu_us_{how.engine}.so.1"))
            register: Any = getattr(library, f"register_cmu_us_{how.engine}")
            register.restype = ctypes.c_void_p
            self.voices[how.engine] = register(None)
        voice = self.voices[how.engine]
        features = ctypes.cast(voice, ctypes.POINTER(ctypes.c_void_p))[1]  # struct cst_voice: name, features, …
        self.lib.flite_feat_set_float(features, b"duration_stretch", 1 / how.rate)
        if how.engine in _SHIFTED:
            self.lib.flite_feat_set_float(features, b"f0_shift", how.pitch)
        else:
            self.lib.flite_feat_set_float(features, b"int_f0_target_mean", _KAL_HERTZ * how.pitch)
        made = self.lib.flite_text_to_wave(_letters(text, True).encode(), voice)
        sound = np.ctypeslib.as_array(made.contents.samples, (made.contents.count,)).copy()
        rate = made.contents.rate
        self.lib.delete_wave(made)
        return resampled(sound, rate)


class Espeak:
    """espeak-ng with its accents and variants."""

    def __init__(self, root: Path) -> None:
        self.lib = ctypes.CDLL(str(root / _LIBRARIES / "libespeak-ng.so.1"))
        self.rate = self.lib.espeak_Initialize(2, 0, str(root / _LIBRARIES).encode(), 0)  # synchronous, no playing
        if self.rate <= 0:
            raise RuntimeError("espeak-ng did not find its data")
        self.parts: list[np.ndarray] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

        def receive(samples: Any, count: int, _events: Any) -> int:
            if samples and count > 0:
                self.parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
            return 0

        self.receive = kind(receive)  # kept alive
        self.lib.espeak_SetSynthCallback(self.receive)

    def say(self, text: str, how: Manner) -> np.ndarray:
        if self.lib.espeak_SetVoiceByName(how.name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {how.name}")
        self.lib.espeak_SetParameter(1, int(165 * how.rate), 0)
        self.lib.espeak_SetParameter(3, int(np.clip(50 + (how.pitch - 1) * 120, 15, 85)), 0)
        self.parts = []
        data = _letters(text, False).encode() + b"\0"
        self.lib.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)
        return resampled(np.concatenate(self.parts), self.rate) if self.parts else np.zeros(0, np.int16)


class Festival:
    """Festival's diphone and HTS voices, by its command reader on a pipe."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen([str(root / "usr/bin/festival"), "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.file = Path(f"/dev/shm/deskhand-{os.getpid()}.wav")
        self._do('(define (deskhand t f) (utt.save.wave (utt.synth (eval (list (quote Utterance) (quote Text) t))) f (quote riff)))')
        self.voice = ""

    def _do(self, command: str) -> None:
        assert self.process.stdin and self.process.stderr
        self.process.stdin.write(f'{command}\n(format stderr "\\n%s\\n" "deskhand-done")\n'.encode())
        self.process.stdin.flush()
        for line in self.process.stderr:  # unbuffered, unlike its standard output
            if line.strip() == b"deskhand-done":
                return
        raise RuntimeError("festival ended")

    def say(self, text: str, how: Manner) -> np.ndarray:
        if self.voice != how.engine:
            self._do(f"(voice_{how.engine})")
            self.voice = how.engine
        self.file.unlink(missing_ok=True)
        said = re.sub(r'[\\"]', "", _letters(text, True))
        self._do(f"(Parameter.set (quote Duration_Stretch) {1 / how.rate:.3f})")
        self._do(f'(deskhand "{said}" "{self.file}")')
        with wave.open(str(self.file)) as sound:
            return resampled(np.frombuffer(sound.readframes(sound.getnframes()), np.int16), sound.getframerate())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.file.unlink(missing_ok=True)


def resampled(sound: np.ndarray, rate: int) -> np.ndarray:
    """To 16 kHz, band-limited, by the discrete Fourier transform."""
    if rate == RATE or len(sound) == 0:
        return sound.astype(np.int16)
    unit = rate // np.gcd(rate, RATE)
    length = -(-len(sound) // unit) * unit
    count = length * RATE // rate
    spectrum = np.fft.rfft(np.pad(sound.astype(np.float32), (0, length - len(sound))))
    kept = np.zeros(count // 2 + 1, spectrum.dtype)
    common = min(len(kept), len(spectrum))
    kept[:common] = spectrum[:common]
    return np.clip(np.fft.irfft(kept, count) * (count / length), -32767, 32767).astype(np.int16)


def trimmed(sound: np.ndarray) -> np.ndarray:
    """Without the silence around it: a window's times are those of the speech."""
    if len(sound) < 400:
        return sound[:0]
    loud = np.abs(sound.astype(np.int32))
    steps = loud[: len(loud) // 80 * 80].reshape(-1, 80).max(1)
    above = np.nonzero(steps > max(60, 0.012 * loud.max()))[0]
    if len(above) == 0:
        return sound[:0]
    return sound[max(0, above[0] * 80 - 240) : above[-1] * 80 + 720]


class Voices:
    """All of them; each is started when it is first asked for."""

    def __init__(self) -> None:
        self.root = unpacked()
        self.engines: dict[str, Any] = {}

    def say(self, spoken: str, how: Manner) -> np.ndarray:
        """Speech without silence around it, as loud as the synthesiser makes it."""
        kind = Espeak if how.engine == "espeak" else Festival if "_" in how.engine else Flite
        if kind.__name__ not in self.engines:
            self.engines[kind.__name__] = kind(self.root)
        return trimmed(self.engines[kind.__name__].say(spoken, how))

    def close(self) -> None:
        if "Festival" in self.engines:
            self.engines["Festival"].close()
