"""Find prices, percentages, counted things and bare numbers in a normalised text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from llmlora.evaluation.facts.numerals import ARABIC, NUMBER, NUMBER_WORD, format_number, parse_number
from llmlora.evaluation.facts.spans import FactKind, Span
from llmlora.evaluation.facts.units import canonical_unit, currency
from llmlora.evaluation.facts.wordlists import alternatives, words

_JA_UNIT = alternatives("japanese_units")
_LATIN_UNIT = alternatives("latin_units")
_RANGE = r"\s*(?:[〜~–—-]|から|ないし|\bto\b|\bor\b|\band\b|[x×])\s*"
_PER = "時間|分|秒|日|回|年|月|人|h|s|min|day|hour|year|person"
_BEFORE = r"(?<![0-9A-Za-z.,_〇一二三四五六七八九十百千万億兆])(?:(?<![数何幾])|(?=\d))"
_WORDS = rf"(?:{ARABIC}|{NUMBER_WORD}\b)"

_PRICE_PREFIX = re.compile(
    rf"(?P<unit>[¥$€£])\s*(?P<low>{ARABIC})(?:{_RANGE}(?P=unit)?(?P<high>{ARABIC})(?!\s*[%A-Za-z]))?"
)
_PRICE_SUFFIX = re.compile(
    rf"{_BEFORE}(?:(?P<low>{NUMBER}){_RANGE})?(?P<high>{NUMBER}|{_WORDS})\s*"
    r"(?P<unit>円|ドル|ユーロ|(?i:yen|dollars?|euros?|pounds?|usd|jpy|eur)\b)"
)
_PERCENT = re.compile(
    rf"{_BEFORE}(?:(?P<low>{NUMBER}){_RANGE})?(?P<high>{NUMBER}|{_WORDS})\s*"
    r"(?P<unit>%|パーセント|(?i:percent|per cent)\b|割)(?!り算)"
)
_QUANTITY_JA = re.compile(
    rf"{_BEFORE}(?:(?P<low>{NUMBER}){_RANGE})?(?P<high>(?:(?<![0-9A-Za-z])[-−])?第?{NUMBER})"
    rf"(?P<unit>(?:{_JA_UNIT})|[ァ-ヴー]{{2,}})(?P<more>目)?(?![一-鿿]?化)"
)
_ORDINAL = re.compile(rf"第(?P<number>{NUMBER})|(?<![0-9A-Za-z.,])(?P<digits>\d+)(?:st|nd|rd|th)\b")
_RATIO = re.compile(
    rf"{_BEFORE}(?:(?P<first>{NUMBER})対(?P<second>{NUMBER})|(?<!:)(?P<left>\d{{1,3}}):(?P<right>\d))(?![\d:])"
)
_FRACTION = re.compile(rf"{_BEFORE}(?P<below>{NUMBER})分の(?P<above>{NUMBER})")
_FRACTION_EN = re.compile(
    rf"\b(?i:(?P<above>{NUMBER_WORD}|a)[ -](?P<below>hal(?:f|ves)|thirds?|quarters?|fifths?|tenths?))(?= of\b)"
)
_PARTS_EN = {"hal": 2, "thi": 3, "qua": 4, "fif": 5, "ten": 10}
_QUANTITY_RATE = re.compile(
    rf"(?<![0-9A-Za-z.,_])(?P<high>{ARABIC})\s?"
    rf"(?P<unit>(?:{_LATIN_UNIT})(?:/(?:{_LATIN_UNIT}|{_PER}))+)(?![A-Za-z0-9/])"
)
_QUANTITY_LATIN = re.compile(
    rf"(?:(?<![0-9A-Za-z.,_])(?<![A-Za-z]-)|(?<=[〜~]))(?P<sign>(?<![0-9A-Za-z])[-−])?"
    rf"(?:(?P<low>{ARABIC}){_RANGE})?(?P<high>{ARABIC})\s?(?P<unit>{_LATIN_UNIT})(?![A-Za-z0-9])"
)
_QUANTITY_ATTACHED = re.compile(rf"(?<![0-9A-Za-z.,_-])(?P<high>{ARABIC})(?P<unit>[A-Za-z]{{1,6}})(?![A-Za-z0-9-])")
_QUANTITY_EN = re.compile(
    rf"(?<![0-9A-Za-z.,_-])(?:(?P<low>{_WORDS}){_RANGE})?(?P<high>{ARABIC})[ -](?P<unit>[a-z]{{3,}})(?![A-Za-z])"
)
_NUMBER = re.compile(
    rf"(?<![0-9A-Za-z_.,:/#-])(?:\d{{1,3}}(?:\.\d{{1,3}}){{3}}|\d{{3}}-\d{{4}}|\d+(?:\.\d+){{2,}}|"
    rf"[-−]?{ARABIC}(?:[万億兆千百]+(?:{ARABIC})?)*)(?![0-9A-Za-z_/-])"
)
_LIST_MARKER = re.compile(r"(?m)^\s*(?:\(?\d{1,2}[.)、]|[0-9]\s*[:.])\s*")


def _pair(match: re.Match[str], kind: FactKind, values: tuple[str, str | None]) -> Iterator[Span]:
    """Yield a range as its two ends: the lower one ends before the unit that both share."""
    high, low = values
    if low is not None and match.groupdict().get("low"):
        yield Span(kind, match.start("low"), match.end("low"), low)
        yield Span(kind, match.start("high"), match.end(), high)
    else:
        yield Span(kind, match.start(), match.end(), high)


def find_prices(text: str) -> Iterator[Span]:
    """Find prices: ￥500, 3,000円, 三千円, $6.99, 2,000〜3,000円."""
    for match in _PRICE_PREFIX.finditer(text):
        code = currency(match["unit"])
        yield Span("price", match.start(), match.end("low"), f"{code}:{format_number(parse_number(match['low']))}")
        if match["high"]:
            start = match.start("high") - (1 if text[match.start("high") - 1] in "¥$€£" else 0)
            yield Span("price", start, match.end("high"), f"{code}:{format_number(parse_number(match['high']))}")
    for match in _PRICE_SUFFIX.finditer(text):
        yield from _pair(match, "price", _range_values(match, currency(match["unit"]), Fraction(1)))


def _range_values(match: re.Match[str], unit: str, factor: Fraction) -> tuple[str, str | None]:
    plain = match["high"]
    sign = -1 if plain[0] in "-−" else 1
    high = f"{unit}:{format_number(parse_number(plain.lstrip('-−第')) * factor * sign)}"
    low = match.groupdict().get("low")
    return high, None if low is None else f"{unit}:{format_number(parse_number(low) * factor)}"


def find_percentages(text: str) -> Iterator[Span]:
    """Find shares: 10%, 8パーセント, 2割."""
    for match in _PERCENT.finditer(text):
        factor = Fraction(10) if match["unit"] == "割" else Fraction(1)
        yield from _pair(match, "percent", _range_values(match, "percent", factor))


def find_quantities(text: str) -> Iterator[Span]:
    """Find counted and measured things: 12文字, 25MB, 第2週, 3分の1, 14 researchers."""
    for match in _FRACTION.finditer(text):
        below = parse_number(match["below"])
        if below:
            yield Span(
                "quantity", match.start(), match.end(), f"share:{format_number(parse_number(match['above']) / below)}"
            )
    for match in _FRACTION_EN.finditer(text):
        above = 1 if match["above"].lower() == "a" else parse_number(match["above"])
        share = Fraction(above) / _PARTS_EN[match["below"][:3].lower()]
        yield Span("quantity", match.start(), match.end(), f"share:{format_number(share)}")
    for match in _RATIO.finditer(text):
        values = (match["first"] or match["left"], match["second"] or match["right"])
        yield Span("quantity", match.start(), match.end(), "ratio:" + "/".join(map(_plain_number, values)))
    for match in _QUANTITY_RATE.finditer(text):
        yield Span("quantity", match.start(), match.end(), f"{match['unit']}:{_plain_number(match['high'])}")
    for match in _QUANTITY_JA.finditer(text):
        if match["high"] + match["unit"] not in words("idioms") or match["more"]:
            unit, factor = canonical_unit(match["unit"])
            yield from _pair(match, "quantity", _range_values(match, unit, factor))
    for match in _ORDINAL.finditer(text):
        value = _plain_number(match["number"] or match["digits"])
        yield Span("quantity", match.start(), match.end(), f"ordinal:{value}")
    for pattern in (_QUANTITY_LATIN, _QUANTITY_ATTACHED, _QUANTITY_EN):
        for match in pattern.finditer(text):
            if match["unit"].lower() in words("not_units"):
                continue
            unit, factor = canonical_unit(match["unit"])
            sign = -1 if match.groupdict().get("sign") else 1
            yield from _pair(match, "quantity", _range_values(match, unit, factor * sign))


def _plain_number(text: str) -> str:
    return format_number(parse_number(text))


def find_numbers(text: str) -> Iterator[Span]:
    """Find numbers that stand alone: 443, 0.0002, 192.168.0.1; the numbers of a list are not facts."""
    markers = {match.end() for match in _LIST_MARKER.finditer(text)} if len(_LIST_MARKER.findall(text)) > 1 else set()
    for match in _NUMBER.finditer(text):
        if any(match.end() <= end and match.start() >= end - 6 for end in markers):
            continue
        plain = match[0].replace("−", "-")
        yield Span("number", match.start(), match.end(), _number_value(plain))


def _number_value(text: str) -> str:
    if text.count(".") > 1 or "-" in text[1:]:
        return f"number:{text}"
    sign = "-" if text.startswith("-") else ""
    return f"number:{sign}{format_number(parse_number(text.lstrip('-')))}"
