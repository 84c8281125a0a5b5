"""Events, curves, settings, keys, uploads: what was put in comes back, once, in order."""

import itertools
import threading

import pytest
from sqlalchemy import event

from llmlora.core.errors import Conflict, NotFound
from llmlora.store import events, idempotency, jobs, metrics, settings, uploads
from llmlora.store.jobs import NewJob
from llmlora.store.tables import METRICS

JOB = "0" * 26


@pytest.fixture
def job(database):
    with database.write() as connection:
        jobs.insert(connection, database.dialect, NewJob(JOB, "train", "job", "jobs/0"))
    return database


def step(number, **values):
    return {"type": "step", "seq": number, "time": "2026", "step": number, "metrics": {"loss": float(number), **values}}


def test_a_workers_event_is_added_once(job):
    with job.write() as connection:
        for _ in range(2):
            events.add_worker_events(connection, job.dialect, JOB, 1, [step(1), step(2)])
        events.add_worker_events(connection, job.dialect, JOB, 2, [step(1)])
    with job.read() as connection:
        found = events.after(connection, 0)
    assert [(event.run, event.seq, event.type) for event in found] == [(1, 1, "step"), (1, 2, "step"), (2, 1, "step")]
    assert found[0].data == {"step": 1, "metrics": {"loss": 1.0}}


def test_rows_are_never_sent_as_a_pipeline(job):
    """A server takes a client that is frozen in the middle of one for busy: no time limit would end its locks."""
    if job.dialect.path is not None:
        return  # SQLite has no server
    batches = []

    def note(connection, cursor, statement, parameters, context, is_many):
        batches.append(is_many)

    event.listen(job.engine, "before_cursor_execute", note)
    found = [step(number) for number in range(1, 1001)]
    with job.write() as connection:
        events.add_worker_events(connection, job.dialect, JOB, 1, found)
        metrics.add(connection, job.dialect, JOB, 1, found)
    assert batches and not any(batches)
    with job.read() as connection:
        assert len(events.after(connection, 0, limit=5000)) == 1000
        assert [row["loss"] for row in metrics.rows(connection, JOB)] == [float(number) for number in range(1, 1001)]


def test_the_stream_is_taken_up_anywhere(job):
    with job.write() as connection:
        events.add_worker_events(connection, job.dialect, JOB, 1, [step(number) for number in range(1, 11)])
        events.add_queue_event(connection, job.dialect, JOB, 1, "status", {"status": "running"})
        found = events.after(connection, 0, limit=4)
        rest = events.after(connection, found[-1].id)
        assert [event.seq for event in (*found, *rest)] == [*range(1, 11), None]
        assert [event.data for event in events.after(connection, 0, types=("status",))] == [{"status": "running"}]
        assert events.after(connection, 0, job_id="1" * 26) == []
        assert events.bounds(connection) == (found[0].id, rest[-1].id)


def test_who_reads_up_to_a_number_misses_none(job):
    """Writers at the same time: an event never appears behind one that was read already."""
    seen, is_over = [], threading.Event()

    def write(run):
        for number in range(1, 40):
            with job.write() as connection:
                events.add_worker_events(connection, job.dialect, JOB, run, [step(number)])

    def read():
        last = 0
        while True:
            was_over = is_over.is_set()
            with job.read() as connection:
                found = events.after(connection, last)
            seen.extend((event.run, event.seq) for event in found)
            last = found[-1].id if found else last
            if was_over and not found:
                return

    writers = [threading.Thread(target=write, args=(run,)) for run in range(1, 5)]
    reader = threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    is_over.set()
    reader.join(60)
    assert sorted(seen) == [(run, number) for run in range(1, 5) for number in range(1, 40)]


def test_only_old_steps_are_trimmed(job):
    with job.write() as connection:
        events.add_queue_event(connection, job.dialect, JOB, 1, "status", {})
        events.add_worker_events(connection, job.dialect, JOB, 1, [step(number) for number in range(1, 11)])
        assert events.trim(connection, 10) == 0
        assert events.trim(connection, 3) == 7
        assert [event.seq for event in events.after(connection, 0)] == [None, 8, 9, 10]


def test_of_a_step_that_two_runs_logged_the_higher_run_counts(job):
    with job.write() as connection:
        metrics.add(connection, job.dialect, JOB, 2, [step(1), step(2)])
        metrics.add(connection, job.dialect, JOB, 1, [step(2, loss=99.0), step(3)])
        metrics.add(connection, job.dialect, JOB, 3, [step(2, loss=5.0)])
        found = metrics.rows(connection, JOB)
    assert [(row["step"], row["run"], row["loss"]) for row in found] == [(1, 2, 1.0), (2, 3, 5.0), (3, 1, 3.0)]


def test_an_evaluation_adds_to_its_step(job):
    evaluation = {"type": "evaluation", "step": 2, "metrics": {"eval_loss": 0.5, "perplexity": 1.6}}
    with job.write() as connection:
        metrics.add(connection, job.dialect, JOB, 1, [step(1), step(2), evaluation])
        assert [row["eval_loss"] for row in metrics.rows(connection, JOB)] == [None, 0.5]
        assert [bucket.lowest for bucket in metrics.curves(connection, JOB, ("eval_loss",))["eval_loss"]] == [0.5]


def test_numbers_that_are_not_finite_leave_a_gap(job):
    with job.write() as connection:
        metrics.add(connection, job.dialect, JOB, 1, [step(1), step(2, loss=None), step(3)])
        assert [bucket.first_step for bucket in metrics.curves(connection, JOB, ("loss",))["loss"]] == [1, 3]


