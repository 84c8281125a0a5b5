"""What users can do with the queue: each verb from each status, and what it leaves in row, folder and stream."""

import json

import pytest

from llmlora.core.errors import ConfigError, Conflict, NotFound
from llmlora.core.layout import QUEUE_FILE
from llmlora.services.queue import Queue
from llmlora.store import jobs
from llmlora.store.jobs import DatasetUse
from llmlora.store.statuses import ACTIVE, STATUSES
from services.fake_launcher import submit, write_folder


def at(database, status, **values):
    """Return a queue and a job in a status."""
    job_id = submit(database)
    with database.write() as connection:
        connection.execute(jobs.jobs.update().where(jobs.jobs.c.id == job_id).values(status=status, **values))
    return Queue(database), job_id


def test_submitted_work_is_in_row_folder_and_stream(database):
    folder, parent = write_folder(database.home), submit(database)
    uses = (DatasetUse("D", "train", 0.5),)
    job = Queue(database).submit("train", folder, name="質問", datasets=uses, parent_id=parent, job_id=folder.name)
    assert (job.status, job.name, job.run, job.folder) == ("queued", "質問", 0, f"jobs/{folder.name}")
    assert job.datasets == uses
    record = json.loads((folder / QUEUE_FILE).read_text())
    assert (record["name"], record["status"], record["parent_id"]) == ("質問", "queued", parent)
    event = Queue(database).events_after(0)[-1]
    assert (event.type, event.data["status"], event.data["action"]) == ("status", "queued", "submit")


def test_what_cannot_be_submitted_is_refused(database):
    queue, folder = Queue(database), write_folder(database.home)
    with pytest.raises(ConfigError, match="job_kind"):
        queue.submit("dance", folder, name="x")
    with pytest.raises(NotFound, match="job_folder_gone"):
        queue.submit("train", folder / "none", name="x")
    queue.submit("train", folder, name="x", job_id=folder.name)
    with pytest.raises(NotFound, match="job_not_found"):
        queue.submit("export", write_folder(database.home), name="x", parent_id="P")
    with pytest.raises(Conflict, match="job_exists"):
        queue.submit("train", write_folder(database.home), name="x", job_id=folder.name)
    assert len(queue.page().items) == 1


EXPECTED = {
    "pause": {"queued": "paused", "interrupted": "paused", "preparing": "asked", "running": "asked"},
    "cancel": {
        "queued": "canceled",
        "paused": "canceled",
        "interrupted": "canceled",
        "preparing": "asked",
        "running": "asked",
    },
    "resume": {"paused": "queued"},
    "retry": {"failed": "queued", "canceled": "queued"},
}


@pytest.mark.parametrize("action", EXPECTED)
@pytest.mark.parametrize("status", STATUSES)
def test_each_action_from_each_status(database, action, status):
    queue, job_id = at(database, status, num_retries=2)
    expected = EXPECTED[action].get(status)
    if expected is None:
        with pytest.raises(Conflict) as caught:
            getattr(queue, action)(job_id)
        assert caught.value.code == "job_wrong_status"
        assert caught.value.params == {"id": job_id, "status": status, "action": action}
        assert queue.get(job_id).status == status
        return
    job = getattr(queue, action)(job_id)
    if expected == "asked":
        assert (job.status, job.stop_request) == (status, action)
    else:
        assert (job.status, job.stop_request) == (expected, None)
    record = json.loads((queue.folder_of(job) / QUEUE_FILE).read_text())
    assert (record["status"], record["stop_request"]) == (job.status, job.stop_request)
    if expected == "queued":
        assert job.num_retries == 0


@pytest.mark.parametrize(
    "verb", ["get", "pause", "resume", "cancel", "retry", "delete", "undo_delete", "runs", "progress"]
)
def test_what_is_not_there_is_not_found(database, verb):
    with pytest.raises(NotFound, match="job_not_found"):
        getattr(Queue(database), verb)("0" * 26)


@pytest.mark.parametrize("status", STATUSES)
def test_only_what_nobody_works_on_is_deleted(database, status):
    queue, job_id = at(database, status)
    if status in ACTIVE:
        with pytest.raises(Conflict):
            queue.delete(job_id)
        return
    queue.delete(job_id)
    with pytest.raises(NotFound):
        queue.get(job_id)
    for verb in ("pause", "resume", "cancel", "retry", "delete"):
        with pytest.raises(NotFound):
            getattr(queue, verb)(job_id)
    assert queue.undo_delete(job_id).status == status
    assert queue.undo_delete(job_id).status == status, "what was never deleted stays"


def test_a_job_whose_result_is_being_worked_with_is_not_deleted(database):
    queue, job_id = at(database, "succeeded")
    folder = write_folder(database.home, "export")
    export = queue.submit("export", folder, name="export", parent_id=job_id, job_id=folder.name)
    for change in (lambda connection: None, jobs.claim_next):  # it waits, then somebody works on it
        with database.write() as connection:
            change(connection)
        with pytest.raises(Conflict) as caught:
            queue.delete(job_id)
        assert (caught.value.code, caught.value.params["users"]) == ("job_in_use", export.id)
    with database.write() as connection:
        jobs.change_status(connection, export.id, "succeed", run=0)
    queue.delete(job_id)
    with pytest.raises(NotFound):
        queue.clone(export.id)  # there is nothing to export any more


def order(database):
    with database.read() as connection:
        return [job.name for job in jobs.with_status(connection, ("queued", "paused"))]


