"""The supervisor: jobs start in order, end in the right status, are taken over, retried, stopped."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from llmlora.core.boot_clock import now
from llmlora.core.errors import DiskFull, PackageMissing
from llmlora.core.layout import run_numbers
from llmlora.services import queue_rules, queue_supervisor
from llmlora.services.follow import lock_holder
from llmlora.services.queue import Queue
from llmlora.services.queue_runs import claim, new_owner
from llmlora.services.queue_supervisor import Timing
from llmlora.store import jobs, runs, settings
from llmlora.store.opening import open_store
from llmlora.store.tail import tail
from services.fake_launcher import QUICK, SCRIPT, FakeLauncher, speed_up, submit, supervise, tick_until, write_folder

pytestmark = pytest.mark.usefixtures("quick_retries")
FAILED = {"error": "NonFiniteLoss", "code": "nonfinite_loss", "params": {"step": 2}}
FULL = {"error": "DiskFull", "code": "disk_full", "params": {"path": "x", "free_bytes": 0}}


@pytest.fixture
def quick_retries(monkeypatch):
    monkeypatch.setattr(queue_rules, "RETRY_SECONDS", (0.05, 0.1))
    monkeypatch.setattr("llmlora.services.queue_runs.BUSY_SECONDS", 0.05)


@pytest.fixture
def launcher():
    fake = FakeLauncher()
    yield fake
    fake.clean_up()


def status(database, job_id):
    return Queue(database).get(job_id).status


def ended(database, *job_ids):
    return lambda: all(status(database, job_id) in ("succeeded", "failed", "canceled") for job_id in job_ids)


def is_running(database, job_id, steps=1):
    return lambda: (Queue(database).get(job_id).progress.get("step") or 0) >= steps


def known(database):
    with database.read() as connection:
        return jobs.all_ids(connection)


def assert_gapless(database, job_id, steps):
    queue = Queue(database)
    events = [event for event in queue.events_after(0, job_id=job_id, limit=100_000) if event.seq is not None]
    for run in queue.runs(job_id):
        assert [event.seq for event in events if event.run == run.run] == list(range(1, run.last_seq + 1))
    assert [bucket.first_step for bucket in queue.curves(job_id, ("loss",), steps)["loss"]] == list(range(1, steps + 1))
    assert [bucket.lowest for bucket in queue.curves(job_id, ("loss",), steps)["loss"]] == [
        1 / step for step in range(1, steps + 1)
    ]


def test_jobs_run_one_after_the_other_in_order(database, launcher):
    ids = [submit(database, name=f"job {number}", steps=3, seconds=0.01) for number in range(3)]
    supervisor = supervise(database, launcher)
    tick_until(supervisor, ended(database, *ids))
    done = [Queue(database).get(job_id) for job_id in ids]
    assert [job.status for job in done] == ["succeeded"] * 3
    assert done[0].ended_at <= done[1].started_at <= done[1].ended_at <= done[2].started_at
    assert done[0].result == {"final_loss": 1 / 3}
    for job_id in ids:
        assert_gapless(database, job_id, 3)
        run = Queue(database).runs(job_id)[0]
        assert (run.outcome, run.exit_code, run.last_step) == ("succeeded", 0, 3)


def test_a_job_passes_through_its_statuses(database, launcher):
    job_id = submit(database)
    tick_until(supervise(database, launcher), ended(database, job_id))
    told = [event.data["status"] for event in Queue(database).events_after(0, types=("status",))]
    assert told == ["queued", "preparing", "running", "succeeded"]


@pytest.mark.parametrize(
    ("kind", "config", "act"),
    [
        ("export", {}, lambda queue, job_id: queue.delete(job_id)),
        ("train", {"fail_at": 2, "error": FAILED}, lambda queue, job_id: queue.retry(job_id)),
        ("evaluate", {"fail_at": 2, "error": FULL}, lambda queue, job_id: queue.resume(job_id)),
    ],
)
def test_who_hears_that_a_run_is_over_finds_its_job_so_and_can_act(database, launcher, kind, config, act):
    """The worker still lives when it has said its last words; a page that hears them asks for the job at once."""
    queue = Queue(database)
    job_id = submit(database, kind, lingers=0.1, **config)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, lambda: queue.events_after(0, types=("run_ended",)))
    assert not queue.get(job_id).is_active
    act(queue, job_id)


def test_as_many_run_at_a_time_as_are_allowed(database, launcher, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    with database.write() as connection:
        settings.put(connection, database.dialect, "max_running", 2)
    ids = [submit(database, steps=30, seconds=0.01) for _ in range(3)]
    supervisor = supervise(database, launcher)
    supervisor.tick()
    assert [status(database, job_id) for job_id in ids] == ["preparing", "preparing", "queued"]
    assert [resources.num_threads for resources in launcher.resources] == [2, 2]
    tick_until(supervisor, ended(database, *ids))


def test_a_killed_worker_goes_on_from_its_checkpoint(database, launcher):
    job_id = submit(database, steps=500, seconds=0.01)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, is_running(database, job_id, 5))
    speed_up(database, job_id)
    launcher.started[0].kill()
    tick_until(supervisor, ended(database, job_id))
    runs = Queue(database).runs(job_id)
    assert [(run.outcome, run.reason) for run in runs] == [("interrupted", "killed"), ("succeeded", None)]
    assert runs[1].from_step == runs[0].last_step or runs[1].from_step == runs[0].last_step - 1
    assert runs[1].is_exact is True
    assert_gapless(database, job_id, 500)


def test_a_worker_that_dies_at_the_same_step_twice_fails(database, launcher):
    job_id = submit(database, steps=5, die_at=3)
    tick_until(supervise(database, launcher), ended(database, job_id))
    job = Queue(database).get(job_id)
    assert (job.status, job.reason, job.error["code"]) == ("failed", "worker_died", "worker_died")
    assert [run.run for run in Queue(database).runs(job_id)] == [1, 2]


def test_a_worker_that_never_begins_is_tried_three_times(database, launcher):
    job_id = submit(database, exit_at_start=9)
    tick_until(supervise(database, launcher), ended(database, job_id))
    assert [run.exit_code for run in Queue(database).runs(job_id)] == [9, 9, 9]
    assert status(database, job_id) == "failed"


def test_retries_are_counted_anew_after_progress(database, launcher):
    """Killed more often than is retried without progress, a job that gets on ends well."""
    job_id = submit(database, steps=1500, seconds=0.01)
    supervisor = supervise(database, launcher)
    for number in range(5):
        reached = Queue(database).get(job_id).progress.get("step") or 0
        tick_until(supervisor, is_running(database, job_id, reached + 3))
        if number == 4:
            speed_up(database, job_id)
        launcher.started[-1].kill()
        tick_until(supervisor, lambda number=number: len(launcher.started) == number + 2)
    tick_until(supervisor, ended(database, job_id))
    assert status(database, job_id) == "succeeded"
    assert len(Queue(database).runs(job_id)) == 6


@pytest.mark.parametrize(
    ("error", "expected", "reason"),
    [
        ({"error": "NonFiniteLoss", "code": "nonfinite_loss", "params": {}}, "failed", "nonfinite_loss"),
        ({"error": "OutOfMemory", "code": "out_of_memory", "params": {}}, "failed", "out_of_memory"),
        ({"error": "DiskFull", "code": "disk_full", "params": {}}, "paused", "disk_full"),
    ],
)
def test_what_a_worker_says_decides(database, launcher, error, expected, reason):
    job_id = submit(database, steps=5, fail_at=3, error=error)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, lambda: status(database, job_id) == expected)
    job = Queue(database).get(job_id)
    assert (job.reason, job.error["code"], job.run) == (reason, error["code"], 1)


def test_a_canceled_job_keeps_what_it_saved_and_can_be_taken_up(database, launcher):
    job_id = submit(database, steps=500, seconds=0.01)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, is_running(database, job_id, 3))
    assert Queue(database).cancel(job_id).stop_request == "cancel"
    tick_until(supervisor, ended(database, job_id))
    assert status(database, job_id) == "canceled"
    assert launcher.started[0].returncode == 75
    speed_up(database, job_id)
    Queue(database).retry(job_id)
    tick_until(supervisor, ended(database, job_id))
    assert status(database, job_id) == "succeeded"
    assert Queue(database).runs(job_id)[1].from_step >= 3
    assert_gapless(database, job_id, 500)


def test_a_worker_that_hears_nothing_is_ended_after_the_grace(database, launcher):
    job_id = submit(database, steps=10_000, seconds=0.01, deaf=True)
    supervisor = supervise(database, launcher, Timing(tick=0.01, stop_grace=0.5))
    tick_until(supervisor, is_running(database, job_id, 3))
    started = time.monotonic()
    Queue(database).cancel(job_id)
    tick_until(supervisor, ended(database, job_id))
    assert status(database, job_id) == "canceled"
    assert launcher.started[0].returncode == -signal.SIGKILL
    assert 0.5 <= time.monotonic() - started < 20


def test_a_paused_job_waits_and_goes_on(database, launcher):
    job_id = submit(database, steps=500, seconds=0.01)
    other = submit(database)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, is_running(database, job_id, 3))
    Queue(database).pause(job_id)
    tick_until(supervisor, ended(database, other))
    job = Queue(database).get(job_id)
    assert (job.status, job.reason) == ("paused", "user")
    speed_up(database, job_id)
    Queue(database).resume(job_id)
    tick_until(supervisor, ended(database, job_id))
    assert_gapless(database, job_id, 500)


def test_a_stopped_worker_of_the_queue_goes_on_by_itself(database, launcher):
    """SIGTERM from outside, as when a machine shuts down."""
    job_id = submit(database, steps=500, seconds=0.01)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, is_running(database, job_id, 3))
    speed_up(database, job_id)
    launcher.started[0].terminate()
    tick_until(supervisor, ended(database, job_id))
    assert [run.reason for run in Queue(database).runs(job_id)] == ["stopped", None]
    assert status(database, job_id) == "succeeded"


def test_a_new_supervisor_takes_over_what_runs(database, launcher):
    job_id = submit(database, steps=300, seconds=0.01)
    first = supervise(database, launcher)
    tick_until(first, is_running(database, job_id, 3))
    second = supervise(database, FakeLauncher())
    first.tick()  # it has lost the run, and starts nothing
    tick_until(second, ended(database, job_id))
    assert [run.run for run in Queue(database).runs(job_id)] == [1]
    assert Queue(database).runs(job_id)[0].owner == second.owner
    assert status(database, job_id) == "succeeded"
    assert_gapless(database, job_id, 300)


def test_what_a_late_supervisor_says_of_a_run_that_is_not_its_own_is_ignored(database, launcher):
    """It was stopped (SIGSTOP) for longer than its lease; another one has taken the run over meanwhile."""
    job_id = submit(database, steps=10_000, seconds=0.01)
    first = supervise(database, launcher)
    tick_until(first, is_running(database, job_id, 3))
    second = supervise(database, launcher)
    launcher.started[0].kill()
    launcher.started[0].wait()
    tail(database, job_id, 1)
    before = Queue(database).get(job_id)
    first._settle(job_id, 1, -9, None)
    assert Queue(database).get(job_id) == before
    first._next_heartbeat = 0.0
    first.tick()
    assert not first._watched
    tick_until(second, lambda: Queue(database).runs(job_id)[0].outcome == "interrupted")


def test_who_wakes_up_late_does_not_end_a_worker_that_another_one_looks_after(database, launcher, monkeypatch):
    """It has seen no step for so long that the run looks hopeless to it, and the other one has taken the events."""
    job_id = submit(database, steps=100, seconds=0.01)
    first = supervise(database, launcher)
    tick_until(first, is_running(database, job_id, 3))
    second = supervise(database, launcher)
    first._watched[job_id, 1].pace = SimpleNamespace(see=list, new_stall=lambda: 1e6, is_hopeless=lambda: True)
    first.tick()
    assert not first._watched
    tick_until(second, ended(database, job_id))
    assert [run.outcome for run in Queue(database).runs(job_id)] == ["succeeded"]
    assert not [event for event in Queue(database).events_after(0) if event.type == "stalled"]


def test_a_run_is_left_to_a_supervisor_that_lives_and_has_its_lease(database, launcher):
    """Claimed and not begun yet: another supervisor waits for the end of the lease, or of the other one's life."""
    job_id = submit(database)
    living = new_owner(queue_supervisor.Process.of(os.getpid()))
    claim(database, living, now().after(3600))
    second = supervise(database, launcher)
    second.tick()
    assert status(database, job_id) == "preparing" and not launcher.started
    with database.write() as connection:
        runs.renew(connection, living, now().after(-1))
    tick_until(second, ended(database, job_id))
    assert [run.outcome for run in Queue(database).runs(job_id)] == ["interrupted", "succeeded"]


