from __future__ import annotations

from pathlib import Path

import pytest

from llmlora.core.errors import DatasetRowError, NotFound
from llmlora.core.layout import scratch_dir
from llmlora.data.read import ReadOptions
from llmlora.services.preview import check_with_model, preview_dataset
from prepare.base_folder import base_folder, data_file

pytestmark = pytest.mark.usefixtures("home")


def test_a_preview_comes_from_a_worker(tmp_path: Path) -> None:
    base = base_folder(tmp_path / "base")
    settings = {"system": "You help.", "chat_template": None}
    result = preview_dataset(data_file(tmp_path / "data.jsonl"), str(base), 2, settings=settings)
    assert (result["num_rows"], len(result["rows"]), result["max_length"]) == (3, 2, 128)
    assert (result["template"], result["template_source"]) == ("base", "model")
    text = "".join(token["text"] for token in result["rows"][0]["tokens"])
    assert "You help." in text
    trained = [token["text"] for token in result["rows"][1]["tokens"] if token["state"] == "trained"]
    assert "".join(trained) == "価格は1,234円です。1<|im_end|>"
    assert not list(scratch_dir().iterdir())


def test_what_training_would_refuse_is_refused(tmp_path: Path) -> None:
    base = base_folder(tmp_path / "base")
    with pytest.raises(DatasetRowError) as caught:
        preview_dataset(data_file(tmp_path / "data.jsonl"), str(base), settings={"max_length": 8})
    assert caught.value.params["rows"] == [1, 2, 3]


def test_missing_things_are_found_before_a_worker_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmlora.services.preview.run_worker", lambda *_: pytest.fail("a worker was started"))
    with pytest.raises(NotFound) as caught:
        preview_dataset(tmp_path / "none.jsonl", "nano")
    assert caught.value.code == "file_not_found"
    with pytest.raises(NotFound) as caught:
        preview_dataset(data_file(tmp_path / "data.jsonl"), "./none")
    assert caught.value.code == "model_not_found"


def test_a_check_with_a_model_knows_tokens(tmp_path: Path) -> None:
    base = base_folder(tmp_path / "base")
    path = data_file(tmp_path / "data.jsonl", answer="Hello, world! " * 40)
    document = check_with_model(path, str(base), ReadOptions(), max_length=64)
    assert document["ok"] and document["num_examples"] == 3
    assert "over_model_length" in {problem["code"] for problem in document["problems"]}
