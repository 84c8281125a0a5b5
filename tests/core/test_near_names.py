"""Names that were perhaps meant: the nearest first, whatever the capitals."""

from llmlora.core.near_names import near_names
from llmlora.core.quantizations import QUANTIZATIONS


def test_the_nearest_come_first_and_capitals_do_not_count() -> None:
    assert near_names("q4_km", QUANTIZATIONS).split(", ")[0] == "Q4_K_M"
    assert near_names("q8_0", QUANTIZATIONS, 1) == "Q8_0"
    assert near_names("Light", ["high", "light"]) == "light, high"


def test_without_any_there_is_a_dash() -> None:
    assert near_names("xyz", QUANTIZATIONS) == near_names("", QUANTIZATIONS) == near_names("a", []) == "-"
