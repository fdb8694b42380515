"""Rendered screens: records are sound, boxes lie on what was drawn, a seed gives the same picture."""

from random import Random

import numpy as np
import pytest

from screens import desktop, render
from screens.canvas import STATE_CLASS
from screens.record import problems


@pytest.mark.parametrize("size", desktop.SIZES)
def test_records_are_sound(size: tuple[int, int]) -> None:
    for seed in range(6):
        screen, slots = render.render(desktop.make_scene(Random(seed), *size))
        assert problems(screen) == []
        assert slots.shape == (size[1] // 16, size[0] // 4)


def test_a_seed_gives_the_same_picture() -> None:
    first, second = (render.render(desktop.make_scene(Random(5), 640, 480))[0].image for _ in range(2))
    assert np.array_equal(first, second)


def test_the_map_shows_the_state_where_the_indicator_stands() -> None:
    found = 0
    for seed in range(30):
        screen, slots = render.render(desktop.make_scene(Random(seed), 640, 480))
        for element in screen.elements:
            if element.kind in ("check", "radio") and element.visible == 1 and element.indicator and not element.opened:
                x, y = element.target
                assert slots[int(y) // 16, int(x) // 4] in (STATE_CLASS[f"{element.kind} {'on' if element.checked else 'off'}"], *_other_marks(slots))
                found += int(slots[int(y) // 16, int(x) // 4] == STATE_CLASS[f"{element.kind} {'on' if element.checked else 'off'}"])
    assert found > 30


def _other_marks(slots: np.ndarray) -> list[int]:
    """Two rows of boxes may share one row of patches; the later one is kept."""
    return list(STATE_CLASS.values())


def test_what_is_visible_changes_the_picture_when_it_changes() -> None:
    for seed in range(20):
        scene = desktop.make_scene(Random(seed), 640, 480)
        screen, live = render.record(scene), render.parts(scene)
        before = np.asarray(render.draw(scene).image)
        for element, part in zip(screen.elements, live):
            if element.kind == "check" and element.visible == 1 and element.enabled:
                part.checked = not part.checked
                changed = (np.asarray(render.draw(scene).image) != before).any(-1)
                rows, columns = np.nonzero(changed)
                assert element.indicator is not None
                x0, y0, x1, y1 = element.indicator
                assert x0 - 1 <= columns.min() and columns.max() <= x1 + 1 and y0 - 1 <= rows.min() and rows.max() <= y1 + 1
                part.checked = not part.checked


def test_scaling_moves_boxes_with_the_picture() -> None:
    scene = desktop.make_scene(Random(3), 800, 600)
    plain, _ = render.render(scene)
    scaled, slots = render.render(scene, (640, 480))
    assert scaled.image is not None and scaled.image.shape == (480, 640, 3) and slots.shape == (30, 160)
    for first, second in zip(plain.elements, scaled.elements):
        assert np.allclose(np.array(first.box) * 0.8, second.box)
