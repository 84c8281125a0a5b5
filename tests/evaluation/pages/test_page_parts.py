"""Charts, markup and style of the report pages: safe, readable, and true to the numbers."""

from __future__ import annotations

import math
import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.core.locale import LANGUAGES, set_language, translate
from llmlora.evaluation.pages.chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MAX_POINTS,
    MIN_POINTS_TO_SMOOTH,
    RIGHT,
    TOP,
    WIDTH,
    Series,
    line_chart,
    smoothed,
)  # fmt: skip
from llmlora.evaluation.pages.markup import Markup, document, element, joined
from llmlora.evaluation.pages.page_parts import (
    DASH,
    date_time,
    figures,
    gigabytes,
    loss_curve,
    notes_card,
    number,
    percent,
    seconds_text,
    table,
    with_code,
)  # fmt: skip

STYLE = (resources.files("llmlora.evaluation.pages") / "page.css").read_text(encoding="utf-8")
Points = list[tuple[float, float]]


def chart_of(points: Points) -> str:
    return str(line_chart([Series("loss", tuple(points), "loss")], "step", "loss"))


def drawn(chart: str) -> Points:
    pairs = re.findall(r'points="([^"]*)"', chart)[0].split()
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in pairs)]


def colours() -> dict[str, tuple[str, str]]:
    """Return light and dark value of each colour of the style sheet."""
    return {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", STYLE)}


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours as WCAG defines it."""

    def luminance(colour: str) -> float:
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "soft", "accent", "good", "bad", "warn"])
def test_text_is_readable_on_every_ground(ink: str, theme: int) -> None:
    grounds = ["ground", "card", f"{ink}-ground"] if ink in ("good", "bad", "warn") else ["ground", "card"]
    for ground in grounds:
        assert contrast(colours()[ink][theme], colours()[ground][theme]) >= 4.5, ground


def test_notes_and_marks_are_readable() -> None:
    for theme in (0, 1):
        assert contrast(colours()["ink"][theme], colours()["warn-ground"][theme]) >= 4.5
        assert contrast(colours()["ink"][theme], colours()["good-ground"][theme]) >= 4.5


def test_the_style_loads_nothing_and_sets_japanese_well() -> None:
    assert not re.search(r"url\(|@import|https?:", STYLE)
    body = re.search(r"body \{(.*?)\}", STYLE, re.S)
    assert body
    assert all(word in body[1] for word in ("sans-serif", "line-break: strict", "text-autospace", "overflow-wrap"))
    assert "system-ui" not in STYLE
    assert "italic" not in STYLE
    assert "tabular-nums" in STYLE


@given(st.lists(st.tuples(st.floats(1, 1e5), st.floats(-1e6, 1e6)), min_size=1, max_size=60))
def test_every_point_is_drawn_inside_the_frame(points: Points) -> None:
    for x, y in drawn(chart_of(sorted(points))):
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1


def test_a_falling_loss_falls_on_the_page() -> None:
    ys = [y for _, y in drawn(chart_of([(1, 3.0), (2, 2.0), (3, 1.0)]))]
    assert ys == sorted(ys)
    assert len(set(ys)) == 3


@pytest.mark.parametrize("size", [1, MAX_POINTS, MAX_POINTS + 1, 10_000, 99_999])
def test_a_chart_stays_small(size: int) -> None:
    chart = chart_of([(float(step), 1 + math.sin(step)) for step in range(size)])
    assert len(drawn(chart)) <= MAX_POINTS + 2
    assert len(chart) < 12_000


@pytest.mark.parametrize("place", [0, 1, 399, 7_777, 9_999])
@pytest.mark.parametrize("spike", [0.0, 100.0])
def test_thinning_keeps_a_spike_wherever_it_is(place: int, spike: float) -> None:
    points = [(float(step), spike if step == place else 50.0 + math.sin(step)) for step in range(10_000)]
    ys = [y for _, y in drawn(chart_of(points))]
    assert max(ys) - min(ys) > (HEIGHT - TOP - BOTTOM) / 2


def test_ticks_are_round_and_grow() -> None:
    texts = re.findall(r'class="tick y">([^<]*)<', chart_of([(1, 0.3), (100, 2.7)]))
    values = [float(text) for text in texts]
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
    evaluations = [{"step": 250, "eval_loss": 0.5}]
    page = str(loss_curve(steps, evaluations))
    rows = re.findall(r"<tr><td[^>]*>([\d,]+)</td><td[^>]*>([^<]*)</td><td[^>]*>([^<]*)</td></tr>", page)
    assert rows[0] == ("1", "1.000", DASH)
    assert rows[-1] == ("500", "0.002", DASH)
    assert ("250", "0.004", "0.500") in rows
    assert len(rows) <= 24
    assert 'aria-label="loss: loss, loss, smoothed, loss on held-out rows"' in page


def test_no_curve_without_points() -> None:
    assert loss_curve([], []) is None
    assert loss_curve([{"step": 1, "loss": None}], []) is None
    assert loss_curve([], [{"step": 1, "eval_loss": 2.0}]) is not None


@given(st.text(max_size=60))
def test_no_text_becomes_markup(text: str) -> None:
    made = str(element("p", text, title=text))
    inside = made[made.index(">") + 1 : -len("</p>")]
    assert not re.search(r"[<>\"]", inside)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", made)
    assert made.count("<") == 2


def test_what_turns_the_direction_of_text_is_shown() -> None:
    assert str(joined("a\u202eb\u2066c\u200fd")) == "a\ufffdb\ufffdc\u200fd"


def test_markup_is_not_escaped_twice() -> None:
    once = element("b", "1 < 2")
    assert str(joined(once, "<")) == "<b>1 &lt; 2</b>&lt;"
    assert isinstance(element("br"), Markup)
    assert str(element("td", None, ["x", None], class_=None, data_a="y")) == '<td data-a="y">x</td>'


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_document_forbids_scripts_and_names_its_language(language: str) -> None:
    page = document("<title>", language, element("p", "x"))
    assert page.startswith(f'<!doctype html>\n<html lang="{language}">') or f'lang="{language}"' in page
    assert "default-src &#x27;none&#x27;" in page
    assert "<title>&lt;title&gt;</title>" in page
    assert page.count("</html>") == 1


def test_numbers_are_written_for_people() -> None:
    set_language("en")
    assert [number(None), number(1234.5678), number(12345, 0)] == [DASH, "1,234.568", "12,345"]
    assert [percent(None), percent(0.125), percent(1)] == [DASH, "12 %", "100 %"]
    assert [gigabytes(None), gigabytes(612e6)] == [DASH, "0.61 GB"]
    assert [seconds_text(None), seconds_text(14.24), seconds_text(90), seconds_text(5400)] == [
        DASH, "14.2 s", "1.5 min", "90.0 min",
    ]  # fmt: skip


def test_a_time_is_local_and_what_is_none_stays() -> None:
    set_language("en")
    assert re.fullmatch(r"2026-11-2\d \d\d:\d\d", date_time("2026-11-21T12:00:00+00:00"))
    assert date_time("yesterday") == "yesterday"
    set_language("ja")
    assert re.fullmatch(r"2026年11月2\d日 \d\d:\d\d", date_time("2026-11-21T12:00:00+00:00"))


def test_options_and_commands_are_code() -> None:
    marked = str(with_code("Try --set r=16 --set stages=[] or llmlora dataset check FILE, then --rewrite."))
    assert re.findall(r"<code>(.*?)</code>", marked) == [
        "--set r=16", "--set stages=[]", "llmlora dataset check FILE", "--rewrite",
    ]  # fmt: skip
    assert str(with_code("<--set x=<b>")).count("<") == 2 * str(with_code("<--set x=<b>")).count("<code>")


@pytest.mark.parametrize("language", LANGUAGES)
def test_code_in_every_note_ends_where_the_command_ends(language: str) -> None:
    set_language(language)
    text = translate("evaluation.note.no_held_out_rows")
    assert re.findall(r"<code>(.*?)</code>", str(with_code(text))) == ["--eval-data", "--set validation_split=0.1"]
    text = translate("evaluation.compare.note_not_evaluated", jobs="a")
    assert re.findall(r"<code>(.*?)</code>", str(with_code(text))) == ["llmlora evaluate DIR"]


def test_tables_and_figures_keep_their_order() -> None:
    made = str(table(("a", "b"), [("1", element("b", "2")), ("3", "4")], (1,)))
    assert re.findall(r"<td[^>]*>(.*?)</td>", made) == ["1", "<b>2</b>", "3", "4"]
    assert made.count('class="number"') == 3
    assert made.count('scope="col"') == 2
    assert re.findall(r"<b>(.*?)</b><span>(.*?)</span>", str(figures([("loss", "0.1"), ("time", "3 s")]))) == [
        ("0.1", "loss"), ("3 s", "time"),
    ]  # fmt: skip
    assert notes_card([]) is None
