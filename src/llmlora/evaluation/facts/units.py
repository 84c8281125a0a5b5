"""Units of measure and of money: one family per kind, so that 1キロ equals 1000g and 1.5リットル equals 1500mL."""

from __future__ import annotations

from fractions import Fraction

# family: spellings and how many of the family's own unit one of them is
FAMILIES = {
    "g": {
        "mg ミリグラム milligram": "1/1000",
        "g グラム gram": "1",
        "kg キログラム kilogram kilo": "1000",
        "t トン ton": "1000000",
    },
    "m": {
        "mm ミリメートル ミリ millimeter": "1/1000",
        "cm センチメートル センチ centimeter": "1/100",
        "m メートル meter metre": "1",
        "km キロメートル kilometer kilometre": "1000",
    },
    "l": {"ml mL ミリリットル milliliter": "1/1000", "dl dL デシリットル": "1/10", "l L リットル liter litre": "1"},
    "byte": {
        "byte B バイト": "1",
        "KB kB キロバイト kilobyte": "1000",
        "MB メガバイト メガ megabyte": "1000000",
        "GB ギガバイト ギガ gigabyte": "1000000000",
        "TB テラバイト テラ terabyte": "1000000000000",
    },
    "bps": {"bps": "1", "kbps Kbps": "1000", "Mbps": "1000000", "Gbps": "1000000000"},
    "Hz": {"Hz ヘルツ": "1", "kHz": "1000", "MHz": "1000000", "GHz": "1000000000"},
    "W": {"W ワット watt": "1", "kW キロワット": "1000"},
    "person": {"人 名 名様 person people": "1"},
    "degree": {"度 ℃ °C °": "1"},
    "character": {"文字 字 character": "1"},
    "time": {"回 time": "1"},
    "year_old": {"歳 才": "1"},
    "piece": {"個 コ つ piece item": "1"},
}
_SIZES = {
    spelling: (family, Fraction(factor))
    for family, members in FAMILIES.items()
    for spellings, factor in members.items()
    for spelling in spellings.split()
}
_MONEY = {"JPY": "円 ¥ yen jpy", "USD": "$ ドル dollar usd", "EUR": "€ ユーロ euro eur", "GBP": "£ ポンド pound gbp"}
_CURRENCIES = {spelling: code for code, spellings in _MONEY.items() for spelling in spellings.split()}


def canonical_unit(unit: str) -> tuple[str, Fraction]:
    """Return the family of a unit and its factor within it; an unknown unit is its own family."""
    if unit in _SIZES:
        return _SIZES[unit]
    lowered = unit.lower()
    singular = lowered[:-1] if len(lowered) > 3 and lowered.endswith("s") and not lowered.endswith("ss") else lowered
    return _SIZES.get(singular, (singular, Fraction(1)))


def currency(unit: str) -> str:
    """Return the ISO code of a currency as written: 円, ¥, dollars."""
    lowered = unit.lower()
    return _CURRENCIES.get(lowered) or _CURRENCIES[lowered.removesuffix("s")]
