"""The shape of a fact, and of a place in a text where one was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

FactKind = Literal["price", "percent", "date", "time", "duration", "phone", "url", "mail", "quantity", "number", "name"]


@dataclass(frozen=True, slots=True)
class Span:
    """A fact found at `start:end` of a normalised text; `value` is its comparable form."""

    kind: FactKind
    start: int
    end: int
    value: str


Finder = Callable[[str], Iterator[Span]]


@dataclass(frozen=True, slots=True)
class Fact:
    """One checkable fact of a text: `text` as written there at `start:end`, `value` its form free of spelling."""

    kind: FactKind
    text: str
    value: str
    start: int
    end: int

    def to_dict(self) -> dict[str, str]:
        """Return the JSON object of this fact."""
        return {"kind": self.kind, "text": self.text, "value": self.value}
