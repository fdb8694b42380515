"""What is said: commands of the agent with names and values, spelled words, numbers, dates and plain sentences.

Written as people write commands, cased and with punctuation, in one convention (training/README.md): labels begin with a capital, what is typed does not unless it is a
name; numbers of commands are digits; spelled words are joined by hyphens. A `Reach` says how far the names and words of a text are fetched.
"""

from __future__ import annotations

import json
import lzma
import os
import re
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal

from screens import words as screen

from . import numbers
from .patterns import COMMANDS, PEOPLE, PLAIN, SPELLED, SURNAMES
from .wer import words

PACK = Path(os.environ.get("DESKHAND_VOICES", Path(__file__).resolve().parents[2] / "build/training/voices"))
KINDS = ("command", "spelled", "number", "sentence")
HELD_OUT_SHARE = 12
"""One of so many names, words and sentences is kept for evaluation."""
Reach = Literal["use", "any", "unheard"]
"""Where names and words come from: `use` is what people say to a computer (usual labels, common names, frequent words, seldom others), `any` is the whole dictionary evenly;
training never draws what `unheard` draws, and `unheard` draws nothing else."""
_UPPER = {"url", "id", "ip", "dns", "pdf", "csv", "json", "png", "jpeg", "usb", "ssl", "faq", "cvv", "mac", "a4", "bcc", "usa", "vip"}
_SAID = {"url": "^U ^R ^L", "id": "^I ^D", "ip": "^I ^P", "dns": "^D ^N ^S", "pdf": "^P ^D ^F", "csv": "^C ^S ^V", "usb": "^U ^S ^B", "ssl": "^S ^S ^L", "faq": "^F ^A ^Q", "cvv": "^C ^V ^V", "ok": "okay", "a4": "^A four", "bcc": "^B ^C ^C", "cc": "^C ^C", "png": "^P ^N ^G", "json": "jason", "jpeg": "jay peg", "usa": "^U ^S ^A", "wi-fi": "why fie", "vip": "^V ^I ^P"}  # fmt: skip
_KEYS = [("Enter", "enter"), ("Escape", "escape"), ("Tab", "tab"), ("Delete", "delete"), ("Backspace", "back space"), ("Space", "space"), ("Home", "home"), ("End", "end"), ("Page Up", "page up"), ("Page Down", "page down"), ("Up", "up"), ("Down", "down"), ("Left", "left"), ("Right", "right")]  # fmt: skip
_MODIFIERS = [("Ctrl", "control"), ("Ctrl", "control"), ("Ctrl", "control"), ("Alt", "alt"), ("Shift", "shift"), ("Ctrl+Shift", "control shift"), ("Ctrl+Alt", "control alt")]
_ENDINGS = [("txt", "text"), ("pdf", "^P ^D ^F"), ("png", "^P ^N ^G"), ("doc", "doc"), ("zip", "zip"), ("csv", "^C ^S ^V"), ("html", "^H ^T ^M ^L"), ("md", "^M ^D"), ("jpg", "^J ^P ^G")]


@dataclass(frozen=True)
class Text:
    """`spoken` goes to the synthesiser (a letter to be said as such has ^ before it), `written` is what the model answers."""

    written: str
    spoken: str
    kind: str


@cache
def _pack() -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = json.loads(lzma.decompress((PACK / "texts.json.xz").read_bytes()))
    return loaded


def is_held_out(text: str) -> bool:
    """By the text alone, so that every process agrees."""
    return zlib.crc32(text.lower().encode()) % HELD_OUT_SHARE == 0


@cache
def _usual() -> set[str]:
    """Words of the wordings themselves, of usual labels, keys and calendars."""
    wordings = [re.sub(r"\{\w+\}", " ", pattern) for pattern in COMMANDS] + ["please now could you can then I want you to computer and"]
    labels = [entry for table in screen.TABLES.values() for entry in table]
    ordinals = [numbers.ordinal(place) for place in range(1, 13)]
    return {word for text in wordings + labels + ordinals + ["am pm"] + numbers.DAYS + numbers.MONTHS + [key for key, _ in _KEYS + _MODIFIERS] for word in words(text)}


def is_usual(written: str) -> bool:
    """Whether a command has no name and no word of the dictionary that only chance put there; numbers and single letters are usual."""
    return all(word in _usual() or len(word) == 1 or re.fullmatch(r"f?\d[\d.:]*", word) is not None for word in words(written))


def _choose(rng: Random, source: list[str], reach: Reach) -> str:
    while True:
        found = rng.choice(source)
        if is_held_out(found) == (reach == "unheard"):
            return found


