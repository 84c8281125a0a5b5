"""A conversion leaves out exactly the examples that training with `drop_overlong` leaves out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmlora.core.errors import ConfigError, Conflict, DatasetError
from llmlora.services import dataset, preview
from llmlora.services.dataset import check_dataset, convert_dataset
from llmlora.services.preview import preview_dataset
from prepare.base_folder import base_folder

pytestmark = pytest.mark.usefixtures("home")

ROWS = [
    {"instruction": "開店は？", "output": "9時です。"},
    {"instruction": "🦊" * 60, "output": "はい。"},
    {"instruction": "休みは？", "output": "水曜日です。" * 30},
    {"instruction": "料金は？", "output": "980円です。"},
]


@pytest.fixture
def base(tmp_path: Path) -> str:
    return str(base_folder(tmp_path / "base"))


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_what_training_leaves_out_is_left_out(tmp_path: Path, base: str) -> None:
    data, output = written(tmp_path / "data.jsonl", ROWS), tmp_path / "out.jsonl"
    report = convert_dataset(data, output, model=base, max_length=64, drop_overlong=True)
    assert (report["num_read"], report["num_written"], report["num_overlong"]) == (4, 2, 2)
    assert [(row["row"], row["code"]) for row in report["dropped"]] == [
        (2, "overlong_left_out"),
        (3, "overlong_left_out"),
    ]
    assert "64" in report["dropped"][0]["message"]
    settings = {"max_length": 64, "drop_overlong": True}
    trained, converted = (preview_dataset(path, base, settings=settings) for path in (data, output))
    assert (trained["num_overlong_left_out"], converted["num_overlong_left_out"]) == (2, 0)
    assert (trained["num_tokens"], trained["num_rows"]) == (converted["num_tokens"], converted["num_rows"])


def test_long_texts_are_divided_by_training_and_stay(tmp_path: Path, base: str) -> None:
    data = written(tmp_path / "data.jsonl", [{"text": "東京の棚。" * 60}])
    report = convert_dataset(data, tmp_path / "out.jsonl", model=base, max_length=32, drop_overlong=True)
    assert (report["num_written"], report["num_overlong"]) == (1, 0)


def test_the_better_answer_counts_and_the_worse_one_does_not(tmp_path: Path, base: str) -> None:
    pairs = [("はい。", "いいえ。" * 60), ("そうです。" * 60, "いいえ。"), ("9時です。", "8時です。")]
    rows = [{"prompt": "開店は？", "chosen": chosen, "rejected": rejected} for chosen, rejected in pairs]
    data = written(tmp_path / "data.jsonl", rows)
    choices = {"model": base, "max_length": 64, "drop_overlong": True, "keep": "chosen"}
    report = convert_dataset(data, tmp_path / "out.jsonl", **choices)  # type: ignore[arg-type]
    assert (report["num_written"], [row["row"] for row in report["dropped"]]) == (2, [2])


def test_nothing_is_written_when_all_are_too_long(tmp_path: Path, base: str) -> None:
    data, output = written(tmp_path / "data.jsonl", ROWS[1:3]), tmp_path / "out.jsonl"
    with pytest.raises(DatasetError) as caught:
        convert_dataset(data, output, model=base, max_length=64, drop_overlong=True)
    assert (caught.value.code, caught.value.params["count"], output.exists()) == ("all_rows_over_model", 2, False)
    found = check_dataset(data, model=base, max_length=64, drop_overlong=True)
    assert not found["ok"] and found["counts"]["all_rows_over_model"] == 1, "and a check says the same"
    assert "no_records" not in found["counts"]


def test_options_and_places_are_checked_before_a_row_is_counted(
    tmp_path: Path, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "run_worker", lambda *_: pytest.fail("a worker was started"))
    data, output = written(tmp_path / "data.jsonl", ROWS), tmp_path / "out.jsonl"
    for choices, code in (
        ({"drop_overlong": True}, "drop_overlong_needs_model"),
        ({"max_length": 64}, "max_length_needs_model"),
        ({"model": base}, "model_needs_drop_overlong"),
        ({"model": base, "drop_overlong": True, "split": 2.0}, "invalid_fraction"),
        ({"model": base, "drop_overlong": True, "max_length": 1 << 20}, "invalid_settings"),
    ):
        with pytest.raises(ConfigError) as caught:
            dataset.convert_dataset(data, output, **choices)  # type: ignore[arg-type]
        assert caught.value.code == code
    written(output, ROWS)
    with pytest.raises(Conflict):
        convert_dataset(data, output, model=base, drop_overlong=True)
