"""A dataset that a job outside of the workspace reads is kept while that job lies there and has not ended."""

import fcntl
import io
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from api.clients import application, signed_in
from llmlora.core.errors import Conflict, NonFiniteLoss, Stopped
from llmlora.core.events import EventWriter
from llmlora.core.job import update_job
from llmlora.core.layout import datasets_dir, run_dir, run_numbers
from llmlora.core.locale import error_texts, set_language
from llmlora.core.publish import read_json, sha256_file, write_json
from llmlora.data.edit import RowChange
from llmlora.services import dataset_versions
from llmlora.services import evaluate as evaluate_service
from llmlora.services import export as export_service
from llmlora.services import train as train_service
from llmlora.services.job_folder import write_training
from llmlora.services.kept_datasets import NewDataset, data_file, delete_dataset, keep_file, undo_delete_dataset
from llmlora.services.outside_readers import datasets_held
from llmlora.services.plan_training import plan_training
from llmlora.services.recipe import ReplayWish
from llmlora.services.replay import MixingPlace, with_replay
from llmlora.services.resume_places import NewPlaces
from llmlora.services.train import resume_training, start_training
from llmlora.store.opening import open_store
from services.train_requests import request
from tiny_jobs import tiny_job


@pytest.fixture
def database(home):
    with closing(open_store(home)) as found:
        yield found


@pytest.fixture
def keep(database):
    """Return a function that keeps a dataset and returns its row."""

    def kept(name="店"):
        rows = "".join(f'{{"instruction": "{name}{number}?", "output": "A{number}"}}\n' for number in range(5))
        return keep_file(database, NewDataset(name), io.BytesIO(rows.encode()))

    return kept


@pytest.fixture
def killed(monkeypatch):
    """Let a worker be killed in its run: it leaves the run's folder and no word."""

    class KilledError(Exception):
        pass

    def run_worker(kind, folder, on_event):
        run = len(run_numbers(folder)) + 1
        run_dir(folder, run).mkdir(parents=True)
        EventWriter(run_dir(folder, run), run).emit("run_started", kind=kind)
        raise KilledError

    monkeypatch.setattr(train_service, "run_worker", run_worker)
    return KilledError


def ended(folder, status):
    """Let the newest run of a job have ended."""
    run = run_numbers(folder)[-1]
    EventWriter(run_dir(folder, run), run).emit("run_ended", status=status, result={}, error=None)


def is_held(database, row):
    """Tell whether a dataset is not deleted; it is there afterwards in any case."""
    try:
        delete_dataset(database, row.id)
    except Conflict as error:
        assert error.code == "dataset_read_outside"
        return True
    undo_delete_dataset(database, row.id)
    return False


def test_a_dataset_is_held_until_its_reader_has_ended_or_is_gone(place, tmp_path, database, keep, killed):
    row, out = keep(), tmp_path / "elsewhere"
    planned = plan_training(request(place, data=data_file(database, row)))
    assert not is_held(database, row)
    with pytest.raises(killed):
        start_training(planned, out)
    assert is_held(database, row), "whoever was killed can go on"
    ended(out, "interrupted")
    assert is_held(database, row)
    moved = out.rename(tmp_path / "moved")
    assert not is_held(database, row), "nobody knows where it is now"
    with pytest.raises(killed):
        resume_training(moved)
    assert is_held(database, row), "and now somebody does"
    ended(moved, "failed")
    assert not is_held(database, row)
    with pytest.raises(killed):
        resume_training(moved)
    assert is_held(database, row), "what has failed goes on after all"
    ended(moved, "succeeded")
    assert not is_held(database, row)
    with pytest.raises(killed):
        resume_training(moved)
    shutil.rmtree(moved)
    assert not is_held(database, row)


def test_it_is_held_before_the_first_run(place, tmp_path, database, keep):
    row = keep()
    folder = write_training(plan_training(request(place, data=data_file(database, row))), tmp_path / "out")
    assert is_held(database, row)
    (folder / "config.json").unlink()
    assert not is_held(database, row), "a folder without one is no job"


def test_a_folder_in_which_another_job_lies_now_holds_nothing(place, tmp_path, database, keep):
    row = keep()
    folder = write_training(plan_training(request(place, data=data_file(database, row))), tmp_path / "out")
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", {**config, "id": "0" * 26})
    assert not is_held(database, row)
    write_json(folder / "config.json", {**config, "data": {**config["data"], "path": "/other/data.jsonl"}})
    assert not is_held(database, row), "nor does one that reads other data now"


@pytest.mark.parametrize("folder", [3, None, "\0", "x" * 5000, ".", "/nowhere"])
def test_a_damaged_note_holds_nothing(database, keep, folder):
    row = keep()
    note = datasets_dir(database.home) / row.id / f"reader-{row.id}.json"
    write_json(note, {"folder": folder})
    assert not is_held(database, row)
    note.write_text("[")
    assert not is_held(database, row)


def test_all_that_a_job_reads_is_held(place, tmp_path, database, keep):
    new, held_out, earlier = (keep(name) for name in ("新", "検証", "前"))
    wish = request(place, data=data_file(database, new), eval_data=data_file(database, held_out))
    with MixingPlace() as mixing:
        wanted = with_replay(wish, ReplayWish(str(data_file(database, earlier))), mixing)
        write_training(plan_training(wanted), tmp_path / "out")
    assert [is_held(database, row) for row in (new, held_out, earlier)] == [True] * 3


