"""Ollama over HTTP: downloads and registrations are work of the queue, and their folders hold what is to be done."""

from __future__ import annotations

import pytest

from fake_ollama.server import FakeOllama
from llmlora.core.events import read_events
from llmlora.core.layout import EVENTS_FILE, run_dir
from llmlora.core.publish import read_json, write_json
from llmlora.services.result_jobs import proposed_name
from llmlora.services.supervisor import run_worker
from llmlora.store import jobs
from tiny_jobs import tiny_job


@pytest.mark.parametrize("name", ["ollama:smollm2", "qwen3:0.6b", "hf.co/owner/model-GGUF:Q4_K_M"])
def test_a_download_is_queued(name, client, app):
    answer = client.post(f"/api/models/pull/{name}")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    wanted = name.removeprefix("ollama:")
    assert (made["kind"], made["name"], made["status"]) == ("download", wanted, "queued")
    queue = app.state.platform.queue
    assert read_json(queue.folder_of(queue.get(made["id"])) / "config.json")["name"] == wanted


@pytest.mark.parametrize(("name", "code"), [("org/name", "hub_not_yet"), ("ollama:-x", "ollama_pull_name")])
def test_other_names_are_refused(name, code, client):
    answer = client.post(f"/api/models/pull/{name}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_the_download_tells_its_bytes_and_goes_on_after_a_break(client, app, tmp_path, monkeypatch):
    made = client.post("/api/models/pull/small").json()
    queue = app.state.platform.queue
    folder = queue.folder_of(queue.get(made["id"]))
    with FakeOllama(tmp_path / "store") as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        (server.store.folder / "registry").mkdir()
        content = gguf_bytes(tmp_path)
        (server.store.folder / "registry" / "small.gguf").write_bytes(content)
        server.odd.error_in_stream = "connection reset by peer"
        with pytest.raises(Exception, match="ollama_refused"):
            run_worker("download", folder)
        server.odd.error_in_stream = None
        result = run_worker("download", folder)
        assert result["digest"]
        assert server.store.find("small") is not None
    told = [event for event in read_events(run_dir(folder, 2) / EVENTS_FILE) if event.get("name") == "pulling"]
    assert (told[-1]["params"]["done"], told[-1]["params"]["total"]) == (len(content), len(content))
    with app.state.platform.database.write() as connection:
        progress = {"phase": {"name": "pulling", "params": {"name": "small", "done": 25_000, "total": 100_000}}}
        connection.execute(jobs.jobs.update().values(status="running", run=2, progress=progress))
    shown = client.get(f"/api/jobs/{made['id']}", headers={"Accept-Language": "en"}).json()["progress"]
    assert (shown["percent"], shown["message"]) == (25.0, "Ollama is downloading small (25 KB / 100 KB)")


def gguf_bytes(folder):
    from llmlora.gguf.container import write_container

    write_container(folder / "small.gguf", {"general.architecture": "llama"}, [])
    return (folder / "small.gguf").read_bytes()


def test_the_server_of_this_machine_is_told_of_whether_it_answers_or_not(client, tmp_path, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    down = client.get("/api/ollama", headers={"Accept-Language": "en"}).json()
    assert (down["version"], down["models"], down["error"]["code"]) == (None, [], "ollama_down")
    assert "ollama serve" in down["error"]["hint"]
    with FakeOllama(tmp_path / "store", "0.33.0") as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        gguf_bytes(tmp_path)
        server.store.add("small:latest", tmp_path / "small.gguf")
        found = client.get("/api/ollama").json()
    assert (found["version"], found["abilities"]["takes_adapters"], found["error"]) == ("0.33.0", True, None)
    assert [model["name"] for model in found["models"]] == ["small:latest"]
    assert found["models"][0]["size"] > 0


def test_a_name_is_given_back_at_once(client, tmp_path, monkeypatch):
    with FakeOllama(tmp_path / "store") as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        gguf_bytes(tmp_path)
        server.store.add("small:latest", tmp_path / "small.gguf", system="old")
        before = server.store.find("small").digest
        missing = client.post("/api/ollama/rollback", json={"name": "small"})
        assert (missing.status_code, missing.json()["code"]) == (404, "ollama_no_model")
        server.store.add("small:latest-before", tmp_path / "small.gguf", system="older")
        answer = client.post("/api/ollama/rollback", json={"name": "small"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["kept"] == "small:latest-before"
        assert server.store.find("small").digest != before == server.store.find("small:latest-before").digest


def test_an_export_tells_its_name_and_its_registration(client, app, tmp_path):
    queue = app.state.platform.queue
    folder = tmp_path / "export"
    folder.mkdir()
    write_json(folder / "config.json", {"kind": "export"})
    job = queue.submit("export", folder, name="みどり堂 v2")
    found = client.get(f"/api/exports/{job.id}").json()
    assert (found["ollama_name"], found["ollama"]) == ("midori-v2:latest", None)
    check = {"check": "questions", "ok": False, "measured": {"num_known": 3, "num_kept": 2}, "detail": "x"}
    record = {"name": "a:latest", "url": "http://h", "version": "0.40.0", "file": "model-F16.gguf", "ok": False}
    write_json(folder / "ollama.json", {**record, "is_verified": True, "checks": [check]})
    told = client.get(f"/api/exports/{job.id}", headers={"Accept-Language": "en"}).json()["ollama"]
    assert (told["name"], told["ok"], told["checks"]) == ("a:latest", False, [{**check, "text": "Taught facts"}])


def test_a_model_of_the_server_is_shown_and_the_server_checked(client, tmp_path, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    for path in ("check", "models/small"):
        down = client.get(f"/api/ollama/{path}")
        assert (down.status_code, down.json()["code"]) == (503, "ollama_down")
    with FakeOllama(tmp_path / "store", "0.34.1") as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        gguf_bytes(tmp_path)
        server.store.add("small:1b", tmp_path / "small.gguf", system="Be short.")
        shown = client.get("/api/ollama/models/small:1b").json()
        assert (shown["system"], shown["template"], shown["details"]["family"]) == ("Be short.", None, "llama")
        missing = client.get("/api/ollama/models/hf.co/me/gone:Q4_K_M")
        assert (missing.status_code, missing.json()["code"]) == (404, "ollama_no_model")
        before = list(server.requests)
        checked = client.get("/api/ollama/check", headers={"Accept-Language": "en"}).json()
        asked = server.requests[len(before) :]
    assert (checked["version"], checked["abilities"]["takes_adapters"]) == ("0.34.1", False)
    assert all(check["ok"] and check["text"] for check in checked["checks"])
    assert not [request for request in asked if "create" in request or "delete" in request]


@pytest.mark.parametrize(
    ("title", "base", "name"),
    [
        ("星川文具店", "nano", "nano-1130"),
        ("基本Q&A", "ollama:qwen2.5:0.5b", "qwen2.5-0.5b-1130"),
        ("みどり堂 v2", "nano", "midori-v2"),
        ("星川文具店", None, "my-model"),
    ],
)
def test_a_title_that_cannot_be_spelled_gives_way_to_base_and_day(title, base, name):
    assert proposed_name(title, base, "2026-11-30T02:00:00+00:00") == f"{name}:latest"


def test_a_registration_says_all_that_the_command_line_can_say(client, app, tmp_path):
    queue = app.state.platform.queue
    folder = tmp_path / "export"
    folder.mkdir()
    write_json(folder / "config.json", {"kind": "export"})
    job = queue.submit("export", folder, name="x")
    with queue.database.write() as connection:
        jobs.claim_next(connection)
        jobs.change_status(connection, job.id, "succeed", run=0)
    wish = {"job_id": job.id, "name": "my-support:v1", "base": "smollm2", "force": True, "system": "Be short."}
    made = client.post("/api/ollama/register", json=wish).json()
    config = read_json(queue.folder_of(queue.get(made["id"])) / "config.json")
    assert {name: config[name] for name in ("name", "base", "force", "system", "replace")} == {
        **{name: wish[name] for name in ("name", "base", "force", "system")},
        "replace": False,
    }


def test_only_a_finished_export_is_registered(client, app, tmp_path):
    queue = app.state.platform.queue
    wish = {"job_id": "nothing", "name": "my-support:v1"}
    assert client.post("/api/ollama/register", json=wish).status_code == 404
    folder = tmp_path / "export"
    folder.mkdir()
    write_json(folder / "config.json", {"kind": "export"})
    job = queue.submit("export", folder, name="x")
    answer = client.post("/api/ollama/register", json={**wish, "job_id": job.id})
    assert (answer.status_code, answer.json()["code"]) == (409, "ollama_needs_export")
    with queue.database.write() as connection:
        jobs.claim_next(connection)
        jobs.change_status(connection, job.id, "succeed", run=0)
    answer = client.post("/api/ollama/register", json={**wish, "job_id": job.id, "way": "merge"})
    assert (answer.status_code, answer.json()["code"]) == (422, "ollama_export_given")


def test_a_training_job_is_exported_and_registered_by_one_call(client, app, tmp_path, monkeypatch):
    queue = app.state.platform.queue
    folder = tiny_job("llama", tmp_path, {})
    job = queue.submit("train", folder, name="x")
    wish = {"job_id": job.id, "name": "my-support:v1", "way": "merge", "quantizations": ["Q8_0"]}
    assert client.post("/api/ollama/register", json=wish).status_code == 409, "it has not finished"
    with queue.database.write() as connection:
        jobs.claim_next(connection)
        jobs.change_status(connection, job.id, "succeed", run=0)
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    assert client.post("/api/ollama/register", json=wish).json()["code"] == "ollama_down"
    with FakeOllama(tmp_path / "store") as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        answer = client.post("/api/ollama/register", json=wish)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert (made["kind"], made["parent_id"]) == ("register", job.id)
        work = queue.folder_of(queue.get(made["id"]))
        assert read_json(work / "config.json")["exports"]
        export = tmp_path / "job-export"
        assert read_json(export / "config.json")["quantizations"] == ["Q8_0"]
        run_worker("register", work)
        assert server.store.find("my-support:v1") is not None
    assert read_json(export / "ollama.json")["ok"]