@pytest.mark.parametrize("num_steps", [1, 7, 500, 501, 3000])
def test_a_curve_keeps_every_spike(job, num_steps):
    values = [step(number, loss=1.0) for number in range(1, num_steps + 1)]
    values[num_steps // 2]["metrics"]["loss"] = 1000.0
    with job.write() as connection:
        metrics.add(connection, job.dialect, JOB, 1, values)
        curve = metrics.curves(connection, JOB, ("loss",), 500)["loss"]
    assert len(curve) <= 500
    assert max(bucket.highest for bucket in curve) == 1000.0
    assert [bucket.highest for bucket in curve].count(1000.0) == 1
    assert (curve[0].first_step, curve[-1].last_step) == (1, num_steps)
    assert all(one.last_step + 1 == two.first_step for one, two in itertools.pairwise(curve))


def test_a_job_without_steps_has_no_curve(job):
    with job.read() as connection:
        assert metrics.curves(connection, JOB, METRICS) == {name: [] for name in METRICS}


def test_what_a_job_has_goes_with_it(job):
    with job.write() as connection:
        events.add_worker_events(connection, job.dialect, JOB, 1, [step(1)])
        metrics.add(connection, job.dialect, JOB, 1, [step(1)])
        jobs.remove(connection, JOB)
        assert events.after(connection, 0) == [] and metrics.rows(connection, JOB) == []


@pytest.mark.parametrize("value", [1, "二", None, [1, {"a": None}], True, 0.1, "12", "1e400"])
def test_a_setting_comes_back_as_it_was_put(database, value):
    with database.write() as connection:
        for given in ("before", value):
            settings.put(connection, database.dialect, "key", {"value": given})
        assert settings.get_all(connection) == {"key": {"value": value}}


def test_a_request_that_is_sent_twice_is_done_once(database):
    with database.write() as connection:
        assert idempotency.begin(connection, database.dialect, "k", "request") is None
        with pytest.raises(Conflict) as busy:
            idempotency.begin(connection, database.dialect, "k", "request")
        assert busy.value.code == "idempotency_key_busy"
        idempotency.answer(connection, "k", 201, {"id": 1})
        assert idempotency.begin(connection, database.dialect, "k", "request") == idempotency.Answer(201, {"id": 1})
        with pytest.raises(Conflict) as reused:
            idempotency.begin(connection, database.dialect, "k", "another")
        assert reused.value.code == "idempotency_key_reused"


def test_a_request_without_an_answer_may_be_tried_again(database):
    with database.write() as connection:
        for key in ("failed", "server died", "answered"):
            idempotency.begin(connection, database.dialect, key, "request")
        idempotency.answer(connection, "answered", 200, None)
        idempotency.forget(connection, "failed")
        assert idempotency.begin(connection, database.dialect, "failed", "request") is None
        idempotency.forget_unanswered(connection)
        assert idempotency.begin(connection, database.dialect, "server died", "request") is None
        assert idempotency.begin(connection, database.dialect, "answered", "request") == idempotency.Answer(200, None)


def test_old_keys_are_trimmed(database):
    with database.write() as connection:
        for number in range(6):
            idempotency.begin(connection, database.dialect, f"k{number}", "request")
            idempotency.answer(connection, f"k{number}", 200, number)
        idempotency.trim(connection, 6)
        assert idempotency.begin(connection, database.dialect, "k0", "request") is not None
        idempotency.trim(connection, 0)
        assert idempotency.begin(connection, database.dialect, "k0", "request") is None


def test_uploads_are_open_until_they_end(database):
    upload = uploads.UploadRow("1" * 26, "名前", "", "chat", "../x.jsonl", 1 << 31, "2026")
    with database.write() as connection:
        uploads.insert(connection, upload)
        assert uploads.get(connection, upload.id) == upload
        assert uploads.open_ones(connection) == [upload]
        assert uploads.end(connection, upload.id) and not uploads.end(connection, upload.id)
        assert uploads.open_ones(connection) == []
        uploads.remove(connection, upload.id)
        with pytest.raises(NotFound):
            uploads.get(connection, upload.id)


def test_epochs_are_cut_where_their_steps_end(job):
    evaluation = {"type": "evaluation", "step": 4, "metrics": {"eval_loss": 0.5}}
    with job.write() as connection:
        metrics.add(connection, job.dialect, JOB, 1, [step(1), step(2), step(3), step(4), step(5), evaluation])
        found = metrics.epochs(connection, JOB, 2)
        newest = metrics.epochs(connection, JOB, 2, limit=1)
    assert [(epoch.epoch, epoch.first_step, epoch.last_step, epoch.loss, epoch.eval_loss) for epoch in found] == [
        (1, 1, 2, 1.5, None), (2, 3, 4, 3.5, 0.5), (3, 5, 5, 5.0, None),
    ]  # fmt: skip
    assert newest == found[-1:]


def test_a_part_of_a_curve(job):
    with job.write() as connection:
        metrics.add(connection, job.dialect, JOB, 1, [step(number) for number in range(1, 101)])
        part = metrics.curves(connection, JOB, ("loss", "eval_loss"), 10, 41, 60)
    assert part["eval_loss"] == []
    assert [(bucket.first_step, bucket.last_step, bucket.highest) for bucket in part["loss"]] == [
        (first, first + 1, first + 1.0) for first in range(41, 61, 2)
    ]