@cache
def _people() -> tuple[list[str], list[str]]:
    def plain(names: list[str]) -> list[str]:
        return [name for name in names if re.fullmatch(r"[A-Za-z]+", name)]

    return plain(screen.NAMES) + PEOPLE, plain(screen.SURNAMES) + SURNAMES


def _word(rng: Random, reach: Reach) -> str:
    pick = rng.random()
    if reach == "use":
        return _choose(rng, _pack()["frequent" if pick < 0.88 else "words" if pick < 0.98 else "rare"], reach)
    return _choose(rng, _pack()["rare" if pick < 0.2 else "words"], reach)


def _name(rng: Random, reach: Reach) -> str:
    return _choose(rng, _people()[0] if rng.random() < (0.9 if reach == "use" else 0.6) else _pack()["names"], reach)


def _person(rng: Random, reach: Reach) -> tuple[str, str]:
    first = _choose(rng, _people()[0], reach)
    if rng.random() < 0.4:
        return first, first
    last = _choose(rng, _people()[1] if rng.random() < (0.85 if reach == "use" else 0.5) else _pack()["names"], reach)
    return f"{first} {last}", f"{first} {last}"


def say(word: str) -> str:
    """A written label as words."""
    return " ".join(_SAID.get(part.lower(), part) for part in re.sub(r"[^A-Za-z0-9'\- ]", "", word).split())


def label(rng: Random, reach: Reach, *tables: str) -> tuple[str, str]:
    """Of a control: usual ones, and words of the dictionary."""
    if rng.random() < (0.85 if reach == "use" else 0.5):
        text = rng.choice(screen.TABLES[rng.choice(tables)]).rstrip("….?")
        if re.search(r"[0-9&/]", text):
            return label(rng, reach, *tables)
    elif rng.random() < 0.15:
        text = _name(rng, reach)
    else:
        text = " ".join(_word(rng, reach) for _ in range(rng.choice([1, 1, 2, 2, 3])))
    parts = [part.upper() if part.lower() in _UPPER or part == "OK" else part.lower() if index else part[:1].upper() + part[1:].lower() for index, part in enumerate(text.split())]
    parts = [part.capitalize() if part.lower() in {name.lower() for name in numbers.DAYS + numbers.MONTHS} else part for part in parts]
    written = " ".join(parts).replace("Wi-fi", "Wi-Fi").replace("wi-fi", "Wi-Fi")
    return written, say(written)


def value(rng: Random, reach: Reach) -> tuple[str, str]:
    """What is typed or chosen."""
    pick = rng.random()
    if pick < 0.22:
        return _person(rng, reach)
    if pick < 0.3:
        name = _name(rng, reach)
        return name, name
    if pick < 0.55:
        text = " ".join(_word(rng, reach) for _ in range(rng.choice([1, 1, 2, 2, 3, 4])))
        return text, text
    if pick < 0.62:
        text = rng.choice(screen.CITIES + screen.COUNTRIES)
        return text, say(text)
    if pick < 0.78:
        return numbers.number(rng)
    if pick < 0.84:
        return numbers.date(rng)
    if pick < 0.87:
        return numbers.time(rng)
    if pick < 0.93:
        return _email(rng, reach)
    return numbers.spelled(_letters(rng, reach))


def _letters(rng: Random, reach: Reach) -> str:
    pick = rng.random()
    if pick < 0.7:
        return (_name if pick < 0.35 else _word)(rng, reach)[:8]
    return "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ" if pick < 0.85 else "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(rng.randint(2, 6)))


def _email(rng: Random, reach: Reach) -> tuple[str, str]:
    first, last = _choose(rng, _people()[0], reach).lower(), _word(rng, reach)
    user, said = rng.choice([(first, first), (f"{first}.{last}", f"{first} dot {last}"), (last, last)])
    host = rng.choice(["example", "mail", _word(rng, reach)])
    end, ending = rng.choice([("com", "com"), ("com", "com"), ("org", "org"), ("net", "net")])
    return f"{user}@{host}.{end}", f"{said} at {host} dot {ending}"


def _file(rng: Random, reach: Reach) -> tuple[str, str]:
    stem, (end, said) = _word(rng, reach), rng.choice(_ENDINGS)
    return f"{stem}.{end}", f"{stem} dot {said}"


