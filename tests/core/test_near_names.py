"""Names that were perhaps meant: the nearest first, whatever the capitals."""

import re

import pytest

from llmlora.core.locale import set_language, translate
from llmlora.core.near_names import near_names
from llmlora.core.quantizations import QUANTIZATIONS


def test_the_nearest_come_first_and_capitals_do_not_count() -> None:
    assert near_names("q4_km", QUANTIZATIONS).split(", ")[0] == "Q4_K_M"
    assert near_names("q8_0", QUANTIZATIONS, 1) == "Q8_0"
    assert near_names("Light", ["high", "light"]) == "light, high"


@pytest.mark.parametrize(
    ("language", "words"),
    [("ja", "light, high。似た名前: light。"), ("en", "light, high. Similar names: light.")],
)
def test_a_text_offers_them_and_is_silent_where_there_are_none(language: str, words: str) -> None:
    set_language(language)
    known = {"known": "light, high"}
    assert translate("error.unknown_preset.why", near="light", **known).endswith(words)
    assert near_names("xyz", QUANTIZATIONS) == near_names("", QUANTIZATIONS) == near_names("a", []) == ""
    assert re.search("light, high[.。]$", translate("error.unknown_preset.why", near="", **known))
