"""The FIELD=COLUMN and KEY=VALUE words of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from llmlora.core.config import canonical_name
from llmlora.core.errors import ConfigError


def columns_of(words: Sequence[str] | None) -> dict[str, str]:
    """Return the `--map` words: which column holds a field."""
    columns: dict[str, str] = {}
    for field, column, word in _pairs(words, "--map"):
        if not column:
            raise ConfigError("not_key_value", option="--map", word=word)
        if field in columns:
            raise ConfigError("setting_twice", option="--map", name=field)
        columns[field] = column
    return columns


def settings_of(words: Sequence[str] | None) -> dict[str, Any]:
    """Return the `--set` words; values are read as YAML, so 3 is a number and [a, b] a list."""
    values: dict[str, Any] = {}
    for key, text, word in _pairs(words, "--set"):
        name = canonical_name(key)
        if name in values:
            raise ConfigError("setting_twice", option="--set", name=name)
        try:
            values[name] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError("not_key_value", option="--set", word=word) from error
    return values


def _pairs(words: Sequence[str] | None, option: str) -> Iterator[tuple[str, str, str]]:
    for word in words or ():
        key, equals, text = word.partition("=")
        if not equals or not key.strip():
            raise ConfigError("not_key_value", option=option, word=word)
        yield key.strip(), text, word
