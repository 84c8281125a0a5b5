"""What a job left behind, and where its base model is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmlora.core.errors import NotFound
from llmlora.inference.trained_job import find_trained
from tiny_jobs import MakeJob, tiny_job


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    return lambda architecture, adapter, **model: tiny_job(architecture, tmp_path, adapter, **model)


def test_an_adapter_stands_on_its_base(make_job: MakeJob, tmp_path: Path):
    trained = find_trained(make_job("llama", {}))
    assert trained.weights is trained.base
    assert trained.base.path == tmp_path / "base"
    assert trained.result_dir == trained.adapter_dir == tmp_path / "job" / "adapter"
    assert trained.model_config["model_type"] == "llama"


def test_full_training_needs_no_base(make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", None)
    shutil.rmtree(tmp_path / "base")
    trained = find_trained(job)
    assert trained.adapter_dir is None
    assert trained.weights.path == trained.result_dir == job / "model"
    assert trained.untouched_base is None


def test_unfinished_and_foreign_folders(make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", {})
    shutil.rmtree(job / "adapter")
    with pytest.raises(NotFound) as unfinished:
        find_trained(job)
    assert unfinished.value.code == "job_not_finished"
    with pytest.raises(NotFound) as foreign:
        find_trained(tmp_path)
    assert foreign.value.code == "not_a_job"
