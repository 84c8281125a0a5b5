"""Find dates, times of day and durations in a normalised text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from llmlora.evaluation.facts.numerals import ARABIC, NUMBER, NUMBER_WORD, format_number, parse_number
from llmlora.evaluation.facts.spans import Span

ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867, "西暦": 0}
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
JA_WEEKDAYS = "月火水木金土日"

_BEFORE = r"(?<![0-9A-Za-z.,_〇一二三四五六七八九十百千万億兆])(?:(?<![数何幾])|(?=\d))"
_ERA = "(?P<era>" + "|".join(ERAS) + ")?"
_MONTH_EN = "(?:" + "|".join(f"{name[:3]}(?:{name[3:]})?\\.?" if len(name) > 3 else name for name in MONTHS) + ")"
_DATES = [
    re.compile(rf"{_BEFORE}{_ERA}(?P<year>{NUMBER}|元)年(?P<month>{NUMBER})月(?:(?P<day>{NUMBER})日)?"),
    re.compile(rf"{_BEFORE}(?P<month>{NUMBER})月(?P<day>{NUMBER})日"),
    re.compile(
        r"(?<![\d/-])(?P<year>[12]\d{3})(?P<separator>[-/.])(?P<month>\d{1,2})(?P=separator)(?P<day>\d{1,2})(?![\d/-])"
    ),
    re.compile(
        rf"\b(?i:(?P<month_name>{_MONTH_EN}))\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?"
        r"(?:,?\s+(?P<year>[12]\d{3}))?(?![\d:])"
    ),
    re.compile(
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?"
        rf"(?i:(?P<month_name>{_MONTH_EN}))(?:,?\s+(?P<year>[12]\d{{3}}))?\b"
    ),
    re.compile(
        rf"\b(?P<month_name>(?!May|may)(?i:{_MONTH_EN})|(?<=[io]n )May|(?<=by )May|(?<=of )May)"
        rf"\s+(?P<year>[12]\d{{3}})\b"
    ),
    re.compile(rf"{_BEFORE}{_ERA}(?P<year>[12]\d{{3}}|[〇一二三四五六七八九]{{4}})年(?P<span>度|代)?(?!間)"),
    re.compile(rf"(?P<era>{'|'.join(ERAS)})(?P<year>{NUMBER}|元)年(?P<span>度|代)?(?!間)"),
    re.compile(rf"(?:毎月|今月|来月|翌月|当月)(?P<day>{NUMBER})日(?!間)"),
    re.compile(rf"{_BEFORE}(?P<month>{NUMBER})月(?![間曜額々刊末給収])"),
    re.compile(r"\b(?i:(?P<month_name>" + "|".join(name for name in MONTHS if name not in ("may", "march")) + r"))\b"),
    re.compile(r"(?<=\b[io]n )(?P<month_name>May|March)\b"),
]
_YEAR_EN = re.compile(
    r"\b(?i:in|since|until|by|of|from|before|after|during|to|year)\s+(?P<year>1[5-9]\d\d|20\d\d|21\d\d)\b"
    r"(?![,.]\d|\s*(?:[%A-Z]|(?!and|by|in|with|as|when|after|for|on|at|to|the|is|was)[a-z]{3}))"
)
_WEEKDAY_JA = re.compile(
    r"(?<![一-鿿(])(?:毎週|隔週|第[一二三四五]|第\d|翌週|来週|今週)?(?P<day>[月火水木金土日])(?:曜日|曜)|"
    r"(?<=日)(?P<after>[月火水木金土日])曜日?"
)
_WEEKDAY_EN = re.compile(r"\b(?P<day>" + "|".join(name.capitalize() for name in WEEKDAYS) + r")s?\b")

_RANGE = r"\s*(?:[〜~–—-]|から|ないし|\bto\b|\bor\b|\band\b)\s*"
_HALF_DAY = "(?P<half>午前|午後|夜|朝|夕方|深夜|早朝)?の?"
_TIMES = [
    re.compile(
        rf"{_HALF_DAY}\s?(?<![\d:])(?P<hour>\d{{1,2}}):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?![\d:])"
        r"(?:\s?(?P<ampm>(?i:[ap]\.m\b\.?|[ap]m\b)))?"
    ),
    re.compile(
        rf"{_BEFORE}{_HALF_DAY}(?<![\d.])(?:(?P<low>\d{{1,2}}){_RANGE})?(?P<hour>{NUMBER})時(?!間|代|点|期|差|給)"
        rf"(?:(?P<minute>{NUMBER})分|(?P<thirty>半))?"
    ),
    re.compile(r"(?<![\d.:])(?P<hour>\d{1,2})\s?(?P<ampm>(?i:[ap]\.m\b\.?|[ap]m\b))"),
    re.compile(r"(?P<word>正午|\b(?i:noon|midnight)\b)"),
]

_SECONDS_JA = {"秒間": 1, "秒": 1, "分間": 60, "分": 60, "時間": 3600, "日間": 86400, "日": 86400, "週間": 604800}
_SECONDS_EN = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "day": 86400, "week": 604800}
SECONDS = {"営業日": 86400, **_SECONDS_JA, **_SECONDS_EN}
_MONTH_SPELLINGS = "か月間 か月 カ月間 カ月 ヶ月間 ヶ月 ヵ月間 ヵ月 ケ月 箇月 month"
MONTH_UNITS = dict.fromkeys(_MONTH_SPELLINGS.split(), 1) | {"年間": 12, "年": 12, "year": 12}
_ALL_UNITS = sorted(SECONDS | MONTH_UNITS, key=len, reverse=True)
_UNITS_JA = "|".join(unit for unit in _ALL_UNITS if not unit.isascii())
_UNITS_EN = "|".join(unit for unit in _ALL_UNITS if unit.isascii())
_DURATION_JA = re.compile(
    rf"{_BEFORE}(?:(?P<low>{NUMBER}){_RANGE})?"
    rf"(?P<parts>{NUMBER}(?:{_UNITS_JA})(?!の[一二三四五六七八九\d]|[度代生]|目標)"
    rf"(?:{NUMBER}(?:{_UNITS_JA})(?!目))*)(?P<half>半)?(?!目|曜|号)"
)
_PART_JA = re.compile(rf"(?P<number>{NUMBER})(?P<unit>{_UNITS_JA})")
_HALF_JA = re.compile(r"半(?P<unit>年|日|月)(?:間)?")
_DURATION_EN = re.compile(
    rf"(?<![0-9A-Za-z.,_-])(?:(?P<low>{ARABIC}|(?i:{NUMBER_WORD})\b){_RANGE})?"
    rf"(?P<number>{ARABIC}|(?i:{NUMBER_WORD})\b)[ -]?"
    rf"(?:business |working |full |consecutive )?(?i:(?P<unit>{_UNITS_EN})s?)\b"
)
_NIGHTS_JA = re.compile(rf"{_BEFORE}{NUMBER}泊(?P<days>{NUMBER})日")
_AND_A_HALF_EN = re.compile(
    rf"\b(?i:(?P<number>{ARABIC}|{NUMBER_WORD}|an?) "
    rf"(?:and a half (?P<unit>{_UNITS_EN})s?|(?P<one>{_UNITS_EN}) and a half))\b"
)
_HALF_EN = re.compile(r"\b(?i:half an? (?P<unit>hour|year|day))\b")
_ENOUGH = re.compile(r"十分(?!間|後|前|以内|おき|ごと|程度|ほど|くらい|ぐらい|を過ぎ)")


def find_dates(text: str) -> Iterator[Span]:
    """Find dates as year-month-day with * for a part that is not said: 2026年4月15日, 令和8年, May 31, 火曜日."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            value = _date_value({name: item for name, item in match.groupdict().items() if item})
            if value:
                yield Span("date", match.start(), match.end(), value)
    for match in _YEAR_EN.finditer(text):
        yield Span("date", match.start("year"), match.end("year"), f"{match['year']}-*-*")
    for match in _WEEKDAY_JA.finditer(text):
        group = "day" if match["day"] else "after"
        yield Span("date", match.start(group), match.end(), f"weekday:{JA_WEEKDAYS.index(match[group])}")
    for match in _WEEKDAY_EN.finditer(text):
        yield Span("date", match.start(), match.end(), f"weekday:{WEEKDAYS.index(match['day'].lower())}")


