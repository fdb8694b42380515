"""How a task refers to a thing on the screen: by its label, by another spelling of it, or by where it stands."""

from __future__ import annotations

import re
from random import Random

from screens.record import Element

from .phrases import SYNONYMS
from .view import View

WORDS = {
    "button": "button", "field": "field", "spin": "field", "combo": "dropdown", "check": "checkbox", "switch": "switch", "radio": "radio button",
    "listitem": "item", "tab": "tab", "link": "link", "slider": "slider", "menu": "menu", "menuitem": "menu item", "treeitem": "item", "icon": "icon",
}
SAID = {
    "field": ["text field", "text box", "input field", "entry field", "input"], "checkbox": ["check box", "tick box"], "radio button": ["option button", "radio option"],
    "dropdown": ["drop-down", "combo box", "drop-down list"], "item": ["entry", "list item"], "switch": ["toggle switch"],
}
"""Other words for those of WORDS."""
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]


def typo(rng: Random, text: str) -> str:
    """One slip of the keyboard in a word of five letters or more."""
    places = [index for index in range(1, len(text) - 1) if text[index].isalpha() and text[index + 1].isalpha()]
    if len(text) < 5 or not places:
        return text
    at = rng.choice(places)
    pick = rng.random()
    if pick < 0.4:
        return text[:at] + text[at + 1] + text[at] + text[at + 2:]
    if pick < 0.7:
        return text[:at] + text[at + 1:]
    return text[:at] + text[at] + text[at:]


def plural(text: str) -> str:
    """The last word in the other number."""
    return text[:-1] if text.endswith("s") and not text.endswith("ss") else text + "s"


def respelled(rng: Random, name: str) -> str:
    """Another way to write a label, which still means only it; may give the label itself."""
    pick = rng.random()
    bare = name.rstrip("….: ")
    known = SYNONYMS.get(name.lower())
    if known and pick < 0.55:
        return rng.choice(known)
    if pick < 0.75:
        return bare.lower() or name
    if pick < 0.8:
        return name.upper()
    if pick < 0.84:
        return name.title()
    if pick < 0.88 and bare.isascii() and bare[-1:].isalpha():
        return plural(bare).lower()
    if pick < 0.92:
        return typo(rng, name)
    if pick < 0.96:
        return re.sub(r"[-_/ ]+", rng.choice([" ", "-", ""]), bare).lower() or name
    return bare or name


def same(first: str, second: str) -> bool:
    """Whether two spellings could be taken for each other."""
    squeeze = lambda text: re.sub(r"[^a-z0-9]", "", text.lower())  # noqa: E731
    return squeeze(first) == squeeze(second) or squeeze(plural(first)) == squeeze(second)


def said(rng: Random, word: str) -> str:
    """A kind's word as somebody might say it."""
    return rng.choice(SAID[word]) if word in SAID and rng.random() < 0.4 else word


def ordinal(rng: Random, view: View, element: Element) -> str | None:
    """"second checkbox" by reading order among its kind in its window."""
    word = WORDS.get(element.kind)
    alike = [other for other in view.reading(view.usable) if WORDS.get(other.kind) == word and other.window == element.window and (element.kind not in ("listitem", "treeitem", "tab", "radio", "menuitem") or other.group == element.group)]
    if word is None or element not in alike or not view.ordered(alike):
        return None
    at, count = alike.index(element), len(alike)
    if count > 1 and at == count - 1 and rng.random() < 0.6:
        return f"last {said(rng, word)}"
    if at >= len(ORDINALS) or (count == 1 and rng.random() < 0.7):
        return f"only {said(rng, word)}" if count == 1 else None
    if element.kind in ("listitem", "treeitem") and rng.random() < 0.3:
        return f"{ORDINALS[at]} {rng.choice(['row', 'entry'])}"
    return f"{ORDINALS[at]} {said(rng, word)}"


def neighbour(rng: Random, view: View, element: Element) -> str | None:
    """"button next to Cancel", "field below Name", "checkbox above Dark mode"."""
    word = WORDS.get(element.kind)
    if word is None:
        return None
    found = []
    for relation, other in view.neighbours(element):
        if other.name and view.unique(other) and other.kind in WORDS | {"label": ""} and len(view.related(relation, other, word, WORDS)) == 1:
            found.append((relation, other))
    if not found:
        return None
    relation, other = rng.choice(found)
    phrase = {"right": rng.choice(["to the right of", "right of", "next to", "after"]), "left": rng.choice(["to the left of", "left of", "before"]), "below": rng.choice(["below", "under", "beneath"]), "above": rng.choice(["above", "over"])}[relation]
    if phrase == "next to" and view.related("left", other, word, WORDS):
        phrase = "right of"
    kind = WORDS.get(other.kind, "")
    return f"{said(rng, word)} {phrase} {other.name}" + (f" {kind}" if kind and rng.random() < 0.2 else "")


def in_section(rng: Random, view: View, element: Element) -> str | None:
    """"Delete button of Ada", where several things have the same name."""
    if not element.section or not element.name:
        return None
    alike = [other for other in view.usable if other.name == element.name and other.section == element.section]
    if len(alike) != 1:
        return None
    word = WORDS.get(element.kind, "")
    return rng.choice([f"{element.name} {word} of {element.section}", f"{element.name} {word} in the {element.section} row", f"{element.name} for {element.section}", f"{element.name} {word} next to {element.section}"])


def refer(rng: Random, view: View, element: Element, plain: float = 0.7) -> tuple[str, bool] | None:
    """(words, whether they are the label itself); `plain` is the share of exact labels. None when nothing is unambiguous."""
    pick = rng.random()
    if element.name and view.unique(element):
        if pick < plain:
            return element.name, True
        if pick < plain + (1 - plain) * 0.6:
            other = respelled(rng, element.name)
            if other == element.name or not any(same(other, name) for name in view.names if name != element.name):
                return other, other == element.name
            return element.name, True
    elif element.name:
        text = in_section(rng, view, element)
        if text and pick < 0.8:
            return text, False
    text = ordinal(rng, view, element) if rng.random() < 0.5 else neighbour(rng, view, element)
    if text:
        return text, False
    return (element.name, True) if element.name and view.unique(element) else None
