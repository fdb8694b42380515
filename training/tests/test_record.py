"""The record survives the disk, and `problems` finds what a source could get wrong."""

from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from screens.harvested import retitled
from screens.record import Element, Screen, ScrollArea, Window, problems
from screens.store import Writer, read


def sample() -> Screen:
    rng = np.random.default_rng(0)
    return Screen(
        width=64,
        height=48,
        image=rng.integers(0, 256, (48, 64, 3), dtype=np.uint8),
        windows=[Window("Größe", (0, 0, 64, 48), active=True, title_box=(4, 1, 60, 9))],
        elements=[
            Element("field", "Name", (10, 2, 60, 12), shown_name="Name *", label_box=(0, 2, 9, 12), value="", placeholder="Ada"),
            Element("check", "On", (0, 20, 30, 30), indicator=(0, 20, 10, 30), checked=False, area="a"),
            Element("slider", "Volume", (0, 35, 64, 45), indicator=(20.5, 35, 26, 45), value="30", minimum=0, maximum=100),
        ],
        areas=[ScrollArea("a", (0, 15, 64, 34), position=0.5, page=0.25)],
        source="tk",
        seed=7,
        task={"dialog": "save"},
    )


def test_a_screen_survives_the_disk(tmp_path: Path) -> None:
    written = sample()
    Writer(tmp_path).add(written)
    (got,) = read(tmp_path)
    assert np.array_equal(got.image, written.image)
    assert got.task.pop("picture") == "00000.webp"
    got.image = written.image = None
    assert got == written
    assert Writer(tmp_path).count == 1


def test_a_screen_has_other_titles(tmp_path: Path) -> None:
    strips = [(text, np.full((8, 56, 3), 40 * number, np.uint8)) for number, text in enumerate(("One", "Two", "Three"), 1)]
    Writer(tmp_path).add(sample(), strips)
    (screen,) = read(tmp_path)
    seen = set()
    for seed in range(30):
        picture = Image.fromarray(screen.image)
        got = retitled(Random(seed), screen, tmp_path, picture)
        title, pixels = got.windows[0].title, np.asarray(picture)
        seen.add(title)
        wanted = dict(strips).get(title, screen.image[1:9, 4:60])
        assert np.array_equal(pixels[1:9, 4:60], wanted)
        assert np.array_equal(pixels[9:], screen.image[9:])
    assert seen == {"Größe", "One", "Two", "Three"}
    assert screen.windows[0].title == "Größe"


def test_problems_are_named() -> None:
    screen = sample()
    assert problems(screen) == []
    screen.elements[0].value = None
    screen.elements[1].checked = None
    screen.elements[1].area = "b"
    screen.elements[2].box = (5, 5, 5, 9)
    assert len(problems(screen)) == 4


def test_a_check_is_clicked_on_its_indicator() -> None:
    assert sample().elements[1].target == (5, 25)
    assert sample().elements[0].target == (35, 7)
