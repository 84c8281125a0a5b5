"""Metrics: 1 for identical Japanese, 0 for nothing in common, known values by hand."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmlora.evaluation.measuring.metrics import (
    char_bleu,
    chrf,
    exact_match,
    is_repetitive,
    mean,
    normalise_answer,
    rouge_l,
)

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


@pytest.mark.parametrize(
    ("answer", "reference", "precisions", "recalls"),
    [
        # 1-grams 6 of 7 and 6 of 6, 2-grams 5/6 and 5/5, 3-grams 4/5 and 4/4, … 6-grams 1/2 and 1/1
        ("abcdefg", "abcdef", (6 / 7, 5 / 6, 4 / 5, 3 / 4, 2 / 3, 1 / 2), (1, 1, 1, 1, 1, 1)),
        # the answer is the middle of the reference, four characters long: it has no 5-grams and no 6-grams
        ("閉店時刻", "本日の閉店時刻です", (1, 1, 1, 1, 0, 0), (4 / 9, 3 / 8, 2 / 7, 1 / 6, 0, 0)),
        # repeated characters count as often as both have them: two of the three あ
        ("あああ", "ああい", (2 / 3, 1 / 2, 0), (2 / 3, 1 / 2, 0)),
        # 円 at another place: 1-grams 4/4, 2-grams 2/3 (38, 80), 3-grams 1/2 (380), 4-grams 0
        ("円380", "380円", (1, 2 / 3, 1 / 2, 0), (1, 2 / 3, 1 / 2, 0)),
    ],
)
def test_chrf_of_six_orders_by_hand(
    answer: str, reference: str, precisions: tuple[float, ...], recalls: tuple[float, ...]
) -> None:
    precision, recall = math.fsum(precisions) / len(precisions), math.fsum(recalls) / len(recalls)
    expected = 5 * precision * recall / (4 * precision + recall)
    assert chrf(answer, reference) == pytest.approx(expected)


def published_chrf(answer: str, reference: str) -> float:
    """chrF as published: averaged n-gram precision and recall for n = 1 to 6, F with beta = 2."""
    precisions, recalls = [], []
    for size in range(1, 7):
        found = Counter(answer[start : start + size] for start in range(len(answer) - size + 1))
        wanted = Counter(reference[start : start + size] for start in range(len(reference) - size + 1))
        if found or wanted:
            shared = sum(min(count, wanted[gram]) for gram, count in found.items())
            precisions.append(shared / sum(found.values()) if found else 0.0)
            recalls.append(shared / sum(wanted.values()) if wanted else 0.0)
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0


@given(st.text("ab円3", min_size=1, max_size=20), st.text("ab円3", min_size=1, max_size=20))
def test_chrf_is_the_published_score(answer: str, reference: str) -> None:
    assert chrf(answer, reference) == pytest.approx(published_chrf(answer, reference))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("返品 は\n14日 以内", "返品は14日以内"),
        ("３８０円", "380円"),
        ("ｺﾊﾙﾋﾞ", "コハルビ"),
        (unicodedata.normalize("NFD", "ガラスのプリン"), "ガラスのプリン"),
        (unicodedata.normalize("NFD", "café"), "café"),
        ("👩\u200d🍳です", "👩\u200d🍳です"),
    ],
)
def test_spelling_of_the_same_characters_does_not_count(metric, answer: str, reference: str) -> None:
    assert metric(answer, reference) == pytest.approx(1.0)


@pytest.mark.parametrize("metric", METRICS)
def test_two_empty_texts_are_equal_and_blank_ones_are_empty(metric) -> None:
    assert metric("", "") == metric(" \n", "") == metric("", "\u3000") == 1.0
    assert metric(" ", "あ") == metric("あ", "\t") == 0.0


@given(st.text(min_size=1, max_size=40))
def test_every_text_is_like_itself(text: str) -> None:
    for metric in METRICS:
        assert metric(text, text) == pytest.approx(1.0)
    assert exact_match(text, text)


@given(st.text("あいう12", min_size=1, max_size=30), st.text("あいう12", min_size=1, max_size=30))
def test_likeness_of_subsequences_has_no_side(first: str, second: str) -> None:
    assert rouge_l(first, second) == pytest.approx(rouge_l(second, first))


@given(st.text("あいうえお", min_size=2, max_size=20), st.text("カキク", min_size=1, max_size=20))
def test_more_of_what_is_wrong_lowers_every_score(right: str, wrong: str) -> None:
    for metric in METRICS:
        assert metric(right + wrong, right) < metric(right, right)


@given(st.text("あいうえお", min_size=1, max_size=20), st.text("あいうえお", min_size=1, max_size=20))
def test_an_exact_match_is_a_full_score_and_only_that(answer: str, reference: str) -> None:
    assert exact_match(answer, reference) == (chrf(answer, reference) == pytest.approx(1.0))


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


@given(st.text(max_size=60))
def test_the_compared_form_is_reached_at_once(text: str) -> None:
    once = normalise_answer(text)
    assume(unicodedata.is_normalized("NFKC", once))  # a blank taken out can join what NFKC then composes
    assert normalise_answer(once) == once
    assert once == once.strip()
    assert "  " not in once


def test_the_mean_of_nothing_is_nothing() -> None:
    assert mean([]) is None
    assert mean(iter([1.0, 2.0])) == 1.5


def test_exact_match_ignores_widths_and_spaces_only() -> None:
    assert exact_match("ＡＢＣ\u3000１２３\n", "ABC 123")
    assert not exact_match("ABC123", "ABC124")


@pytest.mark.parametrize("length", [23, 24])
def test_repetition_needs_two_spans(length: int) -> None:
    assert is_repetitive("あ" * length) == (length >= 24)


@given(st.text("0123456789あいうえおかきくけこ", min_size=12, max_size=30), st.integers(4, 8))
def test_anything_said_four_times_runs_in_circles(text: str, times: int) -> None:
    assert is_repetitive(text * times)


def test_repetition() -> None:
    assert is_repetitive("申し訳ありません。" * 12)
    assert is_repetitive("答えは" + "ああ" * 40)
    assert not is_repetitive("返品は商品の到着後14日以内に、お問い合わせフォームからご連絡ください。送料は550円です。")
    assert not is_repetitive("はい")
