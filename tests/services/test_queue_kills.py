"""Kill -9 at random moments: nothing is lost, done twice or stuck, and no curve has a gap (gate S1)."""

import json
import os
import signal
import sqlite3
import time
from contextlib import closing

import psutil
import pytest

from llmlora.core.publish import sha256_file
from llmlora.services.job_folder import write_training
from llmlora.services.plan_training import plan_training
from llmlora.services.queue import Queue
from llmlora.services.train import train
from llmlora.services.train_request import training_request
from services.fake_launcher import submit
from services.queue_kills import check_everything, finish, kill, kill_again_and_again, steps_made, wait_for, working
from services.supervisor_process import start_supervisor

STEPS = 60


def run_kills(database, database_url, num_kills):
    submitted = [submit(database, steps=STEPS, seconds=0.01)]

    def more_work():
        submitted.append(submit(database, steps=STEPS, seconds=0.01, save_steps=len(submitted) % 3 + 1))

    supervisor, kills = kill_again_and_again(database, database_url, num_kills, more_work)
    finish(database)
    supervisor.kill()
    supervisor.join()
    assert sorted(job.id for job in Queue(database).page(limit=500).items) == sorted(submitted)
    check_everything(database, STEPS)
    return kills


def test_killed_ten_times_on_each_database(database, database_url):
    assert sum(run_kills(database, database_url, 10).values()) == 10


@pytest.mark.gate
def test_killed_two_hundred_times(database, database_url):
    kills = run_kills(database, database_url, 200)
    print(json.dumps({"kills": kills, "database": database.engine.dialect.name}))


def settings():
    return {"num_train_epochs": 40, "dtype": "float32", "lora_dropout": 0.1, "save_steps": 3}


def test_a_real_job_ends_with_the_same_bits_after_worker_supervisor_and_both_were_killed(home, place):
    """The real worker and a tiny model: same adapter as never killed."""
    from llmlora.store.opening import open_store

    whole = train(str(place / "base"), place / "data.jsonl", out=home.parent / "whole", **settings())
    database = open_store(home)
    queue = Queue(database)
    planned = plan_training(training_request(str(place / "base"), place / "data.jsonl", settings=settings()))
    folder = write_training(planned)
    job = queue.submit("train", folder, name="real", job_id=planned.job.id)
    url = f"sqlite:///{home}/llmlora.db"
    supervisor = start_supervisor(home, url, real=True)
    for victims in (("worker",), ("supervisor",), ("supervisor", "worker")):
        before = steps_made(queue)
        wait_for(lambda before=before: steps_made(queue) > before + 4, 100, "it does not get on")
        if "supervisor" in victims:
            supervisor.kill()
            supervisor.join()
        if "worker" in victims:
            kill(working(queue))
        if "supervisor" in victims:
            time.sleep(0.2)
            supervisor = start_supervisor(home, url, real=True)
    finish(database)
    supervisor.kill()
    supervisor.join()
    job = queue.get(job.id)
    assert job.status == "succeeded", job.error
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert sha256_file(folder / "adapter" / name) == sha256_file(home.parent / "whole" / "adapter" / name)
    assert job.result["final_loss"] == whole["final_loss"]
    steps = [bucket.first_step for bucket in queue.curves(job.id, ("loss",), 10_000)["loss"]]
    assert steps == list(range(1, job.progress["total_steps"] + 1))
    assert all(run.is_exact for run in queue.runs(job.id)[1:])
    database.close()


def stop_outside_a_transaction(process, database):
    """Freeze a process while it does not write into SQLite, whose one writer nobody could take the lock from."""
    while True:
        os.kill(process.pid, signal.SIGSTOP)
        wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, 10, "it does not stop")
        if database.dialect.path is None or can_write(database.dialect.path):
            return
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.01)


def can_write(path):
    """Tell whether nobody writes into a SQLite file at this moment."""
    with closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True


def test_a_stopped_supervisor_that_wakes_up_does_no_harm(database, database_url):
    """SIGSTOP for longer than its lease, while another one takes over."""
    job_id = submit(database, steps=300, seconds=0.01)
    queue = Queue(database)
    first = start_supervisor(database.home, database_url)
    wait_for(lambda: steps_made(queue) > 3, 30, "it does not begin")
    stop_outside_a_transaction(first, database)
    second = start_supervisor(database.home, database_url)
    wait_for(lambda: (queue.get(job_id).progress.get("step") or 0) > 20, 60, "it was not taken over")
    os.kill(first.pid, signal.SIGCONT)
    finish(database)
    for supervisor in (first, second):
        supervisor.kill()
        supervisor.join()
    assert [run.run for run in queue.runs(job_id)] == [1]
    check_everything(database, 300)
