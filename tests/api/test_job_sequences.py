"""Random sequences of requests about jobs against a model of what must hold, on both databases (gate S12)."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from api.clients import application, signed_in
from api.test_datasets import ROWS
from databases import database_url, postgres
from llmlora.core.boot_clock import now
from llmlora.core.layout import run_dir
from llmlora.services.queue_runs import begin, claim, new_owner, settle
from llmlora.store import jobs
from llmlora.store.statuses import ACTIVE, ENDED, TRANSITIONS, WAITING
from services.test_queue_machine import ENDS, QueueMachine

__all__ = ["database_url", "postgres"]

ACTIONS = ("pause", "resume", "cancel", "retry")
STOPS = {"pause": "pause", "cancel": "cancel"}  # what an active job is asked for instead
# What a worker's end means for its job: as it was asked to stop (None: not at all).
AFTER = {
    "succeeded": {None: {"succeeded"}, "pause": {"succeeded"}, "cancel": {"succeeded"}},
    "failed": {None: {"failed"}, "pause": {"failed", "paused"}, "cancel": {"failed", "canceled"}},
    "stopped": {None: {"interrupted"}, "pause": {"paused"}, "cancel": {"canceled"}},
    "disk": {None: {"paused"}, "pause": {"paused"}, "cancel": {"canceled"}},
}
LATEST = 100  # more than a sequence makes


class JobMachine(RuleBasedStateMachine):
    """`app`, `client`, `dataset` and `template` (a job that waits for ever) are set by each test."""

    app = client = dataset = template = None

    def __init__(self):
        super().__init__()
        self.database = self.app.state.platform.database
        with self.database.write() as connection:
            for job_id in jobs.all_ids(connection) - {self.template}:
                jobs.remove(connection, job_id)
        self.owner = new_owner(None)
        self.known = {}  # id -> status, name, stop, is_deleted
        self.working = {}  # id -> claim
        self.last_event = self.client.app.state.platform.queue.event_bounds()[1]

    def post(self, path, body=None):
        answer = self.client.post(f"/api/jobs/{path}", json=body)
        assert answer.status_code in (200, 201, 404, 409), answer.text
        return answer.status_code, answer.json()

    def a_job(self, data):
        return data.draw(st.sampled_from(sorted(self.known)))

    @rule(data=st.data(), name=st.sampled_from(["店", "=1+1", "a" * 200]))
    def clone(self, data, name):
        source = data.draw(st.sampled_from([self.template, *sorted(self.known)]))
        status, made = self.post(f"{source}/clone", {"name": name})
        if source != self.template and self.known[source]["is_deleted"]:
            assert (status, made["code"]) == (404, "job_not_found")
            return
        assert (status, made["status"], made["name"]) == (201, "queued", name), made
        assert made["id"] not in self.known
        self.known[made["id"]] = {"status": "queued", "name": name, "stop": None, "is_deleted": False}

    @precondition(lambda self: self.known)
    @rule(data=st.data(), action=st.sampled_from(ACTIONS))
    def act(self, data, action):
        job_id = self.a_job(data)
        job = self.known[job_id]
        status, answer = self.post(f"{job_id}/{action}")
        if job["is_deleted"]:
            assert (status, answer["code"]) == (404, "job_not_found")
        elif job["status"] in TRANSITIONS[action].sources:
            assert (status, answer["status"]) == (200, TRANSITIONS[action].target), answer
            job["status"] = answer["status"]
        elif action in STOPS and job["status"] in ACTIVE:
            assert (status, answer["status"]) == (200, job["status"]), answer
            assert answer["stop_request"] in {STOPS[action], job["stop"]} - {None}
            assert job["stop"] != "cancel" or answer["stop_request"] == "cancel", "a cancel is not taken back"
            job["stop"] = answer["stop_request"]
        else:
            assert (status, answer["code"]) == (409, "job_wrong_status"), (action, job, answer)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), name=st.sampled_from(["新しい名前", "'; DROP TABLE jobs", "<script>"]))
    def rename(self, data, name):
        job_id = self.a_job(data)
        status, answer = self.post(f"{job_id}/rename", {"name": name})
        if self.known[job_id]["is_deleted"]:
            assert status == 404
            return
        assert (status, answer["name"]) == (200, name)
        self.known[job_id]["name"] = name

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def reorder(self, data):
        job_id, before = self.a_job(data), data.draw(st.sampled_from([None, *sorted(self.known)]))
        waits = [self.is_waiting(each) for each in (job_id, before) if each is not None]
        order = self.waiting()
        status, answer = self.post(f"{job_id}/reorder", {"before": before})
        if not all(waits):
            assert status in (404, 409), answer
            assert self.waiting() == order
        elif before not in (None, job_id):
            assert status == 200, answer
            found = self.waiting()
            assert found[found.index(job_id) + 1] == before
            assert [each for each in found if each != job_id] == [each for each in order if each != job_id]

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def delete(self, data):
        job_id = self.a_job(data)
        job = self.known[job_id]
        status, answer = self.post(f"{job_id}/delete")
        if job["is_deleted"]:
            assert status in (404, 409), answer
        elif job["status"] in ACTIVE:
            assert (status, answer["code"]) == (409, "job_wrong_status")
        else:
            assert status == 200, answer
            job["is_deleted"] = True

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def undo_delete(self, data):
        job_id = self.a_job(data)
        status, answer = self.post(f"{job_id}/undo-delete")
        assert (status, answer["status"]) == (200, self.known[job_id]["status"]), answer
        self.known[job_id]["is_deleted"] = False

    @rule()
    def delete_the_dataset(self):
        """It goes only while no job that is there may read it, and comes back whole."""
        answer = self.client.delete(f"/api/datasets/{self.dataset}")
        users = [self.template, *(job_id for job_id in self.known if self.is_needing(job_id))]
        assert (answer.status_code, answer.json()["code"]) == (409, "dataset_in_use"), users

    @rule()
    def claim(self):
        """The supervisor takes the first one; the one that waits for ever is not in its queue."""
        order = [job_id for job_id in self.waiting() if self.known[job_id]["status"] == "queued"]
        taken = claim(self.database, self.owner, now().after(3600))
        assert (taken.job.id if taken else None) == (order[0] if order else None)
        if taken is not None and taken.run is not None:
            self.working[taken.job.id] = taken
            self.known[taken.job.id]["status"] = "preparing"

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def begin(self, data):
        taken = self.working[data.draw(st.sampled_from(sorted(self.working)))]
        with self.database.read() as connection:
            job = jobs.get(connection, taken.job.id)
        begin(self.database, job)
        QueueMachine.append(taken.folder, taken.run, {"type": "step", "step": 1, "total_steps": 9})
        self.known[job.id]["status"] = "running"

    @precondition(lambda self: self.working)
    @rule(data=st.data(), how=st.sampled_from(sorted(ENDS)))
    def end(self, data, how):
        job_id = data.draw(st.sampled_from(sorted(self.working)))
        taken, job = self.working.pop(job_id), self.known[job_id]
        QueueMachine.append(taken.folder, taken.run, {"type": "run_ended", **ENDS[how]})
        settle(self.database, self.owner, job_id, taken.run, None)
        found = self.client.get(f"/api/jobs/{job_id}").json()
        assert found["status"] in AFTER[how][job["stop"]], (how, job, found["status"])
        assert found["run"] == taken.run and run_dir(taken.folder, taken.run).is_dir()
        job["status"], job["stop"] = found["status"], None

    @invariant()
    def the_list_is_what_is_known(self):
        items = self.client.get(f"/api/jobs?limit={LATEST}").json()["items"]
        shown = {item["id"]: item for item in items if item["id"] != self.template}
        assert set(shown) == {job_id for job_id, job in self.known.items() if not job["is_deleted"]}
        assert [item["id"] for item in items] == sorted((item["id"] for item in items), reverse=True)
        for job_id, item in shown.items():
            job = self.known[job_id]
            assert (item["status"], item["name"], item["stop_request"]) == (job["status"], job["name"], job["stop"])
            assert (item["ended_at"] is not None) == (item["status"] in ENDED)

    @invariant()
    def what_is_deleted_is_not_found(self):
        for job_id, job in self.known.items():
            status = self.client.get(f"/api/training/jobs/{job_id}/progress").status_code
            assert status == (404 if job["is_deleted"] else 200)

    @invariant()
    def the_stream_tells_every_change_once(self):
        queue = self.client.app.state.platform.queue
        found = queue.events_after(self.last_event, limit=10_000)
        assert [event.id for event in found] == sorted({event.id for event in found})
        self.last_event = found[-1].id if found else self.last_event

    def is_waiting(self, job_id):
        job = self.known[job_id]
        return job["status"] in WAITING and not job["is_deleted"]

    def is_needing(self, job_id):
        job = self.known[job_id]
        return job["status"] in (*WAITING, *ACTIVE) and not job["is_deleted"]

    def waiting(self):
        with self.database.read() as connection:
            return [job.id for job in jobs.with_status(connection, WAITING) if job.id != self.template]


@pytest.fixture
def run_machine(home, database_url, monkeypatch):
    """Return what runs the machine against a server on each database, for so many examples of so many steps."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    app = application()
    client = signed_in(app)
    dataset = client.post("/api/datasets", json={"name": "rows", "examples": ROWS}).json()["id"]
    wish = {"base_model": "nano", "dataset_id": dataset, "settings": {"max_steps": 2}}
    template = client.post("/api/training/jobs", json=wish).json()["id"]
    assert client.post(f"/api/jobs/{template}/pause").status_code == 200

    def run(examples, steps):
        given = {"app": app, "client": client, "dataset": dataset, "template": template}
        chosen = settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        run_state_machine_as_test(type("Machine", (JobMachine,), given), settings=chosen)
        print(json.dumps({"sequences": examples, "operations": examples * steps}))

    yield run
    app.state.warm_models.wait_closed()
    app.state.platform.close()


def test_some_sequences(run_machine):
    run_machine(6, 20)


@pytest.mark.gate
def test_ten_thousand_operations(run_machine):
    run_machine(250, 40)
