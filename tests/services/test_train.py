"""Planning a run: everything wrong is found before a folder exists, everything settled has its origin."""

from dataclasses import replace
from pathlib import Path

import pytest

import llmlora
from llmlora.catalog import base_model as base_models
from llmlora.catalog import job_inputs
from llmlora.catalog import model_folder as model_folders
from llmlora.core.errors import (
    ConfigError,
    Conflict,
    DatasetError,
    DependencyError,
    InputError,
    ModelFileError,
    NonFiniteLoss,
    NotFound,
    OutOfMemory,
    PackageMissing,
    ResourceError,
    Stopped,
    exit_code_of,
)
from llmlora.core.job import read_job
from llmlora.core.locale import error_texts
from llmlora.core.publish import sha256_file
from llmlora.services import job_folder
from llmlora.services import plan_training as planning
from llmlora.services import train as train_service
from llmlora.services.plan_training import plan_training
from llmlora.services.train import start_training
from llmlora.services.train_request import training_request
from services.train_requests import adapter_of, fail_with, finish, made, request


def test_a_plan_names_model_data_and_origins(place):
    planned = plan_training(request(place, preset="balanced", settings={"learning_rate": 1e-3}))
    assert planned.job.base_dir == str(place / "base")
    assert planned.report.num_examples == 5
    assert planned.job.reasons["r"] == "preset"
    assert planned.job.reasons["learning_rate"] == "set"
    assert planned.job.reasons["num_train_epochs"] == "recommended"
    assert planned.job.train.num_train_epochs >= 10


def test_a_plan_reads_model_and_data_once(place, tmp_path, monkeypatch):
    """A large vocabulary takes a second to read, a digest a second per gigabyte."""
    (tmp_path / "held out.jsonl").write_bytes((place / "data.jsonl").read_bytes())
    reads = []

    def counted(module, name):
        real = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda path, *more: reads.append((name, Path(path).name)) or real(path, *more)
        )

    counted(base_models, "read_model_folder")
    counted(model_folders, "read_safetensors_header")
    counted(planning, "check_dataset")
    counted(job_inputs, "sha256_file")
    plan_training(request(place, eval_data=tmp_path / "held out.jsonl"))
    once = {"read_model_folder": ["base"], "read_safetensors_header": ["model.safetensors"]}
    files = {name: ["data.jsonl", "held out.jsonl"] for name in ("check_dataset", "sha256_file")}
    assert {name: sorted(path for found, path in reads if found == name) for name in {**once, **files}} == once | files


def test_bad_rows_are_refused_with_the_first_line(place, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"instruction": "a", "output": "b"}\n{"instruction": "c"}\n', encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        plan_training(request(place, data=tmp_path / "bad.jsonl"))
    assert caught.value.params["line"] == 2
    assert caught.value.params["count"] == 1


def test_a_model_is_never_replaced(place):
    for name in ("llama2:7b", "gemma", "mistral", "ollama:llama3.2:1b"):
        with pytest.raises(NotFound):
            plan_training(request(place, base_model=name))
    with pytest.raises(DependencyError) as caught:
        plan_training(request(place, base_model="microsoft/DialoGPT-medium"))
    assert (caught.value.code, caught.value.params["name"]) == ("hub_offline", "microsoft/DialoGPT-medium")


