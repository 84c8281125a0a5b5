"""Equal, nearly equal and contradicting rows are found exactly once, in memory or on disk."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from llmlora.data import duplicates
from llmlora.data.duplicates import HashTable, NearDuplicates, Pair, folded, resemblance, row_hashes, sketch

BASE = (
    "月額料金は税込みで1か月980円です。お支払いはクレジットカードか口座振替からお選びいただけます。"
    "解約はマイページからいつでもお手続きでき、違約金はかかりません。"
)


def pairs_of(rows: list[tuple[str, str]]) -> list[Pair]:
    table = HashTable()
    for number, (question, answer) in enumerate(rows, 1):
        table.add(row_hashes(question, answer)[0], number * 10, number)
    found = sorted(table.pairs(), key=lambda pair: pair.line)
    table.close()
    return found


def test_each_kind_of_pair() -> None:
    rows = [("q", "a"), ("q", "a"), ("Ｑ ", "a"), ("q", "b"), ("r", "a"), ("q", "b")]
    assert pairs_of(rows) == [
        Pair("duplicate", 20, 2, 10),
        Pair("near_duplicate", 30, 3, 10),
        Pair("contradiction", 40, 4, 10),
        Pair("duplicate", 60, 6, 40),
    ]


def test_spilling_to_disk_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(5)
    rows = [(f"q{chance.randrange(300)}", f"a{chance.randrange(3)}") for _ in range(1000)]
    expected = pairs_of(rows)
    monkeypatch.setattr(duplicates, "SPILLED_ROWS", 70)
    assert pairs_of(rows) == expected
    seen: set[tuple[str, str]] = set()
    copies = [number * 10 for number, row in enumerate(rows, 1) if row in seen or seen.add(row)]  # type: ignore[func-returns-value]
    assert [pair.line for pair in expected if pair.kind == "duplicate"] == copies


def test_copies_of_one_row_need_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them fall into one bucket, however large the file."""
    monkeypatch.setattr(duplicates, "SPILLED_ROWS", 50_000)
    monkeypatch.setattr(duplicates, "PIECE_ROWS", 1000)
    table, hashes = HashTable(), row_hashes("質問", "答え")[0]
    for number in range(1, 400_001):
        table.add(hashes, number, number)
    tracemalloc.start()
    count = sum(pair.kind == "duplicate" and pair.first_line == 1 for pair in table.pairs())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    table.close()
    assert count == 399_999
    assert peak < 2 << 20


def test_different_rows_of_a_bucket_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "REMEMBERED", 3)
    kinds = [pair.kind for pair in pairs_of([("q", f"a{number % 5}") for number in range(10)])]
    assert kinds == ["contradiction"] * 4 + ["duplicate"] * 3 + ["contradiction"] * 2


def test_folding_ignores_width_case_and_space() -> None:
    assert folded(" ＡＢＣ\u3000 ｶﾀｶﾅ\n①") == folded("abc カタカナ 1")
    assert folded("はい") != folded("いいえ")


@pytest.mark.parametrize(
    ("other", "is_near"),
    [
        (BASE, True),
        (BASE.replace("お選びいただけます", "お選びください"), True),
        (BASE.replace("980", "1280"), False),
        ("返品は商品の到着から30日以内にご連絡ください。送料はお客様のご負担となりますのでご了承ください。", False),
        (BASE[:30], False),
    ],
)
def test_near_means_most_of_the_text_and_all_of_its_numbers(other: str, is_near: bool) -> None:
    near = NearDuplicates()
    assert near.add(folded(BASE), 1, 1) is None
    assert near.add(folded(other), 5, 2) == (Pair("near_duplicate", 5, 2, 1) if is_near else None)


def test_resemblance_estimates_the_share_of_common_pieces() -> None:
    chance = random.Random(1)
    letters = [chr(code) for code in range(0x3042, 0x30FF)]
    errors = []
    for _ in range(60):
        first = "".join(chance.choices(letters, k=300))
        changed = list(first)
        for place in chance.sample(range(300), chance.randint(0, 8)):
            changed[place] = chance.choice(letters)
        second = "".join(changed)
        pieces = [{text[place : place + 4] for place in range(297)} for text in (first, second)]
        true = len(pieces[0] & pieces[1]) / len(pieces[0] | pieces[1])
        if true >= 0.9:
            errors.append(resemblance(set(sketch(first)), sketch(second)) - true)
    assert len(errors) > 20
    assert abs(sum(errors) / len(errors)) < 0.05
    assert max(map(abs, errors)) < 0.25


def test_short_and_odd_texts_have_sketches() -> None:
    assert list(sketch("")) == list(sketch("abc")) == []
    assert len(sketch("abcd")) == 1
    assert len(sketch("\ud83d\ude00 \U0001f600\U0001f600 a lone half: \ud83d")) > 3
    assert NearDuplicates().add("short", 1, 1) is None


def test_only_the_first_rows_are_compared_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "SAMPLED_ROWS", 2)
    near = NearDuplicates()
    for line, text in enumerate("abc", 1):
        near.add(f"{text}{BASE}", line, line)
    assert near.is_sampled
    assert near.num_rows == 2


def test_many_equal_beginnings_stay_quick() -> None:
    near = NearDuplicates()
    chance = random.Random(2)
    for number in range(3000):
        near.add(folded(BASE * 2 + "".join(chance.choices("あいうえおかきくけこ", k=40))), number, number)
    assert max(len(rows) for rows in near._by_anchor.values()) <= duplicates.SAME_ANCHOR
