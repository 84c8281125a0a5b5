"""Earlier data over HTTP: mixed into a job's rows by the id of a dataset or of a job, and planned as it will be."""

import json
import shutil
from pathlib import Path

import pytest

from api.clients import nothing_left
from api.test_training_jobs import ROWS, create, dataset, folders
from api.test_training_plan import plan
from llmlora.core.job import read_job
from llmlora.core.layout import ROWS_DIR

EARLIER = [{"instruction": f"商品{number}の値段は？", "output": f"{number}00円です。"} for number in range(1, 11)]


def rows_of(job):
    with open(job.data.path, encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def job_of(home, answer):
    assert answer.status_code == 201, answer.text
    return read_job(home / "jobs" / answer.json()["id"])


def test_rows_of_a_dataset_are_mixed_in(client, home):
    new, earlier = dataset(client), dataset(client, EARLIER, "前の店")
    wish = {"replay": {"source": earlier, "share": 0.4}}
    answer = create(client, new, **wish)
    job = job_of(home, answer)
    assert (job.replay.name, job.replay.share, job.replay.num_rows) == ("前の店", 0.4, 4)
    assert (job.num_rows, len(rows_of(job))) == (10, 10)
    assert job.replay.data.path.startswith(str(home / "datasets" / earlier))
    assert answer.json()["replay"] == {"name": "前の店", "source": earlier, "share": 0.4, "num_rows": 4}
    uses = {use["role"]: use["id"] for use in answer.json()["datasets"]}
    assert uses == {"train": new, "replay": earlier}
    assert client.delete(f"/api/datasets/{earlier}").status_code == 409, "its facts will be asked again"
    found = plan(client, new, settings={"max_steps": 4}, **wish)
    assert (found["problems"], found["rows"], found["train_rows"]) == ([], 10, 10)


def test_a_job_stands_for_the_data_that_it_was_trained_on(client, home):
    new, earlier = dataset(client), dataset(client, EARLIER)
    before = create(client, earlier, name="前").json()["id"]
    answer = create(client, new, replay={"source": before})
    job = job_of(home, answer)
    assert {use["role"]: use["id"] for use in answer.json()["datasets"]} == {"train": new, "replay": earlier}
    assert job.replay.source == before
    assert (job.replay.name, job.replay.share, job.replay.num_rows) == ("前", 0.3, 3)
    assert len(rows_of(job)) == len(ROWS) + 3


def test_rows_can_be_held_out_beside(client, home):
    new, held_out, earlier = dataset(client), dataset(client), dataset(client, EARLIER)
    job = job_of(home, create(client, new, eval_dataset_id=held_out, replay={"source": earlier}))
    assert (job.replay.num_rows, job.num_rows) == (3, len(ROWS) + 3)
    assert job.eval_data.path.startswith(str(home / "jobs" / job.id / ROWS_DIR))


@pytest.mark.parametrize(
    ("replay", "status", "code"),
    [
        ({"source": "no-such"}, 404, "replay_not_found"),
        ({"source": "/etc/passwd"}, 404, "replay_not_found"),
        ({"source": "x", "share": 0}, 422, "request_invalid"),
        ({"source": "x", "share": 0.99}, 422, "request_invalid"),
        ({"share": 0.3}, 422, "request_invalid"),
        ("x", 422, "request_invalid"),
    ],
)
def test_what_cannot_be_mixed_in_is_refused(client, home, replay, status, code):
    answer = create(client, dataset(client), replay=replay)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert folders(home) == []


def test_a_plan_names_the_field_and_a_batch_mixes_as_well(client, home):
    data, earlier = dataset(client), dataset(client, EARLIER)
    found = plan(client, data, replay={"source": "none"})
    assert [(item["field"], item["code"]) for item in found["problems"]] == [("replay", "replay_not_found")]
    assert not found["fits"]
    base = {"base_model": "nano", "dataset_id": data, "replay": {"source": earlier}}
    with nothing_left(home):
        assert plan(client, data, replay={"source": earlier}, eval_dataset_id=data)["rows"] == len(ROWS) + 3
        assert create(client, data, replay={"source": earlier}, settings={"r": 0}).status_code == 422
        refused = client.post("/api/training/jobs/batch", json={"jobs": [base, base | {"settings": {"r": 0}}]})
        assert refused.json()["code"] == "batch_refused"
    broken = dataset(client, [*EARLIER, {"instruction": "a", "output": ""}])
    found = plan(client, data, replay={"source": broken})
    assert [(item["field"], item["code"]) for item in found["problems"]] == [("replay", "kept_dataset_has_errors")]
    answer = client.post("/api/training/jobs/batch", json={"base": base, "vary": {"r": [4, 8]}})
    assert answer.status_code == 201, answer.text
    jobs = [read_job(home / "jobs" / item["id"]) for item in answer.json()["items"]]
    assert [job.replay.num_rows for job in jobs] == [3, 3]
    assert Path(jobs[0].data.path).samefile(jobs[1].data.path), "one copy on the disk"
    again = client.post(f"/api/jobs/{jobs[0].id}/clone", json={"settings": {"r": 16}})
    assert job_of(home, again).replay == jobs[0].replay, "its facts are asked again"
    copy = client.post(f"/api/jobs/{jobs[0].id}/clone", json={})
    for job in jobs:
        shutil.rmtree(home / "jobs" / job.id)
    for kept in (again, copy):
        assert len(rows_of(job_of(home, kept))) == len(ROWS) + 3, "each has rows of its own"
