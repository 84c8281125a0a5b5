"""End to end on a tiny model: really trained, really evaluated; the workers run in this process to save their start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import Conflict, DatasetError, NotFound
from llmlora.core.events import EventWriter
from llmlora.core.layout import ANSWERS_FILE, CONFIG_FILE, REPORT_FILE, REPORT_PAGE, run_dir
from llmlora.core.publish import read_json
from llmlora.services import evaluate as evaluate_service
from llmlora.services import train as train_service
from llmlora.services.evaluate import evaluate
from llmlora.services.train import train
from tiny_models import tiny_model

ROWS = [
    ("コハルビの茶はいくらですか？", "420円です。"),
    ("ミナト文具店の休みはいつですか？", "水曜日です。"),
    ("返品の期限は何日ですか？", "14日以内です。"),
]


def work_here(kind: str, folder: Path, on_event: Any = None) -> dict[str, Any]:
    from llmlora.worker import evaluate as evaluate_worker
    from llmlora.worker import train as train_worker

    directory = run_dir(folder, 1)
    directory.mkdir(parents=True)
    work = {"train": train_worker.run, "evaluate": evaluate_worker.run}[kind]
    return work(folder, read_json(folder / CONFIG_FILE), EventWriter(directory, 1), False)


@pytest.fixture(scope="module", autouse=True)
def workers_here() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate_service, "run_worker", work_here)
        patch.setattr(train_service, "run_worker", work_here)
        patch.setattr("llmlora.evaluation.forgetting.MAX_ITEMS", 24)
        yield


def write_rows(path: Path, rows: list[tuple[str, str]]) -> Path:
    lines = [json.dumps({"instruction": asked, "output": told}, ensure_ascii=False) for asked, told in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def train_job(root: Path, method: str) -> Path:
    base = tiny_model("llama", root / "base", num_hidden_layers=1, hidden_size=64, intermediate_size=64)
    data = write_rows(root / "data.jsonl", ROWS)
    held_out = write_rows(root / "held_out.jsonl", [("定休日は？", "水曜日です。")])
    settings: dict[str, Any] = {"num_train_epochs": 20, "learning_rate": 1e-2 if method == "lora" else 3e-3}
    train(str(base), data, out=root / "job", eval_data=held_out, method=method, dtype="float32", **settings)
    return root / "job"


@pytest.fixture(scope="module")
def job_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_job(tmp_path_factory.mktemp("evaluate"), "lora")


def test_a_trained_job_is_evaluated(job_dir: Path) -> None:
    report = evaluate(job_dir, max_new_tokens=24)
    facts = report["facts"]
    assert (facts["total"], facts["remembered_before"]) == (3, 0)
    assert facts["learned"] == 3
    assert report["tuned"]["exact_match"] == 1.0
    assert report["tuned"]["stop_rate"] == 1.0
    for pair in report["loss"].values():
        assert pair["tuned"]["loss"] < pair["base"]["loss"]
    assert report["loss"]["held_out"]["source"] == "eval_data"
    assert report["forgetting"]["drift"]["num_questions"] == 8
    folder = Path(report["folder"])
    assert folder.parent == job_dir
    assert all((folder / name).stat().st_size > 0 for name in (REPORT_FILE, REPORT_PAGE, ANSWERS_FILE))


def test_rewordings_decide_between_learned_and_surface(job_dir: Path, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    asked, told = ROWS[0]
    rows = [
        {"prompt": asked, "reference": told, "paraphrases": [asked, asked]},
        {"prompt": asked, "reference": told, "paraphrases": ["The quick brown fox", "def main(argument):"]},
    ]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = evaluate(job_dir, questions, check_forgetting=False, max_new_tokens=24)
    assert [item["verdict"] for item in report["items"]] == ["learned", "surface"]


def test_the_same_evaluation_gives_the_same_answers(job_dir: Path) -> None:
    first, second = (evaluate(job_dir, max_questions=2, check_forgetting=False, max_new_tokens=24) for _ in range(2))
    assert Path(first["folder"]).name != Path(second["folder"]).name
    assert texts(first) == texts(second)
    assert first["loss"] == second["loss"]


def texts(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["base"]["text"], item["tuned"]["text"]) for item in report["items"]]


def test_a_bad_questions_file_leaves_nothing_behind(job_dir: Path, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"prompt": "a", "reference": "b"}\n{"prompt": "a"}\n', encoding="utf-8")
    before = sorted(job_dir.iterdir())
    with pytest.raises(DatasetError) as caught:
        evaluate(job_dir, questions)
    assert (caught.value.code, caught.value.params["line"]) == ("question_incomplete", 2)
    assert sorted(job_dir.iterdir()) == before


def test_full_training_is_compared_with_its_base_and_changed_data_is_noticed(tmp_path: Path) -> None:
    job_dir = train_job(tmp_path, "full")
    report = evaluate(job_dir, check_forgetting=False, max_new_tokens=24)
    assert report["facts"]["remembered_before"] == 0
    assert report["facts"]["learned"] == 3
    data = tmp_path / "data.jsonl"
    write_rows(data, ROWS[:1])
    with pytest.raises(Conflict):
        evaluate(job_dir)
    data.unlink()
    with pytest.raises(NotFound):
        evaluate(job_dir)
    held_out = evaluate(job_dir, tmp_path / "held_out.jsonl", check_forgetting=False, max_new_tokens=24)
    assert held_out["loss"]["trained"] is None
    assert "data_gone" in [note["code"] for note in held_out["notes"]]