def _key(rng: Random) -> tuple[str, str]:
    if rng.random() < 0.45:
        return rng.choice(_KEYS)
    modifier, said = rng.choice(_MODIFIERS)
    pick = rng.random()
    if pick < 0.2:
        number = rng.randint(1, 12)
        return f"{modifier}+F{number}", f"{said} ^F {numbers.cardinal(number)}"
    if pick < 0.35:
        key, spoken = rng.choice(_KEYS)
        return f"{modifier}+{key}", f"{said} {spoken}"
    letter = rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f"{modifier}+{letter}", f"{said} ^{letter}"


def _fill(rng: Random, pattern: str, reach: Reach) -> tuple[str, str]:
    def slot(name: str) -> tuple[str, str]:
        if name in screen.TABLES:
            return label(rng, reach, name)
        if name == "any":
            return label(rng, reach, "button", "menuitem", "tab", "link", "option")
        if name == "word":
            return (_word(rng, reach),) * 2
        if name == "words":
            return (" ".join(_word(rng, reach) for _ in range(rng.randint(2, 5))),) * 2
        if name == "nth":
            place = rng.randint(1, 12)
            return (numbers.ordinal(place),) * 2
        if name == "day":
            return (rng.choice(numbers.DAYS),) * 2
        if name == "city":
            return (rng.choice(screen.CITIES),) * 2
        made = {
            "value": lambda: value(rng, reach), "person": lambda: _person(rng, reach), "file": lambda: _file(rng, reach), "key": lambda: _key(rng), "n": lambda: numbers.small(rng),
            "number": lambda: numbers.number(rng), "date": lambda: numbers.date(rng), "time": lambda: numbers.time(rng), "email": lambda: _email(rng, reach),
            "spelled": lambda: numbers.spelled(_letters(rng, reach)), "name": lambda: (_name(rng, reach),) * 2,
        }  # fmt: skip
        return made[name]()

    written, spoken = [], []
    for index, part in enumerate(re.split(r"\{(\w+)\}", pattern)):
        one, said = slot(part) if index % 2 else (part, part)
        written.append(one)
        spoken.append(said)
    return "".join(written), "".join(spoken)


def _finish(text: str, end: str = ".") -> str:
    text = text[:1].upper() + text[1:]
    return text if text[-1] in ".?!" else text + end


def _command(rng: Random, reach: Reach) -> tuple[str, str]:
    parts = [_fill(rng, rng.choice(COMMANDS), reach) for _ in range(rng.choice([1, 1, 1, 1, 1, 2, 2, 3]))]
    if len(parts) == 1:
        written, spoken = parts[0]
        opening = rng.choice(["please ", "now ", "could you ", "can you ", "then ", "I want you to ", "computer, "]) if rng.random() < 0.12 else ""
        closing = ", please" if not opening and rng.random() < 0.04 else ""
        question = opening in ("could you ", "can you ")
        return _finish(opening + written + closing, "?" if question else "."), opening + spoken + closing
    between = rng.choice([", then ", " and then ", " and ", ", and ", ", "])
    return _finish(between.join(part[0] for part in parts)), between.join(part[1] for part in parts)


def examined(rng: Random) -> Text:
    """One text of the evaluation: half are commands as people give them, a sixth commands of names and words that training never has."""
    kind = rng.choices((*KINDS, "unheard"), (0.46, 0.09, 0.08, 0.21, 0.16))[0]
    while True:
        text = draw(rng, "use" if kind in ("command", "spelled", "number") else "unheard", kind)
        if kind != "unheard" or not is_usual(text.written):
            return text


def taught(rng: Random) -> Text:
    """One text of the training: two thirds as people give commands, the others of words from anywhere, so that what is heard is written and not guessed."""
    return draw(rng, "use" if rng.random() < 0.66 else "any", rng.choices(KINDS, (0.6, 0.09, 0.06, 0.25))[0])


def draw(rng: Random, reach: Reach, kind: str) -> Text:
    """One text of a kind."""
    if kind in ("command", "unheard"):
        written, spoken = _command(rng, reach)
    elif kind == "sentence":
        if rng.random() < 0.85:
            written = spoken = _choose(rng, _pack()["sentences"], reach)
        else:
            written, spoken = _fill(rng, rng.choice(PLAIN), reach)
            written = _finish(written)
    elif kind == "spelled":
        written, spoken = _fill(rng, rng.choice(SPELLED), reach)
        written = _finish(written)
    else:
        written, spoken = _fill(rng, rng.choice(["{number}", "{number}, {number}", "{date}", "{time}", "{number} and {number}", "{day}, {date}", "{date} at {time}", "{n}, {n}, {n}"]), reach)
        written = _finish(written)
    return Text(written, spoken, kind)