def _date_value(parts: dict[str, str]) -> str | None:
    month: int | None = None
    if "month_name" in parts:
        month = next(
            index
            for index, name in enumerate(MONTHS, 1)
            if name.startswith(parts["month_name"].lower().rstrip(".")[:3])
        )
    elif "month" in parts:
        month = int(parse_number(parts["month"]))
    year = _year_value(parts)
    day = int(parse_number(parts["day"])) if "day" in parts else None
    if (month is not None and not 1 <= month <= 12) or (day is not None and not 1 <= day <= 31):
        return None
    suffix = "s" if parts.get("span") == "代" else ""
    return f"{'*' if year is None else year}{suffix}-{'*' if month is None else month}-{'*' if day is None else day}"


def _year_value(parts: dict[str, str]) -> int | None:
    if "year" not in parts:
        return None
    number = 1 if parts["year"] == "元" else int(parse_number(parts["year"]))
    return number + ERAS[parts["era"]] if "era" in parts else number


def find_times(text: str) -> Iterator[Span]:
    """Find times of day on the 24-hour clock: 午後6時, 18:30, 9時半, 6 p.m., noon."""
    for pattern in _TIMES:
        for match in pattern.finditer(text):
            parts = {name: item for name, item in match.groupdict().items() if item}
            value = _time_value(parts)
            if not value:
                continue
            said_half = parts.get("half") in ("午前", "午後")
            start = match.start() if said_half or "hour" not in parts else match.start("hour")
            if low := _time_value({"half": parts.get("half", ""), "hour": parts["low"]}) if "low" in parts else None:
                yield Span("time", match.start() if said_half else match.start("low"), match.end("low"), low)
                start = match.start("hour")
            yield Span("time", start, len(match[0].rstrip()) + match.start(), value)


