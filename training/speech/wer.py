"""Word errors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from random import Random

_DIGITS = dict(zip("zero one two three four five six seven eight nine".split(), "0123456789"))


def words(text: str) -> list[str]:
    """Lower case without punctuation; numbers below ten as digits, other numbers as they are written: 3.5, 1,200 and 14:30 are one word each, "A-D-A" is three."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", plain)
    found = re.findall(r"\d+(?:[.:]\d+)*|[a-z0-9]+(?:'[a-z]+)*|[$%@]", plain)
    return [_DIGITS.get(word, word) for word in found]


def errors(wanted: Sequence[str], given: Sequence[str]) -> int:
    """Fewest words to replace, insert and leave out."""
    row = list(range(len(given) + 1))
    for place, word in enumerate(wanted, 1):
        before, row[0] = row[0], place
        for other, said in enumerate(given, 1):
            before, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, before + (word != said))
    return row[-1]


def rate(found: Sequence[tuple[int, int]]) -> tuple[float, float, float]:
    """(errors, words) of sentences to the rate and its 95 % interval, by resampling sentences: errors of one sentence go together."""
    total = sum(count for _, count in found)
    if total == 0:
        return 0.0, 0.0, 0.0
    rng = Random(1)
    drawn = []
    for _ in range(1000):
        picked = rng.choices(found, k=len(found))
        drawn.append(sum(wrong for wrong, _ in picked) / max(1, sum(count for _, count in picked)))
    drawn.sort()
    return sum(wrong for wrong, _ in found) / total, drawn[24], drawn[974]
