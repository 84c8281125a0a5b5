"""Combining jobs: what is refused before anything is written, and what the new job says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import ConfigError, Conflict, LlmloraError, NotFound
from llmlora.core.job import JobConfig, read_job, update_job
from llmlora.core.layout import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from llmlora.core.locale import error_texts
from llmlora.core.presets import ENSEMBLE
from llmlora.core.publish import read_json, sha256_file, write_json
from llmlora.services.combine import combine, plan_combination
from llmlora.services.ensemble import plan_ensemble
from llmlora.services.job_folder import write_job_folder
from llmlora.services.supervisor import run_worker
from tiny_jobs import tiny_job


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return three finished jobs on the same base: ranks 4, 4 and 6."""
    root = tmp_path_factory.mktemp("jobs")
    made = []
    for number, r in enumerate((4, 4, 6)):
        (root / str(number)).mkdir()
        made.append(tiny_job("llama", root / str(number), {"r": r, "lora_alpha": 8}, num_hidden_layers=1))
    return made


def change_adapter(job: Path, **values: Any) -> Callable[[], None]:
    path = job / "adapter" / ADAPTER_CONFIG
    before = read_json(path)
    write_json(path, {**before, **values})
    return lambda: write_json(path, before)


def code_of(**choices: Any) -> tuple[str, LlmloraError]:
    with pytest.raises(LlmloraError) as caught:
        plan_combination(**choices)
    texts = error_texts(caught.value)
    assert all(texts[part] and "{" not in texts[part] for part in ("what", "why", "hint"))
    return caught.value.code, caught.value


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"method": "mean"}, "unknown_combine_method"),
        ({"weights": [1.0]}, "combine_weights"),
        ({"weights": [0.0, 0.0]}, "combine_weights"),
        ({"weights": [1.0, float("nan")]}, "combine_weights"),
        ({"density": 0.5}, "combine_density"),
        ({"density": 1.5, "method": "ties"}, "combine_density"),
    ],
)
def test_wrong_values_are_refused(jobs: list[Path], choices: dict[str, Any], code: str) -> None:
    found, error = code_of(job_dirs=jobs[:2], **choices)
    assert found == code and isinstance(error, ConfigError)


def test_jobs_that_do_not_fit_are_refused(jobs: list[Path], tmp_path: Path) -> None:
    assert code_of(job_dirs=jobs[:1])[0] == "combine_needs_two"
    with pytest.raises(NotFound):
        plan_combination([jobs[0], tmp_path])
    for method in ("linear", "ties", "dare_linear", "dare_ties"):
        code, error = code_of(job_dirs=jobs, method=method)
        assert (code, error.params["ranks"]) == ("combine_ranks", "4, 4, 6")
        assert "--method svd" in error_texts(error)["hint"]
    (tmp_path / "other").mkdir()
    other = tiny_job("llama", tmp_path / "other", {"r": 4}, num_hidden_layers=1, seed=1)
    code, error = code_of(job_dirs=[jobs[0], other])
    assert code == "combine_other_base" and isinstance(error, Conflict)
    (tmp_path / "full").mkdir()
    full = tiny_job("llama", tmp_path / "full", None, num_hidden_layers=1)
    assert code_of(job_dirs=[jobs[0], full])[0] == "combine_full"
    for setting, value in (("use_dora", True), ("modules_to_save", ["lm_head"])):
        undo = change_adapter(jobs[1], **{setting: value})
        try:
            code, error = code_of(job_dirs=jobs[:2])
            assert (code, error.params["setting"]) == ("combine_setting", setting)
        finally:
            undo()
    template = jobs[1] / "adapter" / "chat_template.jinja"
    before = template.read_bytes()
    template.write_bytes(before + b" ")
    try:
        assert code_of(job_dirs=jobs[:2])[0] == "combine_other_template"
    finally:
        template.write_bytes(before)


def test_the_new_job_says_what_it_is_made_of(jobs: list[Path]) -> None:
    job = plan_combination(jobs, method="cat", weights=[2, -1, 0.5])
    combination = job.combination
    assert combination is not None
    assert (combination.method, combination.weights, combination.density) == ("cat", (2.0, -1.0, 0.5), None)
    assert [member.job_id for member in combination.members] == [read_job(folder).id for folder in jobs]
    assert [member.sha256 for member in combination.members] == [
        sha256_file(folder / "adapter" / ADAPTER_WEIGHTS) for folder in jobs
    ]
    assert (job.train.r, job.train.lora_alpha, job.id == read_job(jobs[0]).id) == (14, 14, False)
    assert JobConfig.model_validate(job.to_json()) == job
    alike = plan_combination(jobs[:2], method="dare_ties").combination
    assert alike is not None
    assert (alike.weights, alike.density) == ((0.5, 0.5), 0.5)


def test_a_combination_is_a_finished_job(jobs: list[Path], tmp_path: Path) -> None:
    result = combine(jobs, tmp_path / "both")
    assert (result["status"], result["method"], result["r"]) == ("succeeded", "svd", 6)
    assert 0 < result["distance_from_sum"] < 1
    adapter = tmp_path / "both" / "adapter"
    assert Path(result["adapter_dir"]) == adapter
    names = {path.name for path in adapter.iterdir()}
    assert {path.name for path in (jobs[0] / "adapter").iterdir()} <= names
    assert {"README.md", "training_args.json", "MANIFEST.json"} <= names
    settings = json.loads((adapter / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    assert (settings["r"], settings["lora_alpha"], settings["use_rslora"]) == (6, 6, False)
    with pytest.raises(Conflict):
        combine(jobs, tmp_path / "both")


def test_a_member_that_changed_in_between_is_noticed(jobs: list[Path], tmp_path: Path) -> None:
    folder = write_job_folder(plan_combination(jobs[:2]), tmp_path / "job")
    config = read_json(folder / "config.json")
    update_job(folder, inputs=dict.fromkeys(config["inputs"], "0" * 64))
    with pytest.raises(Conflict) as caught:
        run_worker("train", folder)
    assert caught.value.code == "input_changed"


def test_the_set_has_the_ranks_rates_and_dropouts_of_the_course(jobs: list[Path], tmp_path: Path) -> None:
    base, data = str(jobs[0].parent / "base"), jobs[0].parent / "data.jsonl"
    planned = plan_ensemble(base, data, tmp_path / "set", {"num_train_epochs": 1})
    shapes = [(job.job.train.r, job.job.train.learning_rate, job.job.train.lora_dropout) for _, job in planned]
    assert shapes == [(8, 5e-5, 0.05), (12, 3e-5, 0.1), (16, 1e-5, 0.15)]
    assert len(ENSEMBLE) == 3 and not (tmp_path / "set").exists()
    assert [folder.name for folder, _ in planned] == ["member-1", "member-2", "member-3"]
    chosen = plan_ensemble(base, data, tmp_path / "set", {"learning_rate": 0.002})
    assert {job.job.train.learning_rate for _, job in chosen} == {0.002}, "what is set goes before the set"
