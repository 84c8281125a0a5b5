"""Training jobs over HTTP: from an upload to a trained model, with every wish checked before anything is written."""

import http.client
import json
import os
import signal
import time

import pytest

from api.clients import application, signed_in
from cli.test_serve import serving
from llmlora.core.events import read_events, step_history
from llmlora.core.layout import run_dir, run_numbers
from llmlora.services.follow import lock_holder

ROWS = [{"instruction": f"質問{number}は？", "output": f"答え{number}です。"} for number in range(6)]
SHORT = {"max_steps": 4, "save_steps": 2, "per_device_train_batch_size": 2, "max_length": 64}
ENDED = ("succeeded", "failed", "canceled")


def dataset(client, rows=ROWS, name="店"):
    return client.post("/api/datasets", json={"name": name, "examples": rows}).json()["id"]


def create(client, dataset_id, /, **fields):
    wish = {"name": "練習", "base_model": "nano", "dataset_id": dataset_id, "settings": SHORT} | fields
    return client.post("/api/training/jobs", json=wish)


def folders(home):
    return sorted(path.name for path in (home / "jobs").iterdir()) if (home / "jobs").exists() else []


def test_a_job_is_planned_and_queued(client, home):
    data = dataset(client)
    answer = create(client, data, eval_dataset_id=data)
    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert {name: made[name] for name in ("kind", "name", "status", "base_model", "dataset_id", "eval_dataset_id")} == {
        "kind": "train", "name": "練習", "status": "queued", "base_model": "nano", "dataset_id": data,
        "eval_dataset_id": data,
    }  # fmt: skip
    assert (made["settings"]["max_steps"], made["reasons"]["max_steps"]) == (4, "set")
    assert folders(home) == [made["id"]]
    assert client.get(f"/api/training/jobs/{made['id']}").json() == made
    assert [item["id"] for item in client.get("/api/training/jobs").json()["items"]] == [made["id"]]
    progress = client.get(f"/api/training/jobs/{made['id']}/progress").json()
    assert list(progress) == [
        "status", "step", "total_steps", "epoch", "num_epochs", "percent", "loss", "eval_loss", "learning_rate",
        "tokens_per_second", "eta_seconds", "phase", "message",
    ]  # fmt: skip
    assert (progress["status"], progress["step"], progress["message"]) == ("queued", None, None)
    assert client.delete(f"/api/datasets/{data}").status_code == 409


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"base_model": "no-such"}, 404, "model_not_known"),
        ({"base_model": "/etc"}, 422, "model_path_over_http"),
        ({"base_model": "../nano"}, 422, "model_path_over_http"),
        ({"dataset_id": "no-such"}, 404, "dataset_not_found"),
        ({"eval_dataset_id": "no-such"}, 404, "dataset_not_found"),
        ({"settings": {"chat_template": "/etc/passwd"}}, 422, "setting_path_over_http"),
        ({"settings": {"init_adapter": "/tmp"}}, 422, "setting_path_over_http"),
        ({"settings": {"no_such": 1}}, 422, None),
        ({"settings": {"r": -1}}, 422, None),
        ({"settings": {"target_modules": ["nope"]}}, 422, "unknown_target_modules"),
        ({"settings": {"layers": [99]}}, 422, "unknown_layers"),
        ({"settings": {"modules_to_save": ["nothing"]}}, 422, "unknown_modules_to_save"),
        ({"settings": {"general_share": 1, "max_length": 24}}, 422, "general_rows_refused"),
        ({"preset": "no-such"}, 422, None),
        ({"name": ""}, 422, "request_invalid"),
        ({"path": "x"}, 422, "request_invalid"),
    ],
)
def test_what_is_refused_leaves_nothing(client, home, fields, status, code):
    answer = create(client, dataset(client), **fields)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code
    assert folders(home) == []
    assert client.get("/api/training/jobs").json()["items"] == []


def test_a_dataset_with_errors_is_not_trained_on(client, home):
    data = dataset(client, [*ROWS, {"instruction": "a", "output": ""}])
    answer = create(client, data)
    assert (answer.status_code, answer.json()["code"]) == (422, "kept_dataset_has_errors"), answer.text
    assert "店" in answer.json()["detail"]


