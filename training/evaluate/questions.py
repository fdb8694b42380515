"""Questions about single screenshots: clicks, relations, states, texts, titles, absent targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from screens.record import Element, Screen

from .model import calls_of
from .statistics import Outcome

_CLICK = {
    "button": ("Click the {} button", "Press {}", "Click on {}", "Push the {} button"), "field": ("Click the {} field", "Click into {}", "Put the cursor in the {} field"),
    "spin": ("Click the {} field", "Click into {}"), "combo": ("Open the {} drop-down", "Click the {} combo box"), "check": ("Click the {} checkbox", "Click {}"), "switch": ("Click the {} switch", "Click {}"),
    "radio": ("Choose {}", "Click the {} radio button"), "menu": ("Open the {} menu",), "listitem": ("Select {} in the list", "Click {}"), "cell": ("Click the cell {}", "Click {}"), "tab": ("Go to the {} tab", "Click the {} tab"),
    "link": ("Follow the {} link", "Click {}"), "slider": ("Click the {} slider",), "header": ("Click the column header {}",),
}  # fmt: skip
_LABELLED = ("field", "spin", "combo", "slider", "switch")
_WINDOW = {"close": "Close the window", "maximize": "Maximize the window", "minimize": "Minimize the window"}
_ORDER = ("first", "second", "third", "fourth")
_ABSENT = ("press {}", "click the {} button", "tick {}", 'set {} to "48"', "choose {}", "open the {} menu")
_NOWHERE = ("Fax", "Overdraft", "Barometer", "Encrypt disk", "Passport number", "Zoom", "Rotate", "Undo", "Language", "Wind speed", "Blood type", "Mute", "Compile", "Second name", "Priority", "Export as PDF", "Volume", "Eject", "Tip", "Colour")


@dataclass
class Question:
    """What to ask about a screen and how to judge the answer."""

    line: str
    text: str
    expected: str
    judge: Callable[[str], bool]
    box: tuple[float, float, float, float] | None = None


def questions(screen: Screen, rng: Random) -> list[Question]:
    """Those of one screen: up to four clicks, one relation, two states, two texts, a title, an absent target."""
    names = [element.name.lower() for element in screen.elements if element.kind not in ("label", "heading")]
    # What is named by a label beside it can only be asked for where that label is to be seen.
    labels = {element.name.lower() for element in screen.elements if element.kind in ("label", "heading") and element.visible > 0.95}
    named = [e for e in screen.elements if e.visible > 0.95 and e.enabled and e.name and names.count(e.name.lower()) == 1 and (e.kind not in _LABELLED or e.name.lower() in labels)]
    clear = [e for e in named if e.kind in _CLICK]
    buttons = [e for e in screen.elements if e.kind == "window_button" and e.visible > 0.95]
    found = [_click(screen, element, rng.choice(_CLICK[element.kind]).format(_quoted(rng, element.name))) for element in rng.sample(clear, min(4, len(clear)))]
    if buttons and rng.random() < 0.2:
        button = rng.choice(buttons)
        found.append(_click(screen, button, _WINDOW[button.name]))
    relation = _relation(screen, rng)
    if relation is not None:
        found.append(relation)
    boxes = [e for e in screen.elements if e.kind in ("check", "radio") and e.visible > 0.95 and names.count(e.name.lower()) == 1]
    for element in rng.sample(boxes, min(2, len(boxes))):
        text = "Is {} checked?" if element.kind == "check" else "Is the option {} selected?"
        wanted = "yes" if element.checked else "no"
        found.append(Question("state", text.format(_quoted(rng, element.name)), wanted, lambda answer, wanted=wanted: answer.strip().lower().rstrip(".") == wanted, element.box))
    fields = [e for e in named if e.kind == "field" and e.value and len(e.value) * 9.5 + 16 < e.box[2] - e.box[0] and not e.multiline]  # the rest may be cut off
    for element in rng.sample(fields, min(2, len(fields))):
        wanted = str(element.value)
        found.append(Question("text", f"What does the {_quoted(rng, element.name)} field contain?", wanted, lambda answer, wanted=wanted: _same(answer, wanted), element.box))
    if len(screen.windows) == 1 and screen.windows[0].title_box is not None:
        title = screen.windows[0].title
        found.append(Question("title", "What is the title of the window?", title, lambda answer: _same(answer, title)))
    if not any(area.page < 0.999 for area in screen.areas):
        shown = " ".join(element.name.lower() for element in screen.elements)
        missing = rng.choice([name for name in _NOWHERE if name.lower() not in shown])
        text = f"Task: {rng.choice(_ABSENT).format(missing)}\nPrevious actions: none"
        found.append(Question("absent", text, "terminate, failure", _gave_up))
    return found


def ask(screen: Screen, question: Question, answer: str, picture: str) -> Outcome:
    """Judge an answer."""
    return Outcome(question.line, question.judge(answer), screen.source, question.text, question.expected, answer, picture, question.box, click_of(answer, screen))


def click_of(answer: str, screen: Screen) -> tuple[float, float] | None:
    """Where an answer clicks, in pixels of the screen."""
    for call in calls_of(answer):
        at = call.get("arguments", {}).get("coordinate")
        if isinstance(at, list) and len(at) == 2 and all(isinstance(part, (int, float)) for part in at):
            return at[0] / 1000 * screen.width, at[1] / 1000 * screen.height
    return None


def _click(screen: Screen, element: Element, text: str, line: str = "click") -> Question:
    x0, y0, x1, y1 = element.box

    def inside(answer: str) -> bool:
        at = click_of(answer, screen)
        return at is not None and x0 <= at[0] < x1 and y0 <= at[1] < y1

    return Question(line, text, f"inside {tuple(round(edge) for edge in element.box)}", inside, element.box)


def _relation(screen: Screen, rng: Random) -> Question | None:
    """By order among its kind, or by its neighbour in the same row."""
    words = {"check": "checkbox", "button": "button", "field": "text field", "radio": "radio button"}
    kinds = [kind for kind in words if sum(e.kind == kind and e.visible > 0.95 for e in screen.elements) >= 2]
    if not kinds:
        return None
    kind = rng.choice(kinds)
    ordered = sorted((e for e in screen.elements if e.kind == kind and e.visible > 0.95), key=lambda e: (round(e.box[1] / 12), e.box[0]))
    if kind == "button" and rng.random() < 0.6:
        index = rng.randrange(len(ordered) - 1)
        left, right = ordered[index], ordered[index + 1]
        if abs(left.box[1] - right.box[1]) < 4 and left.name:
            return _click(screen, right, f"Click the button to the right of {left.name}", "relation")
    number = rng.randrange(min(4, len(ordered)))
    return _click(screen, ordered[number], f"Click the {_ORDER[number]} {words[kind]}", "relation")


def _quoted(rng: Random, name: str) -> str:
    return f'"{name}"' if rng.random() < 0.5 else name


def _same(answer: str, wanted: str) -> bool:
    return " ".join(answer.strip().strip('"').split()) == " ".join(wanted.split())


def _gave_up(answer: str) -> bool:
    calls: list[dict[str, Any]] = calls_of(answer)
    return bool(calls) and all(call.get("arguments", {}).get("action") == "terminate" and call["arguments"].get("status") == "failure" for call in calls)
