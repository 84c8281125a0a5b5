"""Jobs in the index: transitions are compare-and-set, a claim is given once, old runs say nothing any more."""

import multiprocessing
import threading

import pytest

from llmlora.core.boot_clock import Moment, now
from llmlora.core.errors import NotFound
from llmlora.store import datasets, jobs, runs
from llmlora.store.jobs import DatasetUse, NewJob
from llmlora.store.opening import open_store
from llmlora.store.statuses import ACTIVE, ENDED, STATUSES, TRANSITIONS, WAITING


def make(database, number=0, status="queued", **values):
    job_id = f"{number:026}"
    with database.write() as connection:
        jobs.insert(connection, database.dialect, NewJob(job_id, "train", f"job {number}", f"jobs/{job_id}", status))
        if values:
            jobs.set_values(connection, job_id, **values)
    return job_id


def get(database, job_id):
    with database.read() as connection:
        return jobs.get(connection, job_id)


def test_the_statuses_are_the_eight_of_the_house():
    assert sorted(STATUSES) == sorted(
        ("queued", "preparing", "running", "paused", "interrupted", "succeeded", "failed", "canceled")
    )
    assert not set(WAITING) & set(ACTIVE) and not set(ACTIVE) & set(ENDED)


def test_every_status_can_be_left_and_reached():
    assert {way.target for way in TRANSITIONS.values()} == set(STATUSES)
    by_hand = {name: way for name, way in TRANSITIONS.items() if name != "adopt"}
    assert {source for way in by_hand.values() for source in way.sources} == set(STATUSES) - {"succeeded"}


@pytest.mark.parametrize("name", TRANSITIONS)
def test_a_transition_starts_only_where_it_may(database, name):
    way = TRANSITIONS[name]
    for number, status in enumerate(STATUSES):
        job_id = make(database, number, status, run=3)
        with database.write() as connection:
            assert jobs.change_status(connection, job_id, name, run=3, reason="why") is (status in way.sources)
        job = get(database, job_id)
        assert (job.status, job.reason) == ((way.target, "why") if status in way.sources else (status, None))


@pytest.mark.parametrize("name", [name for name, way in TRANSITIONS.items() if way.is_fenced])
def test_what_an_older_run_says_is_ignored(database, name):
    job_id = make(database, status="preparing", run=2)
    with database.write() as connection:
        assert not jobs.change_status(connection, job_id, name, run=1)
        assert not jobs.set_progress(connection, job_id, 1, {"step": 99})
        assert jobs.set_progress(connection, job_id, 2, {"step": 1})
        assert jobs.change_status(connection, job_id, name, run=2)
    assert get(database, job_id).progress == {"step": 1}


def test_claims_follow_the_order_of_the_queue(database):
    ids = [make(database, number) for number in range(4)]
    with database.write() as connection:
        jobs.set_values(connection, ids[3], position=0.5)
        jobs.change_status(connection, ids[1], "pause")
        jobs.mark_deleted(connection, ids[2], now())
        claimed = [jobs.claim_next(connection) for _ in range(3)]
    assert [job and job.id for job in claimed] == [ids[3], ids[0], None]


def claim_all(database, found):
    while True:
        with database.write() as connection:
            job = jobs.claim_next(connection)
            if job is not None:
                runs.insert(connection, job.id, 1, "somebody", now())
        if job is None:
            with database.read() as connection:
                if not jobs.with_status(connection, ("queued",)):  # else the rest was locked just then
                    return
        else:
            found.append(job.id)


def test_threads_never_claim_a_job_twice(database):
    ids = [make(database, number) for number in range(60)]
    found = []
    threads = [threading.Thread(target=claim_all, args=(database, found)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == ids


def claim_in_a_process(home, url, queue):
    database = open_store(home, url)
    found = []
    claim_all(database, found)
    queue.put(found)
    database.close()


def test_processes_never_claim_a_job_twice(database, database_url, home):
    ids = [make(database, number) for number in range(40)]
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=claim_in_a_process, args=(home, database_url, queue)) for _ in range(3)]
    for process in processes:
        process.start()
    found = [job_id for _ in processes for job_id in queue.get(timeout=60)]
    for process in processes:
        process.join(60)
    assert sorted(found) == ids


