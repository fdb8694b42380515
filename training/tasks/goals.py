"""Goals of a task: what is wanted, how it is said, and the steps that reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from screens import words as vocabulary
from screens.record import Element

from . import phrases
from .form import SCROLL_PIXELS, WAIT, act, call, place
from .naming import refer
from .view import View

ROWS = {"listitem", "treeitem", "cell"}
PRESSED = {"button", "link", "task", "icon", "header"}


@dataclass
class Goal:
    """`kind`: set, check, uncheck, press, link, task, radio, item, tab, menu, menuitem, combo, double, right, slider, keys, ask.

    `name` is what the task calls the target; `element` the target on this screen, None when it is not on it; `page` the tab that the
    task says it is on. A field is clicked three times, which selects what it holds (ctrl+a does not in Tk on X11).
    """

    kind: str
    name: str
    element: Element | None = None
    value: str = ""
    exact: bool = True
    fixed: str = ""           # a ready phrase
    page: str = ""
    done: bool = field(default=False)

    def steps(self) -> list[str]:
        """The history's lines of this goal, in order."""
        name, value = self.name, self.value
        match self.kind:
            case "set": return [f"click {name}", f"type {value}"]
            case "check" | "uncheck": return [f"{self.kind} {name}"]
            case "radio" | "item": return [f"select {name}"]
            case "tab": return [f"switch to {name}"]
            case "menu": return [f"open menu {name}"]
            case "menuitem": return [f"open menu {name}", f"choose {value}"]
            case "combo": return [f"open {name}", f"choose {value}"]
            case "choose": return [f"choose {value}"]
            case "double": return [f"double click {name}"]
            case "right": return [f"right click {name}"]
            case "slider": return [f"move to {name}", f"drag {name} to {value}"]
            case "keys": return [f"press {value}"]
            case _: return [f"click {name}"]

    def satisfied(self) -> bool | None:
        """Whether the screen shows the goal as reached; None when that cannot be seen."""
        element = self.element
        if element is None or element.visible < 0.9:
            return None
        match self.kind:
            case "set": return None if element.password or element.multiline else element.value == self.value
            case "check": return bool(element.checked)
            case "uncheck": return not element.checked
            case "radio": return bool(element.checked)
            case "item" | "tab": return element.selected
            case "combo": return element.value == self.value
            case "menuitem": return None
            case "slider": return abs(float(element.value or 0) - float(self.value)) <= 0.06 * ((element.maximum or 100) - (element.minimum or 0))
            case _: return None


def answer(view: View, goal: Goal, step: int) -> str | None:
    """The model's answer for a step of a goal on this screen; None when the target cannot be clicked."""
    words = goal.steps()[step]
    element = goal.element
    if goal.kind == "keys":
        return act(words, call(action="key", keys=goal.value.split("+")))
    if goal.kind == "set" and step == 1:
        return act(words, call(action="type", text=goal.value))
    if element is None:
        return None
    point = view.point(element)
    if point is None:
        return None
    at = place(point, view.size)
    match goal.kind:
        case "set": return act(words, call(action="triple_click", coordinate=at))
        case "check" | "uncheck":
            right = bool(element.checked) == (goal.kind == "check")
            return act(words, WAIT if right else call(action="left_click", coordinate=at), f"Now: {'on' if element.checked else 'off'}\n")
        case "double": return act(words, call(action="double_click", coordinate=at))
        case "right": return act(words, call(action="right_click", coordinate=at))
        case "slider" if step == 0: return act(words, call(action="mouse_move", coordinate=at))
        case "slider": return act(words, call(action="left_click_drag", coordinate=place(slider_place(element, float(goal.value)), view.size)))
    return act(words, call(action="left_click", coordinate=at))


def slider_place(element: Element, value: float) -> tuple[float, float]:
    """Where the knob's middle stands for a value."""
    assert element.minimum is not None and element.maximum is not None
    x0, y0, x1, y1 = element.box
    knob = element.indicator
    half = (knob[2] - knob[0]) / 2 if knob else (y1 - y0) / 2
    share = (value - element.minimum) / (element.maximum - element.minimum)
    return x0 + half + share * (x1 - x0 - 2 * half), (y0 + y1) / 2


