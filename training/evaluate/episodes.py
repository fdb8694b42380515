"""Tasks of one to five goals on running applications through our agent, judged by the applications' own state."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from toolkits.channel import ApplicationError

from . import values
from .model import Engine
from .screens import NAMES, Running, fill, running
from .statistics import Outcome

Controls = list[dict[str, Any]]
VARIANTS = ("popup", "moved", "prefilled")
_POPUPS = (("Tip", "Did you know? Tabs can be dragged.", "Close"), ("Updates", "3 updates can be installed.", "Later"), ("Low ink", "The cartridge is nearly empty.", "OK"), ("Survey", "How do you like this program?", "Not now"))


@dataclass
class Goal:
    """What the task says, and what the application's state must be: a control's value or something pressed."""

    words: str
    control: str | None = None
    value: Any = None
    pressed: str | None = None


def goals(rng: Random, controls: Controls, count: int) -> list[Goal]:
    """Goals on different controls in their order; the last one presses a button most of the time."""
    settable = [c for c in controls if c["kind"] in ("field", "check", "radio", "combo", "list")]
    actions = [c for c in controls if c["kind"] in ("button", "menuitem")]
    last = [_action(rng, rng.choice(actions))] if rng.random() < 0.75 or count == 1 and rng.random() < 0.4 else []
    chosen = rng.sample(settable, min(len(settable), max(count - len(last), 0 if last else 1)))
    chosen.sort(key=settable.index)
    return [_goal(rng, control) for control in chosen] + last


def _goal(rng: Random, control: dict[str, Any]) -> Goal:
    name, kind = control["name"], control["kind"]
    where = f" on the {control['page']} tab" if control["page"] else ""
    if kind == "field":
        value = values.value(rng)
        shown = f'"{value}"' if rng.random() < 0.7 else value
        return Goal(rng.choice(["set {0} to {1}", "enter {1} in the {0} field", "type {1} into {0}", "fill in {1} as {0}"]).format(name, shown) + where, name, value)
    if kind == "check":
        value = not control["value"] if rng.random() < 0.75 else control["value"]
        return Goal((rng.choice(["tick {}", "check {}", "turn on {}"]) if value else rng.choice(["untick {}", "uncheck {}", "turn off {}"])).format(name) + where, name, value)
    value = rng.choice([option for option in control["options"] if option != control["value"]])
    if kind == "combo":
        return Goal(rng.choice(["choose {1} for {0}", "set {0} to {1}", "pick {1} in the {0} drop-down"]).format(name, value) + where, name, value)
    if kind == "radio":
        return Goal(rng.choice(["select {0}", "choose the option {0}"]).format(value) + where, name, value)
    return Goal(rng.choice(["select {0} in the list", "choose {0} in the list"]).format(value) + where, name, value)


def _action(rng: Random, control: dict[str, Any]) -> Goal:
    name = control["name"]
    if control["kind"] == "menuitem":
        return Goal(rng.choice(["choose {0} in the {1} menu", "open the {1} menu and choose {0}"]).format(name, control["menu"]), pressed=name)
    return Goal(rng.choice(["press {}", "click {}", "press the {} button", "click the {} button"]).format(name), pressed=name)


def sentence(rng: Random, parts: list[Goal]) -> str:
    """The task in words."""
    words = [goal.words for goal in parts]
    if len(words) == 1:
        return words[0]
    return rng.choice([", ".join(words[:-1]) + ", then " + words[-1], ", ".join(words[:-1]) + " and " + words[-1], "; ".join(words)])


def play(engine: Engine, count: int, variant_count: int, seed: int, folder: Path) -> list[Outcome]:
    """`count` plain episodes and `variant_count` of each variant, over all applications in turn."""
    kits = [(kit, name) for kit, names in NAMES.items() for name in names]
    Random(seed).shuffle(kits)
    plan = [("", number) for number in range(count)] + [(variant, number) for variant in VARIANTS for number in range(variant_count)]
    outcomes = []
    for position, (variant, number) in enumerate(plan):
        kit, name = kits[position % len(kits)]
        rng = Random(f"{seed} {variant} {number}")
        try:
            with running(kit, name, rng) as app:
                outcomes.append(_play_one(engine, app, variant, rng, folder / f"{variant or 'plain'}-{number:03d}"))
        except ApplicationError as error:
            print(f"episode {variant} {number} {kit} {name}: {error}", file=sys.stderr)
            continue
        if position % 10 == 9:
            print(f"episodes: {position + 1} of {len(plan)}, {sum(o.right for o in outcomes)} right", file=sys.stderr, flush=True)
    return outcomes


def _play_one(engine: Engine, app: Running, variant: str, rng: Random, folder: Path) -> Outcome:
    ask = app.application.ask
    if variant == "prefilled":
        ask("assign", values=fill(rng, ask("controls"), 1.0))
    elif variant == "popup":
        title, text, button = rng.choice(_POPUPS)
        ask("disturb", kind="popup", after=rng.randint(1, 2), title=title, text=text, button=button)
    elif variant == "moved":
        x0, y0, x1, y1 = app.display.frames()[0].rect  # the window stays whole on the screen: what is off it cannot be reached
        room = (app.display.width - (x1 - x0), app.display.height - (y1 - y0))
        ask("disturb", kind="move", after=rng.randint(1, 2), x=rng.randint(0, max(0, min(room[0], app.display.width // 4))), y=rng.randint(0, max(0, min(room[1], app.display.height // 4))))
    parts = goals(rng, ask("controls"), rng.randint(1, 5) if not variant else rng.randint(2, 5))
    task = sentence(rng, parts)
    expected = ask("state")
    for goal in parts:
        if goal.control is not None:
            expected["values"][goal.control] = goal.value
        if goal.pressed is not None:
            expected["pressed"].append(goal.pressed)
    app.display.still_picture()
    with tempfile.TemporaryDirectory() as scratch:
        out = folder if folder.parent.exists() else Path(scratch)
        try:
            result = engine.run(display=app.display.name, task=task, maxSteps=12 + 6 * len(parts), maxSeconds=900, outDir=str(out))
        except ApplicationError as error:  # a run ends with a result whatever the model does: this is a fault of the measurement
            raise RuntimeError(f"the agent could not run {task!r}") from error
    app.display.still_picture()
    state = ask("state")
    wrong = {name: state["values"].get(name) for name, value in expected["values"].items() if state["values"].get(name) != value}
    right = not wrong and state["pressed"] == expected["pressed"]
    steps = " > ".join(str(step.get("summary") or step.get("error")) for step in result["steps"])
    difference = f"wrong: {wrong}; pressed: {state['pressed']}; ended: {result['stop']} {result['reason']}"
    pictures = sorted(out.glob("step-*.png")) if out.exists() else []
    return Outcome(
        "variant" if variant else "episode", right, variant or app.kit, task, f"{ {g.control: g.value for g in parts if g.control} } {expected['pressed']}", f"{steps} | {difference}",
        str(pictures[-1]) if pictures else "", more={"kit": app.kit, "application": app.name, "goals": len(parts), "claimed": result["success"], "steps": len(result["steps"]), "ms": result["durationMs"], "width": app.display.width},
    )  # fmt: skip
