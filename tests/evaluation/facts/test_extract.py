"""Facts: measured against hand-made labels, compared whatever their spelling, judged by four cases."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmlora.evaluation.facts.extract import (
    askable_facts,
    contains_fact,
    extract_facts,
    fact_places,
    judge,
    worst_verdict,
)

LABELS = Path(__file__).parent / "labelled_facts.jsonl"
MIN_PRECISION = 0.95
MIN_RECALL = 0.90


def labelled_rows() -> list[dict]:
    return [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]


def plain(kind: str, text: str) -> tuple[str, str]:
    return kind, unicodedata.normalize("NFKC", text).strip()


def count_hits(rows: list[dict]) -> tuple[int, int, int]:
    """Return (hits, wrong, missed): a hit has the kind and the exact place that the label has."""
    hits = wrong = missed = 0
    for row in rows:
        wanted = Counter(plain(fact["kind"], fact["text"]) for fact in row["facts"])
        found = Counter(plain(fact.kind, fact.text) for fact in extract_facts(row["text"]))
        hits += (wanted & found).total()
        wrong += (found - wanted).total()
        missed += (wanted - found).total()
    return hits, wrong, missed


def test_labels_are_two_hundred_in_both_languages() -> None:
    rows = labelled_rows()
    assert sum(len(row["facts"]) for row in rows) >= 200
    assert {row["lang"] for row in rows} == {"ja", "en"}
    assert sum(not row["facts"] for row in rows) >= 5, "sentences without a fact are needed to measure precision"


@pytest.mark.parametrize("part", ["development", "held_out", "second_author"])
def test_extraction_reaches_the_stated_precision_and_recall(part: str) -> None:
    hits, wrong, missed = count_hits([row for row in labelled_rows() if row["part"] == part])
    assert hits / (hits + wrong) >= MIN_PRECISION
    assert hits / (hits + missed) >= MIN_RECALL


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("三千円", "3,000円です"),
        ("3,000円", "￥3000です"),
        ("￥3000", "お値段は３０００円"),
        ("1万2千円", "12,000円"),
        ("$6.99", "6.99ドル"),
        ("10％", "十パーセント"),
        ("2割", "20%引き"),
        ("午後6時", "18:00まで"),
        ("6 p.m.", "until 18:00"),
        ("9時半", "9:30に開きます"),
        ("2週間", "14日以内"),
        ("1時間30分", "90分です"),
        ("1時間半", "九十分かかります"),
        ("半年", "6か月"),
        ("火曜日", "毎週火曜が休みです"),
        ("火曜日", "closed on Tuesdays"),
        ("2026年", "令和8年"),
        ("4月15日", "2026年4月15日に"),
        ("2026-04-15", "二〇二六年四月十五日"),
        ("1.5リットル", "1500mL"),
        ("12人", "12名様まで"),
        ("ポートは443です", "443番ポート"),
        ("コハルビ", "ｺﾊﾙﾋﾞという店"),
        ("「月見あんぱん」", "月見あんぱんです"),
        ("Olena Marsh", "the baker is olena marsh"),
        ("03-1234-5678", "03(1234)5678へ"),
    ],
)
def test_spelling_does_not_matter(reference: str, answer: str) -> None:
    (fact,) = extract_facts(reference)
    assert contains_fact(answer, fact)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("3,000円", "13,000円"),
        ("3,000円", "3,000ドル"),
        ("3,000円", "30,000円"),
        ("500円", "500です"),
        ("午後6時", "6時"),
        ("2026年4月15日", "4月15日"),
        ("4月15日", "4月16日"),
        ("3日以内", "3か月以内"),
        ("12人", "12個"),
        ("コハルビ", "コハルビアン"),
        ("Marsh Bakery", "the marsh"),
        ("-18度", "18度"),
        ("https://example.jp/a", "https://example.jp/b"),
    ],
)
def test_near_misses_are_misses(reference: str, answer: str) -> None:
    facts = extract_facts(reference)
    assert facts
    assert not any(contains_fact(answer, fact) for fact in facts)


@pytest.mark.parametrize(
    "text",
    [
        "一番大切なのは相談することです。",
        "十分に注意してください。",
        "一緒に数人で行きます。",
        "皆様、お母さんとお越しください。",
        "都市部の各駅に止まります。",
        "Please restart the server.",
    ],
)
def test_idioms_are_not_facts(text: str) -> None:
    assert extract_facts(text) == []


def test_numbers_of_a_list_are_not_facts() -> None:
    assert extract_facts("1. 電源を切る\n2. 待つ\n3. 電源を入れる") == []


def test_a_range_shares_its_unit() -> None:
    assert [fact.value for fact in extract_facts("2,000〜3,000円")] == ["JPY:2000", "JPY:3000"]


def test_places_point_into_the_answer_as_it_was_written() -> None:
    answer = "料金は\u3000３，０００円、店はｺﾊﾙﾋﾞです"
    price, name = extract_facts("3,000円")[0], extract_facts("コハルビ")[0]
    assert [answer[start:end] for start, end in fact_places(answer, price)] == ["３，０００円"]
    assert [answer[start:end] for start, end in fact_places(answer, name)] == ["ｺﾊﾙﾋﾞ"]


def test_what_the_question_says_is_not_asked_for() -> None:
    facts = askable_facts("コハルビのコーヒーは420円です。", "コハルビのコーヒーはいくらですか？")
    assert [fact.text for fact in facts] == ["420円"]


def test_the_same_fact_counts_once() -> None:
    assert len(extract_facts("送料は500円です。つまり五百円かかります。")) == 1


@given(st.text(alphabet="0123456789一二三十百千万円%年月日時分半第〜-:,.ァカABc@/ 「」。は約$¥", max_size=60))
@settings(max_examples=300, deadline=2000)
def test_any_text_is_read_and_each_fact_is_found_in_its_own_text(text: str) -> None:
    for fact in extract_facts(text):
        assert text[fact.start : fact.end] == fact.text
        assert contains_fact(text, fact)


@pytest.mark.parametrize(
    ("base", "tuned", "paraphrases", "expected"),
    [
        (False, True, None, "learned"),
        (False, True, [True, True, False], "learned"),
        (False, True, [True, False, False], "surface"),
        (False, True, [True], "learned"),
        (False, True, [False], "surface"),
        (False, False, [True, True], "not_learned"),
        (False, False, None, "not_learned"),
        (True, False, None, "broken"),
        (True, True, [False, False], "known"),
    ],
)
def test_verdicts(base: bool, tuned: bool, paraphrases: list[bool] | None, expected: str) -> None:
    assert judge(base, tuned, paraphrases) == expected


def test_the_worst_fact_stands_for_the_answer() -> None:
    assert worst_verdict(["learned", "broken", "known"]) == "broken"
    assert worst_verdict([]) is None
