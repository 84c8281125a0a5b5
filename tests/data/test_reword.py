"""Other wordings: a file to fill in for every format, and the data with what was filled in, nothing lost on the way."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import ConfigError, Conflict, DatasetError, LlmloraError
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.data.reword import COLUMNS, Merged, merge_rewordings, write_rewordings

PLAIN = ReadOptions()
TURNS = [
    {"role": "system", "content": "短く答える。"},
    {"role": "user", "content": "定休日は？"},
    {"role": "assistant", "content": "水曜日です。"},
    {"role": "user", "content": "ありがとう"},
    {"role": "assistant", "content": "どういたしまして。"},
]
FILES: dict[str, tuple[str, ReadOptions]] = {
    "instruction.jsonl": ('{"instruction": "定休日は？", "output": "水曜日です。"}\n', PLAIN),
    "messages.jsonl": (json.dumps({"messages": TURNS}, ensure_ascii=False) + "\n", PLAIN),
    "prompt.jsonl": ('{"prompt": "定休日は？\\n", "completion": " 水曜日です。"}\n', PLAIN),
    "table.csv": ("質問,回答\n定休日は？,水曜日です。\n", PLAIN),
    "list.json": ('[{"instruction": "定休日は？", "output": "水曜日です。"}]', PLAIN),
    "mapped.csv": (
        "聞く,言う\n定休日は？,水曜日です。\n",
        ReadOptions(columns={"instruction": "聞く", "output": "言う"}),
    ),
}


def data(folder: Path, name: str) -> tuple[Path, ReadOptions]:
    text, options = FILES[name]
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name, options


def filled_in(path: Path, *wordings: str, encoding: str = "utf-8-sig", delimiter: str = ",") -> Path:
    """Fill the cells in order, as a spreadsheet program saves them."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row, wording in zip(rows, wordings, strict=False):
        row["rewording"] = wording
    stream = io.StringIO()
    table = csv.DictWriter(stream, COLUMNS, delimiter=delimiter)
    table.writeheader()
    table.writerows(rows)
    path.write_bytes(stream.getvalue().encode(encoding))
    return path


