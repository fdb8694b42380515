"""The judge of the evaluation judges rightly."""

from random import Random

import numpy as np
import pytest

pytest.importorskip("PIL")

from evaluate.model import calls_of
from evaluate.questions import ask, questions
from evaluate.statistics import LINES, Outcome, table, wilson
from screens.record import Element, Screen, Window


def a_screen() -> Screen:
    return Screen(
        640, 480, [Window("Boat Hire", (100, 100, 500, 400), True, title_box=(120, 102, 480, 116))],
        [Element("button", "Row", (120, 350, 200, 380)), Element("check", "Life jackets", (120, 200, 260, 220), checked=True, indicator=(122, 202, 138, 218)), Element("label", "Skipper", (120, 145, 180, 160)), Element("field", "Skipper", (200, 140, 400, 165), value="Maren"), Element("field", "Unseen", (200, 170, 400, 195), value="x")],
        image=np.zeros((480, 640, 3), np.uint8), source="test",
    )  # fmt: skip


def test_wilson_gives_the_published_interval() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263 by the score method.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20)[0] == 0


def test_answers_are_judged_by_the_record() -> None:
    screen = a_screen()
    by_line = {question.line: question for question in questions(screen, Random(3)) if question.line != "click"}
    assert ask(screen, by_line["state"], "Yes", "").right and not ask(screen, by_line["state"], "No", "").right
    assert ask(screen, by_line["text"], "Maren", "").right and not ask(screen, by_line["text"], "Marem", "").right
    assert ask(screen, by_line["title"], "Boat Hire", "").right
    failure = 'Action: not found X\n<tool_call>\n{"name": "computer_use", "arguments": {"action": "terminate", "status": "failure"}}\n</tool_call>'
    assert ask(screen, by_line["absent"], failure, "").right and not ask(screen, by_line["absent"], failure.replace("failure", "success"), "").right


def test_a_click_is_right_only_inside_its_box() -> None:
    screen = a_screen()
    found = [question for seed in range(20) for question in questions(screen, Random(seed)) if question.line == "click" and question.box == (120, 350, 200, 380)]
    answer = '<tool_call>\n{"name": "computer_use", "arguments": {"action": "left_click", "coordinate": [%d, %d]}}\n</tool_call>'
    assert found
    for question in found:
        assert ask(screen, question, answer % (250, 760), "").right
        assert not ask(screen, question, answer % (330, 760), "").right
        assert not ask(screen, question, "I cannot", "").right


def test_nothing_is_asked_by_a_name_that_cannot_be_seen() -> None:
    texts = [question.text for seed in range(20) for question in questions(a_screen(), Random(seed))]
    assert not any("Unseen" in text for text in texts)


def test_nothing_is_asked_that_may_be_cut_off() -> None:
    screen = a_screen()
    screen.windows[0].title_box = None
    screen.elements[3].value = "twenty-one letters ok"
    asked = {question.line for seed in range(20) for question in questions(screen, Random(seed))}
    assert "title" not in asked and "text" not in asked and "click" in asked


def test_broken_calls_are_no_calls() -> None:
    assert calls_of('<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>') == [{"name": "f", "arguments": {"a": 1}}]
    assert calls_of('<tool_call>\n{"name": "f", "arguments": \n</tool_call>') == []


def test_the_table_has_counts_and_intervals() -> None:
    text = table({"m": [Outcome("state", True, "gtk", "", "", ""), Outcome("state", False, "qt", "", "", "")]})
    assert "50.0% (1 of 2; 9.5%–90.5%)" in text
    assert len(LINES) == len({line.key for line in LINES})
