"""Questions about what is on the screen, answered in plain words."""

from __future__ import annotations

from random import Random

from screens.record import Element

from .form import Sample, place
from .naming import WORDS, neighbour, refer
from .view import View

EMPTY = "(empty)"
FIELD = ["What does the {} field contain?", "What is in the {} field?", "Read the {} field.", "What is the value of {}?", "What text is entered in {}?", "What is entered as {}?", "What does {} say?", "Which text stands in the {} field?", "Tell me the {}."]
CHECK = ["Is {} checked?", "Is the {} checkbox ticked?", "Is {} enabled?", "Is {} on?", "Is the {} box checked?", "Is {} ticked?", "Is {} turned on?"]
RADIO = ["Is the option {} selected?", "Is {} selected?", "Is {} chosen?"]
COMBO = ["What is selected in {}?", "Which value does the {} dropdown show?", "What is {} set to?", "What is chosen for {}?"]
TITLE = ["What is the title of the window?", "What is the window's title?", "Read the title of the window.", "Which window is active?", "What does the title bar say?"]
VALUE = ["What is the {}?", "What does {} say?", "What is the value of {}?", "Read the {}."]


def _quoted(rng: Random, name: str) -> str:
    pick = rng.random()
    return f'"{name}"' if pick < 0.4 else name if pick < 0.88 else f"'{name}'"


def _named(rng: Random, view: View, element: Element) -> str | None:
    named = refer(rng, view, element, 0.75)
    return None if named is None else _quoted(rng, named[0]) if named[1] else f"the {named[0]}" if named[0].split(" ")[0] in WORDS.values() else named[0]


def _of_main(view: View, *kinds: str) -> list[Element]:
    return [element for element in view.seen if element.kind in kinds and element.window == view.main]


def field_text(rng: Random, view: View) -> tuple[str, str] | None:
    """What a field, spin button or slider holds; filled ones first."""
    fields = [element for element in _of_main(view, "field", "spin") if not element.password and not element.multiline and element.name]
    filled = [element for element in fields if element.value]
    if not fields:
        return None
    element = rng.choice(filled if filled and rng.random() < 0.8 else fields)
    name = _named(rng, view, element)
    return (rng.choice(FIELD).format(name), element.value or EMPTY) if name else None


def state(rng: Random, view: View) -> tuple[str, str] | None:
    """Whether a check box, switch or radio is on."""
    boxes = _of_main(view, "check", "switch", "radio")
    if not boxes:
        return None
    element = rng.choice(boxes)
    name = _named(rng, view, element)
    return (rng.choice(RADIO if element.kind == "radio" else CHECK).format(name), "Yes" if element.checked else "No") if name else None


def chosen(rng: Random, view: View) -> tuple[str, str] | None:
    """What a combo shows, which radio of a group, tab or row is selected."""
    options = [element for element in _of_main(view, "combo") if element.name and element.value]
    picked = [element for element in _of_main(view, "radio", "tab", "listitem", "treeitem") if (element.checked or element.selected) and element.name]
    if options and (not picked or rng.random() < 0.5):
        element = rng.choice(options)
        name = _named(rng, view, element)
        return (rng.choice(COMBO).format(name), element.value or EMPTY) if name else None
    kinds = {kind: [element for element in picked if element.kind == kind] for kind in ("radio", "tab", "listitem", "treeitem")}
    single = [found[0] for found in kinds.values() if len(found) == 1]
    if not single:
        return None
    element = rng.choice(single)
    if element.kind == "radio" and element.section and rng.random() < 0.4:
        return f"Which option is selected for {_quoted(rng, element.section)}?", element.name
    return rng.choice({"radio": ["Which option is selected?", "Which radio button is on?"], "tab": ["Which tab is open?", "Which tab is selected?"], "listitem": ["Which item is selected?", "Which row is selected in the list?"], "treeitem": ["Which item is selected?"]}[element.kind]), element.name


def title(rng: Random, view: View) -> tuple[str, str] | None:
    """The active window's title; of a photographed window only if it has several, for the only one would be learnt by heart."""
    window = view.title_window
    learnt = view.screen.source != "render" and "titles" not in view.screen.task
    return (rng.choice(TITLE), window.title) if window and window.title and window.title_box and not learnt else None


def fact(rng: Random, view: View) -> tuple[str, str] | None:
    """A value that stands as plain text beside its name, a cell by row and column, or what a dialog says."""
    if view.popup is not None:
        lines = [element.name for element in view.screen.elements if element.window == view.popup and element.kind == "label" and element.name]
        return (rng.choice(["What does the dialog say?", "What does the message say?", "Read the message."]), " ".join(lines)) if lines else None
    facts = [element for element in _of_main(view, "label") if element.value and element.name]
    cells = [element for element in _of_main(view, "cell") if element.section and element.row is not None]
    if cells and (not facts or rng.random() < 0.5):
        cell = rng.choice(cells)
        row = [element for element in cells if element.row == cell.row and element is not cell and element.group == cell.group]
        if row:
            key = min(row, key=lambda element: element.column or 0)
            return rng.choice([f"What is the {cell.section} of {key.name}?", f"What stands in the column {_quoted(rng, cell.section)} in the row of {key.name}?"]), cell.name
    if facts:
        element = rng.choice(facts)
        return rng.choice(VALUE).format(_quoted(rng, element.name)), element.value or EMPTY
    return None


