"""What a training job has measured and written, over HTTP: nothing of it is lost."""

import hashlib
import math
import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.test_training_jobs import create, dataset
from llmlora.core.job import read_job
from llmlora.core.publish import publishing_dir
from llmlora.services.train_request import training_request
from llmlora.store import events
from llmlora.store.tables import metrics
from services.fake_launcher import submit


@pytest.fixture
def database(app, home):
    return app.state.platform.database


def add(database, job_id, **columns):
    """Write the curves of a job into the index, from step 1 on."""
    with database.write() as connection:
        connection.execute(metrics.delete())
        length = max(len(values) for values in columns.values())
        rows = [
            {"job_id": job_id, "run": 1, "step": step + 1, **{name: values[step] for name, values in columns.items()}}
            for step in range(length)
        ]
        connection.execute(metrics.insert(), rows)


def curves(client, job_id, query=""):
    answer = client.get(f"/api/training/jobs/{job_id}/metrics{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["curves"]


def test_few_points_are_exact(client, database):
    job_id = submit(database)
    add(database, job_id, loss=[3.0, 2.0, 1.0], eval_loss=[None, None, 1.5])
    found = curves(client, job_id)
    assert set(found) == {"loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_bytes"}
    assert found["loss"] == {
        "is_exact": True, "first_step": [1, 2, 3], "last_step": [1, 2, 3], "lowest": [3.0, 2.0, 1.0],
        "highest": [3.0, 2.0, 1.0], "mean": [3.0, 2.0, 1.0],
    }  # fmt: skip
    assert (found["eval_loss"]["first_step"], found["eval_loss"]["mean"]) == ([3], [1.5])
    assert found["grad_norm"]["mean"] == []
    part = curves(client, job_id, "?names=loss&from=2&to=2")
    assert (list(part), part["loss"]["mean"]) == (["loss"], [2.0])


def test_curves_of_several_jobs_come_together_and_those_of_deleted_ones_not(client, database):
    first, gone, last = (submit(database) for _ in range(3))
    add(database, last, loss=[3.0, 2.0, 1.0])
    client.post(f"/api/jobs/{gone}/cancel")
    client.post(f"/api/jobs/{gone}/delete")
    asked = {"job_ids": [first, gone, last], "names": ["loss"], "points": 2}
    items = client.get("/api/training/curves", params=asked).json()["items"]
    assert [item["job_id"] for item in items] == [first, last]
    assert [item["curves"]["loss"]["mean"] for item in items] == [[], [2.5, 1.0]]
    assert client.get("/api/training/curves").status_code == 422
    assert client.get("/api/training/curves", params={**asked, "names": ["secret"]}).json()["code"] == "unknown_metric"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.floats(-1e6, 1e6, allow_nan=False, width=32), min_size=1, max_size=300),
    points=st.integers(1, 50),
    spike=st.integers(0, 299),
)
def test_no_spike_is_lost(client, database, values, points, spike):
    """Every extreme is in a bucket that holds its step; buckets do not overlap and are no more than asked for."""
    known = client.get("/api/jobs").json()["items"]
    job_id = known[0]["id"] if known else submit(database)
    at = spike % len(values)
    values[at] = 1e9
    add(database, job_id, loss=values)
    found = curves(client, job_id, f"?names=loss&points={points}")["loss"]
    assert len(found["mean"]) <= points
    pieces = list(zip(found["first_step"], found["last_step"], found["lowest"], found["highest"], strict=True))
    assert [step for first, last, *_ in pieces for step in range(first, last + 1)] == list(range(1, len(values) + 1))
    for first, last, lowest, highest in pieces:
        assert (lowest, highest) == (min(values[first - 1 : last]), max(values[first - 1 : last]))
    assert next(highest for first, last, _, highest in pieces if first <= at + 1 <= last) == 1e9
    assert found["is_exact"] == (len(values) <= points)


@pytest.mark.gate
def test_a_hundred_thousand_points_take_less_than_a_tenth_of_a_second(client, database):
    job_id = submit(database)
    add(database, job_id, loss=[math.sin(step) for step in range(100_000)])
    queue = client.app.state.platform.queue
    seconds = []
    for _ in range(3):
        began = time.process_time()
        found = queue.curves(job_id, ("loss",))["loss"]
        seconds.append(time.process_time() - began)
    assert len(found) == 500
    assert min(seconds) < 0.1


