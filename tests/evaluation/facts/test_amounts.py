"""Prices, percentages, quantities and bare numbers: what is found where, and with which value."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.evaluation.facts.amounts import find_numbers, find_percentages, find_prices, find_quantities
from llmlora.evaluation.facts.extract import extract_facts
from llmlora.evaluation.facts.numerals import DIGITS, format_number, normalise, parse_number
from llmlora.evaluation.facts.spans import Finder
from llmlora.evaluation.facts.units import FAMILIES, canonical_unit, currency


def found(finder: Finder, text: str) -> list[tuple[str, str]]:
    plain, _ = normalise(text)
    spans = sorted(finder(plain), key=lambda span: span.start)
    return [(plain[span.start : span.end], span.value) for span in spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("￥1,280です", [("¥1,280", "JPY:1280")]),
        ("３，５００円", [("3,500円", "JPY:3500")]),
        ("三千五百円", [("三千五百円", "JPY:3500")]),
        ("3億2,000万円", [("3億2,000万円", "JPY:320000000")]),
        ("1万2千円", [("1万2千円", "JPY:12000")]),
        ("$6.99 or €250", [("$6.99", "USD:6.99"), ("€250", "EUR:250")]),
        ("12.5ドル", [("12.5ドル", "USD:12.5")]),
        ("ten dollars", [("ten dollars", "USD:10")]),
        ("2,000〜3,000円", [("2,000", "JPY:2000"), ("3,000円", "JPY:3000")]),
        ("$5-$8", [("$5", "USD:5"), ("$8", "USD:8")]),
        ("5千円から8千円", [("5千円", "JPY:5000"), ("8千円", "JPY:8000")]),
        ("数千円", []),
        ("何円ですか", []),
        ("円高が進む", []),
        ("£20 refund", [("£20", "GBP:20")]),
        ("100 yen each", [("100 yen", "JPY:100")]),
    ],
)
def test_prices(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(find_prices, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10％引き", [("10%", "percent:10")]),
        ("六割が賛成", [("六割", "percent:60")]),
        ("8パーセント", [("8パーセント", "percent:8")]),
        ("15〜16%", [("15", "percent:15"), ("16%", "percent:16")]),
        ("twelve percent", [("twelve percent", "percent:12")]),
        ("4.75% per year", [("4.75%", "percent:4.75")]),
        ("割り算は2割り算ではない", []),
        ("数割の人", []),
    ],
)
def test_percentages(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(find_percentages, text) == expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("12人", {"person:12"}),
        ("25MB", {"byte:25000000"}),
        ("1.5リットル", {"l:1.5"}),
        ("1500mL", {"l:1.5"}),
        ("-20℃", {"degree:-20"}),
        ("第3会議室", {"ordinal:3"}),
        ("the 3rd floor", {"ordinal:3"}),
        ("3分の1", {"share:0.3333333333"}),
        ("three quarters of them", {"share:0.75"}),
        ("a third of it", {"share:0.3333333333"}),
        ("4対1に混ぜる", {"ratio:4/1"}),
        ("四対一", {"ratio:4/1"}),
        ("比は16:9", {"ratio:16/9"}),
        ("5mg/kg", {"mg/kg:5"}),
        ("10mg/kg/日まで", {"mg/kg/日:10"}),
        ("50 km/h in town", {"km/h:50"}),
        ("30 x 20 cm", {"m:0.3", "m:0.2"}),
        ("2 and 8 °C", {"degree:2", "degree:8"}),
        ("48 participants", {"participant:48"}),
        ("2,300 feet", {"feet:2300"}),
        ("六畳", {"畳:6"}),
        ("3.5ポイント", {"ポイント:3.5"}),
    ],
)
def test_quantities(text: str, values: set[str]) -> None:
    assert {fact.value for fact in extract_facts(text) if fact.kind == "quantity"} == values


@pytest.mark.parametrize(
    "text",
    [
        "一番大切",
        "一度に",
        "2024 was good",
        "100 and more",
        "10:30",
        "12:305",
        "1:2:3",
        "型番TX-4500W",
        "AB-12kg",
        "二重化",
    ],
)
def test_what_counts_nothing(text: str) -> None:
    assert found(find_quantities, text) == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("ポートは443です", {"number:443"}),
        ("学習率 0.0002", {"number:0.0002"}),
        ("192.168.0.1に接続", {"number:192.168.0.1"}),
        ("〒150-0043", {"number:150-0043"}),
        ("-5 を返す", {"number:-5"}),
        ("版 2.10.3", {"number:2.10.3"}),
        ("A4用紙", set()),
        ("v2", set()),
        ("/dev/sda1", set()),
        ("1. 電源\n2. 待つ", set()),
        ("1) a\n2) b 42", {"number:42"}),
        ("約3万", {"number:30000"}),
    ],
)
def test_bare_numbers(text: str, values: set[str]) -> None:
    assert {value for _, value in found(find_numbers, text)} == values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("〇", 0), ("二〇二六", 2026), ("十", 10), ("二十", 20), ("百五", 105), ("千二百", 1200), ("三万五千", 35000),
        ("1億2万", 100020000), ("1.5万", 15000), ("万", 10000), ("1,234", 1234), ("Twenty", 20), ("零", 0),
        ("三千五", 3005),
    ],
)  # fmt: skip
def test_numbers_are_read(text: str, value: int) -> None:
    assert parse_number(text) == value


def kanji(number: int) -> str:
    """Write a number below a hundred million as a Japanese text would."""
    digits = {value: sign for sign, value in DIGITS.items() if sign != "零"}
    high, low = divmod(number, 10_000)
    text = f"{kanji(high)}万" if high else ""
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十")):
        count, low = divmod(low, unit)
        text += ("" if count == 1 else digits[count]) + sign if count else ""
    return text + (digits[low] if low else "")


@given(st.integers(1, 99_999_999))
def test_kanji_and_digits_are_the_same_number(number: int) -> None:
    assert parse_number(kanji(number)) == parse_number(f"{number:,}") == parse_number(str(number)) == number


@given(st.integers(1, 99_999_999))
def test_a_price_has_one_value_in_every_spelling(number: int) -> None:
    spellings = [
        f"{number}円",
        f"{number:,}円",
        f"￥{number:,}",
        f"{kanji(number)}円",
        f"{number}".translate(WIDE) + "円",
    ]
    assert {fact.value for text in spellings for fact in extract_facts(text)} == {f"JPY:{number}"}


WIDE = {ord("0") + digit: ord("\N{FULLWIDTH DIGIT ZERO}") + digit for digit in range(10)}


@given(st.text(max_size=40))
def test_the_normal_form_keeps_its_places(text: str) -> None:
    plain, indices = normalise(text)
    assert len(indices) == len(plain) + 1
    assert indices == sorted(indices)
    assert indices[-1] == len(text)


def test_half_width_marks_stay_with_their_letter() -> None:
    plain, indices = normalise("ｶﾞx")
    assert (plain, indices) == ("ガx", [0, 2, 3])


def test_numbers_are_written_shortly() -> None:
    assert [format_number(Fraction(value)) for value in ("3000", "6.99", "1/3", "0")] == [
        "3000",
        "6.99",
        "0.3333333333",
        "0",
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_spellings_of_a_unit_are_one_unit(family: str) -> None:
    for spellings, factor in FAMILIES[family].items():
        assert {canonical_unit(unit) for unit in spellings.split()} == {(family, Fraction(factor))}


def test_plurals_and_unknown_units() -> None:
    assert canonical_unit("Kilograms") == canonical_unit("kg")
    assert canonical_unit("glasses") == ("glasse", Fraction(1))
    assert canonical_unit("boss") == ("boss", Fraction(1))
    assert [currency(unit) for unit in ("円", "Dollars", "¥", "euros", "£")] == ["JPY", "USD", "JPY", "EUR", "GBP"]
