"""What to do when the target is not in sight: scroll where something could hide it, else say that it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .form import FAILURE, NO_CHANGE, Sample, act
from .goals import ROWS, Goal, answer, goal_for, phantom, scroll
from .history import WEIGHT
from .naming import ORDINALS

if TYPE_CHECKING:
    from .policy import Policy


def missing(policy: Policy) -> Sample | None:
    """The next goal's target is not there: say so, unless something could hide it."""
    rng, view = policy.rng, policy.view
    if view.popup is not None or policy.menu_items:
        return None
    goal = phantom(rng, view, kinds=("set", "check", "uncheck", "radio", "item", "tab", "press", "press", "combo", "menuitem", "link", "slider"))
    if rng.random() < 0.12:
        goal = _too_far(policy, goal)
    before, after = policy.around(goal)
    area = view.area_of(ROWS if goal.kind in ("item", "radio") else {goal.kind})
    if area is None:
        return policy.built("missing", before, after, [], act(f"not found {goal.name}", FAILURE), None)
    return _search(policy, goal, before, after, area.box, area.can_forward, area.can_back)


def _too_far(policy: Policy, goal: Goal) -> Goal:
    """"the fifth checkbox" of three."""
    word, kinds, kind = policy.rng.choice([("checkbox", {"check"}, "check"), ("field", {"field", "spin"}, "set"), ("button", {"button"}, "press"), ("tab", {"tab"}, "tab"), ("radio button", {"radio"}, "radio")])
    count = sum(1 for element in policy.view.screen.elements if element.kind in kinds)
    if count >= len(ORDINALS) or any(area for area in policy.view.screen.areas):
        return goal
    return Goal(kind, f"{ORDINALS[max(count, 0)]} {word}", None, goal.value or "12", exact=False)


def _search(policy: Policy, goal: Goal, before: list[Goal], after: list[Goal], box: tuple[float, float, float, float], forward: bool, back: bool) -> Sample:
    """The rule for scrolling: down to the end, then (only if nothing was scrolled yet) up to the start, then not found."""
    rng = policy.rng
    pick = rng.random()
    lost = act(f"not found {goal.name}", FAILURE)
    if pick < 0.5:  # nothing scrolled yet
        extra: list[str] = []
        reply = scroll(policy.view, box, True) if forward else scroll(policy.view, box, False) if back else lost
    elif pick < 0.85:
        extra = ["scroll down"] * rng.randint(1, 4)
        if rng.random() < 0.25:
            extra[-1] += NO_CHANGE
            forward = False
        reply = scroll(policy.view, box, True) if forward else lost
    else:
        extra = ["scroll up"] * rng.randint(1, 4)
        if rng.random() < 0.25:
            extra[-1] += NO_CHANGE
            back = False
        reply = scroll(policy.view, box, False) if back else lost
    kind = "scroll" if "scroll" in reply else "missing at end"
    sample = policy.built(kind, before, after, extra, reply, None)
    sample.box = box if kind == "scroll" else None
    return sample


def hidden(policy: Policy) -> Sample | None:
    """The target lies in a list or page, out of sight or found after scrolling."""
    rng, view = policy.rng, policy.view
    area = rng.choice(view.screen.areas)
    if view.screen.windows[area.window].role not in ("window", "dialog") or view.popup is not None or policy.menu_items:
        return None
    inside = [element for element in view.screen.elements if element.area == area.id and element.name and element.enabled and element.kind in WEIGHT and view.unique(element)]
    unseen = [element for element in inside if element.visible <= 0.01 and element.kind in WEIGHT]
    if not inside:
        return None
    if unseen and rng.random() < 0.7:
        element = rng.choice(unseen)
        goal = goal_for(rng, view, element, 0.0, plain=1.0)
        if goal is None or goal.name != element.name or not (area.can_forward or area.can_back):
            return None
        rows = element.kind in ROWS
        if view.area_of(ROWS if rows else {element.kind}) is not area:
            return None
        below = element.box[1] >= area.box[3] - 4
        goal.element = None
        before, after = policy.around(goal)
        if not below:  # passed already, or above from the start: only when the end shows it
            if area.can_forward:
                return None
            sample = policy.built("scroll", before, after, ["scroll up"] * rng.choice([0, 0, 1, 2]), scroll(view, area.box, False), None)
        else:
            sample = policy.built("scroll", before, after, ["scroll down"] * (0 if area.position < 0.001 else rng.choice([0, 1, 2])), scroll(view, area.box, True), None)
        sample.box = area.box
        return sample
    visible = [element for element in policy.usable if element.area == area.id]
    if not visible:
        return None
    goal = goal_for(rng, view, rng.choice(visible), 0.1)
    if goal is None:
        return None
    before, after = policy.around(goal)
    reply = answer(view, goal, 0)
    down = "scroll down" if area.position > 0.001 else "scroll up"
    return reply and policy.built(f"find {goal.kind}", before, after, [down] * rng.randint(0, 3), reply, goal.element)
