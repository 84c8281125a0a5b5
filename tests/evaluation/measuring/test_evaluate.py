"""End to end on a tiny model: really trained, really evaluated; the workers run in this process to save their start."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from llmlora.core.errors import Conflict, DatasetError, ExportError, ModelFileError, NotFound
from llmlora.core.events import EventWriter
from llmlora.core.layout import ANSWERS_FILE, CONFIG_FILE, REPORT_FILE, REPORT_PAGE, run_dir
from llmlora.core.locale import error_texts
from llmlora.core.publish import read_json
from llmlora.evaluation.measuring.safety import load_out_of_scope
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
        patch.setattr("llmlora.evaluation.measuring.forgetting.MAX_ITEMS", 24)
        patch.setattr("llmlora.evaluation.measuring.evaluate.load_out_of_scope", lambda: load_out_of_scope()[::10])
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
    assert report["advice"] == [] or {piece["code"] for piece in report["advice"]} <= {"forgetting", "endless"}
    assert report["forgetting"]["drift"]["num_questions"] == 12
    quality = report["quality"]
    assert [item["lang"] for item in quality["safety"]["items"]] == ["ja", "en"]
    assert quality["consistency"]["tuned"] is None, "no question came in other words"
    assert quality["fluency"]["tuned"]["stop_rate"] == 1.0
    assert quality["fluency"]["tuned"]["perplexity"] > 1
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
    consistency = report["quality"]["consistency"]
    assert (consistency["tuned"]["carried"], consistency["tuned"]["asked"]) == (1, 2)
    assert consistency["base"]["asked"] == 2, "both sides are asked in other words"


@pytest.mark.parametrize("value", [float("nan"), 1e25])
def test_nothing_is_measured_with_diverged_weights(job_dir: Path, tmp_path: Path, value: float) -> None:
    copy = tmp_path / "job"
    shutil.copytree(job_dir, copy, ignore=shutil.ignore_patterns("runs", "evaluation-*"))
    weights = copy / "adapter" / "adapter_model.safetensors"
    tensors = {name: np.full_like(tensor, value) for name, tensor in load_file(weights).items()}
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(ModelFileError) as caught:
        evaluate(copy, max_new_tokens=4)
    assert caught.value.code == "weights_diverged"
    assert caught.value.params["path"] == str(copy / "adapter")
    hint = error_texts(caught.value)["hint"]
    assert "llmlora train --model" in hint
    assert "learning_rate" not in hint, "back to the model's own rate"
    assert not list(copy.glob("evaluation-*")), "nothing was measured, so there is nothing to keep"


def test_the_training_report_judges_its_run(job_dir: Path) -> None:
    report = read_json(job_dir / REPORT_FILE)
    (finding,) = report["findings"]
    assert finding["code"] == "healthy"
    assert float(finding["params"]["first"]) > 10 * float(finding["params"]["last"])
    notes = {note["code"]: note["params"] for note in report["notes"]}
    assert notes == {"training_few_rows": {"count": 3, "advised": 50}}
    page = (job_dir / REPORT_PAGE).read_text(encoding="utf-8")
    assert "nothing looks wrong" in page
    assert f"llmlora evaluate {job_dir}" in page


def test_a_limit_below_the_references_is_said(job_dir: Path) -> None:
    """Answers that were cut may be long, not endless."""
    report = evaluate(job_dir, check_forgetting=False, max_new_tokens=1)
    cut = next(note["params"] for note in report["notes"] if note["code"] == "answers_cut")
    assert (cut["limit"], cut["wanted"]) == (1, 2 * cut["longest"])
    assert report["tuned"]["stop_rate"] < 1
    fitted = evaluate(job_dir, check_forgetting=False, max_questions=1)
    assert "answers_cut" not in [note["code"] for note in fitted["notes"]]
    assert fitted["settings"]["max_new_tokens"] == 64


def test_a_base_that_was_moved_is_found_with_model(job_dir: Path, tmp_path: Path) -> None:
    base, moved = job_dir.parent / "base", tmp_path / "elsewhere"
    shutil.copytree(base, moved)
    hidden = base.rename(base.with_name("hidden"))
    try:
        with pytest.raises(NotFound) as caught:
            evaluate(job_dir, check_forgetting=False)
        assert caught.value.code == "base_missing"
        assert "--model" in error_texts(caught.value)["hint"]
        report = evaluate(job_dir, check_forgetting=False, max_questions=1, max_new_tokens=24, model=moved)
        assert report["facts"]["learned"] == 1
        weights = moved / "config.json"
        weights.write_text(weights.read_text(encoding="utf-8").replace("}", ', "note": 1}', 1), encoding="utf-8")
        with pytest.raises(ExportError) as other:
            evaluate(job_dir, check_forgetting=False, model=moved)
        assert other.value.code == "export_base_changed"
    finally:
        hidden.rename(base)


def test_without_held_out_rows_and_paraphrases_the_report_says_so(tmp_path: Path) -> None:
    base = tiny_model("llama", tmp_path / "base", num_hidden_layers=1, hidden_size=64, intermediate_size=64)
    train(str(base), write_rows(tmp_path / "data.jsonl", ROWS), out=tmp_path / "job", learning_rate=1e-9, max_steps=8)
    training = read_json(tmp_path / "job" / REPORT_FILE)
    assert [finding["code"] for finding in training["findings"]] == ["adapter_unchanged", "loss_not_falling"]
    assert [note["code"] for note in training["notes"]] == ["training_few_rows", "training_without_held_out"]
    report = evaluate(tmp_path / "job", check_forgetting=False, max_new_tokens=8)
    assert report["loss"]["held_out"] is None
    assert report["facts"]["surface"] == 0
    assert {"no_held_out_rows", "no_paraphrases"} <= {note["code"] for note in report["notes"]}
    assert [piece["code"] for piece in report["advice"]] == ["rate_too_low"]
    assert texts(report) == [(base_text, base_text) for base_text, _ in texts(report)]


def test_rows_split_off_are_the_held_out_ones(tmp_path: Path) -> None:
    base = tiny_model("llama", tmp_path / "base", num_hidden_layers=1, hidden_size=64, intermediate_size=64)
    rows = [(f"{number}番の棚は？", f"{number * 11}番です。") for number in range(10)]
    data = write_rows(tmp_path / "data.jsonl", rows)
    train(str(base), data, out=tmp_path / "job", validation_split=0.3, max_steps=2)
    report = evaluate(tmp_path / "job", check_forgetting=False, max_new_tokens=4, max_questions=2)
    assert report["loss"]["held_out"]["source"] == "validation_split"
    tokens = {name: pair["base"]["num_tokens"] for name, pair in report["loss"].items()}
    assert tokens["trained"] > tokens["held_out"] > 0
    notes = {note["code"]: note["params"] for note in report["notes"]}
    assert notes["questions_sampled"] == {"count": 2, "total": 10}
    assert notes["few_questions"]["count"] == 2, "of ten, two were asked"


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
    with pytest.raises(Conflict) as changed:
        evaluate(job_dir)
    data.unlink()
    with pytest.raises(NotFound) as gone:
        evaluate(job_dir)
    assert (changed.value.code, gone.value.code) == ("questions_data_changed", "questions_data_gone")
    assert all("--questions" in error_texts(caught.value)["hint"] for caught in (changed, gone))
    held_out = evaluate(job_dir, tmp_path / "held_out.jsonl", check_forgetting=False, max_new_tokens=24)
    assert held_out["loss"]["trained"] is None
    assert "data_gone" in [note["code"] for note in held_out["notes"]]
