"""The verbs for data files: options are checked first, documents are complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import llmlora
from llmlora.core.errors import ConfigError, DatasetError, NotFound
from llmlora.data.read import read_options
from llmlora.services import dataset
from llmlora.services.dataset import check_dataset, convert_dataset


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("質問,回答\n料金は？,980円です。\n休みは？,水曜日です。\n", encoding="utf-8")
    return path


def test_the_python_api_is_this(data: Path) -> None:
    assert llmlora.check_dataset is check_dataset
    assert llmlora.convert_dataset is convert_dataset
    assert llmlora.check_dataset(str(data))["ok"] is True


def test_a_check_is_one_json_document(data: Path) -> None:
    document = check_dataset(data)
    json.dumps(document, allow_nan=False)
    assert (document["ok"], document["num_examples"], document["format"]) == (True, 2, "instruction")
    assert {"level", "code", "line", "row", "column", "field", "message", "hint"} <= set(document["problems"][0])


def test_data_problems_are_in_the_document_and_missing_files_are_not(data: Path) -> None:
    data.write_bytes("質問,回答\nあ,い\n".encode() + b"\xff\n")
    document = check_dataset(data)
    assert (document["ok"], document["problems"][0]["code"]) == (False, "not_utf8")
    with pytest.raises(NotFound):
        check_dataset(data.with_name("none.csv"))
    with pytest.raises(NotFound):
        check_dataset(data, eval_data=data.with_name("none.csv"))


def test_lengths_without_a_model_are_refused(data: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        check_dataset(data, max_length=64)
    assert raised.value.code == "max_length_needs_model"


def test_options_are_checked_before_the_file() -> None:
    assert read_options("chat", {"messages": "talk"}, "cp932").encoding == "cp932"
    for given in ({"format": "alpaca"}, {"columns": {"a": "b"}}, {"encoding": "klingon"}):
        with pytest.raises(ConfigError):
            read_options(**given)  # type: ignore[arg-type]


NOT_ASKED = {"drop_overlong": False, "on_event": None}


def test_a_model_is_asked_in_a_worker(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def check_with_model(path: Path, model: str, read: object, **more: object) -> dict[str, Any]:
        asked.update(path=path, model=model, **more)
        return {"ok": True}

    monkeypatch.setattr(dataset, "check_with_model", check_with_model)
    assert check_dataset(data, model="nano", max_length=64) == {"ok": True}
    assert asked == {"path": data, "model": "nano", "eval_path": None, "max_length": 64, **NOT_ASKED}


def test_conversion_returns_its_report(data: Path) -> None:
    report = convert_dataset(data, data.with_suffix(".jsonl"), split=0.5)
    json.dumps(report, allow_nan=False)
    assert (report["num_written"], report["num_eval"], report["eval_output"]) == (
        1,
        1,
        str(data.with_name("data.eval.jsonl")),
    )
    data.write_text("質問,回答\n料金は？,\n", encoding="utf-8")
    with pytest.raises(DatasetError):
        convert_dataset(data, data.with_name("again.jsonl"))
