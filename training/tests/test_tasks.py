"""Samples say the truth about their screens; the rules and the simulator agree."""

import json
import re
from random import Random

from screens import desktop, render
from tasks.make import samples
from tasks.simulator import act, expert, make_episode
from tasks.view import View


def made(count: int):
    for seed in range(count):
        rng = Random(seed)
        size = desktop.SIZES[seed % len(desktop.SIZES)]
        screen, _ = render.render(desktop.make_scene(rng, *size))
        yield screen, samples(rng, screen)


def test_coordinates_lie_in_their_boxes() -> None:
    checked = 0
    for screen, found in made(40):
        for sample in found:
            place = re.search(r'"coordinate": \[(\d+), (\d+)\]', sample.answer)
            if place and sample.box and "drag" not in sample.answer:
                x, y = int(place[1]) / 1000 * screen.width, int(place[2]) / 1000 * screen.height
                x0, y0, x1, y1 = sample.box
                assert x0 - 0.7 <= x <= x1 + 0.7 and y0 - 0.7 <= y <= y1 + 0.7, sample
                checked += 1
    assert checked > 300


def test_answers_are_calls_that_parse_and_follow_the_history() -> None:
    for _, found in made(20):
        for sample in found:
            if sample.kind.startswith("policy"):
                call = re.search(r"<tool_call>\n(.*)\n</tool_call>$", sample.answer)
                assert call and json.loads(call[1])["name"] == "computer_use"
                assert sample.answer.startswith("Action: ")
                assert "Previous actions: none" in sample.prompt or "\n1. " in sample.prompt


def test_missing_targets_are_missing_and_present_ones_present() -> None:
    for screen, found in made(60):
        view = View(screen)
        for sample in found:
            if sample.kind == "policy:missing":
                name = re.match(r"Action: not found (.*)", sample.answer)
                assert name and (view.absent(name[1]) or name[1].split(" ")[-1] in ("checkbox", "field", "button", "tab")), sample


def test_typing_again_only_where_nothing_was_typed() -> None:
    for screen, found in made(60):
        for sample in found:
            if sample.kind == "policy:again set":
                last = sample.prompt.split("\n")[-1]
                holder = next(element for element in screen.elements if element.box == sample.box)
                assert last.endswith(" (no change)") and holder.value != last.split("type ", 1)[1].removesuffix(" (no change)")


def test_the_rules_reach_the_goals_in_the_simulator() -> None:
    ends = []
    for seed in range(24):
        episode = make_episode(seed, trouble=["", "popup", "moved", "dead click"][seed % 4], absent=seed % 12 == 11)
        while episode.state == "run":
            act(episode, expert(episode))
        ends.append(episode.state)
    assert ends.count("ok") >= 22, ends  # a window that moves may cover what a relation names
