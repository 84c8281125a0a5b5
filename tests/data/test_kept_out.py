"""What its author kept out of training is not learned: turns stay as context, rows are left out and counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import DatasetError
from llmlora.core.examples import Example
from llmlora.data.convert import convert_dataset
from llmlora.data.formats import RowReader
from llmlora.data.raw import RawRow
from llmlora.data.read import iter_examples
from llmlora.data.validate import check_dataset

USER = {"role": "user", "content": "q"}


def read(value: dict[str, Any]) -> tuple[Example | None, list[str]]:
    example, problems = RowReader(None, {}).read(RawRow(1, 1, value))
    return example, [problem.code for problem in problems]


def conversation(**marks: Any) -> dict[str, Any]:
    bad, good = ({"role": "assistant", "content": text} for text in ("bad", "good"))
    return {"messages": [USER, {**bad, **marks}, USER, good]}


def learned(example: Example | None) -> list[bool]:
    assert example is not None
    return [turn.learned for turn in example.messages]


@pytest.mark.parametrize("name", ["weight", "loss_weight", "train", "training", "loss_mask", "loss"])
@pytest.mark.parametrize("value", [0, 0.0, False, "0", "false", " False ", -1])
def test_a_turn_with_a_mark_is_not_learned(name: str, value: Any) -> None:
    example, problems = read(conversation(**{name: value}))
    assert learned(example) == [True, False, True, True]
    assert problems == []


@pytest.mark.parametrize("value", [1, True, "1", "true", None, 1.0])
def test_a_turn_without_a_mark_or_with_1_is_learned(value: Any) -> None:
    example, problems = read(conversation(weight=value))
    assert all(learned(example))
    assert problems == []


@pytest.mark.parametrize("value", [0.5, "0.5", 2, "maybe", [0, 1]])
def test_other_weights_are_said_not_to_count(value: Any) -> None:
    example, problems = read(conversation(weight=value))
    assert all(learned(example))
    assert problems == ["weight_not_used"]


@pytest.mark.parametrize("mask", [[0, 0, 0, 1], [0, 1], ["0", "1"], [False, True], "[0, 1]"])
def test_a_row_may_list_its_turns(mask: list[Any]) -> None:
    example, problems = read({**conversation(), "loss_mask": mask})
    assert [turn.learned for turn in example.messages if turn.role == "assistant"] == [False, True]  # type: ignore[union-attr]
    assert problems == []


def test_a_list_that_does_not_fit_is_an_error_and_a_fraction_in_it_a_warning() -> None:
    assert read({**conversation(), "loss_mask": [0, 1, 1]}) == (None, ["mask_not_fitting"])
    assert read({**conversation(), "loss_mask": [0, "x"]}) == (None, ["mask_not_fitting"])
    assert read({**conversation(), "loss_mask": [0.5, 1]})[1] == ["weight_not_used"]


@pytest.mark.parametrize(
    "row",
    [
        {**conversation(), "weight": 0},
        {"messages": [USER, {"role": "assistant", "content": "b", "weight": 0}]},
        {"messages": [USER, {"role": "assistant", "content": "b"}], "loss_mask": [0]},
        {"instruction": "a", "output": "b", "train": "false"},
        {"text": "a", "loss_weight": 0},
        {"prompt": "a", "completion": "b", "label": False},
        {"prompt": "a", "completion": "b", "label": "False"},
        {"prompt": "a", "completion": "b", "label": 0},
        {"instruction": "a", "output": "b", "label": False},
        {"instruction": "a", "output": "b", "kto_tag": False},
        {"messages": [USER, {"role": "assistant", "content": "b"}], "label": False},
    ],
)
def test_a_row_kept_out_is_left_out_and_said(row: dict[str, Any]) -> None:
    assert read(row) == (None, ["row_kept_out"])


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "a", "completion": "b", "label": True},
        {"prompt": "a", "completion": "b", "label": None},
        {"instruction": "a", "output": "b", "label": 0},
        {"text": "a", "label": 0},
        {"instruction": "a", "output": "b", "label": "FAQ"},
        {"instruction": "a", "output": "b", "label": "no"},
        {"instruction": "a", "output": "b", "train": "のぞみ"},
    ],
)
def test_what_is_no_mark_keeps_no_row_out(row: dict[str, Any]) -> None:
    example, problems = read(row)
    assert example is not None
    assert problems == []


def test_marks_are_used_columns_and_other_things_under_their_names_are_not() -> None:
    reader = RowReader(None, {})
    reader.read(RawRow(1, 1, {"prompt": "a", "completion": "b", "label": True}))
    assert list(reader.ignored) == []
    reader = RowReader(None, {})
    reader.read(RawRow(1, 1, {"instruction": "a", "output": "b", "label": 3, "train": "x"}))
    assert set(reader.ignored) == {"train", "label"}


def kto(path: Path, *labels: bool) -> Path:
    rows = ({"prompt": f"q{place}", "completion": "a", "label": label} for place, label in enumerate(labels))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_check_convert_and_reading_agree_on_the_rows_left_out(tmp_path: Path) -> None:
    path = kto(tmp_path / "kto.jsonl", True, False, True, False)
    report = check_dataset(path)
    assert (report.ok, report.num_examples, report.counts["row_kept_out"]) == (True, 2, 2)
    seen: list[int | None] = []
    rows = list(iter_examples(path, None, lambda problem: seen.append(problem.row)))
    assert ([one.row for one in rows], seen) == ([1, 3], [2, 4])
    converted = convert_dataset(path, tmp_path / "out.jsonl")
    assert (converted.num_written, converted.num_kept_out, converted.num_invalid) == (2, 2, 0)
    assert [row["code"] for row in converted.dropped] == ["row_kept_out"] * 2


def test_a_file_of_rows_kept_out_says_so(tmp_path: Path) -> None:
    path = kto(tmp_path / "kto.jsonl", False, False)
    report = check_dataset(path)
    assert not report.ok
    assert report.counts["all_rows_kept_out"] == 1
    with pytest.raises(DatasetError) as raised:
        list(iter_examples(path))
    assert (raised.value.code, raised.value.params["count"]) == ("all_rows_kept_out", 2)


def test_the_canonical_form_keeps_the_mark(tmp_path: Path) -> None:
    path, output = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    path.write_text(json.dumps(conversation(train=False)), encoding="utf-8")
    convert_dataset(path, output)
    assert json.loads(output.read_text(encoding="utf-8"))["messages"][1]["weight"] == 0
    assert list(iter_examples(output)) == list(iter_examples(path))
