"""The routes that need no database, and that they are documented as they are."""

import json
import re
import subprocess
import sys

import pytest
from fastapi.routing import APIRoute

from docs.pages import DOCS
from llmlora import __version__
from llmlora.api.openapi import handler_name
from llmlora.core.locale import catalogue
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from llmlora.services import system
from ollama_store import OllamaStore


def test_health(stranger):
    answer = stranger.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_system_info(client, home):
    found = client.get("/api/system-info").json()
    assert list(found) == ["cpu", "memory", "gpus", "disk", "versions", "tasks"]
    assert found["cpu"]["threads"] >= 1
    assert 0 < found["memory"]["available_bytes"] <= found["memory"]["total_bytes"]
    assert found["disk"]["path"] == str(home)
    assert 0 < found["disk"]["free_bytes"] <= found["disk"]["total_bytes"]
    assert found["versions"]["llmlora"] == __version__
    assert re.match(r"\d+\.\d+", found["versions"]["torch"])
    assert found["tasks"] == {"running": 0, "queued": 0}


def test_gpus_are_what_the_driver_says(client, monkeypatch):
    monkeypatch.setattr(system, "_gpu_lines", lambda _: ("NVIDIA H200, 143771 MiB", "Some Card, without words"))
    assert client.get("/api/system-info").json()["gpus"] == [
        {"name": "NVIDIA H200", "memory_bytes": 143771 << 20},
        {"name": "Some Card, without words", "memory_bytes": None},
    ]


def test_the_driver_is_not_asked_for_every_request(client, monkeypatch):
    asked = []
    monkeypatch.setattr(system, "nvidia_gpus", lambda: asked.append(1) or [])
    system._gpu_lines.cache_clear()
    monkeypatch.setattr(system.time, "monotonic", lambda: 600.0)
    for _ in range(3):
        assert client.get("/api/system-info").json()["gpus"] == []
    assert asked == [1]
    system._gpu_lines.cache_clear()


def test_doctor_in_the_callers_language(client):
    report = client.get("/api/doctor", headers={"Accept-Language": "ja"}).json()
    assert {"python", "memory", "disk", "workspace"} <= {check["id"] for check in report["checks"]}
    assert report["version"] == __version__
    assert any("メモリー" in check["message"] for check in report["checks"])


def test_presets(client):
    found = client.get("/api/presets").json()
    assert found["next_cursor"] is None
    for kind, presets in (("preset", LORA_PRESETS), ("training_preset", TRAINING_PRESETS)):
        assert [item["name"] for item in found["items"] if item["kind"] == kind] == list(presets)
    balanced = next(item for item in found["items"] if item["name"] == "balanced")
    assert (balanced["settings"]["r"], balanced["settings"]["lora_alpha"]) == (8, 16)


def test_models(client):
    found = client.get("/api/models").json()
    nano = next(item for item in found["items"] if item["name"] == "nano")
    assert nano["kind"] == "bundled"
    assert nano["num_parameters"] > 1_000_000
    assert "path" not in nano  # what lies where on this machine is nobody's business


def test_a_bundled_model_can_be_trained(client):
    assert client.get("/api/models/check/nano").json() == {
        "name": "nano", "exists": True, "source": "bundled", "can_train": True, "why_not": None, "code": None,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["llama3.2:1b", "meta-llama/Llama-2-7b", "hf.co/a/b:Q4", "日本語 モデル"])
def test_names_with_slashes_and_colons_are_taken_as_they_are(client, name):
    found = client.get(f"/api/models/check/{name}", headers={"Accept-Language": "ja"}).json()
    assert (found["name"], found["exists"], found["can_train"], found["code"]) == (
        name,
        False,
        False,
        "model_not_known",
    )
    assert name in found["why_not"]
    assert "ありません" in found["why_not"]


def test_names_of_ollama_are_looked_up_in_its_store(client, tmp_path, monkeypatch):
    name = "ollama:hf.co/a/b:Q4"
    assert client.get(f"/api/models/check/{name}").json()["code"] == "ollama_no_store"
    store = OllamaStore(tmp_path / "store")
    monkeypatch.setenv("OLLAMA_MODELS", str(store.root))
    assert client.get(f"/api/models/check/{name}").json()["code"] == "ollama_model_not_found"
    store.add("hf.co/a/b/Q4", store.manifest([], {"remote_host": "x"}))
    found = client.get(f"/api/models/check/{name}").json()
    assert (found["exists"], found["source"], found["can_train"], found["code"]) == (
        True,
        "ollama",
        False,
        "ollama_cloud",
    )
    listed = client.get("/api/models").json()["items"]
    assert [(item["name"], item["code"]) for item in listed if item["kind"] == "ollama"] == [(name, "ollama_cloud")]


