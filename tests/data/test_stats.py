"""Numbers about rows: right on small data, and sampled on large data without losing the extremes."""

from __future__ import annotations

import statistics

import pytest

from llmlora.core.examples import Example, Message
from llmlora.data.stats import Lengths, RowStats, size_class


def answered(*answers: str) -> RowStats:
    stats = RowStats()
    for number, answer in enumerate(answers, 1):
        stats.add(Example(number, number, messages=(Message("user", "質問"), Message("assistant", answer))))
    return stats


def codes(stats: RowStats) -> list[str]:
    return [problem.code for problem in stats.warnings()]


def test_lengths_of_few_numbers_are_exact() -> None:
    lengths = Lengths()
    assert lengths.to_dict() == {}
    values = [5, 1, 9, 3, 7]
    for value in values:
        lengths.add(value)
    assert lengths.to_dict() == {"min": 1, "mean": 5.0, "median": 5, "p95": 9, "max": 9}


def test_lengths_of_many_numbers_are_close() -> None:
    lengths = Lengths()
    values = [value * 7919 % 50_000 for value in range(50_000)]
    for value in values:
        lengths.add(value)
    shown = lengths.to_dict()
    assert (shown["min"], shown["max"], shown["mean"]) == (0, 49_999, round(statistics.mean(values), 1))
    assert abs(shown["median"] - 25_000) < 1_500
    assert abs(shown["p95"] - 47_500) < 1_000


def test_size_classes() -> None:
    sizes = (1, 49, 50, 99, 100, 499, 500, 999, 1000, 50_000)
    assert [size_class(size) for size in sizes] == [
        "too_few", "too_few", "test", "test", "usable", "usable", "good", "good", "high", "high",
    ]  # fmt: skip


def test_few_rows_are_said() -> None:
    assert codes(answered(*["はい、そうです。"] * 49)) == ["too_few_rows"]
    assert codes(answered(*["はい、そうです。"] * 50)) == []


def test_mixed_styles_are_said() -> None:
    polite, plain = "8時までです。", "8時までである。"
    assert "mixed_style" in codes(answered(*[polite] * 40, *[plain] * 20))
    assert "mixed_style" not in codes(answered(*[polite] * 58, *[plain] * 2))


def test_mixed_widths_are_said() -> None:
    assert "mixed_widths" in codes(answered(*["８時です"] * 30, *["8時です"] * 30))
    assert "mixed_widths" not in codes(answered(*["8時です"] * 60))
    assert "half_width_katakana" in codes(answered(*["ｻｰﾊﾞｰです"] * 60))


def test_document() -> None:
    shown = answered("サーバーとDockerを使います。", "はい。").to_dict()
    assert shown["num_rows"] == 2
    assert shown["answer_characters"]["max"] == 17
    assert shown["turns"] == {"min": 2, "mean": 2.0, "median": 2, "p95": 2, "max": 2}
    assert shown["answers"] == {"min": 1, "mean": 1.0, "median": 1, "p95": 1, "max": 1}
    assert shown["japanese_share"] == 1.0
    assert shown["terms_per_100_characters"] == pytest.approx(100 * 2 / 20, abs=0.01)
    assert shown["style"]["polite"] == 1