def scroll(view: View, box: tuple[float, float, float, float], down: bool) -> str:
    """The answer that scrolls an area."""
    at = place(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), view.size)
    return act("scroll down" if down else "scroll up", call(action="scroll", coordinate=at, pixels=-SCROLL_PIXELS if down else SCROLL_PIXELS))


def new_value(rng: Random, element: Element | None, name: str, keep: float = 0.0) -> str:
    """A text to type: now and then what the field already holds."""
    if element is not None and element.value and rng.random() < keep and not element.multiline:
        return element.value
    if element is not None and element.kind == "spin":
        return str(rng.randint(0, 10 ** rng.randint(1, 4)))
    value = vocabulary.value(rng, name)
    while element is not None and value == element.value:
        value += rng.choice("abcx1")
    return value


def goal_for(rng: Random, view: View, element: Element, reached: float = 0.0, plain: float = 0.7) -> Goal | None:
    """A goal whose first step aims at this element; with share `reached` one that the screen shows as reached."""
    named = refer(rng, view, element, plain)
    if named is None:
        return None
    name, exact = named
    kind = element.kind
    if kind in ("field", "spin"):
        if not element.editable:
            return None
        return Goal("set", name, element, new_value(rng, element, element.name, reached), exact)
    if kind in ("check", "switch"):
        want = bool(element.checked) if rng.random() < reached else rng.random() < 0.5
        return Goal("check" if want else "uncheck", name, element, exact=exact)
    if kind == "radio":
        return Goal("radio", name, element, exact=exact)
    if kind == "combo":
        others = [option for option in element.options if option != element.value]
        value = element.value if rng.random() < reached and element.value else rng.choice(others) if others else vocabulary.label(rng, "option", 2)
        return Goal("combo", name, element, value or "A", exact)
    if kind == "menu":
        if rng.random() < 0.35:
            return Goal("menu", name, element, exact=exact)
        return Goal("menuitem", name, element, vocabulary.label(rng, "menuitem", 3), exact)
    if kind == "slider":
        low, high = element.minimum or 0, element.maximum or 100
        value = rng.randint(int(low), int(high))
        return Goal("slider", name, element, str(value), exact)
    if kind in ROWS | {"icon"}:
        pick = rng.random()
        return Goal("double" if pick < 0.12 or kind == "icon" and pick < 0.5 else "right" if pick < 0.18 else "item", name, element, exact=exact)
    if kind == "tab":
        return Goal("tab", name, element, exact=exact)
    if kind in PRESSED:
        return Goal("right" if rng.random() < 0.02 else {"link": "link", "task": "task"}.get(kind, "press"), name, element, exact=exact)
    return None


def phantom(rng: Random, view: View, last: bool = False, kinds: tuple[str, ...] = ()) -> Goal:
    """A goal whose target is not on this screen."""
    for _ in range(40):
        kind = kinds and rng.choice(kinds) or ("press" if last else rng.choices(["set", "check", "uncheck", "radio", "item", "tab", "press", "combo", "menuitem", "link", "slider", "double", "keys"], [40, 14, 10, 8, 8, 4, 8, 8, 4, 2, 2, 1, 2])[0])
        role = {"set": "field", "check": "check", "uncheck": "check", "radio": "option", "item": "option", "tab": "tab", "press": "button", "combo": "field", "menuitem": "menu", "menu": "menu", "link": "link", "slider": "field", "double": "option"}.get(kind, "button")
        name = vocabulary.label(rng, role, 3) if kind != "item" or rng.random() < 0.5 else rng.choice([vocabulary.filename, vocabulary.person, lambda r: vocabulary.words(r, 1, 3)])(rng)
        if not view.absent(name):
            continue
        value = {"set": lambda: new_value(rng, None, name), "combo": lambda: vocabulary.label(rng, "option", 2), "menuitem": lambda: vocabulary.label(rng, "menuitem", 3), "slider": lambda: str(rng.randint(0, 100)), "keys": lambda: rng.choice(phrases.CHORDS)}.get(kind, lambda: "")()
        shown = name.lower() if rng.random() < 0.1 else name
        return Goal(kind, shown, None, value)
    return Goal("press", vocabulary.random_text(rng, 6, 9))
