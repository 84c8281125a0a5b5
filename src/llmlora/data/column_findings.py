"""What is wrong with the columns of a row, each time with the `--map` that settles it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from llmlora.core.errors import DatasetError
from llmlora.data.fields import JOIN, REQUIRED, RowMapping, normalised
from llmlora.data.header import CHOICES, candidates, kind_of, map_options, proposal, proposal_by_number
from llmlora.data.problems import Problem, error
from llmlora.data.raw import RawRow
from llmlora.data.turn_parts import is_conversation, is_like_turn


def incomplete(raw: RawRow, mapping: RowMapping) -> DatasetError:
    """Return the error of a table without a column for something that every row needs."""
    if kind_of(list(raw.value)) != "header":
        problem = unknown_columns(raw, True)
        return DatasetError(problem.code, line=1, **problem.params)
    lacking = next(name for name in REQUIRED[mapping.format] if name not in mapping.columns)
    maps = maps_for(lacking, mapping.ignored)
    params: dict[str, Any] = {"name": lacking, "columns": shown(raw), "maps": maps}
    return DatasetError("column_missing", line=1, **params, **({} if maps else {"is_none_free": True}))


def maps_for(lacking: str, free: Sequence[str]) -> str:
    """Return the `--map` that gives a field a column left over: several where only the user can tell, "" for none."""
    return " / ".join(map_options({lacking: column}) for column in candidates(lacking, free))


def text_columns(raw: RawRow, names: Iterable[str]) -> list[str]:
    """Return the columns that hold text in a row: no hint proposes another one."""
    return [name for name in names if isinstance(raw.value.get(name), str)]


def unknown_columns(raw: RawRow, is_table: bool) -> Problem:
    """Return the error of a row without known columns; of a table also when its first line may be a row already."""
    talk = next((name for name, value in raw.value.items() if is_conversation(value)), None)
    if is_like_turn(raw.value):
        return error("row_is_turn", raw.line, raw.row)
    names = list(raw.value) if is_table or talk else text_columns(raw, raw.value)
    if not names:
        return error("no_text_columns", raw.line, raw.row, columns=shown(raw))
    likeliest = proposal(names) if talk is None else {"messages": talk}
    params: dict[str, Any] = {"columns": shown(raw), "maps": map_options(likeliest)}
    if talk is not None:
        kind = "row" if is_table and is_conversation(talk) else "header"
    else:
        kind = kind_of(names) if is_table else "header"
    if kind == "header":
        return error("unknown_columns", raw.line, raw.row, **params)
    numbers = proposal_by_number(names) if talk is None else {"messages": f"#{names.index(talk) + 1}"}
    params["by_number"] = map_options(numbers)
    return error("no_header" if kind == "row" else "header_unclear", raw.line, raw.row, **params)


def two_columns(raw: RawRow, mapping: RowMapping) -> Problem:
    """Return the error of several columns that fit one field, with the `--map` for each and for all of them."""
    name, others = next(iter(mapping.rivals.items()))
    rivals = [mapping.columns[name], *others]
    choices = " / ".join(map_options({name: column}) for column in rivals)
    more = [key for key in mapping.ignored if normalised(key) in CHOICES] if name in ("instruction", "prompt") else []
    joined = [column for column in raw.value if column in (*rivals, *more)]
    params: dict[str, Any] = {"name": name, "columns": ", ".join(rivals), "choices": choices}
    return error("two_columns", raw.line, raw.row, **params, joined=map_options({name: JOIN.join(joined)}))


def shown(raw: RawRow) -> str:
    """Return the names of the columns of a row, as a message shows them."""
    names = [name[:40] for name in raw.value]
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
