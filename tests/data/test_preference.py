"""Pairs of a better and a worse answer are named, and the better one can be kept."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import ConfigError, DatasetError
from llmlora.core.locale import set_language
from llmlora.data.convert import convert_dataset
from llmlora.data.preference import find_preference
from llmlora.data.read import iter_examples, read_options
from llmlora.data.validate import check_dataset


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


USER, GOOD, BAD = said("user", "q"), said("assistant", "good"), said("assistant", "bad")
EARLIER = [said("user", "p"), said("assistant", "r"), USER]
ONE, SEVERAL = [USER, GOOD], [*EARLIER, GOOD]
ROWS: list[tuple[dict[str, Any], list[dict[str, str]]]] = [
    ({"prompt": "q", "chosen": "good", "rejected": "bad"}, ONE),
    ({"question": "q", "chosen": "good", "rejected": "bad", "system": "s"}, [said("system", "s"), *ONE]),
    ({"instruction": "q", "input": "", "chosen": "good", "rejected": "bad"}, ONE),
    ({"質問": "q", "chosen": "good", "rejected": "bad"}, ONE),
    ({"question": "q", "response_j": "good", "response_k": "bad", "qid": 3}, ONE),
    ({"instruction": "q", "output_1": "bad", "output_2": "good", "preference": 2}, ONE),
    ({"instruction": "q", "output_1": "good", "output_2": "bad", "preference": 1.0}, ONE),
    ({"prompt": "q", "response_0": "bad", "response_1": "good", "better_response_id": 1}, ONE),
    ({"prompt": "q", "response_a": "good", "response_b": "bad", "winner": "model_a"}, ONE),
    ({"prompt": "q", "response_a": "bad", "response_b": "good", "preference": "B"}, ONE),
    ({"history": "q", "human_ref_A": "good", "human_ref_B": "bad", "labels": 1}, ONE),
    ({"conversation_a": [USER, BAD], "conversation_b": ONE, "winner": "model_b"}, ONE),
    ({"prompt": "q", "chosen": [USER, GOOD], "rejected": [USER, BAD], "messages": [USER, GOOD]}, ONE),
    ({"prompt": "q", "chosen": [GOOD], "rejected": [BAD]}, ONE),
    ({"prompt": "q", "chosen": GOOD, "rejected": BAD}, ONE),
    ({"prompt": EARLIER, "chosen": [GOOD], "rejected": [BAD]}, SEVERAL),
    ({"prompt": EARLIER, "chosen": "good", "rejected": "bad"}, SEVERAL),
    ({"chosen": SEVERAL, "rejected": [*EARLIER, BAD]}, SEVERAL),
    ({"messages": EARLIER, "chosen": GOOD, "rejected": BAD}, SEVERAL),
    ({"messages": SEVERAL, "rejected_response": "bad"}, SEVERAL),
    ({"instruction": "q", "output": "good", "rejected": "bad"}, ONE),
    ({"input": {"messages": EARLIER}, "preferred_output": [GOOD], "non_preferred_output": [BAD]}, SEVERAL),
    ({"chosen": "\n\nHuman: q\n\nAssistant: good", "rejected": "\n\nHuman: q\n\nAssistant: bad"}, ONE),
    (
        {
            "conversations": [{"from": "human", "value": "q"}],
            "chosen": {"from": "gpt", "value": "good"},
            "rejected": {"from": "gpt", "value": "bad"},
        },
        ONE,
    ),
]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(("row", "kept"), ROWS)
def test_the_command_in_the_hint_keeps_the_better_answer(
    tmp_path: Path, row: dict[str, Any], kept: list[dict[str, str]], language: str
) -> None:
    set_language(language)
    path = tmp_path / "my (pairs).jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    report = check_dataset(path)
    assert not report.ok
    (problem,) = [problem for problem in report.problems if problem.level == "error"]
    assert problem.code == "preference_data"
    command = problem.hint[problem.hint.index("llmlora dataset convert") :]
    words = shlex.split(command)
    assert words[2:] == ["convert", str(path), "--keep", "chosen", "-o", str(tmp_path / "my (pairs)-chosen.jsonl")]
    convert_dataset(path, Path(words[7]), keep=words[5])
    assert json.loads(Path(words[7]).read_text(encoding="utf-8"))["messages"] == kept
    assert check_dataset(Path(words[7])).ok


def test_pairs_in_a_table_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    cell = json.dumps(ONE).replace('"', '""')
    path.write_text(f'prompt,chosen,rejected\nq,"{cell}",bad\n', encoding="utf-8")
    with pytest.raises(DatasetError) as raised:
        list(iter_examples(path))
    assert raised.value.code == "preference_data"
    convert_dataset(path, tmp_path / "b.jsonl", keep="chosen")
    assert json.loads((tmp_path / "b.jsonl").read_text(encoding="utf-8"))["messages"] == ONE


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "response_a": "a", "response_b": "b", "winner": "tie"},
        {"instruction": "q", "output_1": "a", "output_2": "b", "preference": None},
        {"prompt": "q", "chosen": None, "rejected": "b"},
        {"messages": EARLIER, "chosen": None, "rejected": BAD},
    ],
)
def test_rows_without_a_better_answer_are_left_out_and_counted(tmp_path: Path, row: dict[str, Any]) -> None:
    path = tmp_path / "a.jsonl"
    good = {"prompt": "q", "chosen": "good", "rejected": "bad"}
    path.write_text(json.dumps(row) + "\n" + json.dumps(good) + "\n", encoding="utf-8")
    report = convert_dataset(path, tmp_path / "b.jsonl", keep="chosen")
    assert (report.num_read, report.num_written, report.num_kept_out) == (2, 1, 1)
    assert report.dropped[0]["code"] == "row_undecided"


@pytest.mark.parametrize("keep", [None, "chosen"])
def test_columns_of_pairs_without_a_value_are_absent(tmp_path: Path, keep: str | None) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"question": "q", "answer": "a", "chosen": null, "rejected": null}\n', encoding="utf-8")
    assert convert_dataset(path, tmp_path / "b.jsonl", keep=keep).num_written == 1
    assert check_dataset(path).ok


def test_labelled_answers_can_be_kept_too(tmp_path: Path) -> None:
    path = tmp_path / "kto.jsonl"
    rows = ({"prompt": f"q{label}", "completion": "a", "label": label} for label in (True, False))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = convert_dataset(path, tmp_path / "b.jsonl", keep="chosen")
    assert (report.num_written, report.num_kept_out) == (1, 1)


def test_ordinary_rows_have_nothing_to_choose_from(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"instruction": "q", "output": "a"}\n', encoding="utf-8")
    with pytest.raises(DatasetError) as raised:
        convert_dataset(path, tmp_path / "b.jsonl", keep="chosen")
    assert raised.value.code == "dataset_has_errors"
    with pytest.raises(ConfigError):
        convert_dataset(path, tmp_path / "b.jsonl", keep="rejected")


def test_who_names_the_answer_has_chosen(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "q", "chosen": "good", "rejected": "bad"}\n', encoding="utf-8")
    options = read_options(columns={"instruction": "prompt", "output": "chosen"})
    assert [one.messages[1].content for one in iter_examples(path, options)] == ["good"]


@pytest.mark.parametrize("keys", [["instruction", "output", "choice"], ["answer_a", "answer_b"], ["rejected"], []])
def test_other_rows_are_no_pairs(keys: list[str]) -> None:
    assert find_preference(keys) is None


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("good", "bad"),
        ("best", "worst"),
        ("winning_output", "losing_output"),
        ("採用回答", "不採用回答"),
        ("選択", "拒否"),
    ],
)
@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_pairs_whose_names_mean_so_together(tmp_path: Path, good: str, bad: str, suffix: str) -> None:
    path = tmp_path / f"data{suffix}"
    row = {"question": "a", good: "b", bad: "c"}
    table = f"{','.join(row)}\n{','.join(row.values())}\n"
    path.write_text(table if suffix == ".csv" else json.dumps(row) + "\n", encoding="utf-8")
    assert "preference_data" in check_dataset(path).counts
    convert_dataset(path, tmp_path / "out.jsonl", keep="chosen")
    (example,) = iter_examples(tmp_path / "out.jsonl")
    assert [turn.content for turn in example.messages] == ["a", "b"]
