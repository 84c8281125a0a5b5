"""The frozen configuration of a job: written exactly, read strictly."""

import json

import pytest

from llmlora.core.config import TrainConfig
from llmlora.core.errors import InputError, NotFound
from llmlora.core.job import DataSource, JobConfig, job_from_json, read_job, trained_dir, write_job


@pytest.fixture
def job():
    return JobConfig(
        schema="llmlora.job/1",
        id="01J",
        base_model="nano",
        base_dir="/models/nano",
        base_digest="d",
        data=DataSource(path="/data/質問.jsonl", sha256="s", columns={"output": "回答"}),
        train=TrainConfig(r=3, learning_rate=1e-3, layers=(0, 2)),
        inputs={"/t.jinja": "h"},
        reasons={"r": "set"},
        llmlora_version="0",
    )


def test_what_is_written_is_read_again(job, tmp_path):
    write_job(tmp_path, job)
    assert read_job(tmp_path) == job
    text = (tmp_path / "config.json").read_text(encoding="utf-8")
    assert '"schema": "llmlora.job/1"' in text
    assert "質問" in text  # readable, not escaped


def test_a_job_cannot_be_changed_in_memory(job):
    with pytest.raises(ValueError):
        job.base_model = "other"


@pytest.mark.parametrize("content", ["[]", "{}", '{"schema": "llmlora.export/1"}', '"text"', "7", "null"])
def test_other_documents_are_no_jobs(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(NotFound) as caught:
        read_job(tmp_path)
    assert caught.value.code == "not_a_job"


def test_a_folder_without_the_file_and_a_file_are_no_jobs(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(NotFound):
            read_job(path)


@pytest.mark.parametrize("damage", ["half", "binary", "key", "value", "version"])
def test_a_damaged_job_is_an_input_error(job, tmp_path, damage):
    write_job(tmp_path, job)
    path = tmp_path / "config.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    if damage == "half":
        path.write_text(path.read_text(encoding="utf-8")[:100], encoding="utf-8")
    elif damage == "binary":
        path.write_bytes(b"\xff\xfe" * 40)
    else:
        changes = {"key": {"surprise": 1}, "value": {"train": {"r": 0}}, "version": {"kind": "evaluate"}}
        path.write_text(json.dumps({**data, **changes[damage]}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_job(tmp_path)
    assert caught.value.code == "damaged_job"
    assert caught.value.params["detail"]


def test_the_first_wrong_value_is_named(job, tmp_path):
    document = job.to_json()
    document["train"]["learning_rate"] = "fast"
    with pytest.raises(InputError) as caught:
        job_from_json(document, tmp_path / "config.json")
    assert "train.learning_rate" in caught.value.params["detail"]


def test_a_job_of_an_earlier_version_without_the_newer_fields_is_read(job):
    document = job.to_json()
    del document["inputs"], document["reasons"]
    assert job_from_json(document, None).inputs == {}


@pytest.mark.parametrize(("method", "name"), [("lora", "adapter"), ("full", "model")])
def test_the_result_of_a_finished_job(job, tmp_path, method, name):
    write_job(tmp_path, job.model_copy(update={"train": TrainConfig(method=method)}))
    with pytest.raises(NotFound) as caught:
        trained_dir(tmp_path)
    assert caught.value.code == "job_not_finished"
    (tmp_path / name).mkdir()
    assert trained_dir(tmp_path) == tmp_path / name
