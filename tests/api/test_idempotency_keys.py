"""`Idempotency-Key`: every POST takes it, says so in the OpenAPI document, and does nothing twice."""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.clients import application, signed_in
from api.test_hostile_requests import without_probes
from api.test_ollama import gguf_bytes
from api.test_result_jobs import LORA, add_finished
from api.test_rule04_deny import flat_routes
from fake_ollama.server import FakeOllama
from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.routes import chat, generate, ollama_protocol, openai
from llmlora.core.publish import write_json
from llmlora.services import fetch_url
from llmlora.services.queue import Queue
from llmlora.store import jobs
from tiny_jobs import tiny_job

ROWS = [{"instruction": f"質問{number}は？", "output": f"答え{number}です。"} for number in range(6)]
OTHER_ROWS = [*ROWS[:-1], {"instruction": "質問5は？", "output": "応え5です。"}]  # as many bytes
ASKED = [{"role": "user", "content": "こんにちは"}]
SHORT = {"max_steps": 2, "per_device_train_batch_size": 2, "max_length": 64}
# Nothing comes of these but an answer, which is a stream or a text: it is made anew.
COMPUTED = {"/api/chat", "/api/training/recipes/write"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the folder of a finished training job."""
    return tiny_job("llama", tmp_path_factory.mktemp("trained"), LORA)


@pytest.fixture
def app(home, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_url, "fetch", lambda url, target, *_: target.write_text(lines(ROWS)) and None)
    without_probes(monkeypatch)
    for module in (openai, generate):
        monkeypatch.setattr(module, "whole_answer", whole_answer)
    for module in (openai, chat):
        monkeypatch.setattr(module, "answer_events", answer_events)
    made = application(fetch_urls=True)
    yield made
    made.state.warm_models.wait_closed()
    made.state.platform.close()


async def whole_answer(*_):
    return {"text": "十時", "finish_reason": "stop", "num_tokens": 2, "num_prompt_tokens": 2}, []


async def answer_events(*_):
    yield {"type": "text", "text": "十時", "tokens": []}
    yield {"type": "reply", **(await whole_answer())[0]}


class Workspace:
    """What a request needs to be about: one of each thing, made when it is asked for."""

    def __init__(self, client, trained, folder):
        self.client, self.trained, self.folder = client, trained, folder
        self.queue: Queue = client.app.state.platform.queue

    def dataset(self):
        return self.client.post("/api/datasets", json={"name": "店", "examples": ROWS}).json()["id"]

    def wish(self):
        return {"name": "練習", "base_model": "nano", "dataset_id": self.dataset(), "settings": SHORT}

    def queued(self):
        return self.client.post("/api/training/jobs", json=self.wish()).json()["id"]

    def finished(self):
        return add_finished(self.client, self.trained)

    def canceled(self):
        job_id = self.queued()
        self.queue.cancel(job_id)
        return job_id

    def paused(self):
        job_id = self.queued()
        self.queue.pause(job_id)
        return job_id

    def export(self):
        """Return a finished export whose one file is as it was written."""
        made = self.client.post("/api/exports", json={"job_id": self.finished()}).json()["id"]
        folder = self.queue.folder_of(self.queue.get(made))
        (folder / "model-F16.gguf").write_bytes(gguf_bytes(self.folder))
        entry = {"quantization": "F16", "size_bytes": 1, "sha256": "0" * 64}
        write_json(folder / "export.json", {"files": {"model-F16.gguf": entry}, "model_file": "model-F16.gguf"})
        with self.queue.database.write() as connection:
            connection.execute(jobs.jobs.update().where(jobs.jobs.c.id == made).values(status="succeeded"))
        return made

    def deleted_dataset(self):
        identifier = self.dataset()
        self.client.delete(f"/api/datasets/{identifier}")
        return identifier

    def deleted_job(self):
        identifier = self.canceled()
        self.queue.delete(identifier)
        return identifier

    def uploaded(self):
        content = lines(ROWS).encode()
        made = self.client.post("/api/uploads", json={"name": "d.jsonl", "bytes": len(content)}).json()["id"]
        self.client.put(f"/api/uploads/{made}", content=content, headers={"Upload-Offset": "0"})
        return made


def lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def of_dataset(path, body):
    return lambda there: (f"/api/datasets/{there.dataset()}/{path}", {"json": body})


def of_job(kind, action, body=None):
    return lambda there: (f"/api/jobs/{getattr(there, kind)()}/{action}", {"json": body})


# One request that succeeds for each POST of the OpenAPI document.
REQUESTS = {
    "/api/datasets/samples/{name}": lambda there: ("/api/datasets/samples/level1_basic_qa", {}),
    "/api/models/pull/{name}": lambda there: ("/api/models/pull/small", {}),
    "/api/ollama/register": lambda there: (
        "/api/ollama/register",
        {"json": {"job_id": there.export(), "name": "shop", "force": True}},
    ),
    "/api/ollama/rollback": lambda there: ("/api/ollama/rollback", {"json": {"name": "small"}}),
    "/api/datasets": lambda there: ("/api/datasets", {"json": {"name": "店", "examples": ROWS}}),
    "/api/datasets/upload": lambda there: ("/api/datasets/upload", {"files": {"file": ("d.jsonl", lines(ROWS))}}),
    "/api/datasets/from-url": lambda there: (
        "/api/datasets/from-url",
        {"json": {"url": "https://example.com/a.jsonl"}},
    ),
    "/api/datasets/{dataset_id}/undo-delete": lambda there: (
        f"/api/datasets/{there.deleted_dataset()}/undo-delete",
        {},
    ),
    "/api/datasets/{dataset_id}/rows": of_dataset("rows", {"version": 1, "value": {"instruction": "a", "output": "b"}}),
    "/api/datasets/{dataset_id}/repair": of_dataset("repair", {"version": 1, "actions": ["deduplicate"]}),
    "/api/datasets/{dataset_id}/restore": None,
    "/api/datasets/{dataset_id}/split": of_dataset("split", {"share": 0.5}),
    "/api/uploads": lambda there: ("/api/uploads", {"json": {"name": "d.jsonl", "bytes": 10}}),
    "/api/uploads/{upload_id}/dataset": lambda there: (f"/api/uploads/{there.uploaded()}/dataset", {"json": {}}),
    "/api/jobs/{job_id}/pause": of_job("queued", "pause"),
    "/api/jobs/{job_id}/resume": of_job("paused", "resume"),
    "/api/jobs/{job_id}/cancel": of_job("queued", "cancel"),
    "/api/jobs/{job_id}/retry": of_job("canceled", "retry"),
    "/api/jobs/{job_id}/clone": of_job("queued", "clone", {}),
    "/api/jobs/{job_id}/rename": of_job("queued", "rename", {"name": "新しい名前"}),
    "/api/jobs/{job_id}/reorder": of_job("queued", "reorder", {"before": None}),
    "/api/jobs/{job_id}/delete": of_job("canceled", "delete"),
    "/api/jobs/{job_id}/undo-delete": of_job("deleted_job", "undo-delete"),
    "/api/training/jobs": lambda there: ("/api/training/jobs", {"json": there.wish()}),
    "/api/training/jobs/batch": lambda there: ("/api/training/jobs/batch", {"json": {"jobs": [there.wish()] * 2}}),
    "/api/training/plan": lambda there: ("/api/training/plan", {"json": there.wish()}),
    "/api/training/recipes/read": lambda there: (
        "/api/training/recipes/read",
        {"json": {"text": "base_model: nano\n", "file_name": "recipe.yaml"}},
    ),
    "/api/training/recipes/write": lambda there: ("/api/training/recipes/write", {"json": there.wish()}),
    "/api/training/jobs/{job_id}/cancel": lambda there: (f"/api/training/jobs/{there.queued()}/cancel", {}),
    "/api/adapters/combine": lambda there: (
        "/api/adapters/combine",
        {"json": {"job_ids": [there.finished(), there.finished()]}},
    ),
    "/api/jobs/{job_id}/passport": of_job("finished", "passport"),
    "/api/evaluations": lambda there: ("/api/evaluations", {"json": {"job_id": there.finished()}}),
    "/api/exports": lambda there: ("/api/exports", {"json": {"job_id": there.finished()}}),
    "/api/exports/{export_id}/verify": lambda there: (f"/api/exports/{there.export()}/verify", {}),
    "/api/merges": lambda there: ("/api/merges", {"json": {"job_id": there.finished()}}),
    "/api/comparisons": lambda there: ("/api/comparisons", {"json": {"job_ids": [there.queued(), there.queued()]}}),
    "/api/generate": lambda there: ("/api/generate", {"json": {"model": "nano", "prompt": "店", "max_length": 2}}),
    "/api/chat": lambda there: (
        "/api/chat",
        {"json": {"columns": [{"model": "nano", "messages": ASKED}], "max_length": 2, "seed": 1}},
    ),
    "/api/chat/questions": lambda there: ("/api/chat/questions", {"json": {"prompt": "店は？", "reference": "10時"}}),
    "/v1/chat/completions": lambda there: (
        "/v1/chat/completions",
        {"json": {"model": "nano", "messages": ASKED, "max_tokens": 2}},
    ),
    "/v1/completions": lambda there: ("/v1/completions", {"json": {"model": "nano", "prompt": "昔", "max_tokens": 2}}),
}


def restored(there):
    place = of_dataset("rows", {"version": 1, "value": {"instruction": "a", "output": "b"}})(there)[0]
    added = there.client.post(place, json={"version": 1, "value": {"instruction": "a", "output": "b"}})
    assert added.status_code == 201, added.text
    return place.replace("/rows", "/restore"), {"json": {"version": 2, "restore": 1}}


REQUESTS["/api/datasets/{dataset_id}/restore"] = restored


def state(there):
    """Return all that there is: every row of the index and every file, but for keys and what models write at work."""
    with there.queue.database.read() as connection:
        tables = [table for table in jobs.jobs.metadata.sorted_tables if table.name != "idempotency_keys"]
        rows = {table.name: [tuple(row) for row in connection.execute(table.select())] for table in tables}
    home: Path = there.queue.database.home
    places = [path for path in home.rglob("*") if path.relative_to(home).parts[0] not in ("scratch", "server.log")]
    files = {path: path.stat().st_mtime_ns for path in places if path.is_file() and "llmlora.db" not in path.name}
    return rows, files


@contextmanager
def ollama(folder, monkeypatch):
    with FakeOllama(folder / "store") as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        gguf_bytes(folder)
        for name, system in (("small:latest", "old"), ("small:latest-before", "older")):
            server.store.add(name, folder / "small.gguf", system=system)
        yield


def post_paths(app):
    return {path for path, item in app.openapi()["paths"].items() if "post" in item}


def test_every_post_says_that_it_takes_a_key(app):
    document = app.openapi()["paths"]
    for path in post_paths(app):
        headers = [one for one in document[path]["post"]["parameters"] if one["in"] == "header"]
        assert [one["name"] for one in headers] == ["Idempotency-Key"], path
        assert not headers[0]["required"]
    for item in document.values():
        others = [operation for method, operation in item.items() if method != "post"]
        assert "Idempotency-Key" not in json.dumps(others)


def test_every_post_route_looks_at_keys(app):
    foreign = set(map(id, ollama_protocol.router.routes))
    posts = [route for route in flat_routes(app.routes) if "POST" in (getattr(route, "methods", None) or ())]
    assert {route.path for route in posts} >= {"/api/chat", "/v1/completions"}
    for route in posts:
        assert isinstance(route, IdempotentRoute) or id(route) in foreign or route.path == "/login", route.path


def test_every_post_of_the_document_is_tried_below(app):
    assert set(REQUESTS) == post_paths(app)


@pytest.mark.parametrize("route", sorted(REQUESTS))
def test_a_key_does_nothing_twice(client, trained, tmp_path, monkeypatch, route):
    there = Workspace(client, trained, tmp_path)
    with ollama(tmp_path, monkeypatch):
        path, request = REQUESTS[route](there)
        first = client.post(path, headers={"Idempotency-Key": "k"}, **request)
        assert first.is_success, first.text
        before = state(there)
        again = client.post(path, headers={"Idempotency-Key": "k"}, **request)
        assert state(there) == before
        assert again.status_code == first.status_code, again.text
        assert again.headers["content-type"] == first.headers["content-type"]
        assert route in COMPUTED or again.json() == first.json()
        other = client.post(path, headers={"Idempotency-Key": "k"}, **changed(request))
        code = other.json()["error"]["code"] if path.startswith("/v1") else other.json()["code"]
        refused = 400 if path.startswith("/v1") else 409  # as clients of OpenAI's API expect it
        assert (other.status_code, code) == (refused, "idempotency_key_reused")
        assert state(there) == before


def changed(request):
    """Return the same request with another body; a file has as many bytes as the first one."""
    if "files" in request:
        return {"files": {"file": ("d.jsonl", lines(OTHER_ROWS))}}
    return {"json": {"other": True}}


def test_a_stream_in_the_shape_of_openai_is_computed_again(client):
    asked = {"model": "nano", "prompt": "昔", "max_tokens": 3, "temperature": 0, "stream": True}
    answers = [client.post("/v1/completions", json=asked, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    texts = [
        [json.loads(line)["choices"] for line in answer.text.split("data: ") if line.startswith("{")]
        for answer in answers
    ]
    assert texts[0] and texts[0] == texts[1]


def test_the_address_belongs_to_the_request(client):
    headers = {"Idempotency-Key": "k"}
    client.post("/api/comparisons?a=1", json={}, headers=headers)
    body = {"name": "店", "examples": ROWS}
    assert client.post("/api/datasets?a=1", json=body, headers=headers).status_code == 201
    refused = client.post("/api/datasets?a=2", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_reused")


def test_keys_of_a_workspace_outlive_its_server(client, app):
    body, headers = {"name": "店", "examples": ROWS}, {"Idempotency-Key": "k"}
    first = client.post("/api/datasets", json=body, headers=headers)
    app.state.platform.close()
    next_app = application()
    assert signed_in(next_app).post("/api/datasets", json=body, headers=headers).json() == first.json()
    next_app.state.platform.close()
