"""What the evaluation types into fields; its own, as its applications are."""

from __future__ import annotations

from random import Random

_FIRST = ("Maren", "Tobias", "Odile", "Wendel", "Ksenia", "Ruben", "Halvard", "Ysolde", "Bertil", "Carmela")
_LAST = ("Vogt", "Lindqvist", "Abernathy", "Okonkwo", "Sundgren", "Pereira", "Hollis", "Takeda")
_THINGS = ("brass lantern", "two sacks of peat", "Pump house", "Lower field", "spare key", "Harbour office", "Second floor", "blue folder", "Kiln 4", "old mill")


def value(rng: Random) -> str:
    """A name, an address for mail, a number, a date, a code or a few words."""
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    return rng.choice([
        first, f"{first} {last}", f"{first.lower()}@{last.lower()}.example", str(rng.randint(2, 9999)), f"{rng.randint(1, 28)}.{rng.randint(1, 12)}.20{rng.randint(19, 31)}", f"20{rng.randint(19, 31)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        f"{rng.choice('ABCDKRTX')}{rng.randint(1, 9)}-{rng.randint(10, 999)}", rng.choice(_THINGS), f"{rng.randint(1, 99)} {last} Road",
    ])  # fmt: skip
