"""The index is made again from the folders: it is the same as before, whatever the state of the jobs."""

import json

import pytest

from llmlora.core.layout import DATABASE_FILE, LOCK_FILE
from llmlora.services.queue import Queue
from llmlora.store import datasets, jobs, metrics, runs, settings
from llmlora.store.datasets import DatasetRow
from llmlora.store.events import after
from llmlora.store.opening import open_store
from llmlora.store.rebuild import index_folders, rebuild
from llmlora.store.records import write_dataset_record
from llmlora.store.statuses import STATUSES
from llmlora.store.tail import tail
from services.fake_launcher import FakeLauncher, submit, supervise, tick_until, write_folder

ONLY_INDEX = ("owner", "lease", "pid", "process_start", "process_boot", "exit_code", "reason", "started_at", "ended_at")


@pytest.fixture
def launcher():
    fake = FakeLauncher()
    yield fake
    fake.clean_up()


def content(database):
    """Return everything that folders tell, in comparable form."""
    found = {}
    with database.read() as connection:
        for job in jobs.with_status(connection, STATUSES):
            told = [
                {name: getattr(row, name) for name in row.__dataclass_fields__ if name not in ONLY_INDEX}
                for row in runs.of_job(connection, job.id)
            ]
            for row in told:
                row["error"] = None if row["outcome"] == "interrupted" else row["error"]
            curve = metrics.rows(connection, job.id)
            events = [(e.run, e.seq, e.type, e.data) for e in after(connection, 0, job_id=job.id, limit=10**6) if e.seq]
            found[job.id] = (job, told, curve, events)
        return found, datasets.page(connection)


def make_work(database, launcher):
    """Bring jobs into every state that a workspace can be left in."""
    queue = Queue(database)
    done = submit(database, name="終わった", steps=20)
    failing = {"error": "NonFiniteLoss", "code": "nonfinite_loss", "params": {"step": 3}}
    failed = submit(database, steps=9, fail_at=3, error=failing, kind="export")
    stopped = submit(database, steps=10_000, seconds=0.005, kind="evaluate")
    supervisor = supervise(database, launcher)
    tick_until(supervisor, lambda: queue.get(failed).status == "failed" and queue.get(done).status == "succeeded")
    tick_until(supervisor, lambda: (queue.get(stopped).progress.get("step") or 0) > 5)
    queue.pause(stopped)
    tick_until(supervisor, lambda: queue.get(stopped).status == "paused")
    queue.cancel(submit(database))
    queue.reorder(submit(database, name="first"), before=submit(database, name="second"))
    queue.rename(done, "別の名前")
    row = {"name": "d", "description": "", "file_name": "x.csv", "format": None, "encoding": "cp932", "num_examples": 3}
    facts = {"num_bytes": 9, "sha256": "0" * 64, "is_ok": False, "problems": [{"line": 2}], "stats": {}}
    dataset = DatasetRow("1" * 26, folder=f"datasets/{'1' * 26}", created_at="2026", **row, **facts)
    (database.home / dataset.folder).mkdir(parents=True)
    write_dataset_record(database.home, dataset)
    with database.write() as connection:
        datasets.insert(connection, dataset)


def test_the_index_made_again_is_the_same(database, launcher, postgres, home):
    make_work(database, launcher)
    before = content(database)
    for url in (f"sqlite:///{home}/again.db", postgres.new_url()):
        again = open_store(home, url)
        assert content(again) == before
        again.close()


def test_a_damaged_database_is_made_again_by_itself(home, launcher):
    database = open_store(home)
    make_work(database, launcher)
    before = content(database)
    database.close()
    path = home / DATABASE_FILE
    data = bytearray(path.read_bytes())
    data[4096:20480] = b"x" * 16384
    path.write_bytes(data)
    again = open_store(home)
    assert content(again) == before
    again.close()


def test_a_moved_workspace_finds_its_folders(home, launcher, tmp_path):
    database = open_store(home)
    make_work(database, launcher)
    before = [job.id for job in Queue(database).page().items]
    database.close()
    home.rename(tmp_path / "elsewhere")
    again = open_store(tmp_path / "elsewhere")
    queue = Queue(again)
    assert [job.id for job in queue.page().items] == before
    assert all((queue.folder_of(queue.get(job_id)) / "config.json").is_file() for job_id in before)
    again.close()


def test_the_index_is_made_anew_while_a_job_runs(database, launcher):
    """What was wrong in it is right again, and the worker is found again, not started twice."""
    make_work(database, launcher)
    queue = Queue(database)
    with database.write() as connection:
        settings.put(connection, database.dialect, "max_running", 9)
    job_id = submit(database, steps=400, seconds=0.01)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, lambda: (queue.get(job_id).progress.get("step") or 0) > 3)
    others = [
        found for found in content(database)[0].items() if found[0] != job_id and found[1][0].status == "succeeded"
    ]
    with database.write() as connection:
        for other, _ in others:
            jobs.set_values(connection, other, name="wrong", result=None)
    assert job_id in rebuild(database)
    assert dict(others).items() <= content(database)[0].items()
    tick_until(supervisor, lambda: queue.get(job_id).status == "succeeded")
    assert [run.run for run in queue.runs(job_id)] == [1]
    assert [bucket.first_step for bucket in queue.curves(job_id, ("loss",), 400)["loss"]] == list(range(1, 401))
    with database.read() as connection:
        assert settings.get_all(connection) == {"max_running": 9}