def test_what_a_dead_supervisor_claimed_is_taken_at_once(database, launcher):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    dead = new_owner(queue_supervisor.Process.of(child.pid))
    job_id = submit(database)
    claim(database, dead, now().after(3600))
    child.kill()
    child.wait()
    tick_until(supervise(database, launcher), ended(database, job_id))
    assert status(database, job_id) == "succeeded"


def test_a_command_that_works_in_a_job_is_seen_and_not_disturbed(database, launcher):
    """`train --resume` by hand on a paused job: the folder is the truth."""
    job_id = submit(database, steps=500, seconds=0.01)
    Queue(database).pause(job_id)
    folder = Queue(database).folder_of(Queue(database).get(job_id))
    (folder / "runs" / "1").mkdir(parents=True)
    command = subprocess.Popen([sys.executable, "-I", "-S", str(SCRIPT), str(folder), "1"])
    while lock_holder(folder) is None:
        time.sleep(0.01)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, is_running(database, job_id, 3))
    job = Queue(database).get(job_id)
    assert (job.status, job.origin, job.run) == ("running", "command", 1)
    command.terminate()
    command.wait()
    tick_until(supervisor, lambda: status(database, job_id) == "paused")
    assert Queue(database).get(job_id).reason == "command"
    assert not launcher.started
    speed_up(database, job_id)
    Queue(database).resume(job_id)
    tick_until(supervisor, ended(database, job_id))
    assert status(database, job_id) == "succeeded"


