"""The quick look at applications asks what training/evaluate asks, of pictures at the processor's size."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from model import applications
from screens import desktop, render


def test_every_question_is_asked_and_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screens = [render.render(desktop.make_scene(Random(seed), *size))[0] for seed, size in enumerate([(640, 480), (800, 600), (1280, 720)])]
    for screen in screens:
        screen.task["picture"] = "x.webp"
    monkeypatch.setattr(applications, "read", lambda folder: iter(screens))
    shapes = []

    def answer(packed, tokenizer, pictures, prompts, limit):
        shapes.extend(picture.shape for picture in pictures)
        assert {index for index, _ in prompts} <= {0, 1, 2}
        return [' <tool_call>\n{"name": "computer_use", "arguments": {"action": "terminate", "status": "failure"}}\n</tool_call>' if "Task: " in text else "nothing" for _, text in prompts]

    monkeypatch.setattr(applications, "about_pictures", answer)
    figures, answers = applications.measure(None, None, tmp_path)  # type: ignore[arg-type]
    assert shapes == [(480, 640, 3), (608, 800, 3), (704, 1280, 3)], shapes
    assert {one["line"] for one in answers} >= {"click"}
    assert all(one["right"] == (one["line"] == "absent") for one in answers), answers
    assert "click inside the target" in figures


def test_pictures_of_other_sizes_are_scaled() -> None:
    assert applications.scaled(np.zeros((600, 800, 3), np.uint8)).shape == (608, 800, 3)
    assert applications.scaled(np.zeros((800, 1280, 3), np.uint8)).shape == (800, 1280, 3)