def lists(rng: Random, view: View) -> tuple[str, str] | None:
    """All labels of one kind, in reading order."""
    kind, question = rng.choice([(("button",), ["List the buttons.", "Which buttons are there?"]), (("check", "switch"), ["List the checkboxes.", "Which checkboxes are there?"]), (("field", "spin"), ["List the fields.", "Which fields are there?"]), (("tab",), ["List the tabs.", "Which tabs are there?"]), (("listitem", "treeitem"), ["List the items.", "What is in the list?"]), (("menu",), ["List the menus.", "Which menus are there?"]), (("radio",), ["List the options.", "Which options are there?"]), (("menuitem",), ["List the entries of the menu.", "What does the menu offer?"]), (("checked",), ["Which checkboxes are checked?", "Which boxes are ticked?"])])
    if kind == ("checked",):
        found = [element for element in _of_main(view, "check", "switch") if element.checked]
        return (rng.choice(question), ", ".join(element.name for element in view.reading(found)) or "None") if _of_main(view, "check", "switch") and len(found) < 8 else None
    found = [element for element in (_of_main(view, *kind) if kind != ("menuitem",) else [item for item in view.seen if item.kind == "menuitem"]) if element.name]
    return (rng.choice(question), ", ".join(element.name for element in view.reading(found))) if 1 <= len(found) <= 9 else None


def count(rng: Random, view: View) -> tuple[str, str] | None:
    """How many of a kind there are."""
    kinds, word = rng.choice([(("button",), "buttons"), (("check",), "checkboxes"), (("field", "spin"), "fields"), (("radio",), "radio buttons"), (("tab",), "tabs")])
    found = len(_of_main(view, *kinds))
    return (f"How many {word} are there?", str(found)) if found <= 9 else None


def describe(rng: Random, view: View) -> tuple[str, str] | None:
    """A short description of the active window."""
    window = view.title_window
    kinds = [(("field", "spin"), "field"), (("check", "switch"), "checkbox"), (("radio",), "radio button"), (("combo",), "dropdown"), (("tab",), "tab"), (("listitem", "treeitem"), "list item")]
    parts = []
    for names, word in kinds:
        found = [element for element in view.seen if element.kind in names and element.window == view.main]
        if 0 < len(found):
            parts.append(f"{len(found)} {word}" + ("s" if len(found) > 1 else "") if word != "checkbox" or len(found) == 1 else f"{len(found)} checkboxes")
    buttons = [element.name for element in view.reading(_of_main(view, "button")) if element.name][:5]
    if buttons:
        parts.append(("the buttons " if len(buttons) > 1 else "the button ") + ", ".join(buttons))
    name = f'The window "{window.title}"' if window and window.title and view.popup is None else "A window"
    if view.popup is not None and window:
        return rng.choice(["Describe the screen.", "What is on the screen?"]), f'The dialog "{window.title}" is in front of other windows.'
    return (rng.choice(["Describe the screen.", "What is on the screen?", "Describe the window.", "What do you see?"]), f"{name} with " + ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] + ".") if parts else None


MAKERS = [(field_text, 36), (state, 18), (chosen, 10), (title, 30), (fact, 10), (lists, 9), (count, 4), (describe, 3)]


def question(rng: Random, view: View) -> tuple[str, str] | None:
    """A question and its answer, or None when the screen has nothing for the draw."""
    make = rng.choices([maker for maker, _ in MAKERS], [weight for _, weight in MAKERS])[0]
    return make(rng, view)


def bare(rng: Random, view: View) -> Sample | None:
    """A question without a task around it, answered in plain words."""
    make = rng.choices([maker for maker, _ in MAKERS], [weight for _, weight in MAKERS])[0]
    found = make(rng, view)
    return Sample(f"read:{make.__name__}", found[0], found[1]) if found else None


def at_point(rng: Random, view: View) -> Sample | None:
    """The text at a place: trains reading wherever something is written."""
    texts = [(element.name, element.box if element.kind not in ("field", "spin", "combo", "slider", "check", "radio", "switch") or element.label_box is None else element.label_box) for element in view.seen if element.name and element.kind not in ("window_button", "progress") and not element.placeholder]
    texts += [(element.value, element.box) for element in view.seen if element.kind in ("field", "spin", "combo") and element.value and not element.password and not element.multiline]
    texts += [(window.title, window.title_box) for window in view.screen.windows if window.title_box]
    if not texts:
        return None
    text, box = rng.choice(texts)
    point = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    if box[2] - box[0] < 200 and rng.random() < 0.5:
        point = (rng.uniform(box[0] + 2, max(box[0] + 3, box[2] - 2)), point[1])
    x, y = place(point, view.size)
    return Sample("read:at", f"What text is at [{x}, {y}]?", text)


def elements(rng: Random, view: View) -> Sample | None:
    """Labels with their places, in reading order."""
    found = view.reading([element for element in view.usable if element.name])
    if not found:
        return None
    first = rng.randrange(max(1, len(found) - 5)) if rng.random() < 0.5 else 0
    found = found[first : first + 7]
    start = f" from y={place(found[0].target, view.size)[1]}" if first else ""
    lines = "\n".join(f"{element.name} {place(view.point(element) or element.target, view.size)}" for element in found)
    return Sample("read:elements", f"List the elements{start}.", lines)


def beside(rng: Random, view: View) -> Sample | None:
    """"What stands right of Name?" """
    named = [element for element in view.usable if element.name and element.kind in WORDS]
    if not named:
        return None
    element = rng.choice(named)
    phrase = neighbour(rng, view, element)
    return Sample("read:beside", rng.choice(["What is the label of the {}?", "What is the {} called?"]).format(phrase), element.name) if phrase else None
