"""Bootstrap intervals against cases that can be reckoned by hand."""

from __future__ import annotations

import pytest

from llmlora.evaluation.measuring.intervals import overlap, share_interval


def test_questions_that_all_went_the_same_way_leave_no_doubt() -> None:
    assert share_interval([2, 2, 2], [2, 2, 2]) == (1.0, 1.0)
    assert share_interval([0, 0], [3, 1]) == (0.0, 0.0)
    assert share_interval([1], [4]) == (0.25, 0.25)


def test_two_questions_can_both_be_drawn_twice() -> None:
    """A quarter of the resamples has the right one twice, a quarter the wrong one: 95 % reach from 0 to 1."""
    assert share_interval([1, 0], [1, 1]) == (0.0, 1.0)


@pytest.mark.parametrize(("size", "low", "high"), [(10, 0.2, 0.8), (40, 0.35, 0.65)])
def test_half_right_is_the_binomial_distribution(size: int, low: float, high: float) -> None:
    """Binomial(10, 1/2): P(<= 1) = 1.1 %, P(<= 2) = 5.5 %; Binomial(40, 1/2): P(<= 13) = 1.9 %, P(<= 14) = 4.0 %."""
    assert share_interval([1] * (size // 2) + [0] * (size // 2), [1] * size) == pytest.approx((low, high))


def test_what_belongs_to_one_question_is_drawn_together() -> None:
    """Ten facts of one question are one piece of evidence: alone or twice it gives 10/10, with the other 10/11."""
    assert share_interval([10, 0], [10, 1]) == (0.0, 1.0)
    apart = share_interval([1] * 10 + [0], [1] * 11)
    assert apart[0] > 0.6


def test_the_same_numbers_give_the_same_interval() -> None:
    hits, asked = [1, 0, 2, 3, 0, 1, 1], [1, 2, 2, 3, 1, 2, 1]
    assert share_interval(hits, asked) == share_interval(hits, asked)


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ((0.1, 0.4), (0.3, 0.9), True),
        ((0.3, 0.9), (0.1, 0.4), True),
        ((0.2, 0.3), (0.1, 0.9), True),
        ((0.1, 0.4), (0.4, 0.9), True),
        ((0.1, 0.3), (0.4, 0.9), False),
        ((1.0, 1.0), (0.1, 0.9), False),
    ],
)
def test_intervals_overlap_where_they_share_a_point(
    one: tuple[float, float], other: tuple[float, float], is_shared: bool
) -> None:
    assert overlap(one, other) is is_shared
