"""What is wrong, or worth knowing, in a data file: findings with a stable code and an exact place.

Errors stop training and are worded under `error.<code>.*` (the same words as the exception of that code); warnings do
not stop it and are worded under `data.<code>.*`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from llmlora.core.actions import DROP_INVALID, action_of
from llmlora.core.errors import DatasetError, DatasetRowError
from llmlora.core.locale import hint_part, translate, with_reason

Level = Literal["error", "warning"]
PLACE = ("line", "row", "column", "field")
SHOWN_PER_CODE = 20
OVERLONG = "overlong_left_out"
# Findings about rows that could be left out as overlong; the hint does not say so where no shorter row would remain.
DROPPABLE = ("over_max_length", "over_model_length", "rows_longer_than_model")


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding; `line`, `row` and `column` are 1-based, `field` is the name of a column, `params` fill the words."""

    level: Level
    code: str
    line: int | None = None
    row: int | None = None
    column: int | None = None
    field: str | None = None
    params: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def message(self) -> str:
        """Return what was found, in the current language."""
        key = f"error.{self.code}.what" if self.level == "error" else f"data.{self.code}.message"
        return translate(key, **self._values())

    @property
    def hint(self) -> str:
        """Return the next step, in the current language."""
        room = "error" if self.level == "error" else "data"
        part = hint_part(f"{room}.{self.code}", self.params)
        key = f"error.{self.code}.{part}" if self.level == "error" else f"data.{self.code}.{part}"
        return translate(key, **self._values())

    @property
    def action(self) -> dict[str, Any] | None:
        """Return the next step as data; a row with an error can be left out where others remain."""
        is_droppable = self._is_row_error and not self.params.get("is_none_good")
        return action_of(self.code, self.params) or (DROP_INVALID if is_droppable else None)

    @property
    def _is_row_error(self) -> bool:
        return self.level == "error" and self.row is not None

    def of_none_good(self) -> Problem:
        """Return the finding as one of a file without a row to train on: leaving rows out is no next step there."""
        if not self._is_row_error:
            return self
        none_free = {"is_none_free": True} if self.params.get("maps") == "" else {}
        return replace(self, params={**self.params, "is_none_good": True, **none_free})

    def _values(self) -> dict[str, Any]:
        return with_reason({**{name: getattr(self, name) for name in PLACE}, **self.params}, "what")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form with translated `message` and `hint`, and what can be done next as `action`."""
        stored = self.stored()
        params = stored.pop("params")
        return {**stored, "message": self.message, "hint": self.hint, "action": self.action, "params": params}

    def stored(self) -> dict[str, Any]:
        """Return the JSON form without words, from which `Problem(**stored)` makes the finding again."""
        place = {name: getattr(self, name) for name in PLACE}
        return {"level": self.level, "code": self.code, **place, "params": self.params}

    def to_error(self) -> DatasetRowError:
        """Return the exception that says the same."""
        return DatasetRowError(self.code, **self._values())


def error(
    code: str,
    line: int | None = None,
    row: int | None = None,
    column: int | None = None,
    field_name: str | None = None,
    **params: Any,
) -> Problem:
    """Return a finding that stops training."""
    return Problem("error", code, line, row, column, field_name, params)


def warning(
    code: str,
    line: int | None = None,
    row: int | None = None,
    column: int | None = None,
    field_name: str | None = None,
    **params: Any,
) -> Problem:
    """Return a finding that does not stop training."""
    return Problem("warning", code, line, row, column, field_name, params)


def placed(params: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return parameters with a file's name where its place stood: where files lie is nobody's business over HTTP."""
    return {
        name: value.replace(str(path), path.name).replace(str(path.parent), ".") if isinstance(value, str) else value
        for name, value in params.items()
    }


def from_exception(failure: DatasetError) -> Problem:
    """Return the finding that says the same as an exception about a data file."""
    params = dict(failure.params)
    line, row, column, name = (params.pop(key, None) for key in PLACE)
    return Problem("error", failure.code, line, row, column, name, params)


def all_overlong(sizes: Collection[int], max_length: int, limit: int | None) -> Problem:
    """Return the error for rows that are all longer than `max_length` tokens and shall be left out.

    `sizes` are their tokens, `limit` those that the model takes at most: a length is proposed only if it keeps a row.
    """
    fits = max((size for size in sizes if limit is None or size <= limit), default=None)
    if fits is None:
        return error("all_rows_over_model", count=len(sizes), max_length=max_length, limit=limit)
    return error("all_rows_overlong", count=len(sizes), max_length=max_length, fits=fits)


class ProblemLog:
    """Count every finding and keep the first ones of each code, so that memory stays small."""

    def __init__(self, on_problem: Callable[[Problem], object] = lambda _: None) -> None:
        self.counts: Counter[str] = Counter()
        self.num_errors = 0
        self.kept: list[Problem] = []
        self._on_problem = on_problem

    def add(self, problem: Problem) -> None:
        """Take one finding."""
        self._on_problem(problem)
        self.counts[problem.code] += 1
        self.num_errors += problem.level == "error"
        if self.counts[problem.code] <= SHOWN_PER_CODE:
            self.kept.append(problem)

    def note_none_shorter(self) -> None:
        """Tell findings about long rows that there is no shorter one."""
        self.kept = [
            replace(problem, params={**problem.params, "is_none_shorter": True})
            if problem.code in DROPPABLE
            else problem
            for problem in self.kept
        ]

    def note_none_good(self) -> None:
        """Tell errors that no row can be trained on."""
        self.kept = [problem.of_none_good() for problem in self.kept]

    def problems(self) -> tuple[Problem, ...]:
        """Return the kept findings: errors first, then by line."""
        return tuple(sorted(self.kept, key=lambda item: (item.level != "error", item.line or 0, item.code)))
