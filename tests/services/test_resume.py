"""Resuming a run: what changed or moved is named before anything runs, and what is there goes on."""

import shutil
from pathlib import Path

import pytest

from llmlora.core.errors import (
    ConfigError,
    Conflict,
    InputError,
    NotFound,
    Stopped,
    exit_code_of,
)
from llmlora.core.job import read_job, stored_settings, write_job
from llmlora.core.locale import error_texts, set_language
from llmlora.services import resume as resuming
from llmlora.services import train as train_service
from llmlora.services.plan_training import plan_training
from llmlora.services.resume_places import NewPlaces
from llmlora.services.train import resume_training
from services.train_requests import adapter_of, fail_with, finish, made, request


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


def test_a_result_that_was_cut_off_is_named(place, tmp_path):
    """It was an unexpected error."""
    folder = made(place, tmp_path)
    finish(folder)
    (folder / "runs" / "1" / "result.json").write_text("")
    with pytest.raises(InputError) as caught:
        resume_training(folder)
    assert caught.value.code == "damaged_record"
    assert "evaluate" not in error_texts(caught.value)["hint"]


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