def test_a_queued_job_is_not_started_where_somebody_works(database, launcher):
    job_id = submit(database, steps=300, seconds=0.01)
    supervisor = supervise(database, launcher)
    folder = Queue(database).folder_of(Queue(database).get(job_id))
    (folder / "runs" / "1").mkdir(parents=True)
    command = subprocess.Popen([sys.executable, "-I", "-S", str(SCRIPT), str(folder), "1"])
    while lock_holder(folder) is None:
        time.sleep(0.01)
    tick_until(supervisor, ended(database, job_id))
    assert command.wait() == 0
    assert not launcher.started
    assert run_numbers(folder) == [1]
    assert_gapless(database, job_id, 300)


def test_a_worker_of_a_run_that_was_given_up_does_not_begin(database, launcher):
    """The supervisor died after starting it and before it had the lock; the next one has reserved another run."""
    job_id = submit(database, steps=5)
    folder = Queue(database).folder_of(Queue(database).get(job_id))
    for run in (1, 2):
        (folder / "runs" / str(run)).mkdir(parents=True)
    late = subprocess.run([sys.executable, "-I", "-S", str(SCRIPT), str(folder), "1"], check=False)
    assert late.returncode == 3
    assert not (folder / "runs" / "1" / "events.jsonl").exists()
    tick_until(supervise(database, launcher), ended(database, job_id))
    assert_gapless(database, job_id, 5)


