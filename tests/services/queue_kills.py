"""Kill -9 of supervisor, worker, or both, over and over, and what must hold afterwards."""

import os
import random
import signal
import time
from contextlib import suppress

from llmlora.core.events import read_events
from llmlora.core.layout import EVENTS_FILE, run_dir, run_numbers
from llmlora.services.follow import lock_holder
from llmlora.services.queue import Queue
from services.supervisor_process import start_supervisor

STUCK_SECONDS = 10.0
VICTIMS = ("supervisor", "worker", "both")
WEIGHTS = (70, 70, 60)


def working(queue):
    """Return the process ids of whoever works in a job's folder."""
    holders = (lock_holder(queue.folder_of(job)) for job in queue.page(limit=500).items)
    return [int(holder) for holder in holders if holder is not None and holder.isdigit()]


def kill(pids):
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_for(condition, seconds, message):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, (message, os.getloadavg())
        time.sleep(0.02)


def steps_made(queue):
    """Return how many step events the folders have in all."""
    total = 0
    for job in queue.page(limit=500).items:
        for run in run_numbers(queue.folder_of(job)):
            events = read_events(run_dir(queue.folder_of(job), run) / EVENTS_FILE)
            total += sum(event["type"] == "step" for event in events)
    return total


def gets_on(queue, before, more_work):
    """Tell whether some job has made steps; where all of them have ended, there is more work."""
    if not queue.page(statuses=("queued", "preparing", "running", "interrupted")).items:
        more_work()
    return steps_made(queue) > before + 1


def kill_again_and_again(database, url, num_kills, more_work, seed=20261129):
    """Kill `num_kills` times while there is work; `more_work()` submits a job when the queue runs empty."""
    rng, queue, kills = random.Random(seed), Queue(database), dict.fromkeys(VICTIMS, 0)
    supervisor = start_supervisor(database.home, url)
    while sum(kills.values()) < num_kills:
        before = steps_made(queue)
        try:
            wait_for(lambda before=before: gets_on(queue, before, more_work), STUCK_SECONDS * 3, "no job gets on")
        except AssertionError as stuck:
            open_jobs = [job for job in queue.page(limit=500).items if job.status != "succeeded"]
            states = [(job.id, job.status, job.reason, job.run, queue.runs(job.id)[-2:]) for job in open_jobs]
            raise AssertionError(kills, supervisor.is_alive(), working(queue), states) from stuck
        time.sleep(rng.uniform(0.0, 0.05))
        victim = rng.choices(VICTIMS, WEIGHTS)[0]
        if victim != "worker":
            supervisor.kill()
        if victim != "supervisor":
            kill(working(queue))
        kills[victim] += 1
        if victim != "worker":
            supervisor.join()
            time.sleep(rng.uniform(0.0, 0.1))
            supervisor = start_supervisor(database.home, url)
    return supervisor, kills


def check_everything(database, steps):
    """0 lost, 0 doubled, 0 stuck, 0 orphans, no gap: in the folders and in the index."""
    queue = Queue(database)
    wait_for(lambda: not working(queue), STUCK_SECONDS, "an orphan still works")
    for job in queue.page(limit=500).items:
        assert job.status == "succeeded", (job.status, job.reason, job.error)
        folder = queue.folder_of(job)
        ends_before, seen, succeeded = 0.0, set(), 0
        for run in run_numbers(folder):
            events = list(read_events(run_dir(folder, run) / EVENTS_FILE))
            assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
            if events:
                assert events[0]["mono"] >= ends_before, "two worked at the same time"
                ends_before = events[-1]["mono"]
            seen |= {event["step"] for event in events if event["type"] == "step"}
            succeeded += any(event.get("status") == "succeeded" for event in events)
        assert seen == set(range(1, steps + 1))
        assert succeeded == 1
        curve = queue.curves(job.id, ("loss",), steps)["loss"]
        assert [bucket.first_step for bucket in curve] == list(range(1, steps + 1))
        assert [bucket.mean for bucket in curve] == [1 / step for step in range(1, steps + 1)]
        indexed = [e for e in queue.events_after(0, job_id=job.id, limit=10**6) if e.seq is not None]
        in_files = sum(len(list(read_events(run_dir(folder, run) / EVENTS_FILE))) for run in run_numbers(folder))
        assert len(indexed) == len({(event.run, event.seq) for event in indexed}) == in_files


def finish(database):
    queue = Queue(database)
    wait_for(
        lambda: not queue.page(statuses=("queued", "preparing", "running", "interrupted")).items, 120, "a job is stuck"
    )
