"""The demo as a service: its stages in order, its bundled things, and folders that are never overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.fake_reports import evaluation_body, summary
from llmlora.core.assets import asset_path
from llmlora.core.errors import ExportError
from llmlora.services import demo as service
from llmlora.services.demo import DemoResult, free_folder, plan_demo, run_demo


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Stand in for the heavy stages: note what each was asked to do."""
    made: list[tuple[str, Any]] = []

    def start_training(planned: Any, folder: Path, on_event: Any) -> dict[str, Any]:
        made.append(("train", folder))
        on_event({"type": "phase", "name": "training"})
        return summary()

    def evaluate(folder: Path, questions: Path, on_event: Any, check_quality: bool) -> dict[str, Any]:
        made.append(("evaluate", (folder, questions)))
        return evaluation_body()

    def export_model(folder: Path, output: Path, quant: Any, on_event: Any) -> dict[str, Any]:
        made.append(("export", (folder, output, quant)))
        return {"verify": {"files": []}}

    def chat(model: str, prompt: str, temperature: float) -> dict[str, Any]:
        made.append(("chat", (model, prompt, temperature)))
        return {"text": "午前9時からです。"}

    for stage in (start_training, evaluate, export_model, chat):
        monkeypatch.setattr(service, stage.__name__, stage)
    return made


def test_stages_run_in_order_on_one_folder(calls: list[tuple[str, Any]], tmp_path: Path) -> None:
    stages: list[str] = []
    events: list[dict[str, Any]] = []
    result = run_demo(plan_demo(tmp_path / "out"), tmp_path / "out", events.append, stages.append)
    assert stages == ["train", "evaluate", "export", "chat"] == [name for name, _ in calls]
    assert calls[0][1] == tmp_path / "out" / "job"
    assert calls[1][1] == (tmp_path / "out" / "job", asset_path("questions", "level1_basic_qa.jsonl"))
    assert calls[2][1] == (tmp_path / "out" / "job", tmp_path / "out" / "export", ("F16", "Q4_K_M"))
    model, prompt, temperature = calls[3][1]
    assert model == str(tmp_path / "out" / "export" / "model-Q4_K_M.gguf")
    assert prompt == json.loads(calls[1][1][1].read_text(encoding="utf-8").splitlines()[0])["prompt"]
    assert temperature == 0.0
    assert (result.question, result.answer) == (prompt, "午前9時からです。")
    assert events == [{"type": "phase", "name": "training"}]


def test_a_stage_that_fails_ends_the_demo(
    calls: list[tuple[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> dict[str, Any]:
        raise ExportError("verification_failed", file="x", check="logprobs", cause="weights", detail="", path="y")

    monkeypatch.setattr(service, "export_model", refuse)
    with pytest.raises(ExportError):
        run_demo(plan_demo(tmp_path / "out"), tmp_path, lambda _: None, lambda _: None)
    assert [name for name, _ in calls] == ["train", "evaluate"]


def test_the_plan_is_level_one_on_the_bundled_model(tmp_path: Path) -> None:
    planned = plan_demo(tmp_path / "out")
    assert (planned.base.name, planned.report.num_examples) == ("nano", 5)
    assert (planned.job.train.r, planned.job.train.num_train_epochs) == (4, 15)
    assert planned.resolved.origins["r"] == "set"
    assert [problem.code for problem in planned.report.problems if problem.level == "error"] == []


def test_bundled_files_exist() -> None:
    for lesson in service.LESSONS.values():
        assert asset_path("datasets", lesson.dataset).is_file()
        assert asset_path("questions", lesson.questions).is_file()
    assert not asset_path("questions", "nothing.jsonl").exists()


def test_a_used_name_gets_a_number(tmp_path: Path) -> None:
    wanted = tmp_path / "demo-output"
    assert free_folder(wanted) == wanted
    (tmp_path / "demo-output-2").write_text("a file counts as used", encoding="utf-8")
    assert free_folder(wanted).name == "demo-output-3"
    assert free_folder(wanted).name == "demo-output-4", "made at once, so that two demos never take one folder"


def test_the_document_holds_every_part() -> None:
    result = DemoResult(Path("/d"), "nano", {"a": 1}, {"b": 2}, {"c": 3}, "q", "a")
    assert result.to_dict() == {
        "folder": "/d", "base_model": "nano", "training": {"a": 1}, "evaluation": {"b": 2}, "export": {"c": 3},
        "chat": {"prompt": "q", "text": "a"},
    }  # fmt: skip
