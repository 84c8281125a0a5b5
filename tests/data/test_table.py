"""Tables: delimiters, long cells, and rows that are read on after a bad one."""

from __future__ import annotations

import csv
import io

import pytest

from llmlora.core.errors import DatasetError
from llmlora.data import lines as lines_module
from llmlora.data import table as table_module
from llmlora.data.container import sniff_delimiter
from llmlora.data.lines import numbered_lines
from llmlora.data.problems import Problem
from llmlora.data.raw import RawRow
from llmlora.data.table import table_rows


def rows(text: str, delimiter: str = ",") -> list[RawRow | Problem]:
    return list(table_rows(io.StringIO(text, newline=""), delimiter))


def codes(text: str) -> list[tuple[str, int | None]]:
    return [(item.code, item.line) if isinstance(item, Problem) else ("", item.line) for item in rows(text)]


@pytest.mark.parametrize(
    ("head", "delimiter"),
    [
        ("質問,回答", ","), ("質問\t回答", "\t"), ("質問;回答", ";"), ("q,a;b,c", ","), ("only", ","),
        ("質問|回答", "|"), ("yes|no", ","), ("sep=;\na,b", ";"), ('"a;b;c",d', ","),
    ],
)  # fmt: skip
def test_delimiter(head: str, delimiter: str) -> None:
    assert sniff_delimiter(head) == delimiter


@pytest.mark.parametrize("mark", ["，", "、", "；", "｜"])
def test_full_width_delimiters_are_named(mark: str) -> None:
    with pytest.raises(DatasetError) as raised:
        sniff_delimiter(f"質問{mark}回答\n")
    assert raised.value.params["delimiter"] == mark
    assert (raised.value.code, raised.value.params["column"]) == ("full_width_delimiter", 3)


def test_reading_goes_on_after_a_bad_row() -> None:
    text = 'q,a\n1,2\n"3"x,4\n5\n6,7,8\n,\n"9\n0",10\n11,12\n'
    assert codes(text) == [
        ("", 2), ("stray_quote", 3), ("ragged_row", 4), ("ragged_row", 5), ("blank_row", 6), ("", 7), ("", 9),
    ]  # fmt: skip


def test_an_open_quote_names_the_line_it_opened_on() -> None:
    assert codes('q,a\n1,2\n3,"4\n5,6\n7,8') == [("", 2), ("unclosed_quote", 3)]


def test_a_line_over_the_cap_costs_its_own_record_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "LINE_CHARACTERS", 20)
    long = "x" * 50
    assert codes(f"q,a\n1,2\n{long},3\n4,5\n6,7\n") == [("", 2), ("row_too_long", 3), ("", 4), ("", 5)]
    found = rows(f'q,a\n1,"2\n{long}\n3"\n4,5\n')
    assert [(item.row, item.code if isinstance(item, Problem) else "") for item in found] == [
        (1, "row_too_long"), (2, ""),
    ]  # fmt: skip
    with pytest.raises(DatasetError) as raised:
        rows(f"{long},a\n1,2\n")
    assert (raised.value.code, raised.value.params["line"]) == ("row_too_long", 1)


def test_a_cell_of_many_lines_over_the_cap_is_named_and_reading_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "allow_long_cells", lambda: csv.field_size_limit(100))
    try:
        found = rows('q,a\n1,"' + "line\n" * 40 + '"\n4,5\n')
    finally:
        csv.field_size_limit(1 << 24)
    assert isinstance(found[0], Problem)
    assert (found[0].code, found[0].line, found[0].row) == ("row_too_long", 2, 1)
    assert all(isinstance(item, Problem) or item.value == {"q": "4", "a": "5"} for item in found)


def test_a_nul_byte_in_the_header_names_its_place() -> None:
    with pytest.raises(DatasetError) as raised:
        rows("\n質\0問,a\n1,2\n")
    assert (raised.value.code, raised.value.params["line"], raised.value.params["column"]) == ("nul_byte", 2, 2)


def test_cells_without_a_column_name_keep_their_place() -> None:
    found = rows("q,,a,\n1,x,2,\n3,,4,y\n5,,6,\n")
    assert [item.value for item in found if isinstance(item, RawRow)] == [
        {"q": "1", "#2": "x", "a": "2"},
        {"q": "3", "a": "4", "#4": "y"},
        {"q": "5", "a": "6"},
    ]


def test_marks_at_the_beginning_of_a_header_are_no_part_of_a_name() -> None:
    (found,) = rows("\ufeffq,\u3000a \n1,2\n")
    assert isinstance(found, RawRow) and found.value == {"q": "1", "a": "2"}


def test_cells_are_never_changed() -> None:
    found = rows('q, a ,\n 1 ,"  2\r\n",\n=A1,"""x""",\n')
    assert [item.value for item in found if isinstance(item, RawRow)] == [
        {"q": " 1 ", "a": "  2\r\n"},
        {"q": "=A1", "a": '"x"'},
    ]


def test_cells_may_be_as_long_as_a_line() -> None:
    found = rows("q,a\n1," + "x" * 1_000_000)
    assert isinstance(found[0], RawRow)
    assert len(found[0].value["a"]) == 1_000_000


@pytest.mark.parametrize("text", ["", "\n\n", "a,b,a\n1,2,3\n", 'a,"b\n'])
def test_a_header_is_needed(text: str) -> None:
    with pytest.raises(DatasetError) as raised:
        rows(text)
    assert raised.value.code in {"no_records", "duplicate_column", "unclosed_quote"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_where_editors_end_them(end: str) -> None:
    text = f"a\u2028b{end}{end}c\x85d\x0ce{end}f"
    stream = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")
    assert list(numbered_lines(stream)) == [(1, "a\u2028b"), (2, ""), (3, "c\x85d\x0ce"), (4, "f")]


def test_lines_over_the_cap_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "LINE_CHARACTERS", 10)
    monkeypatch.setattr(lines_module, "SKIPPED_CHARACTERS", 3)
    stream = io.StringIO("a" * 10 + "\n" + "b" * 50 + "\nc\n" + "d" * 13, newline="")
    assert list(numbered_lines(stream)) == [(1, "a" * 10), (2, None), (3, "c"), (4, None)]
