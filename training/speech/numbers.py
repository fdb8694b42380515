"""Numbers, dates, times and letters: as they are written and as they are said."""

from __future__ import annotations

from random import Random

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth"}
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ay bee see dee ee eff gee aitch eye jay kay ell em en oh pee cue are ess tee you vee double-you ex why zee".split()))
"""Names of letters as words, for synthesisers that read a lone letter as a word."""


def cardinal(number: int) -> str:
    """42 is "forty two"."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + ("" if number % 10 == 0 else " " + _ONES[number % 10])
    for size, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            return f"{cardinal(number // size)} {name}" + (f" {cardinal(rest)}" if rest else "")
    raise ValueError(number)


def ordinal(number: int) -> str:
    """3 is "third"."""
    *before, last = cardinal(number).split(" ")
    return " ".join([*before, _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")])


def year(number: int) -> str:
    """1984 is "nineteen eighty four"."""
    century, rest = divmod(number, 100)
    if 2000 <= number < 2010:
        return cardinal(number)
    return f"{cardinal(century)} " + ("hundred" if rest == 0 else f"oh {cardinal(rest)}" if rest < 10 else cardinal(rest))


def suffixed(number: int) -> str:
    """3 is "3rd"."""
    return f"{number}{'th' if 10 <= number % 100 <= 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def spelled(word: str) -> tuple[str, str]:
    """Letters and digits one by one: "A-D-A", said with a letter's mark (`voices.say_letters`) before each."""
    return "-".join(word.upper()), ", ".join(f"^{letter}" if letter.isalpha() else _ONES[int(letter)] for letter in word.upper())


def number(rng: Random) -> tuple[str, str]:
    """Integers mostly; decimals, percentages, amounts of money, digits one by one."""
    pick = rng.random()
    if pick < 0.5:
        value = rng.randint(0, 10 ** rng.choice([1, 2, 2, 2, 3, 3, 4, 5]))
        return (f"{value:,}" if value >= 10_000 else str(value)), cardinal(value)
    if pick < 0.6:
        whole, part = rng.randint(0, 99), str(rng.randint(1, 99))
        return f"{whole}.{part}", f"{cardinal(whole)} point {' '.join(_ONES[int(digit)] for digit in part)}"
    if pick < 0.7:
        value = rng.randint(1, 100)
        return f"{value}%", f"{cardinal(value)} percent"
    if pick < 0.8:
        dollars, cents = rng.randint(1, 500), rng.choice([0, 0, rng.randint(1, 99)])
        said = f"{cardinal(dollars)} dollar{'' if dollars == 1 else 's'}"
        return (f"${dollars}.{cents:02d}", f"{said} and {cardinal(cents)} cent{'' if cents == 1 else 's'}") if cents else (f"${dollars}", said)
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(3, 7)))
    return digits, " ".join(_ONES[int(digit)] if digit != "0" or rng.random() < 0.5 else "oh" for digit in digits)


def small(rng: Random, low: int = 2, high: int = 99) -> tuple[str, str]:
    """A count."""
    value = rng.randint(low, high)
    return str(value), cardinal(value)


def date(rng: Random) -> tuple[str, str]:
    """"March 3, 1984" or without the year."""
    month, day = rng.choice(MONTHS), rng.randint(1, 28)
    if rng.random() < 0.4:
        return f"{month} {day}", f"{month} {ordinal(day)}"
    when = rng.randint(1930, 2039)
    return f"{month} {day}, {when}", f"{month} {ordinal(day)}, {year(when)}"


def time(rng: Random) -> tuple[str, str]:
    """"3:45 PM", "14:30", "7 AM"."""
    if rng.random() < 0.3:
        hour, minute = rng.randint(13, 23), rng.randint(10, 59)
        return f"{hour}:{minute}", f"{cardinal(hour)} {cardinal(minute)}"
    hour, minute, half = rng.randint(1, 12), rng.choice([0, 0, 15, 30, 45, rng.randint(1, 59)]), rng.choice("AP")
    said = f"^{half} ^M"
    if minute == 0:
        return f"{hour} {half}M", f"{cardinal(hour)} {said}"
    return f"{hour}:{minute:02d} {half}M", f"{cardinal(hour)} {'oh ' if minute < 10 else ''}{cardinal(minute)} {said}"
