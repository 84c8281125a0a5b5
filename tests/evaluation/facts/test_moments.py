"""Dates, times of day and durations: what is found where, and with which value."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.evaluation.facts.extract import contains_fact, extract_facts
from llmlora.evaluation.facts.moments import ERAS, find_dates, find_durations, find_times
from llmlora.evaluation.facts.numerals import normalise
from llmlora.evaluation.facts.spans import Finder


def values(finder: Finder, text: str) -> list[str]:
    plain, _ = normalise(text)
    return [span.value for span in sorted(finder(plain), key=lambda span: span.start)]


def facts(text: str) -> list[tuple[str, str]]:
    return [(fact.kind, fact.text) for fact in extract_facts(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026年4月15日", "2026-4-15"),
        ("令和6年4月1日", "2024-4-1"),
        ("令和元年", "2019-*-*"),
        ("平成30年7月", "2018-7-*"),
        ("昭和64年", "1989-*-*"),
        ("明治32年", "1899-*-*"),
        ("二〇二六年四月十五日", "2026-4-15"),
        ("２０２６／５／２０", "2026-5-20"),
        ("2026-05-20", "2026-5-20"),
        ("4月15日", "*-4-15"),
        ("毎月20日", "*-*-20"),
        ("1990年代", "1990s-*-*"),
        ("May 31, 2025", "2025-5-31"),
        ("3 March 2021", "2021-3-3"),
        ("the 1st of June", "*-6-1"),
        ("in May", "*-5-*"),
        ("Since 1987", "1987-*-*"),
        ("火曜日", "weekday:1"),
        ("毎週土曜", "weekday:5"),
        ("on Fridays", "weekday:4"),
    ],
)
def test_dates(text: str, value: str) -> None:
    assert value in values(find_dates, text)


@pytest.mark.parametrize(
    "text",
    [
        "13月40日",
        "2026-13-01",
        "2026-05-99",
        "you may march on",
        "3か月",
        "月々500円",
        "1990年間",
        "日本",
        "数日",
        "in 2,000 steps",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert values(find_dates, text) == []


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)))
def test_a_date_has_one_value_in_every_spelling(date: datetime.date) -> None:
    year, month, day = date.year, date.month, date.day
    spellings = [
        f"{year}年{month}月{day}日", f"{year}-{month:02}-{day:02}", f"{year}/{month}/{day}", f"{date:%B} {day}, {year}",
        f"{day} {date:%B} {year}",
    ]  # fmt: skip
    for text in spellings:
        (fact,) = extract_facts(text)
        assert (fact.kind, fact.value) == ("date", f"{year}-{month}-{day}")
        assert all(contains_fact(f"期日は{other}です", fact) for other in spellings[:3])


@given(st.sampled_from(sorted(ERAS)), st.integers(1, 60))
def test_years_of_an_era_are_common_years(era: str, year: int) -> None:
    (fact,) = extract_facts(f"{era}{year}年10月3日" if era != "西暦" else f"西暦{1900 + year}年10月3日")
    expected = 1900 + year if era == "西暦" else ERAS[era] + year
    assert fact.value == f"{expected}-10-3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("午後6時", ["18:00"]),
        ("午後3時半", ["15:30"]),
        ("午前0時", ["00:00"]),
        ("午前12時", ["00:00"]),
        ("二十二時", ["22:00"]),
        ("25時", ["25:00"]),
        ("18:30", ["18:30"]),
        ("7:45 a.m.", ["07:45"]),
        ("12 pm", ["12:00"]),
        ("12am", ["00:00"]),
        ("noon", ["12:00"]),
        ("正午", ["12:00"]),
        ("midnight", ["00:00"]),
        ("10〜15時", ["10:00", "15:00"]),
        ("午後1〜3時", ["13:00", "15:00"]),
        ("9時半〜11時", ["09:30", "11:00"]),
        ("朝9時から夜8時", ["09:00", "20:00"]),
        ("3時間", []),
        ("時差は9時間", []),
        ("99時", []),
        ("10:75", []),
        ("13 pm", []),
    ],
)
def test_times(text: str, expected: list[str]) -> None:
    assert values(find_times, text) == expected


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_has_one_value_in_every_spelling(hour: int, minute: int) -> None:
    half, twelve = ("午後" if hour >= 12 else "午前"), hour % 12
    spellings = [f"{hour}:{minute:02}", f"{hour}時{minute}分", f"{half}{twelve}時{minute}分"]
    for text in spellings:
        assert {fact.value for fact in extract_facts(text)} == {f"{hour:02}:{minute:02}"}, text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14日以内", ["0mo+1209600s"]),
        ("2週間", ["0mo+1209600s"]),
        ("two weeks", ["0mo+1209600s"]),
        ("1時間30分", ["0mo+5400s"]),
        ("1時間半", ["0mo+5400s"]),
        ("an hour and a half", ["0mo+5400s"]),
        ("two and a half hours", ["0mo+9000s"]),
        ("3泊4日", ["0mo+345600s", "0mo+345600s"]),
        ("半年", ["6mo+0s"]),
        ("6か月", ["6mo+0s"]),
        ("3ヶ月間", ["3mo+0s"]),
        ("24 months", ["24mo+0s"]),
        ("half a year", ["6mo+0s"]),
        ("3〜5営業日", ["0mo+259200s", "0mo+432000s"]),
        ("3 to 5 days", ["0mo+259200s", "0mo+432000s"]),
        ("十分に注意", []),
        ("十分ほど煮る", ["0mo+600s"]),
        ("十分な量", []),
        ("十分間煮る", ["0mo+600s"]),
        ("4日目", []),
        ("3年生", []),
        ("5分の1", []),
    ],
)
def test_durations(text: str, expected: list[str]) -> None:
    assert values(find_durations, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("修学旅行は3泊4日です。", [("duration", "3泊4日")]),
        ("It takes two and a half hours.", [("duration", "two and a half hours")]),
        ("三日坊主にならない。", []),
        ("一石二鳥です。", []),
        ("万一のとき", []),
        ("一人ひとりに配る", []),
        ("2月は28日まで", [("date", "2月"), ("duration", "28日")]),
        ("13時〜15時半", [("time", "13時"), ("time", "15時半")]),
    ],
)
def test_a_place_is_read_once(text: str, expected: list[tuple[str, str]]) -> None:
    assert facts(text) == expected


@pytest.mark.parametrize(
    ("reference", "answer", "is_there"),
    [
        ("4月15日", "2026年4月15日です", True),
        ("2026年4月15日", "4月15日です", False),
        ("10日", "毎月10日です", True),
        ("10日", "10日間です", True),
        ("10日", "11日間です", False),
        ("2026年", "令和8年に", True),
        ("12:00", "正午まで", True),
        ("午後6時", "午前6時です", False),
        ("90分", "1時間半", True),
        ("1年", "12か月", True),
        ("30日", "1か月", False),
    ],
)
def test_moments_are_compared_by_meaning(reference: str, answer: str, is_there: bool) -> None:
    (fact,) = extract_facts(reference)
    assert contains_fact(answer, fact) is is_there
