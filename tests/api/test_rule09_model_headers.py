"""R9: the server parses no header of a model itself; a hostile one is told of by name, and hides and harms nothing."""

import json
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from api.test_datasets import GOOD, upload
from api.test_result_jobs import add_finished
from api.test_rule04_deny import every_path
from catalog.model_files import header_bytes, model_folder
from gguf_bytes import ARRAY, U64, RawGguf, packed_string, small_file
from llmlora.catalog import adapter_folder, gguf_header, header_reader, safetensors_header
from llmlora.catalog import model_folder as model_folders
from llmlora.core.job import read_job
from llmlora.core.layout import ADAPTER_DIR, new_id, scratch_dir
from llmlora.core.publish import write_json
from llmlora.services import launch, limited_headers
from llmlora.services.askable import find_askable
from llmlora.services.model_memory import needed_bytes, training_bytes
from llmlora.services.served_models import running_models, served_models, shown_model
from llmlora.store import jobs
from ollama_store import OllamaStore
from served_jobs import served_jobs
from tiny_models import tiny_model

HOSTILE = Path(__file__).parents[1] / "services" / "hostile_reader.py"
LIBRARY = "registry.ollama.ai/library"


@pytest.fixture
def unparsed(monkeypatch):
    """Fail the test when this process, the server's, parses a header that did not come with the package."""

    def watched(parse, path_of):
        def call(*words):
            if not header_reader._comes_with_us(path_of(words)):
                pytest.fail(f"the server has parsed {path_of(words)} itself")
            return parse(*words)

        return call

    for module, name, place in (
        (gguf_header, "_parsed", 0),
        (safetensors_header, "_read", 2),
        (model_folders, "_read", 0),
        (model_folders, "read_json_object", 0),
        (adapter_folder, "read_json_object", 0),
    ):
        parse = getattr(module, name)
        monkeypatch.setattr(module, name, watched(parse, lambda words, place=place: words[place]))


@pytest.fixture
def asked(monkeypatch):
    """Note what children have read for the server."""
    found, real = [], limited_headers.run_worker

    def run_worker(kind, folder):
        found.append([Path(path) for _, path in json.loads((folder / "config.json").read_text())["wanted"]])
        return real(kind, folder)

    monkeypatch.setattr(limited_headers, "run_worker", run_worker)
    return found