def test_an_occupied_folder_is_left_alone(place, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("precious")
    with pytest.raises(Conflict):
        llmlora.train(str(place / "base"), place / "data.jsonl", out=tmp_path / "out")
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_the_python_api_trains_and_reports(place, tmp_path):
    seen = []
    result = llmlora.train(
        str(place / "base"),
        place / "data.jsonl",
        out=tmp_path / "job",
        max_steps=2,
        dtype="float32",
        on_event=seen.append,
    )
    assert result["status"] == "succeeded"
    assert [event["step"] for event in seen if event["type"] == "step"] == [1, 2]


def test_of_two_runs_into_one_folder_the_second_is_refused_and_the_first_keeps_its_job(place, tmp_path, monkeypatch):
    """Both have found the folder free; what decides is who writes config.json."""
    monkeypatch.setattr(job_folder, "check_free", lambda folder: None)
    first, second = plan_training(request(place)), plan_training(request(place, settings={"r": 32}))

    def meanwhile(kind, folder, on_event):
        with pytest.raises(Conflict) as caught:
            start_training(second, folder)
        assert caught.value.code == "folder_not_empty"
        return {"id": read_job(folder).id}

    monkeypatch.setattr(train_service, "run_worker", meanwhile)
    assert start_training(first, tmp_path / "job") == {"id": first.job.id, "plan": first.plan_dict()}
    assert (tmp_path / "job" / "config.json").is_file()


def test_a_refused_run_leaves_no_folder_behind(place, tmp_path, started):
    """Otherwise the corrected command would be refused too, because its folder is not empty."""
    started(fail_with(ConfigError("unknown_target_modules", names="x", known="y")))
    planned = plan_training(request(place))
    with pytest.raises(ConfigError):
        start_training(planned, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "mine").mkdir()
    with pytest.raises(ConfigError):
        start_training(planned, tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


def test_nothing_that_cost_something_is_removed(place, tmp_path, started):
    """An input error after the first checkpoint, or a failure while running, keeps the folder."""

    def late(folder):
        (folder / "runs" / "1" / "checkpoints" / "step-00000005").mkdir(parents=True)
        raise ModelFileError("tokenizer_missing", path="x")

    planned = plan_training(request(place))
    started(late)
    with pytest.raises(ModelFileError):
        start_training(planned, tmp_path / "late")
    started(fail_with(NonFiniteLoss("nonfinite_loss")))
    with pytest.raises(NonFiniteLoss):
        start_training(planned, tmp_path / "failed")
    for name in ("late", "failed"):
        assert (tmp_path / name / "config.json").is_file()


def test_without_out_a_job_lies_in_the_workspace(place, home, started):
    started(finish)
    planned = plan_training(request(place))
    start_training(planned)
    assert (home / "jobs" / planned.job.id / "config.json").is_file()


@pytest.mark.parametrize("kind", ["a file", "below a file", "not empty", "too long"])
def test_a_folder_that_cannot_be_used_is_refused_first(place, tmp_path, kind):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    paths = {
        "a file": tmp_path / "file",
        "below a file": tmp_path / "file" / "sub",
        "not empty": tmp_path / "full",
        "too long": tmp_path / ("x" * 300),
    }
    missing = request(place, out=paths[kind], base_model="./no-such-model")
    with pytest.raises((Conflict, ResourceError)) as caught:
        plan_training(missing)
    code = "output_not_writable" if kind in ("below a file", "too long") else "folder_not_empty"
    assert caught.value.code == code
    with pytest.raises((Conflict, ResourceError)) as caught:
        start_training(plan_training(request(place)), paths[kind])
    assert caught.value.code == code
    assert caught.value.params["path"].startswith(str(tmp_path))
    assert (tmp_path / "file").read_text() == "mine"


def test_memory_that_ran_out_names_settings_with_values(place, tmp_path, started, monkeypatch):
    prepared = {"type": "phase", "name": "prepared", "params": {"rows": 6, "least_length": 30}}
    monkeypatch.setattr("llmlora.services.outcome.read_job_events", lambda folder: [prepared])
    started(fail_with(OutOfMemory("out_of_memory", detail="can't allocate memory")))
    settings = {"per_device_train_batch_size": 6, "max_length": 200, "r": 8}
    with pytest.raises(OutOfMemory) as caught:
        start_training(plan_training(request(place, settings=settings)), tmp_path / "job")
    params = caught.value.params
    assert params["first"] == "--set per_device_train_batch_size=3 --set gradient_accumulation_steps=2"
    assert "max_length=100" in params["further"] and "r=4" in params["further"]
    assert params["config"] == str(tmp_path / "job" / "config.json")
    hint = error_texts(caught.value)["hint"]
    words = hint[hint.index("llmlora train") :].split(" (")[0].split()[2:]
    assert words[0] == params["config"]
    repeated = training_request(None, None, tmp_path / "job" / "config.json")  # the very command of the hint
    changed = dict(word.split("=") for word in words[1:] if "=" in word)
    again = plan_training(replace(repeated, settings={name: int(value) for name, value in changed.items()}))
    assert again.job.train.effective_batch_size == 6


def test_a_run_that_cannot_be_made_smaller_is_not_told_to(place, tmp_path, started):
    started(fail_with(OutOfMemory("out_of_memory", detail="can't allocate memory")))
    settings = {
        "per_device_train_batch_size": 1,
        "max_length": 64,
        "r": 1,
        "gradient_checkpointing": True,
        "method": "qlora",
    }
    with pytest.raises(OutOfMemory) as caught:
        start_training(plan_training(request(place, settings=settings)), tmp_path / "job")
    assert caught.value.code == "train_memory_at_least"
    assert f"--resume {tmp_path / 'job'}" in error_texts(caught.value)["hint"]


def test_the_folder_of_the_smaller_run_is_free(place, tmp_path, started):
    started(fail_with(OutOfMemory("out_of_memory", detail="can't allocate memory")))
    (tmp_path / "job-2").mkdir()
    (tmp_path / "job-2" / "config.json").touch()
    with pytest.raises(OutOfMemory) as caught:
        start_training(plan_training(request(place)), tmp_path / "job")
    assert caught.value.params["out"] == str(tmp_path / "job-3")


def test_a_killed_worker_may_have_been_killed_for_memory(place, tmp_path, started):
    started(fail_with(OutOfMemory("worker_killed", kind="train", folder="x")))
    with pytest.raises(OutOfMemory) as caught:
        start_training(plan_training(request(place)), tmp_path / "job")
    hint = error_texts(caught.value)["hint"]
    assert f"--resume {tmp_path / 'job'}" in hint
    assert "--set gradient_checkpointing=true" in hint


@pytest.mark.parametrize("has_checkpoint", [True, False])
def test_a_stop_says_how_to_go_on(place, tmp_path, started, has_checkpoint):
    stopped = Stopped("stopped", step=3, total_steps=9, folder="x", has_checkpoint=has_checkpoint)
    started(fail_with(stopped if has_checkpoint else Stopped("interrupted")))
    with pytest.raises(Stopped) as caught:
        start_training(plan_training(request(place)), tmp_path / "job")
    assert exit_code_of(caught.value) == (75 if has_checkpoint else 130)
    assert "train --resume" in error_texts(caught.value)["hint"]
    assert (tmp_path / "job" / "config.json").is_file()  # so that the hint is true


def test_a_repeated_job_is_the_same_job(place, tmp_path):
    folder = made(place, tmp_path, preset="light", settings={"seed": 9, "validation_split": 0.25})
    first = read_job(folder)
    again = plan_training(training_request(None, None, folder / "config.json")).job
    assert again.train == first.train
    assert (again.data, again.base_digest) == (first.data, first.base_digest)
    assert again.id != first.id
    changed = plan_training(replace(training_request(None, None, folder / "config.json"), settings={"r": 16})).job.train
    assert (changed.r, changed.lora_alpha, changed.seed) == (16, 32, 9)


def test_a_continued_adapter_decides_its_shape(place, tmp_path, monkeypatch):
    adapter = adapter_of(tmp_path)
    monkeypatch.chdir(tmp_path)
    planned = plan_training(request(place, settings={"init_adapter": "first", "lora_dropout": 0.2}))
    config = planned.job.train
    assert (config.r, config.lora_alpha, config.target_modules) == (4, 12, ("q_proj",))
    assert config.init_adapter == str(adapter)
    assert config.lora_dropout == 0.2
    assert planned.job.reasons["r"] == "adapter"
    assert set(planned.job.inputs) == {str(path) for path in adapter.iterdir()}


def test_other_values_than_the_adapters_are_refused_together(place, tmp_path):
    adapter_of(tmp_path)
    settings = {
        "init_adapter": str(tmp_path / "first"), "rank": 8, "use_dora": True,
        "target_modules": ["q_proj", "v_proj"], "validation_split": 1.5,
    }  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        plan_training(request(place, preset="light", settings=settings))
    found = {(problem["field"], problem["code"]) for problem in caught.value.params["problems"]}
    assert found == {
        ("r", "differs_from_adapter"), ("use_dora", "differs_from_adapter"),
        ("target_modules", "differs_from_adapter"), ("validation_split", "bad_value"),
    }  # fmt: skip
    targets = next(item for item in caught.value.params["problems"] if item["field"] == "target_modules")
    assert (targets["value"], targets["limit"]) == ("q_proj, v_proj", "q_proj")


@pytest.mark.parametrize(
    ("settings", "changes", "code"),
    [
        ({"validation_split": 0.2}, {"eval_data": "data.jsonl"}, "eval_data_given"),
        ({"eval_steps": 3}, {}, "no_eval_rows"),
        ({"max_length": 10**6}, {}, "over_context"),
        ({"warmup_steps": 500}, {}, "warmup_over_epochs"),
        ({"early_stopping_min_delta": 0.1}, {}, "needs_patience"),
        ({"num_cycles": 3}, {}, "needs_restarts"),
        ({"report_to": ["tensorboard", "tensorboard"]}, {}, "named_twice"),
        ({"r": 4, "rank": 4}, {}, "named_twice"),
        ({"layers": []}, {}, "no_layers"),
        ({"r": True}, {}, "bad_value"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_a_model_is_loaded(place, settings, changes, code):
    changes = {name: place / value for name, value in changes.items()}
    with pytest.raises(ConfigError) as caught:
        plan_training(request(place, settings=settings, **changes))
    assert [problem["code"] for problem in caught.value.params["problems"]] == [code]


def test_one_row_cannot_be_split(place, tmp_path):
    (tmp_path / "one.jsonl").write_text('{"instruction": "a", "output": "b"}\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        plan_training(request(place, data=tmp_path / "one.jsonl", settings={"validation_split": 0.5}))
    assert [problem["code"] for problem in caught.value.params["problems"]] == ["too_few_to_split"]


def test_a_missing_tracker_is_named_with_its_extra(place, monkeypatch):
    monkeypatch.setattr(planning.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PackageMissing) as caught:
        plan_training(request(place, settings={"report_to": "wandb"}))
    assert caught.value.params["package"] == "wandb"
    assert "trackers" in error_texts(caught.value)["hint"]


def test_a_template_file_is_frozen_by_path_and_hash(place, tmp_path, monkeypatch):
    (tmp_path / "mine.jinja").write_text("{{ messages }}")
    monkeypatch.chdir(tmp_path)
    job = plan_training(request(place, settings={"chat_template": "mine.jinja"})).job
    assert job.train.chat_template == str(tmp_path / "mine.jinja")
    assert job.inputs == {str(tmp_path / "mine.jinja"): sha256_file(tmp_path / "mine.jinja")}
    assert plan_training(request(place, settings={"chat_template": "chatml"})).job.train.chat_template == "chatml"


def test_a_template_file_without_a_suffix_is_frozen_by_path_as_well(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "raw"):
        Path(name).write_text("{% for m in messages %}{{ m.content }}{% endfor %}", encoding="utf-8")
    job = plan_training(request(place, settings={"chat_template": "mine"})).job
    assert job.train.chat_template == str(tmp_path / "mine")
    assert list(job.inputs) == [str(tmp_path / "mine")]
    job = plan_training(request(place, settings={"chat_template": "raw"})).job
    assert (job.train.chat_template, job.inputs) == ("raw", {}), (
        "a bundled name is no file, also where one is called so"
    )
    with pytest.raises(ConfigError) as caught:
        plan_training(request(place, settings={"chat_template": "nothing"}))
    assert caught.value.params["name"] == "nothing"


@pytest.mark.parametrize(
    ("content", "code", "exit_code"),
    [
        (None, "unknown_template", 2),
        ("{{ 名前 }}".encode("cp932"), "template_not_utf8", 4),
        (b"{% for %}", "template_syntax", 4),
        (b"hello", "template_hides_turn", 4),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_with_the_plan(place, home, tmp_path, content, code, exit_code):
    template = tmp_path / "bad.jinja"
    if content is not None:
        template.write_bytes(content)
    with pytest.raises(InputError) as caught:
        plan_training(request(place, settings={"chat_template": str(template)}, out=tmp_path / "job"))
    assert (caught.value.code, exit_code_of(caught.value)) == (code, exit_code)
    assert not (tmp_path / "job").exists()
    left = {path.name for path in home.rglob("*") if path.is_file()}
    assert left <= {"model-digests.json"}, "only what is remembered of the base"


def test_a_machine_that_is_too_small_is_told_before_a_folder_exists(place, tmp_path, monkeypatch):
    from llmlora.services import capacity

    monkeypatch.setattr(capacity, "memory_bytes", lambda: 10)
    monkeypatch.setattr(capacity, "nvidia_gpus", list)
    with pytest.raises(OutOfMemory):
        llmlora.train(str(place / "base"), place / "data.jsonl", out=tmp_path / "job")
    assert not (tmp_path / "job").exists()
