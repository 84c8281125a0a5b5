"""Charts: every point in its frame, no spike lost, round ticks, and the same numbers as a table."""

from __future__ import annotations

import math
import re
from importlib import resources
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.core.locale import set_language
from llmlora.evaluation.pages.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MAX_MARKS,
    MAX_POINTS,
    MIN_POINTS_TO_SMOOTH,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    Series,
    line_chart,
    smoothed,
)  # fmt: skip
from llmlora.evaluation.pages.curves import curves_of
from llmlora.evaluation.pages.template import environment
from llmlora.evaluation.pages.words import DASH

Points = list[tuple[float, float]]


def chart_of(points: Points) -> Chart:
    chart = line_chart([Series("loss", tuple(points), "loss")], "step", "loss")
    assert chart is not None
    return chart


def drawn(points: Points) -> tuple[tuple[float, float], ...]:
    return chart_of(points).lines[0].places


def svg(chart: Chart) -> str:
    return str(environment().get_template("parts.html").module.drawing(chart))


@given(st.lists(st.tuples(st.floats(1, 1e5), st.floats(-1e6, 1e6)), min_size=1, max_size=60))
def test_every_point_is_drawn_inside_the_frame(points: Points) -> None:
    for x, y in drawn(sorted(points)):
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1


def test_a_falling_loss_falls_on_the_page() -> None:
    ys = [y for _, y in drawn([(1, 3.0), (2, 2.0), (3, 1.0)])]
    assert ys == sorted(ys)
    assert len(set(ys)) == 3


def test_what_is_drawn_is_what_was_placed() -> None:
    chart = chart_of([(1, 3.0), (2, 2.0), (3, 1.0)])
    points = " ".join(f"{x},{y}" for x, y in chart.lines[0].places)
    assert f'<polyline points="{points}" class="line loss"/>' in svg(chart)
    assert f'viewBox="0 0 {WIDTH} {HEIGHT}"' in svg(chart)


PHONE = 400 - 2 * (12 + 16)  # CSS pixels between the margins of the page and of its sheet


def text_width(text: str, size: int) -> float:
    """Return the width of a number in sans-serif, whose digits are 0.56 and points 0.28 of the size of its letters."""
    return size * sum(0.56 if letter.isdigit() else 0.28 for letter in text)


@pytest.mark.parametrize("steps", [50, 300, 10_000, 100_000])
@pytest.mark.parametrize("scale", [0.0015, 3.0, 120.0])
def test_a_chart_fits_a_phone_and_can_be_read_there(steps: int, scale: float) -> None:
    """The drawing shrinks with the screen; what is written into it stays large enough, apart, and inside."""
    style = (resources.files("llmlora.evaluation.pages") / "templates" / "page.css").read_text(encoding="utf-8")
    narrow = style[style.index("@media (max-width: 44rem)") :]
    assert re.search(r"\.chart svg \{ width: 100%;", style)
    size = int(re.search(r"\.chart text \{ font-size: (\d+)px", narrow)[1])
    assert size * PHONE / WIDTH >= 11
    chart = chart_of([(float(step), scale * (1 - step / steps)) for step in range(1, steps + 1)])
    assert all(text_width(tick.text, size) <= chart.left - 8 for tick in chart.y_ticks)
    ends = [(tick.place, text_width(tick.text, size) / 2) for tick in chart.x_ticks]
    assert all(half <= place <= WIDTH - half for place, half in ends)
    assert all(right - left > one + two for (left, one), (right, two) in pairwise(ends))


@pytest.mark.parametrize("size", [1, MAX_POINTS, MAX_POINTS + 1, 10_000, 99_999])
def test_a_chart_stays_small(size: int) -> None:
    chart = chart_of([(float(step), 1 + math.sin(step)) for step in range(size)])
    assert len(chart.lines[0].places) <= MAX_POINTS + 2
    assert len(svg(chart)) < 12_000


@pytest.mark.parametrize("place", [0, 1, 399, 7_777, 9_999])
@pytest.mark.parametrize("spike", [0.0, 100.0])
def test_thinning_keeps_a_spike_wherever_it_is(place: int, spike: float) -> None:
    points = [(float(step), spike if step == place else 50.0 + math.sin(step)) for step in range(10_000)]
    ys = [y for _, y in drawn(points)]
    assert max(ys) - min(ys) > (HEIGHT - TOP - BOTTOM) / 2


def test_ticks_are_round_and_grow() -> None:
    values = [float(tick.text) for tick in chart_of([(1, 0.3), (100, 2.7)]).y_ticks]
    assert values == sorted(values)
    assert values[0] <= 0.3
    assert values[-1] >= 2.7
    assert 3 <= len(values) <= 8


def test_smoothing_follows_slowly() -> None:
    steps = [(float(step), 0.0 if step < 20 else 1.0) for step in range(40)]
    curve = dict(smoothed(steps))
    assert curve[19.0] == 0.0
    assert 0.05 < curve[20.0] < 0.2
    assert curve[39.0] > 0.8
    assert smoothed(steps[: MIN_POINTS_TO_SMOOTH - 1]) == ()


def test_a_curve_has_a_table_with_its_ends() -> None:
    set_language("en")
    steps = [{"step": step, "loss": 1 / step} for step in range(1, 501)]
    curves = curves_of(steps, [{"step": 250, "eval_loss": 0.5}])
    assert curves
    assert curves["rows"][0] == ("1", "1.000", DASH)
    assert curves["rows"][-1] == ("500", "0.002", DASH)
    assert ("250", "0.004", "0.500") in curves["rows"]
    assert len(curves["rows"]) <= 24
    assert curves["rate"] is None
    assert 'aria-label="loss: loss, loss, smoothed, loss on held-out rows"' in svg(curves["loss"])


def test_no_curve_without_points() -> None:
    assert curves_of([], []) is None
    assert curves_of([{"step": 1, "loss": None}], []) is None
    assert curves_of([], [{"step": 1, "eval_loss": 2.0}]) is not None


def test_the_ends_of_epochs_are_marked_where_they_are() -> None:
    steps = [{"step": step, "epoch": step / 4, "loss": 1.0} for step in range(1, 11)]
    curves = curves_of(steps, [])
    assert curves
    chart = curves["loss"]
    assert [mark.text for mark in chart.marks] == ["1", "2"]
    places = dict(zip((step["step"] for step in steps), (x for x, _ in chart.lines[0].places), strict=True))
    assert [mark.place for mark in chart.marks] == [places[4], places[8]]
    assert svg(chart).count('class="epoch"') == 2


def test_of_many_epochs_only_some_are_marked() -> None:
    steps = [{"step": step, "epoch": float(step), "loss": 1.0} for step in range(1, 101)]
    curves = curves_of(steps, [])
    assert curves
    texts = [int(mark.text) for mark in curves["loss"].marks]
    assert len(texts) <= MAX_MARKS
    assert texts == list(range(texts[0], 101, texts[0]))


def test_a_run_that_does_not_tell_its_epochs_has_no_marks() -> None:
    curves = curves_of([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0, "epoch": None}], [])
    assert curves
    assert curves["loss"].marks == ()
    assert "epoch" not in svg(curves["loss"])