def test_a_folder_that_is_gone_fails_its_job_and_not_the_queue(database, launcher):
    gone, other = submit(database), submit(database)
    (Queue(database).folder_of(Queue(database).get(gone)) / "config.json").unlink()
    tick_until(supervise(database, launcher), ended(database, gone, other))
    assert (status(database, gone), status(database, other)) == ("failed", "succeeded")
    assert Queue(database).get(gone).error["code"] == "job_folder_gone"


def test_what_keeps_a_worker_from_starting_is_told(database, launcher):
    launcher.refusal = PackageMissing("package_missing", package="torch", extra="train", reason="-")
    job_id = submit(database)
    supervisor = supervise(database, launcher)
    tick_until(
        supervisor, lambda: Queue(database).get(job_id).error is not None or status(database, job_id) == "failed"
    )
    assert Queue(database).runs(job_id)[0].error["code"] == "package_missing"


def test_a_full_disk_pauses_a_job_that_cannot_be_started(database, launcher):
    launcher.refusal = DiskFull("disk_full", path="/", free_bytes=0)
    job_id = submit(database)
    tick_until(supervise(database, launcher), lambda: status(database, job_id) == "paused")
    assert Queue(database).get(job_id).reason == "disk_full"


def test_nothing_starts_on_the_reserve_of_the_disk(database, launcher, monkeypatch):
    monkeypatch.setattr(queue_supervisor, "free_bytes", lambda _: queue_rules.RESERVE_BYTES - 1)
    job_id = submit(database)
    supervisor = supervise(database, launcher)
    supervisor.tick()
    assert status(database, job_id) == "queued"
    monkeypatch.setattr(queue_supervisor, "free_bytes", lambda _: queue_rules.RESERVE_BYTES)
    tick_until(supervisor, ended(database, job_id))


def test_a_worker_that_stops_making_steps_is_ended_and_tried_again(database, launcher, monkeypatch):
    monkeypatch.setattr("llmlora.services.stall.LEAST_WARN_SECONDS", 0.5)
    job_id = submit(database, steps=20, seconds=0.001, hang_at=15)
    supervisor = supervise(database, launcher, Timing(tick=0.01, heartbeat=0.2, stall=1.5))
    tick_until(supervisor, ended(database, job_id))
    assert status(database, job_id) == "succeeded"
    assert [run.reason for run in Queue(database).runs(job_id)] == ["stalled", None]
    assert [event.type for event in Queue(database).events_after(0, types=("stalled",))] == ["stalled"]
    assert_gapless(database, job_id, 20)


