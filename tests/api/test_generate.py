"""POST /api/generate: the contract, and what a model's name may be."""

import json
import os

import pytest

from api.clients import application, signed_in
from llmlora.core.layout import work_root
from llmlora.core.publish import read_json
from llmlora.gguf.writer import write_gguf
from llmlora.weights.folder_source import FolderSource
from tiny_jobs import tiny_job

FIELDS = ["text", "finish_reason", "num_tokens"]
SYSTEM = "あなたは店員です。"


def ask(client, **wish):
    return client.post("/api/generate", json={"prompt": "こんにちは", "max_length": 8} | wish)


def text(client, **wish):
    answer = ask(client, temperature=0, **wish)
    assert answer.status_code == 200, answer.text
    return answer.json()["text"]


def test_the_contract(client):
    answer = ask(client, model="nano", temperature=0)
    assert (answer.status_code, list(answer.json())) == (200, FIELDS), answer.text
    found = answer.json()
    assert 0 < found["num_tokens"] <= 8
    assert found == ask(client, model="nano", temperature=0).json()  # by the model that is loaded by now
    assert found == ask(client, model_path="nano", temperature=0).json()
    assert ask(client, model="nano", temperature=0, max_length=1).json()["finish_reason"] == "length"
    fields = client.get("/api/openapi.json").json()["components"]["schemas"]["GenerateRequest"]["properties"]
    names = ("max_length", "temperature", "top_p", "repetition_penalty")
    assert [fields[name]["default"] for name in names] == [100, 0.7, 0.9, 1.1]


def test_seeds_and_raw(client):
    wild = {"model": "nano", "temperature": 5.0, "top_p": 1, "raw": True}
    first, again = (ask(client, seed=3, **wild).json()["text"] for _ in range(2))
    assert first == again
    assert len({ask(client, **wild).json()["text"] for _ in range(2)} | {first}) > 1
    assert text(client, model="nano") != text(client, model="nano", raw=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a workspace with a finished job, told a system message, and an export of it in two files."""
    home = tmp_path_factory.mktemp("asked")
    job = tiny_job("llama", home, {})
    config = read_json(job / "config.json")
    config["train"]["system"] = SYSTEM
    (job / "config.json").write_text(json.dumps(config))
    place = work_root(home, "train") / config["id"]
    place.parent.mkdir()
    job.rename(place)
    export = work_root(home, "export") / "01EXPORT"
    export.mkdir(parents=True)
    for name in ("F16", "F32"):
        source = FolderSource(home / "base")
        config_of_base = read_json(home / "base" / "config.json")
        write_gguf(source, config_of_base, home / "base", export / f"model-{name}.gguf", name, "x")
    asked = {"schema": "llmlora.export/1", "job_dir": str(place), "job_id": config["id"]}
    (export / "config.json").write_text(json.dumps(asked))
    files = {f"model-{name}.gguf": {"quantization": name} for name in ("F16", "F32")}
    (export / "meta.json").write_text(json.dumps({**asked, "model_file": "model-F32.gguf", "files": files}))
    return home, config["id"]


@pytest.fixture(scope="module")
def shop(made):
    """Return a client of that workspace, and the job's id."""
    home, job_id = made
    patch = pytest.MonkeyPatch()
    patch.setenv("LLMLORA_HOME", str(home))
    app = application()
    queue = app.state.platform.queue
    queue.submit("train", work_root(home, "train") / job_id, name="店", job_id=job_id)
    queue.submit("export", work_root(home, "export") / "01EXPORT", name="店の書き出し", job_id="01EXPORT")
    yield signed_in(app), job_id
    app.state.warm_models.wait_closed()
    app.state.platform.close()
    patch.undo()


def test_a_job_its_base_and_its_export(shop):
    client, job_id = shop
    tuned = text(client, model=job_id)
    assert tuned == text(client, model=f"job:{job_id}") == text(client, model_path=f"jobs/{job_id}/adapter")
    assert tuned != text(client, model=f"job:{job_id}@base")
    exported = text(client, model="export:01EXPORT/F32")
    assert exported == text(client, model="01EXPORT") == text(client, model_path="exports/01EXPORT/model-F32.gguf")


def test_it_is_told_what_its_job_was_told(shop):
    client, job_id = shop
    names = [f"job:{job_id}", f"job:{job_id}@base", "export:01EXPORT/F16"]
    for name in names:
        assert text(client, model=name) == text(client, model=name, system=SYSTEM), name
    assert any(text(client, model=name) != text(client, model=name, system="別の話です。") for name in names)


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"model": "no-such"}, 404, "model_not_askable"),
        ({"model": "export:{job}"}, 404, "model_not_askable"),
        ({"model": "job:01EXPORT"}, 404, "model_not_askable"),
        ({"model": "export:01EXPORT/Q2_K"}, 404, "model_not_askable"),
        ({"model": "export:01EXPORT/../F16"}, 404, "model_not_askable"),
        ({"model": "job:{job}/F16"}, 404, "model_not_askable"),
        ({"model": "/etc"}, 404, "model_not_askable"),
        ({"model_path": "jobs/no-such"}, 404, None),
        ({"model": "nano", "model_path": "nano"}, 422, "one_model_wanted"),
        ({}, 422, "one_model_wanted"),
        ({"model": "nano", "temperature": -1}, 422, "request_invalid"),
        ({"model": "nano", "max_length": 0}, 422, "request_invalid"),
        ({"model": "nano", "unknown": 1}, 422, "request_invalid"),
        ({"model": "nano", "prompt": "あ" * 20_000}, 422, "prompt_too_long"),
        ({"model": "nano", "prompt": "", "raw": True}, 422, "prompt_empty"),
    ],
)  # fmt: skip
def test_what_is_refused(shop, made, wish, status, code):
    client, job_id = shop
    if "model" in wish:
        wish = wish | {"model": wish["model"].replace("{job}", job_id)}
    answer = ask(client, **wish)
    assert (answer.status_code, code or answer.json()["code"]) == (status, answer.json()["code"]), answer.text


def test_further_folders_by_the_environment(made, home, monkeypatch):
    monkeypatch.setenv("LLMLORA_MODEL_ROOTS", os.pathsep.join([str(made[0] / "base"), "/nowhere"]))
    app = application()
    try:
        assert text(signed_in(app), model_path=str(made[0] / "base"))
        assert ask(signed_in(app), model_path=str(made[0] / "jobs")).status_code == 403
    finally:
        app.state.warm_models.wait_closed()
        app.state.platform.close()
