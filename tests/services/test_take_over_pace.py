"""How quickly a new supervisor decides what becomes of a running job, in a workspace with a long past (gate S11)."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from llmlora.core.layout import DATABASE_FILE
from llmlora.services.queue import Queue
from llmlora.services.queue_supervisor import QueueSupervisor
from llmlora.store import jobs, runs
from llmlora.store.jobs import NewJob
from llmlora.store.opening import open_store
from llmlora.store.records import write_job_record
from pace import slowness
from services.fake_launcher import FakeLauncher, submit
from services.queue_kills import kill, wait_for, working
from services.supervisor_process import start_supervisor

SECONDS = 1.0
POINTS = """
INSERT INTO metrics (job_id, step, run, loss)
WITH RECURSIVE counted(step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM counted WHERE step < ?)
SELECT ?, step, 1, 4.0 / step FROM counted
"""
LARGE = [pytest.param(1000, 10, id="some"), pytest.param(1000, 10_000, id="all", marks=pytest.mark.gate)]


def fill(home, num_jobs, num_points):
    """Make a workspace with finished jobs, each with its folder and a curve of so many points."""
    database = open_store(home)
    with database.write() as connection:
        for number in range(num_jobs):
            name = f"01{number:024}"
            folder = home / "jobs" / name
            (folder / "runs" / "1").mkdir(parents=True)
            (folder / "config.json").write_text(json.dumps({"id": name}))
            (folder / "runs" / "1" / "events.jsonl").touch()
            jobs.insert(connection, database.dialect, NewJob(name, "train", name, f"jobs/{name}", status="succeeded"))
            jobs.set_values(connection, name, run=1, ended_at="2026-11-30T00:00:00Z")
            runs.insert(connection, name, 1, None, None)
            runs.end(connection, name, 1, None, outcome="succeeded")
            write_job_record(home, jobs.find(connection, name))
    database.close()
    with closing(sqlite3.connect(home / DATABASE_FILE)) as file, file:
        for number in range(num_jobs):
            file.execute(POINTS, (num_points, f"01{number:024}"))


def unheard_seconds():
    """Return how long this thread had something to do and no core to do it on; 0 where the system does not tell."""
    told = Path(f"/proc/{os.getpid()}/schedstat")
    return int(told.read_text().split()[1]) / 1e9 if told.exists() else 0.0


def taken_over(home):
    """Start as a server does, and return its supervisor with the seconds until it has decided about every job."""
    before, began = unheard_seconds(), time.monotonic()
    database = open_store(home)
    supervisor = QueueSupervisor(database, FakeLauncher())
    supervisor.recover()
    return supervisor, time.monotonic() - began - (unheard_seconds() - before)


@pytest.mark.parametrize(("num_jobs", "num_points"), LARGE)
@pytest.mark.parametrize("is_worker_killed", [False, True])
def test_a_new_server_decides_at_once(home, num_jobs, num_points, is_worker_killed):
    """A job whose worker lives is taken over; one whose worker was killed, too, is put back to go on."""
    fill(home, num_jobs, num_points)
    database = open_store(home)
    queue, job_id = Queue(database), submit(database, steps=5000, seconds=0.01)
    killed = start_supervisor(home, f"sqlite:///{home}/{DATABASE_FILE}")
    wait_for(lambda: queue.get(job_id).status == "running", 60, "it does not begin")
    killed.kill()
    killed.join()
    if is_worker_killed:
        kill(working(queue))
        wait_for(lambda: not working(queue), 20, "it cannot be killed")
    supervisor, seconds = taken_over(home)
    [run], job = queue.runs(job_id), queue.get(job_id)
    if is_worker_killed:
        assert (job.status, run.outcome) == ("interrupted", "interrupted"), (job.reason, run)
    else:
        assert (job.status, run.owner, len(working(queue))) == ("running", supervisor.owner, 1)
        kill(working(queue))
    print(json.dumps({"jobs": num_jobs, "points": num_jobs * num_points, "seconds": round(seconds, 3)}))
    assert seconds < SECONDS * slowness()
    supervisor.database.close()
    database.close()