def test_of_two_who_change_a_status_one_wins(database):
    job_id = make(database)
    won, barrier = [], threading.Barrier(2)

    def change(name):
        barrier.wait()
        with database.write() as connection:
            won.append((name, jobs.change_status(connection, job_id, name)))

    threads = [threading.Thread(target=change, args=(name,)) for name in ("claim", "cancel")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = next(name for name, has_won in won if has_won)
    assert [has_won for _, has_won in won].count(True) == 1
    assert get(database, job_id).status == TRANSITIONS[winner].target


def test_a_wish_to_cancel_is_not_taken_back_by_one_to_pause(database):
    job_id = make(database, status="running")
    with database.write() as connection:
        assert jobs.ask_to_stop(connection, job_id, "pause")
        assert jobs.ask_to_stop(connection, job_id, "cancel")
        assert not jobs.ask_to_stop(connection, job_id, "pause")
    assert get(database, job_id).stop_request == "cancel"


def test_nobody_is_asked_to_stop_who_does_not_work(database):
    job_id = make(database)
    with database.write() as connection:
        assert not jobs.ask_to_stop(connection, job_id, "cancel")


def test_the_same_id_is_added_once(database):
    make(database)
    with database.write() as connection:
        assert not jobs.insert(connection, database.dialect, NewJob("0" * 26, "train", "other", "elsewhere"))
        assert jobs.insert(connection, database.dialect, NewJob("1" * 26, "train", "other", "elsewhere"))
    assert get(database, "0" * 26).name == "job 0"


def test_pages_go_through_all_jobs_once(database):
    ids = [make(database, number, "failed" if number % 2 else "queued") for number in range(7)]
    seen, before = [], None
    with database.read() as connection:
        while page := jobs.page(connection, before=before, limit=3):
            seen += [job.id for job in page]
            before = page[-1].id
        assert seen == ids[::-1]
        assert [job.id for job in jobs.page(connection, statuses=("failed",))] == ids[5::-2]
        assert jobs.page(connection, kinds=("export",)) == []


def test_names_of_all_kinds_come_back_as_they_are(database):
    names = [
        "",
        " ",
        "a/b",
        "が",
        "が",
        "\u202eabc",
        "'; DROP TABLE jobs",
        "💥" * 70,
        "か" * 100,
        "{{7*7}}",
        "\t",
        "𠮷",
    ]
    for number, name in enumerate(names):
        job_id = make(database, number, name=name)
        assert get(database, job_id).name == name


def test_waiting_ends_with_its_time_and_with_a_new_start_of_the_machine(database):
    present = now()
    for number, retry in enumerate([None, present.after(100), present.after(-1), Moment("an earlier start", 1e9)]):
        values = {} if retry is None else {"retry_at": retry.seconds, "retry_boot": retry.boot_id}
        make(database, number, "interrupted", **values)
    with database.read() as connection:
        assert jobs.due_to_retry(connection, present) == [f"{number:026}" for number in (0, 2, 3)]


def test_deleted_jobs_are_hidden_until_they_are_purged_or_had_back(database):
    job_id = make(database)
    later = now().after(100)
    with database.write() as connection:
        assert jobs.mark_deleted(connection, job_id, later)
        assert not jobs.mark_deleted(connection, job_id, later)
        assert jobs.page(connection) == [] and jobs.due_to_purge(connection, now()) == []
        with pytest.raises(NotFound):
            jobs.get(connection, job_id)
        assert [job.id for job in jobs.due_to_purge(connection, later.after(1))] == [job_id]
        assert jobs.undo_delete(connection, job_id) and not jobs.undo_delete(connection, job_id)
        assert jobs.get(connection, job_id).purge is None
        jobs.remove(connection, job_id)
        assert jobs.find(connection, job_id) is None


@pytest.mark.parametrize("status", ACTIVE)
def test_a_job_that_is_worked_on_cannot_be_deleted(database, status):
    job_id = make(database, status=status)
    with database.write() as connection:
        assert not jobs.mark_deleted(connection, job_id, now())


def test_who_reads_a_dataset_is_known(database):
    uses = (DatasetUse("D1", "train", 0.5), DatasetUse("D1", "eval"), DatasetUse("D2"))
    with database.write() as connection:
        jobs.insert(connection, database.dialect, NewJob("1" * 26, "train", "a", "a", datasets=uses))
        jobs.insert(connection, database.dialect, NewJob("2" * 26, "train", "b", "b", "failed", datasets=uses[2:]))
        assert sorted(jobs.get(connection, "1" * 26).datasets, key=str) == sorted(uses, key=str)
        assert jobs.using_dataset(connection, "D2", WAITING) == ["1" * 26]
        assert jobs.using_dataset(connection, "D3", STATUSES) == []


def dataset(number, **values):
    plain = {"name": "質問", "description": "", "folder": f"datasets/{number}", "file_name": "source.jsonl"}
    facts = {"format": "instruction", "encoding": "utf-8", "num_examples": 20, "num_bytes": 1 << 33, "sha256": "0" * 64}
    told = {"is_ok": True, "problems": [{"code": "x"}], "stats": {"turns": {"max": 2}}, "created_at": "2026"}
    return datasets.DatasetRow(f"{number:026}", **{**plain, **facts, **told, **values})


def test_datasets_come_back_as_they_were_put_in(database):
    rows = [dataset(number) for number in range(3)]
    with database.write() as connection:
        for row in rows:
            datasets.insert(connection, row)
        assert datasets.page(connection, limit=2) == rows[:0:-1]
        assert datasets.page(connection, before=rows[1].id) == [rows[0]]
        assert datasets.put_version(connection, dataset(1, is_ok=False, num_examples=3, version=2))
        assert not datasets.put_version(connection, dataset(1, version=2)), "somebody else was first"
        assert datasets.get(connection, rows[1].id).num_examples == 3
        assert datasets.mark_deleted(connection, rows[0].id, now().after(-1))
        assert [row.id for row in datasets.due_to_purge(connection, now())] == [rows[0].id]
        with pytest.raises(NotFound):
            datasets.get(connection, rows[0].id)
        assert datasets.undo_delete(connection, rows[0].id)
        datasets.remove(connection, rows[0].id)
        assert datasets.all_ids(connection) == {row.id for row in rows[1:]}
