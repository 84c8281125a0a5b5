"""A command opens the queue of a workspace: beside a server it changes nothing, alone it makes the index true again."""

import json
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from llmlora.core.errors import Conflict, DependencyError, DiskFull, Stopped
from llmlora.core.layout import run_dir
from llmlora.services.follow import lock_holder
from llmlora.services.follow_job import follow_job, require_success
from llmlora.services.queue import Queue
from llmlora.services.queue_supervisor import QueueSupervisor
from llmlora.services.workspace import look_once, open_workspace, rebuild_index
from llmlora.services.workspace_lock import workspace_lock
from llmlora.store.opening import open_store
from services.fake_launcher import QUICK, SCRIPT, FakeLauncher, speed_up, submit, supervise, tick_until, write_folder


@pytest.fixture
def launcher():
    made = FakeLauncher()
    yield made
    made.clean_up()


def command(folder, run):
    """Work in a folder as a command does, without the queue."""
    run_dir(folder, run).mkdir(parents=True)
    return subprocess.Popen([sys.executable, "-I", "-S", str(SCRIPT), str(folder), str(run)])


def job(database, job_id):
    return Queue(database).get(job_id)


def wait_for(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_a_command_did_while_nobody_looked_is_found(database):
    job_id = submit(database)
    Queue(database).pause(job_id)
    folder = Queue(database).folder_of(job(database, job_id))
    assert command(folder, 1).wait(20) == 0
    assert job(database, job_id).status == "paused"
    look_once(database)
    found = job(database, job_id)
    assert (found.status, found.run, found.origin, found.result) == ("succeeded", 1, "command", {"final_loss": 1 / 3})
    assert found.progress["step"] == 3


def test_a_server_finds_it_as_well(database, launcher):
    job_id = submit(database)
    Queue(database).pause(job_id)
    supervisor = supervise(database, launcher)
    assert command(Queue(database).folder_of(job(database, job_id)), 1).wait(20) == 0
    tick_until(supervisor, lambda: job(database, job_id).status == "succeeded")
    supervisor.stop()


def test_a_look_starts_nothing(database):
    job_id = submit(database)
    look_once(database)
    assert (job(database, job_id).status, job(database, job_id).run) == ("queued", 0)


def test_workers_whose_server_was_killed_are_seen_and_hear_what_users_want(database, launcher):
    job_id = submit(database, steps=10_000, seconds=0.01)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, lambda: (job(database, job_id).progress.get("step") or 0) >= 2)
    del supervisor  # killed: it neither lets go nor says so; only its lease is left
    folder = Queue(database).folder_of(job(database, job_id))
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE runs SET owner = '1:1.0:gone:x'")
    before = job(database, job_id).progress["step"]
    wait_for(lambda: (look_once(database), job(database, job_id).progress["step"] > before)[1])
    assert job(database, job_id).status == "running"
    Queue(database).pause(job_id)
    look_once(database)
    wait_for(lambda: lock_holder(folder) is None)
    look_once(database)
    assert (job(database, job_id).status, job(database, job_id).reason) == ("paused", "user")


def test_another_database_than_the_servers_is_refused(home):
    with workspace_lock() as lock:
        lock.tell("http://127.0.0.1:1", "postgresql+psycopg://u:***@host/other")
        with pytest.raises(Conflict) as refusal, open_workspace():
            pass
    assert refusal.value.code == "other_database"
    with open_workspace() as queue:
        assert queue.page().items == []


def test_a_job_is_followed_over_all_its_runs(database, launcher, monkeypatch):
    monkeypatch.setattr("llmlora.services.queue_rules.RETRY_SECONDS", (0.0, 0.0))
    folder = write_folder(database.home, steps=400, seconds=0.05, lingers=0.1)
    job_id = Queue(database).submit("train", folder, name="a", job_id=folder.name).id
    with workspace_lock():
        supervisor = QueueSupervisor(database, launcher, QUICK)
        supervisor.start()
        try:
            seen = []
            for event in follow_job(Queue(database), job_id):
                seen.append(event)
                now = job(database, job_id)
                assert event["type"] != "run_ended" or not now.is_active or now.run > event["run"]
                if event["type"] == "step" and event["step"] == 2 and event["run"] == 1:
                    speed_up(database, job_id)
                    launcher.started[0].send_signal(signal.SIGTERM)
        finally:
            supervisor.stop()
    steps = [event["step"] for event in seen if event["type"] == "step"]
    assert steps == list(range(1, 401))
    assert len(launcher.started) == 2
    assert seen[-1]["type"] == "run_ended"
    require_success(job(database, job_id))


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        (lambda queue, job_id: queue.cancel(job_id), Stopped, "job_canceled"),
        (lambda queue, job_id: queue.pause(job_id), Stopped, "job_paused"),
        (lambda queue, job_id: None, DependencyError, "nobody_looks_after"),
    ],
)
def test_what_keeps_a_followed_job_from_success_is_raised(database, change, error, code):
    job_id = submit(database)
    change(Queue(database), job_id)
    (told,) = follow_job(Queue(database), job_id)
    assert told["type"] == "status"
    with pytest.raises(error) as raised:
        require_success(job(database, job_id))
    assert raised.value.code == code


def test_the_error_of_a_job_is_raised_as_its_own_class(database, launcher):
    job_id = submit(database, fail_at=1, error={"error": "DiskFull", "code": "disk_full", "params": {"path": "x"}})
    supervisor = supervise(database, launcher)
    tick_until(supervisor, lambda: job(database, job_id).status == "paused")
    supervisor.stop()
    with pytest.raises(DiskFull):
        require_success(job(database, job_id))


def test_jobs_of_commands_name_the_dataset_they_read(database):
    data = database.home / "datasets" / "01M0000000000000000000000D"
    data.mkdir(parents=True)
    (data / "meta.json").write_text(json.dumps({"schema": "llmlora.dataset/1", "id": data.name, "name": "店"}))
    source = {"path": str(data / "data.jsonl")}
    folder = write_folder(database.home, schema="llmlora.job/1", kind="train", data=source, eval_data=source)
    assert command(folder, 1).wait(20) == 0
    look_once(database)
    found = job(database, folder.name)
    assert (found.name, found.status) == ("店", "succeeded")
    assert sorted((use.role, use.dataset_id) for use in found.datasets) == [("eval", data.name), ("train", data.name)]


def test_store_rebuild_makes_the_index_again_where_its_migration_fails(database_url, home, monkeypatch):
    """Also on PostgreSQL, of which no copy is made before."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    with closing(open_store(home)) as first:
        job_id = submit(first, name="店")
        with first.write() as connection:
            connection.exec_driver_sql("ALTER TABLE jobs DROP COLUMN purge_boot")
            connection.exec_driver_sql("ALTER TABLE datasets DROP COLUMN description")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'r0001'")
    with pytest.raises(DependencyError) as caught, open_workspace():
        pass
    assert caught.value.code == "database_migration_failed"
    assert rebuild_index()["num_jobs"] == 1
    with open_workspace() as queue:
        assert queue.get(job_id).name == "店"
