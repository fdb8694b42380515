"""What to do next: a task, the history so far and this screen give one action.

The next action follows from the last line of the history. The screen is looked at for where things are, for what the last line claims
to have done (but what was typed or chosen is not read again: a letter misread would do it for ever), for pop-ups, and for whether the target is there
at all. Earlier goals are never checked again. A goal
that a pop-up interrupted before its last step starts again; one whose last step was taken counts as done.
"""

from __future__ import annotations

from random import Random

from screens import words as vocabulary
from screens.record import Element

from . import phrases, reading
from .form import DONE, FAILURE, GIVE_UP, NO_CHANGE, Sample, act, call, place, prompt
from .goals import PRESSED, Goal, answer, goal_for, phantom
from .history import DISMISS, WEIGHT, history_of, pick_element
from .searching import hidden, missing
from .view import View
from .wording import task_text

PAGED = ("set", "check", "uncheck", "radio", "item", "combo")
"""Kinds of goals that a task may place on a tab."""


class Policy:
    """Makes samples for one screen."""

    def __init__(self, rng: Random, view: View) -> None:
        self.rng, self.view = rng, view
        self.usable = [element for element in view.usable if element.kind in WEIGHT and (element.window == view.main or rng.random() < 0.25) and element.window != view.popup]
        self.menu_items = [element for element in view.usable if element.kind == "menuitem"]
        self.pages = [element for element in view.usable if element.kind == "tab" and element.name and element.window == view.main and view.unique(element)]

    def sample(self) -> Sample | None:
        """One sample, or None when this screen has nothing for the draw."""
        rng, view = self.rng, self.view
        pick = rng.random()
        if view.popup is not None:  # it goes first, whatever is next
            return self.dismiss() if pick < 0.78 else self.in_popup() if pick < 0.9 else self.finished() if pick < 0.96 else self.ask()
        if self.menu_items and pick < 0.4:
            return self.choose()
        if not self.menu_items and pick > 0.97 and any(element.kind in ("combo", "menu") for element in self.usable):
            return self.reopen()
        if view.screen.areas and pick < 0.35:
            return hidden(self)
        make = rng.choices([self.find, self.typing, self.finished, self.second_try, self.unchanged, self.already, lambda: missing(self), self.ask, self.keys, self.other_page], [46, 11, 10, 7, 6, 6, 7, 5, 2, 12 if len(self.pages) > 1 else 0])[0]
        if make in (self.find, self.second_try, self.already) and not self.usable:
            return missing(self)
        return make()

    # -- the task around the goal that is next

    def _others(self, count: int, at: int, used: set[str], before_done: bool = False) -> list[Goal]:
        goals: list[Goal] = []
        for index in range(count):
            goal = None
            if self.usable and self.rng.random() < 0.7:
                last = index == count - 1
                pool = [element for element in self.usable if (element.kind in PRESSED) == last] or self.usable
                goal = goal_for(self.rng, self.view, pick_element(self.rng, pool), 0.4 if index < at else 0.05)
            if goal is None or goal.name.lower() in used or str(id(goal.element)) in used:
                goal = phantom(self.rng, self.view, index == count - 1 and self.rng.random() < 0.7)
                if self.pages and goal.kind in PAGED and self.rng.random() < 0.4:
                    goal.page = self.rng.choice(self.pages).name
            if goal.name.lower() in used:
                continue
            used.update((goal.name.lower(), str(id(goal.element))))
            goals.append(goal)
        return goals

    def _settled(self, goals: list[Goal]) -> list[Goal]:
        """Goals behind us whose last one the screen does not contradict."""
        while goals and goals[-1].satisfied() is False:
            element = goals[-1].element
            assert element is not None
            if goals[-1].kind in ("set", "combo") and self.rng.random() < 0.5:
                break  # what was typed or chosen is not read again
            if goals[-1].kind in ("check", "uncheck"):
                goals[-1].kind = "check" if element.checked else "uncheck"
            elif goals[-1].kind in ("set", "combo") and element.value and element.kind != "spin":
                goals[-1].value = element.value
            else:
                goals[-1] = phantom(self.rng, self.view)
        return goals

    def around(self, goal: Goal | None, count: int | None = None) -> tuple[list[Goal], list[Goal]]:
        """(goals behind us, goals from this one on); a press mostly comes last."""
        rng = self.rng
        count = count or rng.choices([1, 2, 3, 4, 5], [0.14, 0.22, 0.26, 0.22, 0.16])[0]
        if goal is None:
            at = count
        elif goal.kind in ("press", "link"):
            at = count - 1 if rng.random() < 0.85 else rng.randrange(count)
        else:
            at = rng.randrange(count) if count == 1 or rng.random() < 0.25 else rng.randrange(count - 1)
        used = {goal.name.lower(), str(id(goal.element))} if goal else set()
        before = self._settled(self._others(at, at, used))
        after = self._others(count - at - 1, 0, used) if goal else []
        return before, ([goal] if goal else []) + after

    def _lines(self, goals: list[Goal]) -> list[str]:
        return [line for goal in goals for line in history_of(self.rng, goal)]

    def built(self, kind: str, before: list[Goal], after: list[Goal], extra: list[str], reply: str, box: Element | None) -> Sample:
        """`extra` are the lines after those of the goals before."""
        return self._told(kind, before + after, self._lines(before) + extra, reply, box)

    def _told(self, kind: str, goals: list[Goal], lines: list[str], reply: str, box: Element | None) -> Sample:
        return Sample(f"policy:{kind}", prompt(task_text(self.rng, goals), lines), reply, box.box if box is not None and "coordinate" in reply else None)

    # -- kinds of samples

    def find(self) -> Sample | None:
        """The next goal's target is on the screen."""
        rng, view = self.rng, self.view
        goal = goal_for(rng, view, pick_element(rng, self.usable), 0.15, plain=0.6)
        if goal is None:
            return None
        before, after = self.around(goal)
        step = 0
        if goal.kind == "slider" and rng.random() < 0.5:
            step = 1
        extra = goal.steps()[:step]
        shown = next((page for page in self.pages if page.selected), None)
        if shown is not None and goal.kind in PAGED and not extra and rng.random() < 0.4:  # the tab that the task names is open, perhaps by the last step
            goal.page = shown.name
            extra = [f"switch to {shown.name}" + (NO_CHANGE if rng.random() < 0.4 else "")] if rng.random() < 0.6 else []
        if step == 0 and not extra and rng.random() < 0.07:  # a pop-up came in between: the goal starts again
            lines = goal.steps()
            extra = [*lines[: rng.randrange(len(lines))], f"dismiss {vocabulary.label(rng, 'title', 3)}"]
        reply = answer(view, goal, step)
        return reply and self.built(f"find {goal.kind}" + ("" if goal.exact else " respelled"), before, after, extra, reply, goal.element)

    def other_page(self) -> Sample | None:
        """The task names a tab that is not open: open it first."""
        rng, view = self.rng, self.view
        closed = [page for page in self.pages if not page.selected]
        if not closed:
            return None
        page = rng.choice(closed)
        goal = phantom(rng, view, kinds=PAGED)
        goal.page = page.name
        before, after = self.around(goal)
        reply = answer(view, Goal("tab", page.name, page), 0)
        return reply and self.built("find page", before, after, [], reply, page)

    def in_popup(self) -> Sample | None:
        """The task itself names what stands in the dialog in front."""
        rng, view = self.rng, self.view
        own = [element for element in view.usable if element.window == view.popup and element.kind == "button"]
        goal = goal_for(rng, view, rng.choice(own), plain=0.85) if own else None
        if goal is None or goal.kind != "press":
            return None
        before, after = self.around(goal)
        reply = answer(view, goal, 0)
        return reply and self.built("find press", before, after, [], reply, goal.element)

    def typing(self) -> Sample | None:
        """After the click into a field: type. This needs the history alone."""
        rng = self.rng
        fields = [element for element in self.usable if element.kind in ("field", "spin")]
        goal = goal_for(rng, self.view, rng.choice(fields), 0.1) if fields and rng.random() < 0.6 else None
        if goal is None or goal.kind != "set":
            goal = phantom(rng, self.view, kinds=("set",))
        before, after = self.around(goal)
        extra = [goal.steps()[0] + (NO_CHANGE if rng.random() < 0.25 else "")]
        if rng.random() < 0.12:  # a pop-up came after the first click
            extra = [goal.steps()[0], f"dismiss {vocabulary.label(rng, 'title', 3)}", goal.steps()[0]]
        return self.built("type", before, after, extra, answer(self.view, goal, 1) or "", None)

    def finished(self) -> Sample | None:
        """Everything is done."""
        before, _ = self.around(None)
        return self.built("done", before, [], [], DONE, None) if before else None

    def second_try(self) -> Sample | None:
        """The screen shows that the last line did not work: the same again."""
        rng, view = self.rng, self.view
        for _ in range(6):
            element = pick_element(rng, self.usable)
            if element.kind not in ("field", "check", "switch", "radio", "listitem", "treeitem", "tab", "slider") or element.multiline or element.password or element.visible < 0.9:
                continue
            goal = goal_for(rng, view, element, 0.0)
            if goal is None or goal.satisfied() is not False or goal.kind in ("double", "right"):
                continue
            reply = answer(view, goal, 0)
            if reply is None:
                continue
            before, after = self.around(goal)
            lines = goal.steps()
            if goal.kind in ("check", "uncheck", "radio", "item", "tab") and rng.random() < 0.4:
                lines = [lines[0] + NO_CHANGE]
            if goal.kind == "set":  # only when nothing at all was typed
                lines = [lines[0] + (NO_CHANGE if rng.random() < 0.7 else ""), lines[1] + NO_CHANGE]
            return self.built(f"again {goal.kind}", before, after, lines, reply, element)
        return None

    def unchanged(self) -> Sample | None:
        """The harness says that the last action changed nothing."""
        rng, view = self.rng, self.view
        pool = [element for element in self.usable if element.kind in ("button", "link", "menu", "combo", "check", "switch", "tab", "listitem", "radio", "icon")]
        if not pool:
            return None
        element = pick_element(rng, pool)
        goal = goal_for(rng, view, element, 0.0)
        if goal is None or goal.satisfied() is True:
            return None
        before, after = self.around(goal)
        line = goal.steps()[0] + NO_CHANGE
        if rng.random() < 0.35:
            return self.built("give up", before, after, [line, line], GIVE_UP, None)
        reply = answer(view, goal, 0)
        return reply and self.built(f"unchanged {goal.kind}", before, after, [line], reply, element)

    def already(self) -> Sample | None:
        """A step changed nothing because the option, tab, row or box was as wanted before: go on, however often it was tried."""
        rng, view = self.rng, self.view
        on = [element for element in self.usable if (element.checked if element.kind == "radio" else element.selected if element.kind in ("tab", "listitem", "treeitem") else element.kind in ("check", "switch"))]
        reached = goal_for(rng, view, rng.choice(on), 0.0) if on else None
        if reached is None or reached.kind not in ("radio", "tab", "item", "check", "uncheck") or reached.satisfied() is not True:
            return None
        line = reached.steps()[0]
        extra = rng.choice([[line + NO_CHANGE], [line + NO_CHANGE], [line, line + NO_CHANGE], [line + NO_CHANGE] * 2, [line, line + NO_CHANGE, line + NO_CHANGE]])
        rest = [element for element in self.usable if element is not reached.element and element.kind not in ("tab", "radio")]
        goal = goal_for(rng, view, pick_element(rng, rest), 0.1) if rest and rng.random() < 0.8 else None
        if goal is None:
            before, _ = self.around(None)
            return self._told("done", [*before, reached], self._lines(before) + extra, DONE, None)
        before, after = self.around(goal)
        reply = answer(view, goal, 0)
        return reply and self._told(f"find {goal.kind}", [*before, reached, *after], self._lines(before) + extra, reply, goal.element)

    def reopen(self) -> Sample | None:
        """What was opened is closed again, because the window moved or a pop-up came: open it once more."""
        goal = goal_for(self.rng, self.view, self.rng.choice([element for element in self.usable if element.kind in ("combo", "menu")]), 0.0)
        if goal is None or goal.kind not in ("combo", "menuitem"):
            return None
        before, after = self.around(goal)
        reply = answer(self.view, goal, 0)
        opened = goal.steps()[0]
        extra = [opened] if self.rng.random() < 0.7 else [opened, f"dismiss {vocabulary.label(self.rng, 'title', 3)}"]
        return reply and self.built(f"reopen {goal.kind}", before, after, extra, reply, goal.element)

    def choose(self) -> Sample | None:
        """A menu or a combo's list is open."""
        rng, view = self.rng, self.view
        element = rng.choice(self.menu_items)
        owner = next((item for item in view.screen.elements if item.opened), None)
        if not view.unique(element) and element.kind != "menuitem":
            return None
        kind = "menuitem" if owner is not None and owner.kind == "menu" else "combo"
        name = owner.name if owner is not None and owner.name else vocabulary.label(rng, "field", 2)
        value = element.name if rng.random() < 0.8 else element.name.rstrip("….").strip() or element.name
        goal = Goal(kind, name, owner, value)
        if rng.random() < 0.1:
            absent = phantom(rng, view, kinds=(kind,))
            goal.value = absent.value
            if not view.absent(goal.value) or any(area.id.startswith("popup") for area in view.screen.areas):
                return None
            before, after = self.around(goal)
            return self.built("missing option", before, after, goal.steps()[:1], act(f"not found {goal.value}", FAILURE), None)
        before, after = self.around(goal)
        point = view.point(element)
        if point is None:
            return None
        reply = act(f"choose {goal.value}", call(action="left_click", coordinate=place(point, view.size)))
        opened = goal.steps()[:1]
        pick = rng.random()
        extra = opened if pick < 0.88 else opened * 2 if pick < 0.94 else [*opened, f"dismiss {vocabulary.label(rng, 'title', 3)}", *opened]
        return self.built("choose", before, after, extra, reply, element)

    def dismiss(self) -> Sample | None:
        """A pop-up is in front."""
        rng, view = self.rng, self.view
        assert view.popup is not None
        window = view.screen.windows[view.popup]
        own = [element for element in view.screen.elements if element.window == view.popup and element.enabled and element.visible > 0.8]
        buttons = [element for element in own if element.kind == "button" and element.name]
        button = next((element for name in DISMISS for element in buttons if element.name.lower().rstrip("!.") == name), None)
        button = button or next((element for element in own if element.kind == "window_button" and element.name == "close"), None)
        if button is None:
            return None
        goal = goal_for(rng, view, pick_element(rng, self.usable), 0.1) if self.usable and rng.random() < 0.6 else phantom(rng, view)
        if goal is None or goal.name.lower() in {element.name.lower() for element in own}:
            return None
        before, after = self.around(goal)
        point = view.point(button)
        if point is None:
            return None
        title = window.title or "the dialog"
        extra = goal.steps()[: rng.randrange(len(goal.steps()))]
        line = f"dismiss {title}"
        if rng.random() < 0.1:
            extra.append(line + NO_CHANGE)
        return self.built("dismiss", before, after, extra, act(line, call(action="left_click", coordinate=place(point, view.size))), button)

    def ask(self) -> Sample | None:
        """A question, alone or after other goals."""
        question = reading.question(self.rng, self.view)
        if question is None:
            return None
        text, reply = question
        goal = Goal("ask", text, fixed=text)
        count = self.rng.choice([1, 1, 1, 2, 3])
        used: set[str] = set()
        before = self._settled(self._others(count - 1, count - 1, used))
        if self.rng.random() < 0.5:
            goal.fixed = text[:1].lower() + text[1:]
        task = task_text(self.rng, [*before, goal]) if before else text
        return Sample("policy:answer", prompt(task, self._lines(before)), act(f"answer {reply}".replace("\n", " "), call(action="answer", text=reply)))

    def keys(self) -> Sample | None:
        """A key chord."""
        goal = Goal("keys", "keys", None, self.rng.choice(phrases.CHORDS))
        before, after = self.around(goal)
        return self.built("keys", before, after, [], answer(self.view, goal, 0) or "", None)