def test_a_job_whose_end_the_lost_index_had_not_heard_of_is_not_done_again(database, launcher):
    queue = Queue(database)
    job_id = submit(database, steps=2)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, lambda: queue.get(job_id).is_active)
    launcher.started[0].wait()
    rebuild(database)
    assert queue.get(job_id).is_active
    tick_until(supervise(database, launcher), lambda: not queue.get(job_id).is_active)
    assert (queue.get(job_id).status, queue.get(job_id).result) == ("succeeded", {"final_loss": 0.5})
    assert [run.outcome for run in queue.runs(job_id)] == ["succeeded"]
    assert [event.seq for event in queue.events_after(0, types=("run_ended",))] == [6]


def test_indexing_again_changes_nothing(database, launcher):
    make_work(database, launcher)
    before = content(database)
    assert index_folders(database) == []
    assert content(database) == before


def test_folders_that_are_no_jobs_are_passed_over(database):
    root = database.home / "jobs"
    for name, files in {
        "not an id": {"config.json": "{}", "queue.json": "{}"},
        "0" * 26: {"queue.json": "[]"},
        "1" * 26: {"queue.json": json.dumps({"schema": "llmlora.queue/1", "id": "1" * 26, "kind": "dance"})},
        "2" * 26: {"config.json": "{"},
        "3" * 26: {"config.json": json.dumps({"schema": "llmlora.job/1", "id": "other"})},
        "4" * 26: {"queue.json": json.dumps({"schema": "llmlora.queue/9", "id": "4" * 26})},
        "U" * 26: {"config.json": json.dumps({"schema": "llmlora.job/1", "id": "U" * 26})},
    }.items():
        (root / name / "runs" / "1").mkdir(parents=True)
        for file, text in files.items():
            (root / name / file).write_text(text)
    assert index_folders(database) == []


def test_events_are_taken_once_and_up_to_the_last_whole_line(database):
    job_id = submit(database)
    queue = Queue(database)
    folder = queue.folder_of(queue.get(job_id)) / "runs" / "1"
    folder.mkdir(parents=True)
    with database.write() as connection:
        runs.insert(connection, job_id, 1, None, None)
        jobs.set_values(connection, job_id, run=1)
    lines = [
        json.dumps({"seq": n, "type": "step", "time": "t", "step": n, "metrics": {"loss": n}}) for n in range(1, 4)
    ]
    path = folder / "events.jsonl"
    path.write_text("\n".join(lines[:2]) + "\n" + lines[2][:10])
    assert [event["seq"] for event in tail(database, job_id, 1)] == [1, 2]
    assert tail(database, job_id, 1) == []
    with path.open("a") as stream:
        stream.write(lines[2][10:] + "\nrubbish of a power cut\n")
    assert [event["seq"] for event in tail(database, job_id, 1)] == [3]
    assert [event.seq for event in queue.events_after(0, types=("step",))] == [1, 2, 3]
    assert queue.get(job_id).progress == {"step": 3, "loss": 3}


def test_many_events_come_in_one_go(database):
    job_id = submit(database)
    queue = Queue(database)
    folder = queue.folder_of(queue.get(job_id)) / "runs" / "1"
    folder.mkdir(parents=True)
    with database.write() as connection:
        runs.insert(connection, job_id, 1, None, None)
    step = {"type": "step", "time": "t", "metrics": {"loss": 1.0}}
    (folder / "events.jsonl").write_text(
        "".join(json.dumps({"seq": n, "step": n, **step}) + "\n" for n in range(1, 2502))
    )
    assert len(tail(database, job_id, 1)) == 2501
    assert queue.curves(job_id, ("loss",), 5000)["loss"][-1].last_step == 2501


def test_the_lock_file_alone_says_nothing(database, launcher):
    """A worker that was killed leaves the file; only a held lock counts."""
    job_id = submit(database, steps=2)
    queue = Queue(database)
    (queue.folder_of(queue.get(job_id)) / LOCK_FILE).write_text("1")
    tick_until(supervise(database, launcher), lambda: queue.get(job_id).status == "succeeded")
    assert len(launcher.started) == 1


def test_a_command_in_progress_is_found_by_its_folder(home, launcher):
    folder = write_folder(home, schema="llmlora.job/1", data={"path": "rows.jsonl"})
    (folder / "runs" / "1").mkdir(parents=True)
    database = open_store(home)
    job = Queue(database).get(folder.name)
    assert (job.status, job.reason, job.origin, job.run) == ("paused", "command", "command", 1)
    database.close()