def test_a_damaged_model_exists_and_cannot_be_trained(client, monkeypatch):
    from llmlora.core.errors import ModelFileError
    from llmlora.services import models

    def damaged(name):
        raise ModelFileError("weights_missing", path="x", names="model.safetensors")

    monkeypatch.setattr(models, "resolve_base_model", damaged)
    found = client.get("/api/models/check/nano").json()
    assert (found["exists"], found["can_train"], found["code"]) == (True, False, "weights_missing")


def test_metrics_count_answers(client, stranger):
    client.get("/api/presets")
    stranger.get("/api/presets")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'llmlora_http_requests_total{method="GET",status="200"} 1' in lines
    assert 'llmlora_http_requests_total{method="GET",status="401"} 1' in lines
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(values["llmlora_process_resident_memory_bytes"]) > 1e6
    assert float(values["llmlora_event_streams"]) == 0
    types = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert types == {re.split(r"[{ ]", line)[0] for line in lines if not line.startswith("#")}


def test_the_start_page_is_there_without_a_front_end(client):
    assert "<h1>llmlora</h1>" in client.get("/", headers={"Accept-Language": "ja"}).text


def test_nothing_is_loaded_from_elsewhere(client):
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404


def test_the_committed_document_is_the_servers(client):
    committed = json.loads((DOCS / "reference" / "openapi.json").read_text(encoding="utf-8"))
    assert client.get("/api/openapi.json").json() == committed, "run `make docs`"


def test_the_document_describes_errors_and_the_token(app):
    document = app.openapi()
    assert document["security"] == [{"bearer": []}]
    operations = [(path, operation) for path, item in document["paths"].items() for operation in item.values()]
    for path, operation in operations:
        shape = "OpenaiError" if path.startswith("/v1/") else "Problem"
        assert f"schemas/{shape}" in json.dumps(operation["responses"]["default"])
    assert [path for path, operation in operations if operation.get("security") == []] == ["/healthz"]
    assert "HTTPValidationError" not in json.dumps(document)
    names = [operation["operationId"] for _, operation in operations]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]*)*", name) for name in names)
    assert {"listDatasets", "createTrainingJob", "listTrainingJobs", "jobProgress", "pauseJob", "systemInfo"} <= set(
        names
    )


def test_every_operation_says_what_it_takes_and_gives(app):
    """Generated clients are made of it: every JSON answer has a model, and bodies of jobs and settings an example."""
    document = app.openapi()
    for path, item in document["paths"].items():
        for name, operation in item.items():
            answer = next(operation["responses"][code] for code in ("200", "201") if code in operation["responses"])
            content = {} if name == "head" else answer["content"]
            assert "application/json" not in content or "$ref" in json.dumps(content) or "recipe" in path, (name, path)
    for name in ("TrainingRequest", "PlanRequest", "BatchRequest", "VaryRequest", "Clone", "Rename", "Reorder"):
        assert document["components"]["schemas"][name]["examples"], name
    assert document["components"]["schemas"]["SettingsChange"]["examples"]


def test_every_route_has_its_sentence_in_both_languages(app):
    for path, item in app.openapi()["paths"].items():
        for operation in item.values():
            key = f"api.route.{handler_name(operation['operationId'])}"
            assert catalogue("en")[key] == operation["description"].split("\n\n")[0].replace("\n", " "), path
            assert key in catalogue("ja")
    routes = {key for key in catalogue("en") if key.startswith("api.route.")}
    assert len(routes) == sum(len(item) for item in app.openapi()["paths"].values())


def test_handlers_are_short(app):
    import inspect

    from api.test_rule04_deny import flat_routes

    own = [route for route in flat_routes(app.routes) if isinstance(route, APIRoute)]
    assert own
    for route in own:
        assert len(inspect.getsource(route.endpoint).splitlines()) <= 25, route.path


def test_the_application_loads_nothing_heavy():
    code = "import sys, llmlora.api.app, llmlora.services.serve; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    heavy = {"torch", "transformers", "peft", "accelerate", "numpy", "xllamacpp", "gguf", "safetensors", "tokenizers"}
    assert "fastapi" in loaded
    assert not loaded & heavy
