"""Read numbers as Japanese and English texts write them: 3,000 · 三千 · 1万2千 · 二〇二六 · twenty."""

from __future__ import annotations

import unicodedata
from fractions import Fraction

DIGITS = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0}
SMALL_UNITS = {"十": 10, "百": 100, "千": 1000}
LARGE_UNITS = {"万": 10**4, "億": 10**8, "兆": 10**12}
ENGLISH = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100,
}  # fmt: skip

ARABIC = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
MIXED = rf"{ARABIC}(?:[百千万億兆]+(?:{ARABIC})?)*"
KANJI = r"[〇零一二三四五六七八九十百千万億兆]+"
NUMBER = rf"(?:{MIXED}|{KANJI})"
NUMBER_WORD = "(?:" + "|".join(sorted(ENGLISH, key=len, reverse=True)) + ")"


def normalise(text: str) -> tuple[str, list[int]]:
    """Return the NFKC form of a text and, for each of its characters and its end, the index in the original.

    Half-width kana keep their voiced marks; the map lets a match in the normal form be shown in the original.
    """
    characters: list[str] = []
    indices: list[int] = []
    position = 0
    while position < len(text):
        end = position + 1
        while end < len(text) and (text[end] in "ﾞﾟ" or unicodedata.combining(text[end])):
            end += 1
        plain = unicodedata.normalize("NFKC", text[position:end])
        characters.append(plain)
        indices.extend([position] * len(plain))
        position = end
    return "".join(characters), [*indices, len(text)]


def parse_number(text: str) -> Fraction:
    """Return the exact value of a number in NFKC form; raises ValueError when it is none."""
    lowered = text.strip().lower()
    if lowered in ENGLISH:
        return Fraction(ENGLISH[lowered])
    plain = text.replace(",", "").strip()
    if len(plain) > 1 and all(character in DIGITS for character in plain):
        return Fraction("".join(str(DIGITS[character]) for character in plain))
    return _structured(plain)


def _structured(text: str) -> Fraction:
    """Add up a number with units: 1万2千 = 1 * 10,000 + 2 * 1,000."""
    total, section = Fraction(0), Fraction(0)
    digits = ""
    for character in text:
        if character in DIGITS:
            digits += str(DIGITS[character])
        elif character in SMALL_UNITS:
            section += (Fraction(digits) if digits else 1) * SMALL_UNITS[character]
            digits = ""
        elif character in LARGE_UNITS:
            section += Fraction(digits) if digits else 0
            total += (section or 1) * LARGE_UNITS[character]
            section, digits = Fraction(0), ""
        else:
            digits += character
    return total + section + (Fraction(digits) if digits else 0)


def format_number(value: Fraction) -> str:
    """Return a number in its shortest decimal form: 3000, 6.99."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.10g}"
