"""Episodes on rendered screens: the window has state, actions change it, the end is judged by the state."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from screens import desktop, render
from screens.record import Screen
from screens.scene import Pane, Part, Scene, SceneWindow
from screens.windows import close_menu, message_dialog, open_menu

from .form import DONE, NO_CHANGE, call, place, prompt
from .form import act as say
from .goals import Goal, answer, goal_for, new_value, phantom, scroll
from .history import DISMISS, pick_element
from .view import View
from .wording import task_text

MOST_STEPS = 28


@dataclass
class Episode:
    """`state`: run, ok, or in words what went wrong."""

    scene: Scene
    goals: list[Goal]
    task: str
    trouble: str = ""                 # popup, moved, dead click
    absent: bool = False              # the last goal's target is not there: failure is right
    history: list[str] = field(default_factory=list)
    state: str = "run"
    pressed: list[Part] = field(default_factory=list)
    used_trouble: bool = False
    followed: int = 0                 # steps that `expert` has taken

    def picture(self) -> np.ndarray:
        """What the model sees."""
        return np.asarray(render.draw(self.scene).image)

    def prompt(self) -> str:
        """What the model is asked."""
        return prompt(self.task, self.history)


def _simple(view: View, goal: Goal) -> bool:
    return goal.kind in ("set", "check", "uncheck", "radio", "item", "combo", "press", "tab") and not (goal.kind == "set" and goal.element is not None and (goal.element.multiline or goal.element.password))


def make_episode(seed: int, held_out: bool = False, trouble: str = "", absent: bool = False, sizes: tuple[int, ...] = (0,)) -> Episode:
    """An episode of one to five goals on a random screen."""
    rng = Random(seed)
    while True:
        width, height = desktop.SIZES[rng.choice(sizes)]
        scene = desktop.make_scene(rng, width, height, held_out, popups=False)
        for window in scene.windows:
            close_menu(window)
            for part in window.every_part():
                part.focused = part.all_selected = False
        screen = render.record(scene)
        live = render.parts(scene)
        view = View(screen)
        owner = {id(element): part for element, part in zip(screen.elements, live)}
        pool = [element for element in view.usable if element.window == view.main and element.kind in ("field", "spin", "check", "switch", "radio", "listitem", "combo", "tab") and element.visible > 0.95 and element.editable | (element.kind == "combo")]
        buttons = [element for element in view.usable if element.window == view.main and element.kind == "button" and element.visible > 0.95]
        goals: list[Goal] = []
        names: set[str] = set()
        for _ in range(12):
            if len(goals) >= rng.choice([1, 2, 3, 4]) or not pool:
                break
            element = pick_element(rng, pool)
            pool = [other for other in pool if other is not element and not (element.group and other.group == element.group and element.kind != "check")]
            goal = goal_for(rng, view, element, 0.0, plain=0.75)
            if goal is None or not _simple(view, goal) or goal.satisfied() or goal.name.lower() in names:
                continue
            part = owner[id(element)]
            if goal.kind == "set":
                look = next(window.look for window in scene.windows if part in window.every_part())
                goal.value = look.face.fit(new_value(rng, element, element.name), part.box[2] - part.box[0] - 48).strip()
                if not goal.value or goal.value == part.value:
                    continue
            if goal.kind == "combo" and (goal.value not in part.options):
                continue
            names.add(goal.name.lower())
            goals.append(goal)
        if not goals:
            continue
        if buttons and (rng.random() < 0.8 or absent):
            goal = goal_for(rng, view, rng.choice(buttons), plain=0.75)
            if goal is not None and goal.name.lower() not in names and goal.kind == "press":
                goals.append(goal)
        if absent:
            missing = phantom(rng, view, kinds=("set", "check", "press", "radio"))
            if screen.areas:
                continue
            goals = [*[goal for goal in goals if goal.kind != "press"], missing]
        task = task_text(rng, goals)
        for goal in goals:
            if goal.element is not None:
                goal.element = owner[id(goal.element)]
        return Episode(scene, goals, task, trouble, absent)


def _hit(scene: Scene, x: float, y: float) -> tuple[SceneWindow | None, Pane | None, Part | None]:
    for window in scene.windows:
        popup = window.popup
        if popup:
            x0, y0, x1, y1 = popup.box
            px, py = x - window.x, y - window.y
            if x0 <= px < x1 and y0 <= py < y1:
                return window, None, next((part for part in popup.parts if part.box[1] <= py - y0 + popup.offset < part.box[3]), None)
    for window in scene.windows:
        px, py = x - window.x, y - window.y
        if not (0 <= px < window.width and 0 <= py < window.height):
            continue
        for pane in window.panes:
            a, b, c, d = pane.box
            if a <= px < c and b <= py < d:
                qx, qy = (px - a if pane.style == "list" else px), py - b + pane.offset
                return window, pane, next((part for part in reversed(pane.parts) if part.box[0] <= qx < part.box[2] and part.box[1] <= qy < part.box[3] and part.kind not in ("label", "heading")), None)
        part = next((part for part in reversed(window.parts) if part.box[0] <= px < part.box[2] and part.box[1] <= py < part.box[3] and part.kind not in ("label", "heading")), None)
        if window.role == "desktop" and part is None:
            continue
        return window, None, part
    return None, None, None


def _siblings(scene: Scene, part: Part) -> list[Part]:
    return [other for window in scene.windows for other in window.every_part() if other.kind == part.kind and other.group == part.group]


def _click(episode: Episode, x: float, y: float) -> None:
    scene = episode.scene
    window, _, part = _hit(scene, x, y)
    if scene.windows[0].role == "popup" and window is not scene.windows[0]:
        return
    for other in scene.windows:
        if other.popup and not (window is other and part is not None and part.kind == "menuitem"):
            close_menu(other)
    if window is None or part is None or not part.enabled:
        return
    if window.role == "popup":
        if part.kind in ("button", "window_button"):
            scene.windows.remove(window)
            next(other for other in scene.windows if other.role == "window").active = True
        return
    if part.kind == "menuitem":
        owner = window.popup.owner if window.popup else None
        close_menu(window)
        if owner is not None and owner.kind == "combo":
            owner.value = part.name
        return
    for other in window.every_part():
        other.focused = other.all_selected = False
    part.focused = part.kind in ("field", "spin", "check", "button", "combo")
    if part.kind in ("check", "switch"):
        part.checked = not part.checked
    elif part.kind == "radio":
        for other in _siblings(scene, part):
            other.checked = other is part
    elif part.kind in ("listitem", "treeitem", "tab"):
        for other in _siblings(scene, part):
            other.selected = other is part
    elif part.kind in ("combo", "menu"):
        open_menu(window, part, (scene.width, scene.height))
    elif part.kind in ("button", "link"):
        episode.pressed.append(part)


def _focused(scene: Scene) -> Part | None:
    return next((part for window in scene.windows for part in window.every_part() if part.focused and part.kind in ("field", "spin")), None)


def _swallowed(episode: Episode, arguments: dict[str, Any], line: str) -> bool:
    """A click gets lost once."""
    if episode.used_trouble or not episode.history:
        return False
    if episode.trouble == "dead click" and arguments.get("action") == "left_click":
        episode.used_trouble = True
        return True
    return False


def _disturb(episode: Episode) -> None:
    """Between two actions a pop-up comes or the window moves, once."""
    if episode.used_trouble or len(episode.history) < 2:
        return
    scene = episode.scene
    if episode.trouble == "popup":
        rng = Random(len(episode.task))
        popup = message_dialog(rng, {part.name.lower() for window in scene.windows for part in window.every_part()})
        popup.x, popup.y = max(0, (scene.width - popup.width) // 2), max(0, (scene.height - popup.height) // 2)
        for window in scene.windows:
            window.active = False
        popup.active = True
        scene.windows.insert(0, popup)
        episode.used_trouble = True
    elif episode.trouble == "moved":
        window = desktop.main_window(scene)
        window.x = max(0, min(scene.width - window.width, window.x + 37 if window.x + window.width + 37 < scene.width else window.x - 37))
        window.y = max(0, min(scene.height - window.height, window.y - 23 if window.y > 40 else window.y + 23))
        episode.used_trouble = True


def act(episode: Episode, reply: str) -> None:
    """Carry out an answer of the model."""
    found = re.search(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", reply, re.S)
    words = re.search(r"Action: (.*)", reply)
    try:
        arguments: dict[str, Any] = json.loads(found.group(1))["arguments"] if found else {}
        kind = arguments["action"]
        x, y = (value / 1000 * size for value, size in zip(arguments.get("coordinate", (0, 0)), (episode.scene.width, episode.scene.height)))
    except (KeyError, TypeError, ValueError):
        episode.state = "not parsed"
        return
    line = words.group(1) if words else str(kind)
    if kind == "terminate":
        episode.state = judge(episode, arguments.get("status") == "success")
        return
    before, pressed = episode.picture().tobytes(), len(episode.pressed)
    scene = episode.scene
    if not _swallowed(episode, arguments, line):
        field_part = _focused(scene)
        if kind in ("left_click", "triple_click"):
            _click(episode, x, y)
            clicked = _focused(scene)
            if kind == "triple_click" and clicked is not None:
                clicked.all_selected = bool(clicked.value)
        elif kind == "type" and field_part is not None:
            text = str(arguments.get("text", ""))
            field_part.value = text if field_part.all_selected else (field_part.value or "") + text
            field_part.all_selected = False
        elif kind == "scroll":
            window, pane, _ = _hit(scene, x, y)
            down = -float(arguments.get("pixels", 0))
            if window is not None and pane is not None:
                pane.scroll(max(-pane.page * 0.8, min(pane.page * 0.8, down)))
            elif window is not None and window.popup is not None:
                popup = window.popup
                popup.offset = max(0, min(popup.content - (popup.box[3] - popup.box[1]), popup.offset + down))
    same = episode.picture().tobytes() == before and len(episode.pressed) == pressed  # an application shows something when a button works
    episode.history.append(line + (NO_CHANGE if same else ""))
    _disturb(episode)
    if len(episode.history) >= MOST_STEPS:
        episode.state = "too many steps"


def judge(episode: Episode, success: bool) -> str:
    """ok, or what is wrong."""
    if episode.absent:
        return "ok" if not success else "success claimed"
    if not success:
        return "gave up"
    for goal in episode.goals:
        part = goal.element
        assert isinstance(part, Part)
        reached = {"set": part.value == goal.value, "check": bool(part.checked), "uncheck": not part.checked, "radio": bool(part.checked), "item": part.selected, "tab": part.selected, "combo": part.value == goal.value, "press": any(part is pressed for pressed in episode.pressed)}[goal.kind]
        if not reached:
            return f"not reached: {goal.kind}"
    return "ok"


def expert(episode: Episode) -> str:
    """What the rules of policy.py answer: shows that the simulator and they agree."""
    screen: Screen = render.record(episode.scene)
    live = render.parts(episode.scene)
    view = View(screen)
    if view.popup is not None:
        own = [element for element in screen.elements if element.window == view.popup]
        button = next((element for name in DISMISS for element in own if element.kind == "button" and element.name.lower() == name), None) or next(element for element in own if element.name == "close")
        return say(f"dismiss {screen.windows[view.popup].title}", call(action="left_click", coordinate=place(button.target, view.size)))
    done = episode.followed
    steps = [(goal, index) for goal in episode.goals for index in range(len(goal.steps()))]
    if episode.history and done:
        goal, index = steps[done - 1]
        part = goal.element
        last = index == len(goal.steps()) - 1
        shown = next((element for element, other in zip(screen.elements, live) if other is part), None)
        check = Goal(goal.kind, goal.name, shown, goal.value)
        unchanged = episode.history[-1].endswith(NO_CHANGE)
        if (last and check.satisfied() is False and (goal.kind not in ("set", "combo") or unchanged)) or (goal.kind == "press" and unchanged):
            done -= len(goal.steps())
    if done >= len(steps):
        return DONE
    goal, index = steps[done]
    shown = next((element for element, other in zip(screen.elements, live) if other is goal.element), None)
    episode.followed = done + 1
    if goal.element is None:
        return say(f"not found {goal.name}", call(action="terminate", status="failure"))
    if goal.kind == "combo" and index == 1:
        option = next((element for element in screen.elements if element.kind == "menuitem" and element.name == goal.value and element.visible > 0.5), None)
        if option is None:
            episode.followed = done
            area = next((area for area in screen.areas if area.id.startswith("popup")), None)
            if area is None:  # the click that should have opened the list got lost
                episode.followed = done - 1
                return expert(episode)
            return scroll(view, area.box, True)
        return say(goal.steps()[1], call(action="left_click", coordinate=place(option.target, view.size)))
    return answer(view, Goal(goal.kind, goal.name, shown, goal.value, goal.exact), index) or DONE