def test_work_of_other_kinds_goes_through_the_same_queue(database, launcher):
    ids = [
        submit(database, kind, steps=2) for kind in ("evaluate", "export", "merge", "verify", "download", "register")
    ]
    tick_until(supervise(database, launcher), ended(database, *ids))
    assert {status(database, job_id) for job_id in ids} == {"succeeded"}


def test_the_thread_does_all_of_it_and_leaves_the_worker_when_it_stops(database, launcher):
    job_id = submit(database, steps=300, seconds=0.01)
    supervisor = queue_supervisor.QueueSupervisor(database, launcher, QUICK)
    supervisor.start()
    seen = 0
    while status(database, job_id) != "running":
        seen = database.wait_for_write(seen, 5.0)
    supervisor.stop()
    assert launcher.started[0].poll() is None
    assert Queue(database).runs(job_id)[0].lease is None
    after = supervise(database, launcher)
    tick_until(after, ended(database, job_id))
    assert_gapless(database, job_id, 300)


def test_stopping_without_leaving_workers_saves_and_goes_on_next_time(database, launcher):
    job_id = submit(database, steps=500, seconds=0.01)
    supervisor = queue_supervisor.QueueSupervisor(database, launcher, QUICK)
    supervisor.start()
    while not is_running(database, job_id, 3)():
        time.sleep(0.01)
    speed_up(database, job_id)
    supervisor.stop(detach=False)
    assert launcher.started[0].returncode == 75
    assert status(database, job_id) == "interrupted"
    tick_until(supervise(database, launcher), ended(database, job_id))
    assert_gapless(database, job_id, 500)


def test_a_failing_look_does_not_end_the_thread(home, launcher, monkeypatch, caplog):
    database = open_store(home)
    failures = iter([ZeroDivisionError, *(DiskFull("disk_full", path="/", free_bytes=free) for free in range(3))])
    real = queue_supervisor.requeue_due

    def sometimes(given):
        failure = next(failures, None)
        if failure is not None:
            raise failure
        return real(given)

    monkeypatch.setattr(queue_supervisor, "requeue_due", sometimes)
    supervisor = queue_supervisor.QueueSupervisor(database, launcher, QUICK)
    supervisor.start()
    ballast = home / "ballast.bin"
    job_id = submit(database)
    deadline = time.monotonic() + 60
    while status(database, job_id) != "succeeded" or not ballast.exists():  # given up on the full disk, made again
        assert time.monotonic() < deadline
        time.sleep(0.02)
    supervisor.stop()
    database.close()
    assert next(failures, None) is None
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [text.rpartition(" ")[2] for text in told] == ["ZeroDivisionError()", "disk_full"], "each once"


def test_a_deleted_job_is_not_started_and_its_folder_goes_after_the_time_to_undo(database, launcher, monkeypatch):
    monkeypatch.setattr("llmlora.services.queue.UNDO_SECONDS", 0.3)
    job_id, kept = submit(database), submit(database)
    outside = database.home.parent / "chosen by the user"
    outside.mkdir()
    (outside / "config.json").write_text("{}")
    elsewhere = Queue(database).submit("train", outside, name="elsewhere").id
    queue = Queue(database)
    folder = queue.folder_of(queue.get(job_id))
    for deleted in (job_id, elsewhere):
        queue.delete(deleted)
    supervisor = supervise(database, launcher)
    tick_until(supervisor, ended(database, kept))
    tick_until(supervisor, lambda: known(database) == {kept})
    assert len(launcher.started) == 1
    assert not folder.exists()
    assert (outside / "config.json").is_file()


def test_a_folder_of_a_command_appears_by_itself(home, launcher):
    database = open_store(home)
    supervisor = supervise(database, launcher)
    folder = write_folder(home, schema="llmlora.job/1", data={"path": "/x/質問.jsonl"})
    supervisor._next_heartbeat = 0.0
    supervisor.tick()
    assert Queue(database).page().items == [], "being made, or for the queue"
    (folder / "runs" / "1").mkdir(parents=True)
    subprocess.run([sys.executable, "-I", "-S", str(SCRIPT), str(folder), "1"], check=True)
    supervisor._next_heartbeat = 0.0
    supervisor.tick()
    job = Queue(database).get(folder.name)
    assert (job.name, job.status, job.origin) == ("質問", "succeeded", "command")
    assert_gapless(database, folder.name, 3)
    database.close()
