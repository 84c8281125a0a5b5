"""Random operations of users, workers and supervisors on one queue; invariants hold after each (gate S12)."""

import json

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from llmlora.core.boot_clock import now
from llmlora.core.errors import Conflict, NotFound
from llmlora.core.layout import QUEUE_FILE, new_id, run_dir, work_root
from llmlora.services.queue import Queue
from llmlora.services.queue_runs import active_runs, begin, claim, new_owner, reclaim, requeue_due, settle
from llmlora.store import jobs
from llmlora.store.rebuild import last_words
from llmlora.store.statuses import ACTIVE, ENDED, STATUSES, TRANSITIONS

REFUSALS = (Conflict, NotFound)
ENDS = {
    "succeeded": {"status": "succeeded", "result": {}},
    "failed": {"status": "failed", "error": {"error": "NonFiniteLoss", "code": "nonfinite_loss", "params": {}}},
    "stopped": {"status": "interrupted", "error": {"error": "Stopped", "code": "stopped", "params": {}}},
    "disk": {"status": "failed", "error": {"error": "DiskFull", "code": "disk_full", "params": {}}},
}


class QueueMachine(RuleBasedStateMachine):
    """`database` is set by each test. Two supervisors work on it; workers are events that appear in the folders."""

    database = None

    def __init__(self):
        super().__init__()
        self.queue = Queue(self.database)
        with self.database.write() as connection:
            for job_id in jobs.all_ids(connection):
                jobs.remove(connection, job_id)
        self.owners = [new_owner(None), new_owner(None)]
        self.ids, self.purged, self.succeeded = [], set(), {}
        self.claimed = []  # (owner, job, run, folder) as a supervisor remembers it, perhaps wrongly by now
        self.last_event = self.queue.event_bounds()[1]

    def lease(self):
        return now().after(3600)

    @rule()
    def submit(self):
        folder = work_root(self.database.home, "train") / new_id()
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        self.ids.append(self.queue.submit("train", folder, name="x", job_id=folder.name).id)

    @precondition(lambda self: self.ids)
    @rule(
        data=st.data(),
        action=st.sampled_from(["pause", "resume", "cancel", "retry", "delete", "undo_delete"]),
    )
    def act(self, data, action):
        job_id = data.draw(st.sampled_from(self.ids))
        before = self.find(job_id)
        try:
            job = getattr(self.queue, action)(job_id)
        except REFUSALS:
            assert self.find(job_id) == before, "a refused action changes nothing"
            return
        if action in TRANSITIONS and job.status != before.status:
            assert before.status in TRANSITIONS[action].sources

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def reorder(self, data):
        job_id = data.draw(st.sampled_from(self.ids))
        before = data.draw(st.sampled_from([None, *self.ids]))
        try:
            self.queue.reorder(job_id, before=before)
        except REFUSALS:
            return
        order = self.waiting()
        at = order.index(job_id)
        assert order[at + 1 :][:1] == ([before] if before not in (None, job_id) else order[at + 1 :][:1])

    @rule(owner=st.integers(0, 1))
    def claim(self, owner):
        first = self.waiting(("queued",))[:1]
        taken = claim(self.database, self.owners[owner], self.lease())
        assert [taken.job.id] if taken else first == []
        if taken is not None and taken.run is not None:
            assert taken.run > max((run for _, job, run, _ in self.claimed if job == taken.job.id), default=0)
            self.claimed.append((self.owners[owner], taken.job.id, taken.run, taken.folder))

    @precondition(lambda self: self.claimed)
    @rule(data=st.data(), num_steps=st.integers(1, 5))
    def work(self, data, num_steps):
        """A worker makes steps, as one that still lives; those of older runs are fenced by the folder's lock."""
        _, job_id, run, folder = data.draw(st.sampled_from(self.claimed))
        job = self.find(job_id)
        if job is None or job.run != run or job.status not in ACTIVE or last_words(folder, run) is not None:
            return
        self.append(folder, run, *({"type": "step", "step": n + 1, "total_steps": 9} for n in range(num_steps)))
        begin(self.database, job)

    @precondition(lambda self: self.claimed)
    @rule(data=st.data(), how=st.sampled_from([*ENDS, "killed"]))
    def end(self, data, how):
        """A worker ends, and whoever claimed it says so: in time, late, twice, or of a run that is another's by now."""
        owner, job_id, run, folder = data.draw(st.sampled_from(self.claimed))
        before = self.find(job_id)
        if before is not None and how in ENDS and before.run == run and before.status in ACTIVE:
            self.append(folder, run, {"type": "run_ended", **ENDS[how]})
        settled = settle(self.database, owner, job_id, run, None)
        after = self.find(job_id)
        if before is not None and (before.run != run or before.status not in ACTIVE):
            assert after.status == before.status, "a run that is not the job's says nothing"
        elif settled is not None and (last_words(folder, run) or {}).get("status") == "succeeded":
            assert after.status == "succeeded"

    @rule(owner=st.integers(0, 1))
    def take_over(self, owner):
        """A supervisor starts anew: what nobody works on is settled, whoever had it."""
        for job, _ in active_runs(self.database):
            if reclaim(self.database, self.owners[owner], self.lease(), job):
                settle(self.database, self.owners[owner], job.id, job.run, None)
        assert not active_runs(self.database)

    @rule()
    def requeue(self):
        with self.database.write() as connection:
            connection.execute(jobs.jobs.update().values(retry_at=None, retry_boot=None))
        requeue_due(self.database)

    @invariant()
    def every_job_is_there_once_and_its_folder_says_the_same(self):
        with self.database.read() as connection:
            rows = {job_id: jobs.find(connection, job_id) for job_id in jobs.all_ids(connection)}
        assert set(rows) == set(self.ids)
        for job in rows.values():
            assert job.status in STATUSES
            assert job.is_active or job.stop_request is None
            assert (job.ended_at is not None) == (job.status in ENDED)
            record = json.loads((self.queue.folder_of(job) / QUEUE_FILE).read_text())
            assert (record["status"], record["run"], record["position"]) == (job.status, job.run, job.position)
            if job.id in self.succeeded:
                assert job.status == "succeeded", "what has succeeded stays so"
            if job.status == "succeeded":
                self.succeeded[job.id] = True

    @invariant()
    def the_stream_only_grows(self):
        found = self.queue.events_after(self.last_event, limit=10_000)
        identities = [(event.job_id, event.run, event.seq) for event in found if event.seq is not None]
        assert len(identities) == len(set(identities))
        self.last_event = found[-1].id if found else self.last_event

    def find(self, job_id):
        with self.database.read() as connection:
            return jobs.find(connection, job_id)

    def waiting(self, statuses=("queued", "paused", "interrupted")):
        with self.database.read() as connection:
            return [job.id for job in jobs.with_status(connection, statuses)]

    @staticmethod
    def append(folder, run, *events):
        path = run_dir(folder, run) / "events.jsonl"
        seq = path.read_text().count("\n") if path.exists() else 0
        with path.open("a") as stream:
            for event in events:
                seq += 1
                metrics = {"metrics": {"loss": 1.0}} if event["type"] == "step" else {}
                stream.write(json.dumps({"seq": seq, "run": run, "time": "t", "mono": 0.0, **metrics, **event}) + "\n")


def run_machine(database, examples, steps):
    machine = type("Machine", (QueueMachine,), {"database": database})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_some_random_operations(database):
    run_machine(database, 8, 40)


@pytest.mark.gate
def test_ten_thousand_random_operations(database):
    run_machine(database, 200, 50)
