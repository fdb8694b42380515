"""A task's text from its goals."""

from __future__ import annotations

from random import Random

from . import phrases
from .goals import Goal
from .naming import ORDINALS

TABLES = {
    "set": phrases.SET, "check": phrases.CHECK, "uncheck": phrases.UNCHECK, "radio": phrases.RADIO, "item": phrases.ITEM, "tab": phrases.TAB, "menu": phrases.MENU,
    "menuitem": phrases.MENU_ITEM, "combo": phrases.COMBO, "press": phrases.BUTTON, "link": phrases.LINK, "double": phrases.DOUBLE, "right": phrases.RIGHT,
    "slider": phrases.SLIDER, "keys": phrases.KEYS, "task": phrases.TASK_BAR,
}
_KIND_WORDS = ("button", "field", "box", "input", "checkbox", "dropdown", "drop-down", "switch", "item", "tab", "link", "slider", "menu", "row", "entry", "icon")


def _quoted(style: int, text: str) -> str:
    return f'"{text}"' if style == 0 else f"'{text}'" if style == 1 else text


def phrase(rng: Random, goal: Goal, label_quotes: int, value_quotes: int, table: list[str] | None = None) -> tuple[str, bool]:
    """One goal in words, and whether it may be capitalised."""
    if goal.fixed:
        return goal.fixed, True
    words = goal.name.split(" ")
    described = not goal.exact and (words[0] in ORDINALS or words[0] in ("last", "only") or words[0] in _KIND_WORDS or any(word in _KIND_WORDS for word in words[1:3]))
    name = goal.name if described else _quoted(label_quotes if goal.exact else 2, goal.name)
    pattern = rng.choice(table or TABLES[goal.kind])
    if described:
        for word in ("button", "field", "checkbox", "box", "option", "tab", "menu", "link", "list", "dropdown", "slider", "row", "item"):
            pattern = pattern.replace(f"{{}} {word}", "{}").replace(f"{{0}} {word}", "{0}")
        for word in ("link ", "button ", "option ", "box ", "item ", "row ", "menu ", "tab ", "entry "):
            pattern = pattern.replace(f"{word}{{}}", "{}")
        if not pattern.startswith("{") and "the {" not in pattern:
            pattern = pattern.replace("{}", "the {}").replace("{0}", "the {0}")
    elif not goal.exact and rng.random() < 0.5 and "the {" not in pattern and not pattern.startswith("{"):
        pattern = pattern.replace("{}", "the {}").replace("{0}", "the {0}")
    if goal.kind == "keys":
        chord = goal.value if rng.random() < 0.5 else "+".join(key.capitalize() for key in goal.value.split("+"))
        return pattern.format(chord), True
    value = _quoted(value_quotes, goal.value)
    text = pattern.replace("{}", name).replace("{0}", name).replace("{1}", value)
    capital = not pattern.startswith("{") or described
    if goal.page:
        page = _quoted(label_quotes, goal.page)
        if rng.random() < 0.2:
            return rng.choice(["on the {} tab ", "on the {} tab, ", "in the {} tab, ", "on the {} page, "]).format(page) + text, True
        return text + rng.choice([" on the {} tab", " on the {} tab", " on the {} tab", " in the {} tab", " on the {} page", " under {}"]).format(page), capital
    return text, capital


def _upper(part: tuple[str, bool]) -> str:
    return part[0][:1].upper() + part[0][1:] if part[1] else part[0]


def task_text(rng: Random, goals: list[Goal]) -> str:
    """Goals as a sentence, several, or a list."""
    label_quotes = rng.choice([0, 0, 0, 0, 2, 2, 2, 2, 2, 1])
    value_quotes = rng.choice([0, 0, 0, 0, 2, 2, 2, 2, 2, 1])
    mixed, uniform = rng.random() < 0.2, rng.random() < 0.4
    base = rng.choice(phrases.SET)
    short = rng.random() < 0.25
    parts: list[tuple[str, bool]] = []
    previous = ""
    for goal in goals:
        label_style = rng.choice([0, 1, 2]) if mixed else label_quotes
        value_style = rng.choice([0, 0, 2]) if mixed else value_quotes
        table = None
        if goal.kind == "set":
            table = ["{0} to {1}"] if short and previous == "set" else ["set {0} to {1}", "set the {0} to {1}", "change {0} to {1}"] if short else [base] if uniform else None
        parts.append(phrase(rng, goal, label_style, value_style, table))
        previous = goal.kind
    opening = rng.choice(["Please ", "Could you ", "In this window, ", "In the form, ", "I want you to ", "First, ", "First ", "In the dialog ", "Now ", "I need you to ", "Can you "]) if rng.random() < 0.14 else ""
    first = parts[0][0] if opening else _upper(parts[0])
    rest = [part[0] for part in parts[1:]]
    pick = rng.random()
    if not rest:
        text = first
    elif pick < 0.45:
        text = first + "".join(", " + item for item in rest[:-1]) + rng.choice([", then ", " and ", ", and ", " and then ", ", ", ", finally ", "; then ", " then "]) + rest[-1]
    elif pick < 0.53:
        text = first + "".join("; " + item for item in rest[:-1]) + rng.choice(["; ", "; then ", "; and "]) + rest[-1]
    elif pick < 0.6:
        text = first + "".join(" and " + item for item in rest)
    elif pick < 0.68:
        between = rng.choice([", then ", " then ", " and then "])
        text = first + "".join(between + item for item in rest)
    elif pick < 0.84:
        then = rng.random() < 0.3
        text = first
        for index, part in enumerate(parts[1:]):
            end = index == len(parts) - 2
            if then or (end and rng.random() < 0.35):
                text += ". " + (rng.choice(["Finally, ", "Finally ", "At the end ", "Lastly, ", "Then "]) if end else rng.choice(["Then ", "Next, ", "After that, ", "Also "])) + part[0]
            else:
                text += ". " + _upper(part)
    else:
        style, capital = rng.choice([0, 0, 1, 1, 2, 3]), rng.random() < 0.6
        opening = ""
        text = "" if rng.random() < 0.7 else rng.choice(["Do the following:\n", "Steps:\n", "Please do this:\n"])
        text += "\n".join(["", "- ", f"{index}. ", f"{index}) "][style] + (_upper(part) if capital else part[0]) for index, part in enumerate(parts, 1))
    return opening + text + rng.choice([".", "", ""])
