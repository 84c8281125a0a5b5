"""The frozen configuration of a job: written exactly, read strictly."""

import json

import pytest

from llmlora.core.config import VALUES_IN_OLDER_JOBS, TrainConfig, changed_settings
from llmlora.core.errors import InputError, NotFound
from llmlora.core.job import (
    DataSource,
    JobConfig,
    job_from_json,
    read_job,
    stored_settings,
    trained_dir,
    update_job,
    write_job,
)


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


@pytest.mark.parametrize("content", ["[]", "{}", '{"schema": "llmlora.dataset/1"}', '"text"', "7", "null"])
def test_other_documents_are_no_jobs(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(NotFound) as caught:
        read_job(tmp_path)
    assert caught.value.code == "not_a_job"


def test_a_folder_without_the_file_and_a_file_are_no_jobs(tmp_path):
    (tmp_path / "file").write_text("x")
    codes = {"": "not_a_job", "file": "not_a_job", "missing": "file_not_found", "x" * 5000: "file_not_found"}
    for path in (tmp_path / name for name in codes):
        with pytest.raises(NotFound) as caught:
            read_job(path)
        assert caught.value.code == codes[path.name if path != tmp_path else ""]


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


def test_a_job_of_an_earlier_version_without_the_newer_fields_is_read(job, tmp_path):
    document = job.to_json()
    del document["inputs"], document["reasons"]
    assert job_from_json(document, tmp_path / "config.json").inputs == {}


@pytest.mark.parametrize(("method", "name"), [("lora", "adapter"), ("full", "model")])
def test_the_result_of_a_finished_job(job, tmp_path, method, name):
    write_job(tmp_path, job.model_copy(update={"train": TrainConfig(method=method)}))
    with pytest.raises(NotFound) as caught:
        trained_dir(tmp_path)
    assert caught.value.code == "job_not_finished"
    (tmp_path / name).mkdir()
    assert trained_dir(tmp_path) == tmp_path / name


# every setting of the first job format; a newer one has a row in VALUES_IN_OLDER_JOBS instead of a name here
FIRST_SETTINGS = """
method r lora_alpha lora_dropout target_modules use_rslora use_dora modules_to_save layers init_adapter learning_rate
num_train_epochs max_steps per_device_train_batch_size gradient_accumulation_steps max_length packing
assistant_only_loss lr_scheduler_type stages num_cycles warmup_steps weight_decay max_grad_norm gradient_checkpointing
validation_split eval_steps early_stopping_patience early_stopping_min_delta seed dtype logging_steps save_steps
save_total_limit max_nonfinite_steps chat_template system report_to
""".split()


def test_every_newer_setting_says_what_it_means_in_an_older_job():
    assert set(TrainConfig.model_fields) == {*FIRST_SETTINGS, *VALUES_IN_OLDER_JOBS}
    TrainConfig.model_validate(VALUES_IN_OLDER_JOBS)


def test_a_setting_that_an_older_job_does_not_name_has_its_older_value_not_the_default(job, tmp_path, monkeypatch):
    stored = {name: value for name, value in job.to_json()["train"].items() if name != "packing"}
    write_job(tmp_path, job)
    update_job(tmp_path, train=stored)
    assert read_job(tmp_path).train.packing is True  # no row: the default
    monkeypatch.setitem(VALUES_IN_OLDER_JOBS, "packing", False)
    assert read_job(tmp_path).train.packing is False
    assert changed_settings(stored, {**stored, "packing": False}) == []
    assert changed_settings(stored, {**stored, "packing": True, "r": 4}) == ["packing", "r"]


def test_changing_a_place_leaves_the_stored_settings_as_they_were_written(job, tmp_path):
    write_job(tmp_path, job)
    stored = {"r": 3}
    update_job(tmp_path, train=stored)
    update_job(tmp_path, base_dir="/new/place")
    assert stored_settings(tmp_path) == stored
    assert read_job(tmp_path).base_dir == "/new/place"


def _refused(folder):
    with pytest.raises(NotFound) as caught:
        read_job(folder)
    return caught.value


@pytest.mark.parametrize("part", ["adapter", "runs/1/checkpoints/step-00000150", "evaluation-1"])
def test_a_part_of_a_job_names_the_job(job, tmp_path, part):
    write_job(tmp_path, job)
    (tmp_path / part).mkdir(parents=True)
    error = _refused(tmp_path / part)
    assert (error.code, error.params["job"]) == ("part_of_a_job", str(tmp_path))


def test_an_export_names_the_job_that_is_meant(tmp_path):
    (tmp_path / "config.json").write_text('{"schema": "llmlora.export/1", "job_dir": "/jobs/mine"}')
    error = _refused(tmp_path)
    assert (error.code, error.params["job"]) == ("export_not_job", "/jobs/mine")


@pytest.mark.parametrize(
    ("name", "text"),
    [("config.json", '{"model_type": "llama"}'), ("adapter_config.json", '{"base_model_name_or_path": "nano"}')],
)
def test_a_model_or_an_adapter_of_another_tool_is_named(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert _refused(tmp_path).code == "model_not_job"
