"""What a job left behind, and where its base model is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmlora.core.errors import Conflict, NotFound
from llmlora.export.trained import check_output_free, find_trained
from tiny_jobs import MakeJob


def test_an_adapter_stands_on_its_base(make_job: MakeJob, tmp_path: Path):
    trained = find_trained(make_job("llama", {}))
    assert trained.weights_dir == trained.base_dir == tmp_path / "base"
    assert trained.tokenizer_dir == trained.adapter_dir == tmp_path / "job" / "adapter"
    assert trained.model_config["model_type"] == "llama"


def test_full_training_needs_no_base(make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", None)
    shutil.rmtree(tmp_path / "base")
    trained = find_trained(job)
    assert trained.adapter_dir is None
    assert trained.weights_dir == trained.tokenizer_dir == job / "model"


def test_unfinished_and_foreign_folders(make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", {})
    shutil.rmtree(job / "adapter")
    with pytest.raises(NotFound) as unfinished:
        find_trained(job)
    assert unfinished.value.code == "job_not_finished"
    with pytest.raises(NotFound) as foreign:
        find_trained(tmp_path)
    assert foreign.value.code == "not_a_job"


def test_a_place_is_free_when_it_is_empty_or_missing(tmp_path: Path):
    check_output_free(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    check_output_free(tmp_path / "empty")
    (tmp_path / "file").write_text("x")
    for name in ("file", "."):
        with pytest.raises(Conflict):
            check_output_free(tmp_path / name)
