"""All samples of a screen."""

from __future__ import annotations

from random import Random

from screens.record import Screen

from . import phrases, reading
from .form import Sample, call, place
from .naming import refer
from .policy import Policy
from .searching import missing
from .view import View


def ground(rng: Random, view: View) -> Sample | None:
    """A bare instruction to click something, answered by the click alone."""
    pool = [element for element in view.usable if element.kind in phrases.GROUNDING or element.kind == "button"]
    pool += [element for element in view.seen if element.kind in ("label", "heading") and element.name and view.unique(element)][:4]
    if not pool:
        return None
    element = rng.choice(pool)
    point = view.point(element)
    if point is None:
        return None
    if not element.name:
        if not element.hint:
            return None
        text = rng.choice(phrases.HINTS).format(element.hint)
    else:
        named = refer(rng, view, element, 0.58)
        if named is None:
            return None
        name, exact = named
        quoted = f'"{name}"' if exact and rng.random() < 0.5 else f"'{name}'" if exact and rng.random() < 0.2 else name
        pattern = rng.choice(phrases.GROUNDING[element.kind])
        if not exact and name.split(" ")[0] not in element.name.lower().split(" "):
            pattern = rng.choice(["Click the {}", "Click the {}", "Click {}", "Point and click at the {}"])
        text = pattern.format(quoted)
    if rng.random() < 0.1:
        text = text[0].lower() + text[1:]
    text += "." if rng.random() < 0.3 else ""
    return Sample(f"click:{element.kind}", text, call(action="left_click", coordinate=place(point, view.size)), element.box)


def window_button(rng: Random, view: View) -> Sample | None:
    """Close, maximize or minimize the active window."""
    active = next((index for index, window in enumerate(view.screen.windows) if window.active), None)
    buttons = [element for element in view.screen.elements if element.kind == "window_button" and element.window == active and element.visible > 0.95 and element.name in phrases.WINDOW_BUTTONS]
    if not buttons:
        return None
    element = rng.choice(buttons)
    return Sample("click:window_button", rng.choice(phrases.WINDOW_BUTTONS[element.name]), call(action="left_click", coordinate=place(element.target, view.size)), element.box)


SHARES = [("policy", 8), ("ground", 5), ("read", 10), ("at", 5.5), ("elements", 0.35), ("window_button", 0.3), ("beside", 0.4)]


def samples(rng: Random, screen: Screen, scale: float = 1.0) -> list[Sample]:
    """About 25 · `scale` samples in random order; fewer where the screen has little."""
    view = View(screen)
    policy = Policy(rng, view)
    if not any(window.role in ("window", "dialog", "popup") for window in screen.windows):  # everything is closed
        found = [policy.finished() if rng.random() < 0.7 else missing(policy) for _ in range(round(20 * scale))]
        return list({sample.prompt: sample for sample in found if sample is not None}.values())
    makers = {"policy": policy.sample, "ground": lambda: ground(rng, view), "read": lambda: reading.bare(rng, view), "at": lambda: reading.at_point(rng, view), "elements": lambda: reading.elements(rng, view), "window_button": lambda: window_button(rng, view), "beside": lambda: reading.beside(rng, view)}
    found = {}
    for name, share in SHARES:
        wanted = share * scale
        for _ in range(int(wanted) + (rng.random() < wanted % 1)):
            sample = makers[name]()
            if sample is not None:
                found[sample.prompt] = sample
    result = list(found.values())
    rng.shuffle(result)
    return result
