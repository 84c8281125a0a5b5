"""Words and numbers of the report pages as people read them, in the current language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from llmlora.core.locale import advice_command, advice_words, translate
from llmlora.core.sizes import size_words

DASH = "\N{EN DASH}"
_COMMAND = r"llmlora (?:dataset )?[a-z]+(?: (?:--[a-z-]+|[A-Z]+\b))*"
_CODE = re.compile(rf"(--set [\w.=\[\]-]*[\w\]]|--[a-z][a-z-]*|{_COMMAND})")


def t(name: str, /, **params: Any) -> str:
    """Return a text of the report pages."""
    return translate(f"evaluation.report.{name}", **params)


def date_time(moment: str) -> str:
    """Return an ISO time in the local zone as people write it."""
    try:
        local = datetime.fromisoformat(moment).astimezone()
    except ValueError:
        return moment
    return t("date_time", year=local.year, month=local.month, day=local.day, clock=f"{local:%H:%M}")


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with grouping, a dash when there is none."""
    return DASH if value is None else f"{value:,.{digits}f}"


def percent(share: float | None) -> str:
    """Return a share of 1 in percent."""
    return DASH if share is None else f"{100 * share:.0f} %"


def size_text(num_bytes: float | None) -> str:
    """Return bytes as people read them, a dash when there are none."""
    return DASH if num_bytes is None else size_words(num_bytes)


def seconds_text(seconds: float | None) -> str:
    """Return a duration as people read it."""
    if seconds is None:
        return DASH
    if seconds < 90:
        return t("seconds", count=f"{seconds:.1f}")
    return t("minutes", count=f"{seconds / 60:.1f}")


def coded(text: str) -> list[tuple[str, bool]]:
    """Return the pieces of a text, each with whether it is code: --questions, --set r=16, llmlora evaluate DIR."""
    return [(piece, index % 2 == 1) for index, piece in enumerate(_CODE.split(text)) if piece]


def note_text(note: Mapping[str, Any]) -> str:
    """Return what a reader must know before believing the numbers."""
    return translate(f"evaluation.note.{note['code']}", **note["params"])


def advice_of(piece: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the words of a piece of advice and the command that stands in a line of its own."""
    return {"text": advice_words(piece), "command": advice_command(piece)}
