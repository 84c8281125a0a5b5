"""Metrics: 1 for identical Japanese, 0 for nothing in common, known values by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.evaluation.metrics import char_bleu, chrf, exact_match, is_repetitive, rouge_l

METRICS = [chrf, rouge_l, char_bleu]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "text", ["返品は14日以内です。", "あ", "送料は￥500", "Returns are accepted within 14 days.", "🙂"]
)
def test_identical_texts_score_one(metric, text: str) -> None:
    assert metric(text, text) == pytest.approx(1.0)


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_in_common_scores_zero(metric) -> None:
    assert metric("あいうえお", "カキクケコ") == 0.0
    assert metric("", "カキクケコ") == 0.0
    assert metric("カキクケコ", "") == 0.0


def test_chrf_by_hand() -> None:
    # order 2: 1-grams 2/3 shared both ways, 2-grams 1/2 shared both ways; F = (2/3 + 1/2) / 2
    assert chrf("abc", "abd", order=2) == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_chrf_weighs_recall_more() -> None:
    assert chrf("abcdef", "abc") > chrf("abc", "abcdef")


def test_rouge_l_by_hand() -> None:
    # longest common subsequence of abcde and axcye is ace: P = R = 3/5
    assert rouge_l("abcde", "axcye") == pytest.approx(0.6)


def test_bleu_by_hand() -> None:
    # 1-grams 3/4, 2-grams 2/3, 3-grams 1/2, 4-grams 0
    assert char_bleu("abcd", "abce") == 0.0
    assert char_bleu("abc", "abcd") == pytest.approx(2.718281828459045 ** (1 - 4 / 3))


def reference_subsequence(first: str, second: str) -> int:
    row = [0] * (len(second) + 1)
    for character in first:
        previous = 0
        for index, other in enumerate(second, 1):
            previous, row[index] = row[index], previous + 1 if character == other else max(row[index], row[index - 1])
    return row[-1]


@given(st.text("abか", min_size=1, max_size=40), st.text("abか", min_size=1, max_size=40))
def test_rouge_l_equals_the_plain_table(first: str, second: str) -> None:
    common = reference_subsequence(first, second)
    expected = 0.0 if not common else 2 * common / (len(first) + len(second))
    assert rouge_l(first, second) == pytest.approx(expected)


@given(st.text(max_size=60), st.text(max_size=60))
def test_scores_stay_between_zero_and_one(first: str, second: str) -> None:
    for metric in METRICS:
        assert 0.0 <= metric(first, second) <= 1.0 + 1e-9


def test_exact_match_ignores_widths_and_spaces_only() -> None:
    assert exact_match("ＡＢＣ\u3000１２３\n", "ABC 123")
    assert not exact_match("ABC123", "ABC124")


def test_repetition() -> None:
    assert is_repetitive("申し訳ありません。" * 12)
    assert is_repetitive("答えは" + "ああ" * 40)
    assert not is_repetitive("返品は商品の到着後14日以内に、お問い合わせフォームからご連絡ください。送料は550円です。")
    assert not is_repetitive("はい")