def test_a_key_makes_one_job(client, home):
    wish = {"base_model": "nano", "dataset_id": dataset(client), "settings": SHORT}
    first, again = (client.post("/api/training/jobs", json=wish, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, first.json()) == (201, again.json())
    assert folders(home) == [first.json()["id"]]


def test_changes_of_mind(client, home):
    data = dataset(client)
    first, second = (create(client, data, name=name).json()["id"] for name in ("a", "b"))

    def act(job_id, action, body=None):
        answer = client.post(f"/api/jobs/{job_id}/{action}", **({} if body is None else {"json": body}))
        return answer.json().get("status", answer.status_code), answer

    assert act(first, "pause")[0] == "paused"
    assert client.get(f"/api/training/jobs/{first}/progress").json()["message"] == "Paused."
    assert act(first, "pause")[1].json()["code"] == "job_wrong_status"
    assert act(first, "resume")[0] == "queued"
    assert act(second, "reorder", {"before": first})[1].json()["position"] < 1
    assert act(second, "rename", {"name": "改名"})[1].json()["name"] == "改名"
    assert client.post(f"/api/training/jobs/{first}/cancel").json()["status"] == "canceled"
    assert act(first, "retry")[0] == "queued"
    assert act(first, "cancel")[0] == "canceled"
    copy = act(first, "clone", {"name": "写し"})[1]
    assert (copy.status_code, copy.json()["name"], copy.json()["dataset_id"]) == (201, "写し", data)
    assert act(first, "delete")[1].status_code == 200
    assert client.get(f"/api/training/jobs/{first}").status_code == 404
    assert act(first, "undo-delete")[1].status_code == 200
    assert client.get(f"/api/training/jobs/{first}").json()["status"] == "canceled"
    assert act("no-such", "pause")[1].json()["code"] == "job_not_found"
    page = client.get("/api/training/jobs?limit=2").json()
    assert [item["name"] for item in page["items"]] == ["写し", "改名"]
    rest = client.get(f"/api/training/jobs?limit=2&before={page['next_cursor']}").json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([first], None)


def until(look, seconds=240.0):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_from_upload_to_a_trained_model(home):
    with signed_in(application()) as client:
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
        data = client.post("/api/datasets/upload", files={"file": ("店.jsonl", content)}).json()["id"]
        made = create(client, data).json()["id"]
        path = f"/api/training/jobs/{made}"
        until(lambda: client.get(path).json()["status"] in ENDED)
        job, progress = client.get(path).json(), client.get(f"{path}/progress").json()
        assert (job["status"], job["error"]) == ("succeeded", None)
        assert (progress["step"], progress["total_steps"], progress["percent"]) == (4, 4, 100.0)
        assert progress["loss"] > 0
        measured = step_history(home / "jobs" / made)
        until(lambda: client.get(f"{path}/metrics?names=loss").json()["curves"]["loss"]["first_step"][-1:] == [4])
        curves = client.get(f"{path}/metrics").json()["curves"]
        for name in ("loss", "learning_rate", "grad_norm"):
            assert curves[name]["mean"] == [record[name] for record in measured], "as in events.jsonl"
        assert {"config.json", "report.json", "adapter/adapter_model.safetensors"} <= {
            item["name"] for item in client.get(f"{path}/files").json()["items"]
        }
        assert client.get(f"{path}/checkpoints").json()["items"][0]["step"] == 4
        assert job["result_bytes"] > 10_000
        assert job["result"]["final_loss"] == client.get(f"{path}/report").json()["training"]["summary"]["final_loss"]
        assert [run["outcome"] for run in job["runs"]] == ["succeeded"]
        assert (home / "jobs" / made / "adapter").is_dir()
        assert client.delete(f"/api/datasets/{data}").status_code == 200


class Caller:
    """Requests to a server of its own process."""

    def __init__(self, served):
        self.served = served

    def __call__(self, method, path, body=None, **more):
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=120)
        headers = {"Authorization": f"Bearer {self.served.token}", "Content-Type": "application/json", **more}
        connection.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body), headers)
        answer = connection.getresponse()
        found = json.loads(answer.read())
        connection.close()
        assert answer.status < 300, found
        return found


def uploaded(call):
    """Upload a file in pieces and return the dataset's id."""
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
    made = call("POST", "/api/uploads", {"name": "店.jsonl", "bytes": len(content)})["id"]
    call("PUT", f"/api/uploads/{made}", content[:100], **{"Upload-Offset": "0"})
    call("PUT", f"/api/uploads/{made}", content[100:], **{"Upload-Offset": "100"})
    return call("POST", f"/api/uploads/{made}/dataset", {})["id"]


def test_a_killed_server_loses_nothing(home, database_url):
    """kill -9 of the server, and of the worker it had started: the next server finishes the job, without a gap."""
    settings = {**SHORT, "max_steps": 40, "logging_steps": 1}
    with serving(home, DATABASE_URL=database_url) as served:
        call = Caller(served)
        wish = {"base_model": "nano", "dataset_id": uploaded(call), "settings": settings}
        made = call("POST", "/api/training/jobs", wish)["id"]
        until(lambda: (call("GET", f"/api/training/jobs/{made}/progress")["step"] or 0) >= 3)
        served.stop(signal.SIGKILL)
        os.kill(int(lock_holder(home / "jobs" / made)), signal.SIGKILL)
    with serving(home, DATABASE_URL=database_url) as served:
        call = Caller(served)
        until(lambda: call("GET", f"/api/training/jobs/{made}")["status"] in ENDED)
        assert call("GET", f"/api/training/jobs/{made}")["status"] == "succeeded"
        progress = call("GET", f"/api/training/jobs/{made}/progress")
        curve = call("GET", f"/api/training/jobs/{made}/metrics?names=loss")["curves"]["loss"]
    assert (progress["step"], progress["percent"]) == (40, 100.0)
    assert curve["first_step"] == curve["last_step"] == list(range(1, 41))
    assert (home / "llmlora.db").exists() == database_url.startswith("sqlite")
    folder = home / "jobs" / made
    steps = {
        event["step"]
        for run in run_numbers(folder)
        for event in read_events(run_dir(folder, run) / "events.jsonl")
        if event["type"] == "step"
    }
    assert steps == set(range(1, 41))
    assert len(run_numbers(folder)) == 2
