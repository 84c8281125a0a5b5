"""Patterns of Japanese text: polite and plain sentence ends, widths, text decoded wrongly, personal data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

Style = Literal["polite", "plain"]
SENTENCE = re.compile(r"[^。！？!?\n]+")
POLITE_END = re.compile(
    r"(?:です|ます|でした|ました|ません|ませんでした|でしょう|ましょう|ください|下さい|ございます)(?:か|ね|よ|よね|が|けど|から)?[」』）)]*$"
)
PLAIN_END = re.compile(
    r"(?:だ|である|だった|であった|だろう|であろう|した|する|いる|ある|なる|れる|える|きる|できる|ない|なかった|った|いた|べきだ)"
    r"(?:か|ね|よ|が|から)?[」』）)]*$"
)
KANA = re.compile("[\u3041-\u30ff]")
FULL_WIDTH = re.compile("[０-９Ａ-Ｚａ-ｚ]")
HALF_WIDTH = re.compile("[0-9A-Za-z]")
HALF_KATAKANA = re.compile("[\uff66-\uff9f]")
# What UTF-8 looks like after being read as CP932 (縺 繧 繝 …) or as Latin-1/CP1252 (ã, Ã, â followed by a C1 or sign).
MOJIBAKE = re.compile(
    "(?:[縺繧繝][^\\s縺繧繝]?){2,}|(?:[ãÃâ][\u0080-\u00bf\u201a-\u203a\u20ac\u2122][\u0080-\u00bf]?){2,}|\ufffd"
)
MOJIBAKE_HINT = re.compile("[縺繧繝ãÃâ\ufffd]")
TERM = re.compile(r"[ァ-ヶー]{3,}|[A-Za-z][A-Za-z0-9_+#.-]+")

MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})")
FICTIONAL_HOST = re.compile(r"(?:^|\.)(?:example(?:\.[a-z.]+)?|test|invalid|localhost)$", re.IGNORECASE)
PHONE = re.compile(
    r"(?<![\d-])(?:\+81[- ]?\d{1,4}|0\d{1,4})[-(. ]\d{1,4}[-). ]\d{3,4}(?![\d-])"
    r"|(?<!\d)0[789]0\d{8}(?!\d)"
)
TWELVE_DIGITS = re.compile(r"(?<![\d-])\d{4}[- ]?\d{4}[- ]?\d{4}(?![\d-])")
POSTAL_CODE = re.compile(r"〒\s?\d{3}-?\d{4}")
ADDRESS = re.compile(
    r"[一-龥]{1,3}[都道府県][一-龥ぁ-んァ-ヶ]{1,8}?[市区町村郡][一-龥ぁ-んァ-ヶ0-9]{0,15}?\d{1,4}(?:丁目|番地?|-\d{1,4})"
)
DIGIT_OR_MARK = re.compile("[0-9０-９@＠〒]")
WIDE_DIGIT_OR_MARK = re.compile("[０-９＠＋－]")
THREE_DIGITS = re.compile(r"[0-9]{3}")
TOWN = re.compile("[都道府県][一-龥ぁ-んァ-ヶ]{1,8}?[市区町村郡]")


def style_of(text: str) -> Style | None:
    """Return whether the sentences of a text are polite (です・ます) or plain (だ・である), or None when unclear."""
    if not KANA.search(text):
        return None
    polite, plain = 0, 0
    for match in SENTENCE.finditer(text[:2000]):
        sentence = match.group().rstrip()
        polite += POLITE_END.search(sentence[-20:]) is not None
        plain += PLAIN_END.search(sentence[-20:]) is not None
    if polite == plain:
        return None
    return "polite" if polite > plain else "plain"


def is_my_number(digits: str) -> bool:
    """Tell whether 12 digits are an Individual Number: their last digit is the check digit of the others.

    Source: the ordinance on Individual Numbers, article 5.
    """
    total = 0
    for place, digit in enumerate(reversed(digits[:11]), 1):
        total += int(digit) * (place + 1 if place <= 6 else place - 5)
    remainder = total % 11
    return int(digits[11]) == (0 if remainder <= 1 else 11 - remainder)


def personal_data(text: str) -> Iterator[tuple[str, str]]:
    """Yield (code, the string found) for what looks like mail, phone, Individual Number or a postal address."""
    if not DIGIT_OR_MARK.search(text):
        return
    plain = unicodedata.normalize("NFKC", text) if WIDE_DIGIT_OR_MARK.search(text) else text
    if "@" in plain:
        for match in MAIL.finditer(plain):
            if not FICTIONAL_HOST.search(match[1]):
                yield "personal_mail", match.group()
    if THREE_DIGITS.search(plain):
        for match in TWELVE_DIGITS.finditer(plain):
            if is_my_number(re.sub(r"\D", "", match.group())):
                yield "personal_my_number", match.group()
        for match in PHONE.finditer(plain):
            yield "personal_phone", match.group()
    if "〒" in plain or TOWN.search(plain):
        for match in (*POSTAL_CODE.finditer(plain), *ADDRESS.finditer(plain)):
            yield "personal_address", match.group()


def masked(found: str) -> str:
    """Return a found string with all but its beginning hidden, fit for a report."""
    return found[:3] + "…"