def merged(source: Path, options: ReadOptions, *wordings: str, **saved: str) -> tuple[Merged, list[dict[str, Any]]]:
    cells = source.parent / "cells.csv"
    write_rewordings(source, cells, options, 2)
    found = merge_rewordings(source, filled_in(cells, *wordings, **saved), source.parent / "new.jsonl", options)
    return found, [json.loads(line) for line in Path(found.output).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", FILES)
def test_the_file_to_fill_in_has_every_question_with_empty_cells(name: str, tmp_path: Path) -> None:
    source, options = data(tmp_path, name)
    written = write_rewordings(source, tmp_path / "cells.csv", options, 2)
    raw = (tmp_path / "cells.csv").read_bytes()
    assert raw.startswith("\ufeff".encode()), "Excel reads it as UTF-8"
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    cells = {"row": "1", "question": rows[0]["question"], "rewording": "", "answer": "水曜日です。"}
    assert rows == [cells, cells]
    assert rows[0]["question"].strip() == "定休日は？"
    assert (written.num_questions, written.num_cells, written.num_without_question) == (1, 2, 0)


@pytest.mark.parametrize("name", FILES)
def test_what_is_filled_in_becomes_rows_of_the_same_form(name: str, tmp_path: Path) -> None:
    source, options = data(tmp_path, name)
    found, rows = merged(source, options, "いつ休みですか", "お休みの日を教えて")
    (original,) = iter_examples(source, options)
    assert (found.num_rows, found.num_added, found.num_empty, found.num_repeated) == (3, 2, 0, 0)
    assert rows[0] == original.to_dict()
    texts = [json.dumps(row, ensure_ascii=False) for row in rows]
    assert "いつ休みですか" in texts[1] and "お休みの日を教えて" in texts[2]
    assert all("水曜日です。" in text for text in texts)
    assert [row.keys() for row in rows] == [rows[0].keys()] * 3
    assert len(list(iter_examples(Path(found.output)))) == 3


def test_a_conversation_keeps_what_stands_before_and_ends_with_the_answer(tmp_path: Path) -> None:
    _, rows = merged(*data(tmp_path, "messages.jsonl"), "いつ休みですか")
    assert rows[1]["messages"] == [TURNS[0], {"role": "user", "content": "いつ休みですか"}, TURNS[2]]


def test_white_space_around_a_prompt_stays(tmp_path: Path) -> None:
    _, rows = merged(*data(tmp_path, "prompt.jsonl"), "いつ休みですか")
    assert rows[1] == {"prompt": "いつ休みですか\n", "completion": " 水曜日です。"}


def test_empty_cells_and_repetitions_are_counted_and_skipped(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    lines = [json.dumps({"instruction": f"問い{number}", "output": "答え"}) for number in range(3)]
    source.write_text("\n".join(lines), encoding="utf-8")
    found, rows = merged(source, PLAIN, "別の問い", "別の問い ", " ", "", "問い2", "ほかの問い")
    assert (found.num_rows, found.num_added, found.num_empty, found.num_repeated) == (5, 2, 2, 2)
    asked = [row["messages"][0]["content"] for row in rows]
    assert asked == ["問い0", "別の問い", "問い1", "問い2", "ほかの問い"]


@pytest.mark.parametrize(
    "saved", [{"encoding": "cp932"}, {"delimiter": ";"}, {"delimiter": "\t"}, {"encoding": "utf-16"}]
)
def test_as_a_spreadsheet_saves_it(saved: dict[str, str], tmp_path: Path) -> None:
    found, _ = merged(*data(tmp_path, "instruction.jsonl"), "お休みはいつになりますか", **saved)
    assert found.num_added == 1


def test_json_lines_are_filled_in_too_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"instruction": "=1+1\\nは？", "output": "2"}\n', encoding="utf-8")
    found, rows = merged(source, PLAIN, "一たす一は")
    assert found.num_added == 1
    assert rows[1]["messages"][0]["content"] == "一たす一は"
    write_rewordings(source, tmp_path / "cells.jsonl", PLAIN, 1)
    cell = json.loads((tmp_path / "cells.jsonl").read_text(encoding="utf-8"))
    assert cell == {"row": 1, "question": "=1+1\nは？", "rewording": "", "answer": "2"}
    (tmp_path / "cells.jsonl").write_text(json.dumps({**cell, "rewording": "和は"}), encoding="utf-8")
    assert merge_rewordings(source, tmp_path / "cells.jsonl", tmp_path / "n.jsonl", PLAIN).num_added == 1


def test_rows_without_a_question_stay_as_they_are(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    turns = json.dumps({"messages": [{"role": "assistant", "content": "ようこそ"}]}, ensure_ascii=False)
    source.write_text(f"{turns}\n{json.dumps({'messages': TURNS})}\n", encoding="utf-8")
    assert write_rewordings(source, tmp_path / "c.csv", PLAIN, 1).num_without_question == 1
    found, rows = merged(source, PLAIN, "休みは")
    assert (found.num_rows, rows[0]["messages"][0]["content"]) == (3, "ようこそ")


def failure(call: Any) -> LlmloraError:
    with pytest.raises((ConfigError, Conflict, DatasetError)) as raised:
        call()
    return raised.value


def test_a_file_for_other_data_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    source, _ = data(tmp_path, "instruction.jsonl")
    write_rewordings(source, tmp_path / "cells.csv", PLAIN, 1)
    filled_in(tmp_path / "cells.csv", "いつ休みですか")
    source.write_text('{"instruction": "店長は？", "output": "山田です。"}\n', encoding="utf-8")
    error = failure(lambda: merge_rewordings(source, tmp_path / "cells.csv", tmp_path / "n.jsonl", PLAIN))
    assert (error.code, error.params["row"]) == ("rewordings_differ", 1)
    (tmp_path / "cells.csv").write_text("row,question,rewording\n7,店長は？,だれ\n", encoding="utf-8")
    error = failure(lambda: merge_rewordings(source, tmp_path / "cells.csv", tmp_path / "n.jsonl", PLAIN))
    assert (error.code, error.params["row"]) == ("rewordings_differ", 7)
    assert not (tmp_path / "n.jsonl").exists()


def test_other_refusals(tmp_path: Path) -> None:
    source, _ = data(tmp_path, "instruction.jsonl")
    cells, new = tmp_path / "cells.csv", tmp_path / "n.jsonl"
    write_rewordings(source, cells, PLAIN, 1)
    assert failure(lambda: write_rewordings(source, cells, PLAIN, 1)).code == "output_exists"
    write_rewordings(source, cells, PLAIN, 1, overwrite=True)
    assert failure(lambda: write_rewordings(source, source, PLAIN, 1, overwrite=True)).code == "output_is_input"
    assert failure(lambda: write_rewordings(source, tmp_path / "c.xlsx", PLAIN, 1)).code == "output_suffix"
    assert failure(lambda: merge_rewordings(source, cells, tmp_path / "n.csv", PLAIN)).code == "output_suffix"
    assert failure(lambda: merge_rewordings(source, cells, new, PLAIN)).code == "no_rewordings"
    assert failure(lambda: merge_rewordings(source, source, new, PLAIN)).code == "not_rewordings"
    (tmp_path / "text.txt").write_text("ただの文章です。\n", encoding="utf-8")
    error = failure(lambda: write_rewordings(tmp_path / "text.txt", tmp_path / "t.csv", PLAIN, 1))
    assert error.code == "nothing_to_reword"
    assert not new.exists() and not (tmp_path / "t.csv").exists()
