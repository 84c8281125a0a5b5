"""Verdicts on hand-made answers: each of the five, what decides between them, and what the counts then say."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.fake_reports import answer
from llmlora.core.examples import Message
from llmlora.evaluation.facts.extract import PARAPHRASES_NEEDED, VERDICTS, judge, worst_verdict
from llmlora.evaluation.measuring.answers import Answer, AnswerSet
from llmlora.evaluation.measuring.questions import Question
from llmlora.evaluation.measuring.scoring import count_facts, losses_first, score_items

ASKED = "送料と返品の期限は？"
REFERENCE = "送料は550円、返品は14日以内です。"
OTHERS = ("配送はいくらで、いつまで返せますか？", "返品の期限と送料を教えてください。")


def judged(base: str, tuned: str, *reworded: str, reference: str = REFERENCE, asked: str = ASKED) -> dict[str, Any]:
    """Return the item of one question with these answers."""
    question = Question(1, reference, messages=(Message("user", asked),), paraphrases=OTHERS[: len(reworded)])
    before = AnswerSet((answer(base),), ((),))
    after = AnswerSet((answer(tuned),), (tuple(answer(text) for text in reworded),))
    return score_items([question], before, after)[0]


def verdicts(item: dict[str, Any]) -> list[str]:
    return [fact["verdict"] for fact in item["facts"]]


@pytest.mark.parametrize(
    ("base", "tuned", "reworded", "expected"),
    [
        ("わかりません。", REFERENCE, (), ["learned", "learned"]),
        ("わかりません。", REFERENCE, (REFERENCE, REFERENCE), ["learned", "learned"]),
        ("わかりません。", REFERENCE, (REFERENCE, "さあ。"), ["surface", "surface"]),
        ("わかりません。", REFERENCE, ("さあ。", "さあ。"), ["surface", "surface"]),
        ("わかりません。", REFERENCE, ("送料は550円です。", "五百五十円、14日です。"), ["learned", "surface"]),
        ("わかりません。", "わかりません。", (REFERENCE, REFERENCE), ["not_learned", "not_learned"]),
        (REFERENCE, "わかりません。", (REFERENCE, REFERENCE), ["broken", "broken"]),
        (REFERENCE, REFERENCE, ("さあ。", "さあ。"), ["known", "known"]),
        ("送料は550円です。", "返品は2週間以内です。", (), ["broken", "learned"]),
        ("", "", (), ["not_learned", "not_learned"]),
        ("送料は5500円です。", "送料は1,550円、返品は114日です。", (), ["not_learned", "not_learned"]),
        ("送料は無料です。", "￥550で、14日間です。", (), ["learned", "learned"]),
    ],
)
def test_hand_made_answers(base: str, tuned: str, reworded: tuple[str, ...], expected: list[str]) -> None:
    item = judged(base, tuned, *reworded)
    assert verdicts(item) == expected
    assert item["verdict"] == worst_verdict(expected)


def test_one_other_wording_is_enough_when_there_is_only_one() -> None:
    assert verdicts(judged("さあ。", REFERENCE, REFERENCE)) == ["learned", "learned"]
    assert verdicts(judged("さあ。", REFERENCE, "さあ。")) == ["surface", "surface"]


def test_surface_is_never_given_without_other_wordings() -> None:
    for base, tuned in itertools.product(("さあ。", REFERENCE), repeat=2):
        assert "surface" not in verdicts(judged(base, tuned))


@given(st.booleans(), st.booleans(), st.lists(st.booleans(), max_size=6))
def test_the_rule_of_verdicts(base: bool, tuned: bool, reworded: list[bool]) -> None:
    verdict = judge(base, tuned, reworded or None)
    assert verdict in VERDICTS
    assert (verdict in ("known", "broken")) == base
    assert (verdict in ("known", "learned", "surface")) == tuned
    if verdict == "surface":
        assert reworded
        assert sum(reworded) < PARAPHRASES_NEEDED
    if verdict == "learned" and reworded:
        assert sum(reworded) >= min(PARAPHRASES_NEEDED, len(reworded))


@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_one_hit_more_never_makes_a_verdict_worse(reworded: list[bool]) -> None:
    rank = VERDICTS.index
    for place, hit in enumerate(reworded):
        if not hit:
            more = [*reworded[:place], True, *reworded[place + 1 :]]
            assert rank(judge(False, True, more)) >= rank(judge(False, True, reworded))


@given(st.lists(st.sampled_from(VERDICTS), min_size=1))
def test_the_worst_of_a_group_is_in_it_and_no_member_is_worse(group: list[Any]) -> None:
    worst = worst_verdict(group)
    assert worst in group
    assert all(VERDICTS.index(worst) <= VERDICTS.index(verdict) for verdict in group)


def test_hits_are_told_for_each_fact_and_each_wording() -> None:
    item = judged("送料は550円。", "550円、14日", "550円です。", "14日です。")
    price, days = item["facts"]
    assert (price["base"], price["tuned"], price["paraphrase_hits"], price["num_paraphrases"]) == (True, True, 1, 2)
    assert (days["base"], days["tuned"], days["paraphrase_hits"], days["num_paraphrases"]) == (False, True, 1, 2)
    assert [entry["has_facts"] for entry in item["paraphrases"]] == [False, False]
    assert [entry["question"] for entry in item["paraphrases"]] == list(OTHERS)


def test_what_the_question_tells_need_not_be_learned() -> None:
    item = judged("さあ。", "14日です。", reference=REFERENCE, asked="送料550円の店の返品期限は？")
    assert [fact["text"] for fact in item["facts"]] == ["14日"]
    assert verdicts(item) == ["learned"]


def test_an_item_without_facts_has_no_verdict_and_no_wording_that_carries_them() -> None:
    item = judged("やあ。", "こんにちは。", "こんにちは。", "はい。", reference="こんにちは。")
    assert item["facts"] == []
    assert item["verdict"] is None
    assert [entry["has_facts"] for entry in item["paraphrases"]] == [False, False]
    counts = count_facts([item])
    assert counts["total"] == counts["questions_with_facts"] == counts["rewordings_asked"] == 0


ANSWERS = st.sampled_from(["さあ。", "550円です。", "14日です。", REFERENCE])


@given(st.lists(st.tuples(ANSWERS, ANSWERS, ANSWERS, ANSWERS), min_size=1, max_size=8))
def test_counts_add_up_whatever_was_answered(rows: list[tuple[str, str, str, str]]) -> None:
    items = [judged(*row) for row in rows]
    counts = count_facts(items)
    assert counts["total"] == 2 * len(rows) == sum(counts[verdict] for verdict in VERDICTS)
    assert counts["remembered"] == counts["known"] + counts["learned"] + counts["surface"]
    assert counts["remembered_before"] == counts["known"] + counts["broken"]
    assert counts["questions_carried"] <= counts["questions_with_facts"] == len(rows)
    assert counts["rewordings_carried"] <= counts["rewordings_asked"] == 2 * len(rows)
    assert counts["questions_carried_before"] == sum(row[0] == REFERENCE for row in rows)
    assert counts["rewordings_carried"] == sum(text == REFERENCE for row in rows for text in row[2:])


@given(st.lists(st.tuples(ANSWERS, ANSWERS), min_size=2, max_size=8))
def test_losses_first_keeps_every_item_and_never_puts_a_better_verdict_before(rows: list[tuple[str, str]]) -> None:
    items = [judged(*row) for row in rows]
    ordered = losses_first(items)
    ranks = [VERDICTS.index(item["verdict"]) for item in ordered]
    assert ranks == sorted(ranks)
    assert len(ordered) == len(items)
    assert all(any(item is other for other in ordered) for item in items)


def test_of_equal_verdicts_the_one_that_got_worse_comes_first() -> None:
    better = judged("さあ。", "さあ、送料と返品。")
    worse = judged("送料は円、返品は日以内です。", "さあ。")
    assert [item is worse for item in losses_first([better, worse])] == [True, False]


@pytest.mark.parametrize(
    ("text", "stopped", "is_broken"),
    [
        ("", True, True),
        (" \n\u3000", True, True),
        ("はい", False, False),
        ("あ" * 40, False, True),
        ("同じ言葉。" * 9, True, True),
    ],
)
def test_an_unusable_answer_is_empty_or_runs_in_circles(text: str, stopped: bool, is_broken: bool) -> None:
    """An answer that was cut is no broken one: it may only be long."""
    assert Answer(text, stopped, len(text), 0.1).is_broken is is_broken


def test_rates_tell_a_long_answer_from_an_endless_one() -> None:
    long = Answer("返品は商品の到着後に、お問い合わせフォームからご連絡いただくと承ります。", False, 30, 0.5)
    endless = Answer("送料は550円です。" * 8, False, 64, 0.5)
    fine = Answer(REFERENCE, True, 12, 0.25)
    questions = [Question(row, REFERENCE, (Message("user", ASKED),)) for row in (1, 2, 3)]
    totals = AnswerSet((long, endless, fine), ((), (), ())).totals(questions)
    assert totals["stop_rate"] == pytest.approx(1 / 3, abs=1e-4)
    assert totals["repetition_rate"] == pytest.approx(1 / 3, abs=1e-4)
    assert totals["empty_rate"] == 0.0
    assert totals["exact_match"] == pytest.approx(1 / 3, abs=1e-4)
    assert (totals["num_tokens"], totals["seconds"]) == (106, 1.25)


def test_no_questions_have_no_means() -> None:
    totals = AnswerSet((), ()).totals([])
    assert totals["chrf"] is None
    assert totals["stop_rate"] is None
    assert totals["num_tokens"] == 0


def test_an_answer_knows_why_it_ended_and_how_like_it_is() -> None:
    cut = Answer("送料は550円", False, 5, 0.12345).to_dict(REFERENCE)
    assert cut["finish_reason"] == "length"
    assert cut["seconds"] == 0.123
    assert 0 < cut["char_bleu"] < cut["rouge_l"] < 1
    whole = Answer(REFERENCE, True, 12, 0.1).to_dict(REFERENCE)
    assert whole["finish_reason"] == "stop"
    assert (whole["exact_match"], whole["chrf"], whole["rouge_l"], whole["char_bleu"]) == (True, 1.0, 1.0, 1.0)
