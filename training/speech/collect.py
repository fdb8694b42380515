"""The synthesisers and words that speech is made of, from Debian 12's packages, in two files that travel to the training machine.

    python -m speech.collect ../build/training/voices
"""

from __future__ import annotations

import io
import json
import lzma
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path

SYNTHESISERS = (
    "espeak-ng-data", "libespeak-ng1", "libpcaudio0", "libsonic0", "libflite1", "festival", "libestools2.5", "festlex-cmu", "festlex-poslex",
    "festvox-kdlpc16k", "festvox-us-slt-hts",
)  # fmt: skip
TEXTS = ("wordnet-base", "wamerican-small", "wamerican-large")
FESTIVAL = "/tmp/deskhand-fest1"
"""Festival has its folder compiled in; this name is as long, and a link of that name leads to where it was unpacked."""
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_SYSTEM = re.compile(r"^(linux-vdso|ld-linux|libc|libm|libdl|libpthread|librt|libstdc\+\+|libgcc_s)[.-]")
_UNUSED = re.compile(r"/(libflite_cmu_(grapheme|indic|time|us_kal\.)|espeak-ng-data/(?!(en_dict|phon|intonations|lang|voices))|espeak-ng-data/voices/mb|espeak-ng-data/lang/(?!gmw/en))|/share/(doc|man|lintian)/|/etc/")
_NUMBERS = re.compile(r"\b(ten|eleven|twelve|\w+teen|\w+ty|hundreds?|thousands?|millions?|billions?|percent|dollars?)\b")
_RUDE = re.compile(r"nigg|fuck|shit|cunt|fag|rape|rapi|whore|slut|nazi|kike|coon|bitch|porn|dyke|sex|hitler|negro|genit|penis|vagin|suicid|murder|kill")


def collect(out: Path) -> None:
    """Write voices.tar.xz and texts.json.xz."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        for folder, packages in (("voices", SYNTHESISERS), ("texts", TEXTS)):
            (root / folder / "debs").mkdir(parents=True)
            subprocess.run(["apt-get", "download", "-q", *packages], cwd=root / folder / "debs", check=True, stderr=subprocess.DEVNULL)
            for package in sorted((root / folder / "debs").glob("*.deb")):
                subprocess.run(["dpkg-deb", "-x", str(package), str(root / folder)], check=True)
            shutil.rmtree(root / folder / "debs")
        _festival(root / "voices")
        _dependencies(root / "voices")
        _pack(root / "voices", out / "voices.tar.xz")
        texts = {"sentences": _sentences(root / "texts"), **_words(root / "texts")}
        (out / "texts.json.xz").write_bytes(lzma.compress(json.dumps(texts).encode(), preset=9))
    for path in sorted(out.glob("*.xz")):
        print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
    print({key: len(value) for key, value in texts.items()})


def _festival(root: Path) -> None:
    old = b"/usr/share/festival"
    assert len(old) == len(FESTIVAL)
    for path in [root / "usr/bin/festival", *(root / "usr/share/festival").rglob("*.scm")]:
        path.write_bytes(path.read_bytes().replace(old, FESTIVAL.encode()))


def _dependencies(root: Path) -> None:
    """What the programs are linked with and a bare system may lack."""
    libraries = root / _LIBRARIES
    for program in (libraries / "libespeak-ng.so.1", libraries / "libflite.so.1", root / "usr/bin/festival"):
        listing = subprocess.run(["ldd", str(program)], env={"LD_LIBRARY_PATH": str(libraries)}, check=True, capture_output=True, text=True).stdout
        for name, path in re.findall(r"^\s*(\S+) => (/\S+)", listing, re.MULTILINE):
            if not _SYSTEM.match(name) and not (libraries / name).exists():
                shutil.copy(path, libraries / name)


def _pack(root: Path, archive: Path) -> None:
    with lzma.open(archive, "wb", preset=9) as file, tarfile.open(fileobj=file, mode="w") as tar:
        for path in sorted(root.rglob("*")):
            name = "/" + str(path.relative_to(root))
            if not path.is_dir() and not _UNUSED.search(name):
                info = tar.gettarinfo(path, name[1:])
                info.uid = info.gid = 0
                info.uname = info.gname = ""
                info.mtime = 0
                tar.addfile(info, io.BytesIO(path.read_bytes()) if info.isreg() else None)


def _sentences(root: Path) -> list[str]:
    """WordNet's examples and definitions that are plain words, 3 to 16 of them; numbers have a spelling of their own here."""
    found: dict[str, None] = {}
    for path in sorted((root / "usr/share/wordnet").glob("data.*")):
        for line in path.read_text(errors="ignore").splitlines():
            if " | " not in line:
                continue
            for part in re.split(r";\s+|\"", line.split(" | ", 1)[1]):
                text = part.strip(" ;.!").replace("--", ", ")
                if re.fullmatch(r"[A-Za-z][A-Za-z' ,?-]*", text) and 3 <= len(text.split()) <= 16 and not _NUMBERS.search(text.lower()) and not _RUDE.search(text.lower()):
                    text = re.sub(r"\s+", " ", re.sub(r"\s+([,?])", r"\1", text)).strip(" ,-")
                    if not re.search(r"\b[b-hj-z]\b|'\s|\s'|-\s|\s-|[A-Z]{2}|,,", text):
                        found[text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")] = None
    return list(found)


def _words(root: Path) -> dict[str, list[str]]:
    folder = root / "usr/share/dict"
    every = {size: (folder / f"american-english-{size}").read_text().split() for size in ("small", "large")}
    plain = {size: [word for word in words if re.fullmatch(r"[a-z]{3,11}", word) and not _RUDE.search(word)] for size, words in every.items()}
    known = set(every["large"])
    names = [word for word in every["large"] if re.fullmatch(r"[A-Z][a-z]{2,10}", word) and word.lower() not in known and not _RUDE.search(word.lower())]
    return {"frequent": _frequent(root), "words": plain["small"], "rare": sorted(set(plain["large"]) - set(plain["small"])), "names": names}


def _frequent(root: Path) -> list[str]:
    """Words that WordNet's tagged texts have at least ten times (cntlist.rev: sense, number, times)."""
    times = Counter[str]()
    for line in (root / "usr/share/wordnet/cntlist.rev").read_text().splitlines():
        sense, _, count = line.split()
        times[sense.split("%")[0]] += int(count)
    return sorted(word for word, count in times.items() if count >= 10 and re.fullmatch(r"[a-z]{3,11}", word) and not _NUMBERS.search(word) and not _RUDE.search(word))


if __name__ == "__main__":
    collect(Path(sys.argv[1]).resolve())