def test_jobs_are_moved_in_front_of_others_and_to_the_end(database):
    ids = {name: submit(database, name=name) for name in "abcd"}
    queue = Queue(database)
    queue.reorder(ids["d"], before=ids["b"])
    assert order(database) == list("adbc")
    queue.reorder(ids["a"], before=None)
    assert order(database) == list("dbca")
    queue.pause(ids["c"])
    queue.reorder(ids["c"], before=ids["d"])
    assert order(database) == list("cdba")
    queue.reorder(ids["c"], before=ids["c"])
    assert order(database) == list("dbac")


def test_moving_for_ever_keeps_the_order(database):
    ids = {name: submit(database, name=name) for name in "abc"}
    queue = Queue(database)
    for _ in range(20):
        queue.reorder(ids["c"], before=ids["b"])
        assert order(database) == list("acb")
        queue.reorder(ids["b"], before=ids["c"])
        assert order(database) == list("abc")


def test_only_waiting_jobs_have_a_place(database):
    queue, job_id = at(database, "running")
    other = submit(database)
    with pytest.raises(Conflict):
        queue.reorder(job_id, before=None)
    with pytest.raises(Conflict):
        queue.reorder(other, before=job_id)
    with pytest.raises(NotFound):
        queue.reorder(other, before="0" * 26)


def test_a_clone_is_the_same_work_in_a_folder_of_its_own(database):
    queue, job_id = at(database, "failed")
    copy = queue.clone(job_id, name="もう一度")
    assert (copy.status, copy.name, copy.kind) == ("queued", "もう一度", "train")
    mine, its = (
        json.loads((queue.folder_of(queue.get(each)) / "config.json").read_text()) for each in (job_id, copy.id)
    )
    assert its == {**mine, "id": copy.id}
    (queue.folder_of(queue.get(job_id)) / "config.json").unlink()
    with pytest.raises(NotFound):
        queue.clone(job_id)


def test_a_renamed_job_keeps_its_name_in_its_folder(database):
    queue, job_id = at(database, "succeeded")
    job = queue.rename(job_id, "</script>")
    assert job.name == "</script>"
    assert json.loads((queue.folder_of(job) / QUEUE_FILE).read_text())["name"] == "</script>"
    assert queue.events_after(0)[-1].data["fields"] == ["name"]


def test_pages_end(database):
    ids = [submit(database) for _ in range(5)]
    first = Queue(database).page(limit=3)
    second = Queue(database).page(limit=3, before=first.next_cursor)
    assert [job.id for job in (*first.items, *second.items)] == sorted(ids, reverse=True)
    assert second.next_cursor is None
    assert Queue(database).page(limit=5).next_cursor is None


def test_progress_counts_what_a_phase_is_made_of(database):
    queue, job_id = at(database, "running")
    with database.write() as connection:
        jobs.set_values(connection, job_id, progress={"phase": {"name": "verify", "done": 1, "total": 3}})
    assert queue.progress(job_id)["message"] == {"code": "verify", "params": {"done": 1, "total": 3}}


def test_progress_says_how_far_a_job_is(database):
    queue, job_id = at(database, "running")
    path = queue.folder_of(queue.get(job_id)) / "config.json"
    path.write_text(json.dumps({"train": {"num_train_epochs": 4.0}}))
    known = {
        "step": 30,
        "total_steps": 120,
        "loss": 0.5,
        "eta_seconds": 9.0,
        "phase": {"name": "prepared", "params": {}},
    }
    with database.write() as connection:
        jobs.set_values(connection, job_id, progress=known)
    assert queue.progress(job_id) == {
        "status": "running",
        "step": 30,
        "total_steps": 120,
        "epoch": 1.0,
        "num_epochs": 4.0,
        "percent": 25.0,
        "loss": 0.5,
        "eval_loss": None,
        "learning_rate": None,
        "tokens_per_second": None,
        "eta_seconds": 9.0,
        "phase": "prepared",
        "message": {"code": "prepared", "params": {}},
    }


def test_progress_of_work_without_steps_is_that_of_its_phase(database):
    phases = ({"name": "merge", "done": 3, "total": 4}, {"name": "asking_base", "params": {"done": 3, "total": 4}})
    for phase in phases:
        queue, job_id = at(database, "running", progress={"phase": phase}, kind="merge")
        assert queue.progress(job_id)["percent"] == 75.0
    queue, job_id = at(database, "running", progress={"phase": {"name": "loaded", "params": {"total": 4}}})
    assert queue.progress(job_id)["percent"] is None, "weights are counted, not work"


def test_progress_of_a_job_that_has_not_begun_is_unknown(database):
    queue, job_id = at(database, "queued")
    found = queue.progress(job_id)
    assert found["status"] == "queued" and found["percent"] is None and found["message"] is None


def test_progress_names_what_went_wrong(database):
    error = {"error": "NonFiniteLoss", "code": "nonfinite_loss", "params": {"step": 3}}
    queue, job_id = at(database, "failed", error=error)
    assert queue.progress(job_id)["message"] == {"code": "nonfinite_loss", "params": {"step": 3}}


def test_an_unknown_metric_is_refused(database):
    queue, job_id = at(database, "running")
    with pytest.raises(ConfigError, match="unknown_metric"):
        queue.curves(job_id, ("loss; DROP TABLE jobs",))


def test_a_change_that_cannot_be_written_into_the_folder_does_not_happen(database, monkeypatch):
    """The folder is never behind the database: on a full disk both stay as they are."""
    queue, job_id = at(database, "queued")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("llmlora.store.changes.write_job_record", full)
    with pytest.raises(OSError, match="No space"):
        queue.pause(job_id)
    assert queue.get(job_id).status == "queued"
