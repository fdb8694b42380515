"""What lies behind a step: how reached goals look in the history, and which elements goals are drawn from."""

from __future__ import annotations

from random import Random

from screens import words as vocabulary
from screens.record import Element

from .form import NO_CHANGE
from .goals import Goal

WEIGHT = {"field": 0.34, "spin": 0.3, "check": 0.5, "switch": 0.45, "radio": 0.2, "combo": 0.3, "listitem": 0.1, "treeitem": 0.1, "cell": 0.03, "tab": 0.06, "button": 0.26, "link": 0.05, "menu": 0.09, "slider": 0.25, "icon": 0.05, "header": 0.02, "task": 0.03}
DISMISS = ["close", "dismiss", "cancel", "not now", "later", "skip", "no", "no thanks", "ok", "got it"]


def history_of(rng: Random, goal: Goal) -> list[str]:
    """How a goal that is behind us looks in the history: mostly plain, now and then with a second try, a pop-up or scrolling."""
    lines = goal.steps()
    if goal.page and rng.random() < 0.5:  # else the tab was open already
        lines = [f"switch to {goal.page}", *lines]
    pick = rng.random()
    if goal.kind == "set":
        if pick < 0.05:
            return [*lines, *lines]
        if pick < 0.25:
            return [line + (NO_CHANGE if index < len(lines) - 1 and rng.random() < 0.6 else "") for index, line in enumerate(lines)]
    elif goal.kind in ("check", "uncheck"):
        if pick < 0.2:
            return [*lines[:-1], lines[-1] + NO_CHANGE]
        if pick < 0.25:
            return [*lines, lines[-1]]
    elif pick < 0.06:
        return [lines[0] + NO_CHANGE, *lines]
    elif goal.kind in ("item", "radio", "tab") and pick < 0.16:
        return [*lines[:-1], lines[-1] + NO_CHANGE]
    if goal.kind == "item" and pick > 0.85:
        return [*lines[:-1], *["scroll down"] * rng.randint(1, 3), lines[-1]]
    if pick > 0.97:
        return [f"dismiss {vocabulary.label(rng, 'title', 2)}", *lines]
    return lines


def pick_element(rng: Random, elements: list[Element]) -> Element:
    """One, by kind first, so that a long list does not crowd out the rest."""
    kinds: dict[str, list[Element]] = {}
    for element in elements:
        kinds.setdefault(element.kind, []).append(element)
    names = [kind for kind in kinds if kind in WEIGHT]
    return rng.choice(kinds[rng.choices(names, [WEIGHT[kind] for kind in names])[0]])
