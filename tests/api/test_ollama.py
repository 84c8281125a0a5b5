"""Ollama over HTTP: downloads and registrations are work of the queue, and their folders hold what is to be done."""

from __future__ import annotations

import pytest

from fake_ollama.server import FakeOllama
from llmlora.core.events import read_events
from llmlora.core.layout import EVENTS_FILE, run_dir
from llmlora.core.publish import read_json, write_json
from llmlora.services.supervisor import run_worker


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
    told = [event for event in read_events(run_dir(folder, 2) / EVENTS_FILE) if event.get("name") == "downloading"]
    assert (told[-1]["params"]["done"], told[-1]["params"]["total"]) == (len(content), len(content))


def gguf_bytes(folder):
    from llmlora.gguf.container import write_container

    write_container(folder / "small.gguf", {"general.architecture": "llama"}, [])
    return (folder / "small.gguf").read_bytes()


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
