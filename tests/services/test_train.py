"""Planning a run: everything wrong is found before a folder exists, everything settled has its origin."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import llmlora
from llmlora.catalog import base_model as base_models
from llmlora.catalog import job_inputs
from llmlora.catalog import model_folder as model_folders
from llmlora.core.errors import (
    ConfigError,
    Conflict,
    DatasetError,
    InputError,
    LlmloraError,
    ModelFileError,
    NonFiniteLoss,
    NotFound,
    OutOfMemory,
    PackageMissing,
    ResourceError,
    Stopped,
    exit_code_of,
)
from llmlora.core.events import EventWriter
from llmlora.core.job import read_job, stored_settings, write_job
from llmlora.core.locale import error_texts, set_language
from llmlora.core.publish import sha256_file, write_json
from llmlora.services import job_folder
from llmlora.services import plan_training as planning
from llmlora.services import resume as resuming
from llmlora.services import train as train_service
from llmlora.services.outcome import outcome
from llmlora.services.plan_training import plan_training
from llmlora.services.resume_places import NewPlaces
from llmlora.services.train import resume_training, start_training
from llmlora.services.train_request import TrainRequest, training_request


def request(place, **changes):
    return TrainRequest(**{"base_model": str(place / "base"), "data": place / "data.jsonl", **changes})


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
    for name in ("llama2:7b", "gemma", "mistral", "microsoft/DialoGPT-medium", "ollama:llama3.2:1b"):
        with pytest.raises(NotFound):
            plan_training(request(place, base_model=name))


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


@pytest.fixture
def started(monkeypatch):
    """Let `start_training` and `resume_training` run this instead of a worker."""

    def use(function):
        def run_worker(kind, folder, on_event):
            try:
                return function(folder)
            except LlmloraError as error:  # as it comes back from a worker: by its last event
                EventWriter(folder / "runs" / "1", 1).emit("run_ended", status="failed", error=error.to_dict())
                raise outcome(folder, 1).error from error

        monkeypatch.setattr(train_service, "run_worker", run_worker)

    return use


def finish(folder):
    (folder / "adapter").mkdir()
    result = {"status": "succeeded", "final_loss": 1.0, "adapter_dir": str(folder / "adapter")}
    (folder / "runs" / "1").mkdir(parents=True)
    write_json(folder / "runs" / "1" / "result.json", result)
    return result


def fail_with(error):
    def fail(folder):
        (folder / "runs" / "1").mkdir(parents=True, exist_ok=True)
        raise error

    return fail


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
    settings = {"per_device_train_batch_size": 1, "max_length": 64, "r": 1, "gradient_checkpointing": True}
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


def made(place, tmp_path, **changes):
    folder = tmp_path / "job"
    folder.mkdir()
    write_job(folder, plan_training(request(place, **changes)).job)
    return folder


def test_a_job_that_was_never_started_can_be_resumed(place, tmp_path, started):
    folder = made(place, tmp_path)
    started(finish)
    assert resume_training(folder)["final_loss"] == 1.0


def test_a_finished_job_tells_its_result_wherever_it_lies(place, tmp_path, started):
    folder = made(place, tmp_path)
    finish(folder)
    started(fail_with(AssertionError("a finished job must not run again")))
    moved = folder.rename(tmp_path / "moved")
    assert resume_training(moved)["adapter_dir"] == str(moved / "adapter")


def test_waiting_for_another_process_is_said(place, tmp_path, started, monkeypatch):
    folder, seen = made(place, tmp_path), []
    started(finish)
    monkeypatch.setattr(train_service, "lock_holder", lambda _: "4711")
    resume_training(folder, seen.append)
    assert [(event["code"], event["params"]) for event in seen] == [("waiting_for_lock", {"pid": "4711"})]


def test_a_lost_result_is_made_again(place, tmp_path, started):
    folder = made(place, tmp_path)
    finish(folder)
    (folder / "adapter").rmdir()
    started(lambda _: {"made": "again"})
    assert resume_training(folder) == {"made": "again"}


def test_a_relative_model_and_data_can_be_resumed_from_elsewhere(place, tmp_path, started, monkeypatch):
    monkeypatch.chdir(place)
    folder = made(place, tmp_path, base_model="./base", data=Path("data.jsonl"))
    monkeypatch.chdir("/")
    started(lambda _: {"went": "on"})
    assert resume_training(folder) == {"went": "on"}


def moved_job(place, tmp_path):
    """Make a job whose base model, data and evaluation rows are somewhere else afterwards."""
    own = tmp_path / "own"
    shutil.copytree(place, own)
    shutil.copy(own / "data.jsonl", own / "held out.jsonl")
    folder = tmp_path / "job"
    folder.mkdir()
    write_job(folder, plan_training(request(own, eval_data=own / "held out.jsonl")).job)
    return folder, own.rename(tmp_path / "new place (2)")


def test_a_job_goes_on_with_the_new_place_of_its_model_and_data(place, tmp_path, started):
    folder, new = moved_job(place, tmp_path)
    started(lambda _: {"went": "on"})
    before = read_job(folder)
    places = NewPlaces.of(str(new / "base"), new / "data.jsonl", new / "held out.jsonl")
    assert resume_training(folder, places=places) == {"went": "on"}
    job = read_job(folder)
    assert (job.base_dir, job.data.path) == (str(new / "base"), str(new / "data.jsonl"))
    assert job.eval_data is not None and job.eval_data.path == str(new / "held out.jsonl")
    assert (job.train, job.data.sha256, job.base_digest) == (before.train, before.data.sha256, before.base_digest)
    assert resume_training(folder) == {"went": "on"}, "the new places are kept"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_is_gone_says_how_its_new_place_is_named(place, tmp_path, started, language):
    folder, new = moved_job(place, tmp_path)
    started(fail_with(AssertionError("nothing may run")))
    found = []
    for places in (
        NewPlaces(),
        NewPlaces.of(str(new / "base"), None, None),
        NewPlaces.of(str(new / "base"), new / "data.jsonl", None),
    ):
        with pytest.raises(NotFound) as caught:
            resume_training(folder, places=places)
        set_language(language)
        option = {"job_base_gone": "--model", "job_data_gone": "--data", "job_eval_data_gone": "--eval-data"}
        assert f"llmlora train --resume {folder} {option[caught.value.code]}" in error_texts(caught.value)["hint"]
        found.append(caught.value.code)
    assert found == ["job_base_gone", "job_data_gone", "job_eval_data_gone"]


def test_another_file_in_the_new_place_is_refused(place, tmp_path, started):
    folder, new = moved_job(place, tmp_path)
    started(fail_with(AssertionError("nothing may run")))
    before = (folder / "config.json").read_bytes()
    with (new / "data.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("\n")
    with pytest.raises(Conflict) as caught:
        resume_training(folder, places=NewPlaces.of(str(new / "base"), new / "data.jsonl", new / "held out.jsonl"))
    assert caught.value.code == "data_changed"
    assert (folder / "config.json").read_bytes() == before


def job_with_files(place, tmp_path):
    """Make a job with a template file and a first adapter that are somewhere else afterwards."""
    own = tmp_path / "own"
    adapter_of(own)
    (own / "chat 1.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}", encoding="utf-8")
    settings = {"chat_template": str(own / "chat 1.jinja"), "init_adapter": str(own / "first")}
    folder = tmp_path / "job"
    folder.mkdir()
    write_job(folder, plan_training(request(place, settings=settings)).job)
    return folder, own.rename(tmp_path / "new place (2)")


def test_a_job_goes_on_with_the_new_place_of_its_template_and_adapter(place, tmp_path, started):
    folder, new = job_with_files(place, tmp_path)
    started(lambda _: {"went": "on"})
    before, settings = read_job(folder), stored_settings(folder)
    files = {"chat_template": new / "chat 1.jinja", "init_adapter": new / "first"}
    for moved in (new, tmp_path / "third"):
        new.rename(moved)
        files = {name: moved / path.relative_to(new) for name, path in files.items()}
        assert resume_training(folder, places=NewPlaces.of(None, None, None, **files)) == {"went": "on"}
        job = read_job(folder)
        assert (job.train.chat_template, job.train.init_adapter) == (
            str(files["chat_template"]),
            str(files["init_adapter"] / "adapter"),
        )
        assert list(job.inputs.values()) == list(before.inputs.values())
        assert all(Path(path).is_relative_to(moved) for path in job.inputs)
        assert stored_settings(folder) == settings, "checkpoints are compared with them"
        assert resume_training(folder) == {"went": "on"}, "the new places are kept"
        new = moved


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_template_or_adapter_that_is_gone_says_how_its_new_place_is_named(place, tmp_path, started, language):
    folder, new = job_with_files(place, tmp_path)
    started(fail_with(AssertionError("nothing may run")))
    template, adapter = new / "chat 1.jinja", new / "first"
    for files, code, option in (
        ({}, "job_template_gone", "--chat-template"),
        ({"chat_template": template}, "job_adapter_gone", "--init-adapter"),
        ({"chat_template": template, "init_adapter": new}, "job_adapter_gone", "--init-adapter"),
    ):
        with pytest.raises(NotFound) as caught:
            resume_training(folder, places=NewPlaces.of(None, None, None, **files))
        set_language(language)
        assert caught.value.code == code
        assert f"llmlora train --resume {folder} {option}" in error_texts(caught.value)["hint"]
    template.write_text("{{ other }}", encoding="utf-8")
    with pytest.raises(Conflict) as conflict:
        resume_training(folder, places=NewPlaces.of(None, None, None, chat_template=template, init_adapter=adapter))
    assert conflict.value.code == "input_changed"


@pytest.mark.parametrize("settings", [{}, {"chat_template": "chatml"}])
def test_a_new_place_is_no_new_setting(place, tmp_path, started, settings):
    folder = tmp_path / "job"
    folder.mkdir()
    write_job(folder, plan_training(request(place, settings=settings)).job)
    started(fail_with(AssertionError("nothing may run")))
    (tmp_path / "other.jinja").write_text("{{ messages }}", encoding="utf-8")
    for files in ({"chat_template": tmp_path / "other.jinja"}, {"init_adapter": tmp_path}):
        with pytest.raises(ConfigError) as caught:
            resume_training(folder, places=NewPlaces.of(None, None, None, **files))
        assert caught.value.code == "no_file_of_job"


@pytest.mark.parametrize("change", ["data", "data gone", "base", "base gone", "config", "foreign", "no folder", "file"])
def test_what_changed_is_named_before_anything_runs(place, tmp_path, started, change):
    shutil.copytree(place, tmp_path / "own")
    own = request(tmp_path / "own")
    folder = tmp_path / "job"
    folder.mkdir()
    write_job(folder, plan_training(own).job)
    started(fail_with(AssertionError("nothing may run")))
    data, weights = tmp_path / "own" / "data.jsonl", tmp_path / "own" / "base" / "model.safetensors"
    actions = {
        "data": lambda: data.write_text("other"),
        "data gone": data.unlink,
        "base": lambda: weights.write_bytes(weights.read_bytes()[:-1] + b"\x01"),
        "base gone": lambda: shutil.rmtree(tmp_path / "own" / "base"),
        "config": lambda: (folder / "config.json").write_text("{"),
        "foreign": lambda: (folder / "config.json").write_text('{"hidden_size": 64}'),
        "no folder": lambda: shutil.rmtree(folder),
        "file": lambda: (shutil.rmtree(folder), folder.write_text("x")),
    }
    actions[change]()
    with pytest.raises((Conflict, NotFound, InputError)) as caught:
        resume_training(folder)
    expected = {
        "data": "data_changed", "data gone": "job_data_gone", "base": "base_changed", "base gone": "job_base_gone",
        "config": "damaged_job", "foreign": "not_a_job", "no folder": "file_not_found", "file": "not_a_job",
    }  # fmt: skip
    assert caught.value.code == expected[change]


def test_a_repeated_job_is_the_same_job(place, tmp_path):
    folder = made(place, tmp_path, preset="light", settings={"seed": 9, "validation_split": 0.25})
    first = read_job(folder)
    again = plan_training(training_request(None, None, folder / "config.json")).job
    assert again.train == first.train
    assert (again.data, again.base_digest) == (first.data, first.base_digest)
    assert again.id != first.id
    changed = plan_training(replace(training_request(None, None, folder / "config.json"), settings={"r": 16})).job.train
    assert (changed.r, changed.lora_alpha, changed.seed) == (16, 32, 9)


def adapter_of(tmp_path, **values):
    folder = tmp_path / "first" / "adapter"
    folder.mkdir(parents=True)
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 12, "target_modules": ["q_proj"], **values}
    write_json(folder / "adapter_config.json", config)
    save_file({"layers.0.q_proj.lora_A.weight": np.zeros((4, 8), np.float32)}, folder / "adapter_model.safetensors")
    return folder


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


@pytest.mark.parametrize(("has_checkpoint", "exit_code"), [(True, 75), (False, 130)])
def test_a_resume_stopped_while_files_are_compared_can_still_go_on(
    place, tmp_path, monkeypatch, has_checkpoint, exit_code
):
    folder = made(place, tmp_path)
    if has_checkpoint:
        (folder / "runs" / "1" / "checkpoints" / "step-00000004").mkdir(parents=True)

    def stop(job, base):
        raise KeyboardInterrupt

    monkeypatch.setattr(resuming, "check_job_inputs", stop)
    with pytest.raises(Stopped) as caught:
        resume_training(folder)
    assert exit_code_of(caught.value) == exit_code
    assert caught.value.params.get("step") == (4 if has_checkpoint else None)