@pytest.mark.parametrize(
    ("query", "code"),
    [("points=0", "request_invalid"), ("points=5001", "request_invalid"), ("from=0", "request_invalid"),
     ("to=99999999999", "request_invalid"), ("names=secret", "unknown_metric")],
)  # fmt: skip
def test_wrong_questions_about_curves(client, database, query, code):
    answer = client.get(f"/api/training/jobs/{submit(database)}/metrics?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_epochs(client, database):
    train = {"per_device_train_batch_size": 2, "num_train_epochs": 2, "max_steps": 5}
    job_id = submit(database, num_rows=6, train=train)
    add(database, job_id, loss=[3.0, 2.0, 1.0, 0.5, 0.25], eval_loss=[None, 9.0, 8.0, None, 7.0])
    assert client.get(f"/api/training/jobs/{job_id}/epochs").json()["items"] == [
        {"epoch": 1, "first_step": 1, "last_step": 3, "loss": 2.0, "lowest_loss": 1.0, "eval_loss": 8.0,
         "tokens_per_second": None},
        {"epoch": 2, "first_step": 4, "last_step": 5, "loss": 0.375, "lowest_loss": 0.25, "eval_loss": 7.0,
         "tokens_per_second": None},
    ]  # fmt: skip
    assert client.get(f"/api/training/jobs/{job_id}/progress").json()["num_epochs"] == 1.667
    assert client.get(f"/api/training/jobs/{submit(database)}/epochs").json()["items"] == []


def with_run(database, log="一行目\n二行目\n"):
    job_id = submit(database)
    folder = database.home / "jobs" / job_id
    (folder / "runs" / "1").mkdir(parents=True)
    (folder / "runs" / "1" / "log.txt").write_text(log, encoding="utf-8")
    return job_id, folder


def test_logs(client, database):
    job_id, folder = with_run(database, "一行目\n" * 3 + "hf_" + "a" * 40 + "\nlast\n")

    def read(query=""):
        return client.get(f"/api/training/jobs/{job_id}/logs{query}").json()

    size = (folder / "runs" / "1" / "log.txt").stat().st_size
    assert (read()["text"].splitlines()[3:], read()["offset"], read()["num_bytes"]) == (
        ["[hidden]", "last"],
        size,
        size,
    )
    assert read("?tail=1") == {
        "run": 1, "runs": [1], "text": "last\n", "begins_at": size - 5, "offset": size, "num_bytes": size,
    }  # fmt: skip
    assert read(f"?after={size - 5}")["text"] == "last\n"
    assert read(f"?after={size + 99}")["text"] == ""
    assert (read("?run=7")["run"], read("?run=7")["text"]) == (0, "")
    assert client.get(f"/api/training/jobs/{job_id}/logs?tail=-1").status_code == 422
    assert client.get("/api/training/jobs/none/logs").status_code == 404


def test_events_and_samples(client, database):
    job_id, _ = with_run(database)
    found = [
        {"seq": 1, "type": "sample", "time": "2026-01-01T00:00:00+00:00", "preview": {"row": 1}},
        {"seq": 2, "type": "step", "time": "2026-01-01T00:00:01+00:00", "step": 1, "metrics": {"loss": 2.0}},
    ]
    with database.write() as connection:
        events.add_worker_events(connection, database.dialect, job_id, 1, found)
    path = f"/api/training/jobs/{job_id}"
    assert [item["data"]["preview"] for item in client.get(f"{path}/samples").json()["items"]] == [{"row": 1}]
    first = client.get(f"{path}/events?limit=1").json()
    assert (first["items"][0]["type"], first["items"][0]["data"]["action"]) == ("status", "submit")
    rest = client.get(f"{path}/events?after={first['next_cursor']}").json()
    assert ([item["type"] for item in rest["items"]], rest["next_cursor"]) == (["sample", "step"], None)


def test_files_and_checkpoints(client, database):
    job_id, folder = with_run(database)
    with publishing_dir(folder / "runs" / "1" / "checkpoints" / "step-00000002", {"step": 2}) as made:
        (made / "weights.safetensors").write_bytes(b"x" * 10)
    (folder / "worker.lock").write_text("1")
    (folder / ".tmp-adapter").mkdir()
    (folder / ".tmp-adapter" / "half").write_text("x")
    path = f"/api/training/jobs/{job_id}"
    files = {item["name"]: item for item in client.get(f"{path}/files").json()["items"]}
    weights = "runs/1/checkpoints/step-00000002/weights.safetensors"
    assert set(files) == {
        "config.json",
        "runs/1/log.txt",
        weights,
        weights.replace("weights.safetensors", "MANIFEST.json"),
    }
    assert (files[weights]["num_bytes"], files[weights]["sha256"]) == (10, hashlib.sha256(b"x" * 10).hexdigest())
    assert files["config.json"]["sha256"] is None
    saved = client.get(f"{path}/checkpoints").json()["items"]
    assert [(item["step"], item["run"], item["num_bytes"], item["is_whole"]) for item in saved] == [(2, 1, 10, True)]
    (folder / weights).write_bytes(b"x")
    assert client.get(f"{path}/checkpoints").json()["items"][0]["is_whole"] is False
    assert {item["name"]: item for item in client.get(f"{path}/files").json()["items"]}[weights]["sha256"] is None


def test_a_file_is_downloaded_whole_and_in_parts(client, database):
    job_id, folder = with_run(database)
    (folder / "adapter").mkdir()
    (folder / "adapter" / "重み.bin").write_bytes(bytes(range(256)))
    path = f"/api/training/jobs/{job_id}/files/adapter/重み.bin"
    answer = client.get(path)
    assert (answer.status_code, answer.content) == (200, bytes(range(256)))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    part = client.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/256"
    assert client.get(path, headers={"Range": "bytes=900-"}).status_code == 416
    assert client.get(path, headers={"Range": "bytes=-6"}).content == bytes(range(250, 256))


def finding(seq, code, **more):
    return {"seq": seq, "type": "finding", "time": "2026-01-01T00:00:00+00:00", "code": code, "step": None,
            "params": {"first": "1.0", "last": "9.0"}, **more}  # fmt: skip


def test_diagnosis_follows_a_run_that_goes_on(client, home, app):
    made = create(client, dataset(client), settings={"max_steps": 4}).json()["id"]
    database = app.state.platform.database
    path = f"/api/training/jobs/{made}/diagnosis"
    from llmlora.store import jobs

    def tell(*found):
        with database.write() as connection:
            connection.execute(jobs.jobs.update().values(status="running", run=1))
            events.add_worker_events(connection, database.dialect, made, 1, found)

    tell(finding(1, "loss_rising", so_far=True, settings={"learning_rate": 0.001}))
    [item] = client.get(path).json()["items"]
    assert (item["code"], item["settings"]) == ("loss_rising", {"learning_rate": 0.001})
    assert "9.0 now" in item["text"], "not at an end that has not come"
    assert item["action"] == {"name": "change_settings", "values": {"learning_rate": 0.001}}
    assert client.post(f"/api/jobs/{made}/clone", json={"settings": item["settings"]}).status_code == 201
    tell(finding(2, "loss_rising", is_over=True))
    assert client.get(path).json()["items"] == []
    tell(finding(3, "loss_not_falling", so_far=True))
    with database.write() as connection:
        events.add_queue_event(connection, database.dialect, made, 1, "less_memory",
                               {"before": {}, "after": {"per_device_train_batch_size": 1}})  # fmt: skip
        events.add_queue_event(connection, database.dialect, made, 1, "stalled", {"seconds": 40.0})
    items = client.get(path).json()["items"]
    assert [item["code"] for item in items] == ["loss_not_falling", "less_memory", "stalled"]
    assert "per_device_train_batch_size = 1" in items[1]["text"]
    with database.write() as connection:
        jobs.set_values(connection, made, run=2)
    assert [item["code"] for item in client.get(path).json()["items"]] == ["less_memory", "stalled"]


def test_the_recipe_is_what_train_takes(client, home, tmp_path):
    made = create(client, dataset(client), settings={"r": 4, "max_steps": 4, "target_modules": ["q_proj"]}).json()
    path = f"/api/training/jobs/{made['id']}/recipe"
    answer = client.get(path)
    assert answer.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(answer.text) == client.get(f"{path}?format=json").json()
    file = tmp_path / "recipe.yaml"
    file.write_text(answer.text, encoding="utf-8")
    request = training_request(None, None, file)
    job = read_job(home / "jobs" / made["id"])
    assert (request.base_model, str(request.data)) == ("nano", job.data.path)
    from llmlora.services.plan_training import plan_training

    assert plan_training(request).job.train == job.train
    assert client.get(f"{path}?format=xml").status_code == 422


def test_diagnosis_names_cause_and_next_settings(client, home, app):
    made = create(client, dataset(client), settings={"learning_rate": 0.5, "max_steps": 4}).json()
    database = app.state.platform.database
    advice = {"code": "rate_too_high", "params": {"changes": "learning_rate 0.5 → 0.002", "command": "train",
              "settings": {"learning_rate": None}}}  # fmt: skip
    found = [
        {"seq": 1, "type": "warning", "time": "2026-01-01T00:00:00+00:00", "code": "nonfinite_step", "step": 3,
         "params": {"cause": "loss", "in_a_row": 1}},
        {"seq": 2, "type": "finding", "time": "2026-01-01T00:00:00+00:00", "code": "loss_rising", "step": None,
         "params": {"first": "1.0", "last": "9.0", "advice": advice}},
    ]  # fmt: skip
    error = {"error": "NonFiniteLoss", "code": "job_folder_gone", "params": {"path": "x"}}
    from llmlora.store import jobs

    with database.write() as connection:
        events.add_worker_events(connection, database.dialect, made["id"], 1, found)
        connection.execute(jobs.jobs.update().values(status="failed", error=error))
    items = client.get(f"/api/training/jobs/{made['id']}/diagnosis").json()["items"]
    assert [(item["type"], item["code"]) for item in items] == [
        ("error", "job_folder_gone"), ("finding", "loss_rising"), ("warning", "nonfinite_step"),
    ]  # fmt: skip
    assert items[1]["settings"] == {"learning_rate": None} == items[0]["settings"]
    assert items[1]["params"] == {"first": "1.0", "last": "9.0"}
    assert "9.0" in items[1]["text"]
    copy = client.post(f"/api/jobs/{made['id']}/clone", json={"settings": items[1]["settings"]}).json()
    assert copy["settings"]["learning_rate"] < 0.1