def test_data_that_was_moved_into_a_dataset_is_held_from_then_on(place, tmp_path, database, keep, killed):
    row = keep()
    own = Path(shutil.copy(data_file(database, row), tmp_path / "own.jsonl"))
    with pytest.raises(killed):
        start_training(plan_training(request(place, data=own)), tmp_path / "out")
    assert not is_held(database, row)
    own.unlink()
    with pytest.raises(killed):
        resume_training(tmp_path / "out", places=NewPlaces.of(None, data_file(database, row), None))
    assert is_held(database, row)


def test_what_the_index_finds_itself_and_probes_leave_no_note(place, home, database, keep):
    row = keep()
    planned = plan_training(request(place, data=data_file(database, row)))
    write_training(planned)
    write_training(planned, home / "scratch" / "probe")
    assert not list((datasets_dir(home) / row.id).glob("reader-*"))


def test_a_note_that_cannot_be_written_stops_no_job(place, tmp_path, database, keep, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "no", "x")

    monkeypatch.setattr("llmlora.services.outside_readers.write_json", refuse)
    row = keep()
    assert write_training(plan_training(request(place, data=data_file(database, row))), tmp_path / "out").is_dir()


def test_over_http_the_folder_is_named_and_no_place_told(place, tmp_path, database, keep):
    row = keep()
    write_training(plan_training(request(place, data=data_file(database, row))), tmp_path / "my-shop")
    app = application()
    with closing(app.state.platform):
        answer = signed_in(app).delete(f"/api/datasets/{row.id}", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_read_outside")
    assert answer.json()["detail"].endswith("Its folder: my-shop") and "llmlora" not in answer.json()["hint"]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_way_on_is_a_command(language):
    set_language(language)
    texts = error_texts(Conflict("dataset_read_outside", id="x", path="/a b/job"))
    assert "train --resume '/a b/job'" in texts["hint"] and "/a b/job" in texts["why"]


def test_what_a_run_has_refused_holds_nothing(place, tmp_path, database, keep, started):
    def fail(folder):
        run_dir(folder, 1).mkdir(parents=True)
        raise NonFiniteLoss("nonfinite_loss")

    started(fail)
    row = keep()
    with pytest.raises(NonFiniteLoss):
        start_training(plan_training(request(place, data=data_file(database, row))), tmp_path / "out")
    assert not is_held(database, row)


def test_no_version_goes_that_a_job_elsewhere_reads(place, tmp_path, database, keep, monkeypatch):
    monkeypatch.setattr(dataset_versions, "KEPT_VERSIONS", 1)
    row = keep()
    folder = write_training(plan_training(request(place, data=data_file(database, row))), tmp_path / "out")
    newest = dataset_versions.change_row(database, row.id, 1, RowChange(1, {"output": "二版"}))
    newest = dataset_versions.change_row(database, row.id, 2, RowChange(1, {"output": "三版"}))
    assert data_file(database, row).is_file()
    shutil.rmtree(folder)
    dataset_versions.change_row(database, row.id, newest.version, RowChange(1, {"output": "四版"}))
    assert not data_file(database, row).is_file()


@pytest.fixture
def trained(tmp_path, keep, database):
    """Return a finished job that was trained on a dataset, and the dataset's row."""
    row = keep()
    job = tiny_job("llama", tmp_path / "trained", {"r": 4})
    file = data_file(database, row)
    update_job(job, data={"path": str(file), "sha256": sha256_file(file)})
    return job, row


def code_of_deleting(database, row):
    """Return why a dataset is not deleted, None where it would be."""
    try:
        delete_dataset(database, row.id)
    except Conflict as error:
        return error.code
    undo_delete_dataset(database, row.id)
    return None


@pytest.mark.parametrize("verb", ["evaluate", "evaluate questions", "export"])
def test_a_command_that_works_with_a_job_holds_its_data_while_it_runs(
    trained, tmp_path, database, keep, monkeypatch, verb
):
    job, row = trained
    asked = keep("質問")
    questions = data_file(database, asked) if verb == "evaluate questions" else None
    seen = []

    def run_worker(kind, folder, on_event):
        seen.extend([code_of_deleting(database, row), code_of_deleting(database, asked)])
        raise Stopped("interrupted")

    for module in (evaluate_service, export_service):
        monkeypatch.setattr(module, "run_worker", run_worker)
    with pytest.raises(Stopped):
        if verb == "export":
            export_service.export_model(job, tmp_path / "exported")
        else:
            evaluate_service.evaluate(job, questions)
    assert seen == ["dataset_worked_with", "dataset_worked_with" if questions else None]
    assert code_of_deleting(database, row) is None
    assert not list(datasets_dir(database.home).glob("*/reader-*"))


def test_what_a_killed_command_left_behind_holds_nothing_without_its_worker(trained, tmp_path, database):
    job, row = trained
    folder = tmp_path / "work"
    folder.mkdir()
    write_json(folder / "config.json", {})
    held = datasets_held(job, folder)
    held.__enter__()  # and never left
    assert code_of_deleting(database, row) == "dataset_worked_with", "its worker is about to start"
    run_dir(folder, 1).mkdir(parents=True)
    with (folder / "worker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert code_of_deleting(database, row) == "dataset_worked_with", "its worker lives on"
    assert code_of_deleting(database, row) is None
    (note,) = (datasets_dir(database.home) / row.id).glob("reader-*")
    note.unlink()