def _time_value(parts: dict[str, str]) -> str | None:
    if "word" in parts:
        return "00:00" if parts["word"].lower() == "midnight" else "12:00"
    hour = int(parse_number(parts["hour"]))
    minute = 30 if "thirty" in parts else int(parse_number(parts["minute"])) if "minute" in parts else 0
    marker = parts.get("ampm", "").lower()
    is_afternoon = parts.get("half") in ("午後", "夜", "夕方") or marker.startswith("p")
    is_morning = parts.get("half") in ("午前", "深夜") or marker.startswith("a")
    if hour > 30 or minute > 59 or (marker and not 1 <= hour <= 12):
        return None
    if is_afternoon and hour < 12:
        hour += 12
    elif is_morning and hour == 12:
        hour = 0
    return f"{hour:02d}:{minute:02d}"


def find_durations(text: str) -> Iterator[Span]:
    """Find durations as exact seconds or months: 14日以内, 1時間半, 2週間, 3泊4日, 24 months, half a year."""
    for match in _NIGHTS_JA.finditer(text):
        yield Span("duration", match.start(), match.end(), _duration_value([(parse_number(match["days"]), "日")]))
    for match in _AND_A_HALF_EN.finditer(text):
        whole = Fraction(1) if match["number"].lower() in ("a", "an") else parse_number(match["number"])
        value = _duration_value([(whole + Fraction(1, 2), (match["unit"] or match["one"]).lower())])
        yield Span("duration", match.start(), match.end(), value)
    for match in _DURATION_JA.finditer(text):
        if match["parts"] == "十分" and _ENOUGH.match(text, match.start()):
            continue
        parts = [(parse_number(part["number"]), part["unit"]) for part in _PART_JA.finditer(match["parts"])]
        start = match.start("parts")
        if match["low"]:
            yield Span(
                "duration",
                match.start("low"),
                match.end("low"),
                _duration_value([(parse_number(match["low"]), parts[-1][1])]),
            )
        if match["half"]:
            parts.append((Fraction(1, 2), parts[-1][1]))
        yield Span("duration", start, match.end(), _duration_value(parts))
    for match in _HALF_JA.finditer(text):
        unit = {"年": "年", "日": "日", "月": "か月"}[match["unit"]]
        yield Span("duration", match.start(), match.end(), _duration_value([(Fraction(1, 2), unit)]))
    for match in _DURATION_EN.finditer(text):
        unit = match["unit"].lower()
        if match["low"]:
            yield Span(
                "duration", match.start("low"), match.end("low"), _duration_value([(parse_number(match["low"]), unit)])
            )
        yield Span(
            "duration", match.start("number"), match.end(), _duration_value([(parse_number(match["number"]), unit)])
        )
    for match in _HALF_EN.finditer(text):
        yield Span("duration", match.start(), match.end(), _duration_value([(Fraction(1, 2), match["unit"].lower())]))


def _duration_value(parts: list[tuple[Fraction, str]]) -> str:
    months = sum((number * MONTH_UNITS[unit] for number, unit in parts if unit in MONTH_UNITS), Fraction(0))
    seconds = sum((number * SECONDS[unit] for number, unit in parts if unit in SECONDS), Fraction(0))
    return f"{format_number(months)}mo+{format_number(seconds)}s"
