"""The keys of a GGUF file that belong to its architecture, read by what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmlora.core.errors import ModelFileError


@dataclass(frozen=True)
class FileKeys:
    """The metadata of a file behind its architecture's name: `keys.integer("block_count")`."""

    path: Path
    prefix: str
    metadata: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """Tell whether the file has a key."""
        return f"{self.prefix}.{name}" in self.metadata

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number; raises ModelFileError when it is neither in the file nor given as default."""
        value = self._value(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.unusable(name, value)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a number as it was meant: the file holds float32, where 1e-05 is 9.99999974e-06."""
        value = self._value(name, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.unusable(name, value)
        return float(f"{value:.7g}")

    def flag(self, name: str, default: bool) -> bool:
        """Return a yes or no."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            raise self.unusable(name, value)
        return value

    def text(self, name: str, default: str) -> str:
        """Return a text."""
        value = self._value(name, default)
        if not isinstance(value, str):
            raise self.unusable(name, value)
        return value

    def flags(self, name: str, length: int) -> list[bool] | None:
        """Return a list of one yes or no per layer, None when the file has none."""
        value = self._value(name, ())
        if value == ():
            return None
        if not isinstance(value, list) or len(value) != length or not all(isinstance(item, bool) for item in value):
            raise self.unusable(name, value)
        return value

    def unusable(self, name: str, value: object) -> ModelFileError:
        """Return the error for a value that no model of this architecture has, or that has no rule here."""
        key = f"{self.prefix}.{name}"
        return ModelFileError("gguf_key_unusable", path=str(self.path), name=key, value=str(value)[:100])

    def _value(self, name: str, default: Any) -> Any:
        value = self.metadata.get(f"{self.prefix}.{name}", default)
        if value is None:
            raise ModelFileError("gguf_key_missing", path=str(self.path), name=f"{self.prefix}.{name}")
        return value
