"""Names and addresses: found by quotation, form, title and suffix, recognised in answers whatever their spelling."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmlora.evaluation.facts.extract import contains_fact, extract_facts, fact_places
from llmlora.evaluation.facts.names import comparable, is_everyday_katakana
from llmlora.evaluation.facts.wordlists import alternatives, words


def names(text: str) -> list[str]:
    return [fact.text for fact in extract_facts(text) if fact.kind == "name"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("看板は「月見あんぱん」です。", ["月見あんぱん"]),
        ("『そよかぜ』と《あかつき》を読む。", ["そよかぜ", "あかつき"]),
        ("「はい、わかりました。」と答えます。", []),
        ("`git commit`で記録します。", ["git commit"]),
        ("店長のミズハシさんです。", ["ミズハシ"]),
        ("山田太郎さんに聞く。", ["山田太郎"]),
        ("お客さんと店員さんが話す。", []),
        ("株式会社ハルカゼの本社です。", ["ハルカゼ"]),
        ("東西商事株式会社に入社した。", ["東西商事"]),
        ("合同会社みずほしは新しい。", ["みずほし"]),
        ("コハルビ堂の本店です。", ["コハルビ堂"]),
        ("サーバーとデータベースを使う。", []),
        ("クラウドサービスを選ぶ。", []),
        ("メグロ・タワーに上る。", ["メグロ"]),
        ("青葉市と松本駅に行く。", ["青葉市", "松本駅"]),
        ("各駅に止まり、市長に会う。", []),
        ("東京都渋谷区道玄坂1丁目", ["東京都", "渋谷区"]),
        ("長野県松本市の公民館", ["長野県", "松本市"]),
        ("北海道は広い。", ["北海道"]),
        ("型番TX-4500Wに替えた。", ["TX-4500W"]),
        ("TLSとC++とNode.jsを学ぶ。", ["TLS", "C++", "Node.js"]),
        ("OKかNGかを選ぶ。", []),
    ],
)
def test_japanese_names(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ask Dr. Nakamura on the third floor.", ["Nakamura"]),
        ("She met Olena Marsh at the Museum of Glass.", ["Olena Marsh", "Museum of Glass"]),
        ("Please restart the server.", []),
        ("The ZK-310 replaces the ZK-300.", ["ZK-310", "ZK-300"]),
        ("Founded by Harbor Lane Bakery.", ["Harbor Lane Bakery"]),
        ("Yes. However, it is closed.", []),
        ("GitHub hosts it.", ["GitHub"]),
        ("Captain Reed left.", ["Reed"]),
        ('Choose "Save as" in the menu.', ["Save as"]),
        ("McCoy's shop", ["McCoy's"]),
    ],
)
def test_english_names(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("reference", "answer", "is_there"),
    [
        ("コハルビ", "ｺﾊﾙﾋﾞへ", True),
        ("コハルビ", "コハルビアンへ", False),
        ("コハルビ", "ミコハルビへ", False),
        ("Marsh", "MARSH", True),
        ("「メグロ・タワー」", "メグロタワー", True),
        ("ZK-300", "ZK-3000", False),
        ("ZK-300", "the ZK-300.", True),
        ("Olena Marsh", "olena  marsh", True),
        ("「月見あんぱん」", "月見\nあんぱん", True),
    ],
)
def test_names_in_answers(reference: str, answer: str, is_there: bool) -> None:
    fact = next(fact for fact in extract_facts(f"{reference} です" if not reference.isascii() else f"see {reference}"))
    assert fact.kind == "name"
    assert contains_fact(answer, fact) is is_there


def test_every_place_of_a_name_is_found() -> None:
    (fact,) = extract_facts("「コハルビ」")
    answer = "コハルビとｺﾊﾙﾋﾞ"
    assert [answer[start:end] for start, end in fact_places(answer, fact)] == ["コハルビ", "ｺﾊﾙﾋﾞ"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("詳しくはhttps://Example.jp/help/をご覧ください。", [("url", "https://example.jp/help")]),
        ("See www.example.com/a?b=1.", [("url", "www.example.com/a?b=1")]),
        ("help@Example.co.jp へ", [("mail", "help@example.co.jp")]),
        ("０３－１２３４－５６７８", [("phone", "0312345678")]),
        ("03(1234)5678", [("phone", "0312345678")]),
        ("+81-3-5555-0199", [("phone", "+81355550199")]),
        ("(555) 010-4477", [("phone", "5550104477")]),
        ("09012345678", [("phone", "09012345678")]),
    ],
)
def test_addresses(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(fact.kind, fact.value) for fact in extract_facts(text)] == expected


def test_another_address_is_another_fact() -> None:
    (fact,) = extract_facts("a@example.jp")
    assert not contains_fact("b@example.jp", fact)
    assert contains_fact("連絡先: A@EXAMPLE.JP", fact)


@given(st.lists(st.sampled_from(sorted(words("loanwords"))), min_size=1, max_size=3))
@example(["クロスサイトスクリプティング"])
def test_what_is_put_together_from_everyday_words_is_no_name(parts: list[str]) -> None:
    assert is_everyday_katakana("".join(parts))
    assert is_everyday_katakana("".join(parts).rstrip("ー") + "ー")


def test_an_invented_word_is_not_everyday() -> None:
    assert not is_everyday_katakana("コハルビ")
    assert not is_everyday_katakana("サーバーコハルビ")


@pytest.mark.parametrize("saying", sorted(words("sayings")))
def test_sayings_count_nothing(saying: str) -> None:
    assert [fact for fact in extract_facts(f"それは{saying}といえます。") if fact.kind != "name"] == []


@pytest.mark.parametrize("section", ["prefectures", "japanese_units", "latin_units", "sayings"])
def test_long_words_are_tried_before_short_ones(section: str) -> None:
    parts = alternatives(section).split("|")
    assert [len(part) for part in parts] == sorted((len(part) for part in parts), reverse=True)
    assert len(set(parts)) == len(words(section))


def test_there_are_forty_seven_prefectures() -> None:
    assert len(words("prefectures")) == 47
    assert all(names(f"{name}にあります。") == [name] for name in words("prefectures"))


@given(st.text("Ab ・Ｃ\u3000", max_size=12))
def test_the_comparable_form_is_stable(text: str) -> None:
    assert comparable(comparable(text)) == comparable(text)


@given(st.text("コハルビMarsh「」『』さん駅市株式会社 。.-0123", max_size=30))
def test_facts_never_overlap_and_stand_where_they_say(text: str) -> None:
    facts = extract_facts(text)
    places = sorted((fact.start, fact.end) for fact in facts)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(places))
    assert all(text[fact.start : fact.end] == fact.text for fact in facts)