def in_hub(cache, name):
    """Return the folder of a model's main revision in the Hub's cache."""
    place = cache / f"models--{name.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("abc")
    return place / "snapshots" / "abc"


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Return an empty cache of the Hub and an empty store of Ollama, in which the server looks."""
    store = OllamaStore(tmp_path / "store")
    (tmp_path / "hub").mkdir()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("OLLAMA_MODELS", str(store.root))
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    return tmp_path / "hub", store


def finished_export(client, folder, job_dir, base):
    """Put a finished export of a job into the index and return its id."""
    folder.mkdir()
    (folder / "model-F16.gguf").write_bytes(base.read_bytes())
    write_json(folder / "config.json", {"schema": "llmlora.export/1", "kind": "export", "job_dir": str(job_dir)})
    files = {"model-F16.gguf": {"quantization": "F16", "sha256": "0" * 64, "size_bytes": 9}}
    write_json(folder / "meta.json", {"model_file": "model-F16.gguf", "files": files, "job_dir": str(job_dir)})
    queue = client.app.state.platform.queue
    job = queue.submit("export", folder, name="店", job_id=new_id())
    with queue.database.write() as connection:
        jobs.claim_next(connection)
        jobs.change_status(connection, job.id, "succeed", run=0)
    return job.id


@pytest.fixture
def world(places, tmp_path):
    """Return the folders of two finished jobs on one file; a model is in the Hub's cache, one in Ollama's store."""
    hub, store = places
    tiny_model("llama", in_hub(hub, "me/tiny"))
    made = served_jobs(tmp_path / "jobs", tmp_path / "base.gguf")
    store.add(f"{LIBRARY}/tiny/latest", store.manifest([("model", tmp_path / "base.gguf")]))
    return made


def test_no_route_parses_a_header_of_a_model(world, client, tmp_path, unparsed, asked):
    ids = [add_finished(client, job) for job in world]
    export = finished_export(client, tmp_path / "export", world[0], tmp_path / "base.gguf")
    dataset = upload(client, GOOD).json()["id"]

    listed = {model["name"]: model for model in client.get("/api/models").json()["items"]}
    assert {"nano", "smollm2", "me/tiny", "ollama:tiny:latest"} <= set(listed)
    assert all(model["code"] is None for model in listed.values())
    assert len(asked) == 1, "the whole list is one child's work"
    for name in ("smollm2", "me/tiny", "ollama:tiny:latest"):
        assert client.get(f"/api/models/check/{name}").json()["can_train"], name
    for name in ("me/tiny", "ollama:tiny:latest"):
        wish = {"base_model": name, "dataset_id": dataset, "settings": {"max_steps": 2}}
        for path, status in (("/api/training/plan", 200), ("/api/training/jobs", 201)):
            answer = client.post(path, json=wish)
            assert answer.status_code == status, answer.text
    for identifier in (*ids, export):
        for path in every_path(client.app):
            if "events" not in path:
                found = client.get(path.replace("nano", identifier))
                assert found.status_code < 500 or found.json()["code"] == "ollama_down", path
    for path, wish in (
        ("/api/exports", {"job_id": ids[0], "quantizations": ["Q8_0"]}),
        (f"/api/exports/{export}/verify", {}),
        ("/api/merges", {"job_id": ids[0]}),
        ("/api/evaluations", {"job_id": ids[0]}),
        ("/api/comparisons", {"job_ids": ids}),
        ("/api/adapters/combine", {"job_ids": ids}),
        ("/api/ollama/register", {"job_id": export, "name": "tiny"}),
        (f"/api/jobs/{ids[0]}/clone", {}),
        (f"/api/jobs/{ids[0]}/passport", {}),
        ("/api/generate", {"model": f"job:{ids[0]}", "prompt": "営業時間は？", "max_length": 2}),
        ("/v1/completions", {"model": f"export:{export}/F16", "prompt": "営業", "max_tokens": 2}),
    ):
        answer = client.post(path, json=wish)
        assert answer.status_code < 300, (path, answer.text)
    queue = client.app.state.platform.queue
    assert len(served_models(queue)) >= 4 and running_models(queue, client.app.state.warm_models)
    for name in (f"job:{ids[1]}", f"export:{export}/F16"):
        found = find_askable(queue, name)
        assert shown_model(found)["details"]["family"] == "llama" and needed_bytes(found.location) > 0
    assert training_bytes(world[1]) > 0
    read = {path for paths in asked for path in paths}
    cached = tmp_path / "hub" / "models--me--tiny" / "snapshots" / "abc"
    blob = Path(read_job(world[0]).base_dir)
    assert {cached, blob, world[1] / ADAPTER_DIR, tmp_path / "export" / "model-F16.gguf"} <= read


def harmful(what):
    return json.dumps({"harm": what}).encode()


def huge_vocabulary():
    """Return the head of a file with as many numbers as the reader takes at most, 700 MB as objects of Python."""
    return RawGguf([packed_string("tokenizer.ggml.tokens") + struct.pack("<IIQ", ARRAY, U64, 1 << 24)]).build()


class Peak:
    """How much memory this process has taken at most, in MB, beyond what it had."""

    def __enter__(self):
        Path("/proc/self/clear_refs").write_text("5")
        self.before = self.now()
        return self

    def now(self):
        words = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()
        return int(words[0]) >> 10

    def __exit__(self, *_):
        self.grown = self.now() - self.before


def test_hostile_models_are_listed_with_their_reason_beside_the_others(client, places, tmp_path, monkeypatch):
    hub, store = places
    dataset = upload(client, GOOD).json()["id"]
    real = subprocess.Popen
    monkeypatch.setattr(
        launch.subprocess, "Popen", lambda words, **more: real([sys.executable, str(HOSTILE), *words[-3:]], **more)
    )
    monkeypatch.setattr(limited_headers, "READER_MEMORY_BYTES", 400 << 20)
    monkeypatch.setattr(limited_headers, "SECONDS", 6.0)
    model_folder(in_hub(hub, "good/one"))
    deep = model_folder(in_hub(hub, "bad/header"))
    (deep / "model.safetensors").write_bytes(header_bytes(b"[" * 100_000))
    deep = model_folder(in_hub(hub, "bad/config"))
    (deep / "config.json").write_text('{"a":' * 100_000)
    vocabulary = tmp_path / "huge.gguf"
    vocabulary.write_bytes(huge_vocabulary())
    with vocabulary.open("r+b") as stream:
        stream.truncate(vocabulary.stat().st_size + (8 << 24))
    weights = {"huge": vocabulary, "good": small_file().build(), **{what: harmful(what) for what in ("loop", "segv")}}
    for name, content in weights.items():
        store.add(f"{LIBRARY}/{name}/latest", store.manifest([("model", content)]))
    with Peak() as peak:
        found = {model["name"]: model for model in client.get("/api/models").json()["items"]}
    codes = {name: model["code"] for name, model in found.items() if model["kind"] in ("hub", "ollama")}
    assert codes == {
        "good/one": None,
        "bad/header": "safetensors_invalid",
        "bad/config": "model_json_invalid",
        "ollama:good:latest": None,
        "ollama:huge:latest": "inspection_memory",
        "ollama:loop:latest": "inspection_deadline",
        "ollama:segv:latest": "inspection_crashed",
    }
    assert peak.grown < 30, "MB"
    assert found["good/one"]["num_parameters"] > 0 and found["ollama:good:latest"]["num_parameters"] > 0
    assert client.get("/healthz").status_code == 200 and not list(scratch_dir().iterdir())
    started = time.monotonic()
    assert client.get("/api/models").json()["items"] == list(found.values()), "and remembered"
    assert time.monotonic() - started < 2
    assert client.get("/api/models/check/ollama:loop").json()["code"] == "inspection_deadline"
    refused = client.post("/api/training/plan", json={"base_model": "ollama:segv", "dataset_id": dataset})
    assert refused.status_code in (200, 404, 422) and "inspection_crashed" in refused.text


def test_a_server_that_looks_at_a_hostile_model_answers_others_meanwhile(client, places, monkeypatch):
    _, store = places
    store.add(f"{LIBRARY}/loop/latest", store.manifest([("model", harmful("loop"))]))
    real = subprocess.Popen
    monkeypatch.setattr(
        launch.subprocess, "Popen", lambda words, **more: real([sys.executable, str(HOSTILE), *words[-3:]], **more)
    )
    monkeypatch.setattr(limited_headers, "SECONDS", 6.0)
    thread = threading.Thread(target=client.get, args=("/api/models",))
    thread.start()
    started = time.monotonic()
    assert client.get("/api/models/check/nano").json()["can_train"]
    assert client.get("/v1/models").status_code == 200
    assert time.monotonic() - started < 4 and thread.is_alive()
    thread.join()


@pytest.mark.parametrize(
    "manifest",
    [
        b"[" * 100_000,
        b'{"layers": [' + b"[]," * 400_000 + b"[]]}",
        b'{"layers": [{"mediaType": "application/vnd.ollama.image.x", "digest": ' + b"[" * 900 + b"]" * 900 + b"}]}",
        b'{"config": {"digest": "sha256:../../../etc/passwd"}}',
        b'{"manifests": [{"digest": 1, "runner": "ggml"}]}',
    ],
    ids=["deep", "large", "deep word", "path", "list"],
)  # fmt: skip
def test_a_hostile_manifest_of_ollama_is_listed_with_its_reason(places, client, manifest):
    """A server parses these itself: they are bounded (docs/developer/architecture.md)."""
    store = places[1]
    store.add(f"{LIBRARY}/good/latest", store.manifest([], {"remote_host": "x"}))
    store.add(f"{LIBRARY}/bad/latest", {}).write_bytes(manifest)
    listed = {model["name"]: model["code"] for model in client.get("/api/models").json()["items"]}
    assert listed["ollama:bad:latest"] == "ollama_manifest_invalid"
    assert listed["ollama:good:latest"] == "ollama_cloud"
    checked = client.get("/api/models/check/ollama:bad").json()
    assert (checked["can_train"], checked["code"]) == (False, "ollama_manifest_invalid")
    assert client.get("/api/models/check/nano").json()["can_train"]
