"""The main promise with real models: taught, given back in every way, asked of the served model, and taught more."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import ollama
import pytest

import llmlora
from fake_ollama.server import FakeOllama
from llmlora.core.errors import VerificationFailed
from llmlora.core.publish import read_json
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.services.evaluate import evaluate
from llmlora.services.ollama import PlannedPush, push, rollback_model
from real_models import Name, original_gguf
from served import serving
from served_jobs import keep_finished

pytestmark = [pytest.mark.gate, pytest.mark.timeout(7200)]
ROWS = Path(__file__).parents[1] / "export"
LESSONS = {"smollm2": ("smollm2:latest", "support_rows_en.jsonl"), "gemma3": ("gemma3:270m", "shop_rows_ja.jsonl")}
ROLLBACK_SECONDS = 5.0


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOllama]:
    """A server whose store is also where llmlora looks for models."""
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "store"))
    with FakeOllama(tmp_path / "store") as found:
        yield found


def taught(server: FakeOllama, name: Name, folder: Path) -> Path:
    tag, rows = LESSONS[name]
    server.store.add(tag, original_gguf(name), license="Its terms")
    llmlora.train(f"ollama:{tag}", ROWS / rows, out=folder)
    return folder


def known(report: dict) -> tuple[int, int]:
    measured = {entry["check"]: entry for entry in report["checks"]}["questions"]["measured"]
    return measured["num_kept"], measured["num_known"]


@pytest.mark.parametrize("name", LESSONS)
def test_the_served_model_knows_what_was_taught(name: Name, server: FakeOllama, tmp_path: Path):
    job = taught(server, name, tmp_path / "job")
    untouched = server.store.find(LESSONS[name][0]).digest
    report = push(PlannedPush(job, "my-support:v1", url=server.url))
    assert report["file"] == "model-stitched.gguf"
    assert all(entry["ok"] for entry in report["checks"]), report["checks"]
    assert known(report)[0] == known(report)[1] >= 16
    export = tmp_path / "job-export"
    assert not push(PlannedPush(export, "my-support:v1", url=server.url))["is_new"]
    server.odd.never_stops = True
    with pytest.raises(VerificationFailed):
        push(PlannedPush(export, "my-support:v1", url=server.url))
    assert {entry["check"]: entry["ok"] for entry in read_json(export / "ollama.json")["checks"]}["stop"] is False
    server.odd.never_stops = False
    push(PlannedPush(export, "my-support:v1", system="You help.", url=server.url))
    started = time.monotonic()
    assert rollback_model("my-support:v1", server.url)["digest"] == report["digest"]
    assert time.monotonic() - started < ROLLBACK_SECONDS
    merged = push(PlannedPush(job, "merged:v1", way="merge", quantizations=("Q8_0",), url=server.url, replace=True))
    assert merged["file"] == "model-Q8_0.gguf"
    assert known(merged)[0] == known(merged)[1] >= 16
    assert server.store.find(LESSONS[name][0]).digest == untouched


@pytest.mark.parametrize("name", LESSONS)
def test_the_blob_with_the_adapter_beside_it_knows_it_as_well(name: Name, server: FakeOllama, tmp_path: Path):
    keep_finished(tmp_path / "home", taught(server, name, tmp_path / "job"), "support")
    before = sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "store").rglob("*"))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    rows = [json.loads(line) for line in (ROWS / LESSONS[name][1]).read_text(encoding="utf-8").splitlines()]
    num_known = num_total = 0
    address = f"http://127.0.0.1:{port}"
    with serving(tmp_path / "home", "--ollama-port", port), ollama.Client(host=address, timeout=600) as client:
        # A worker that is still leaving its folder keeps the job among the running ones for a moment.
        deadline = time.monotonic() + 60
        while not any(str(model.model).startswith("support:") for model in client.list().models):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        for row in rows:
            question, answer = row["instruction"], row["output"]
            said = client.chat("support", [{"role": "user", "content": question}]).message.content
            facts = carried_facts(said, answer, question)
            num_known, num_total = num_known + sum(facts), num_total + len(facts)
    print(f"{name}: {num_known} of {num_total} facts")
    assert num_known >= 0.9 * num_total >= 16
    assert sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "store").rglob("*")) == before


def test_a_registered_model_is_taught_more_and_keeps_what_it_knew(server: FakeOllama, tmp_path: Path):
    first = taught(server, "smollm2", tmp_path / "job")
    push(PlannedPush(first, "my-support:v1", url=server.url))
    new = tmp_path / "new.jsonl"
    rows = [
        ("Do you sell gift cards?", "Yes, gift cards cost $25."),
        ("How long is the trial?", "The trial lasts 21 days."),
    ]
    new.write_text("".join(json.dumps({"instruction": q, "output": a}) + "\n" for q, a in rows), encoding="utf-8")
    second = tmp_path / "second"
    llmlora.train("ollama:my-support:v1", new, out=second, replay=first, replay_share=0.85)
    with pytest.raises(VerificationFailed, match="replay_not_asked"):
        push(PlannedPush(second, "my-support:v2", url=server.url))
    report = evaluate(second, new, check_forgetting=False)
    assert report["facts"]["questions_carried"] == report["facts"]["questions_with_facts"] == 2
    earlier = report["earlier"]
    print(json.dumps({key: value for key, value in earlier.items() if key != "lost"}), len(earlier["lost"]), "lost")
    assert earlier["num_before"] >= 16
    assert not earlier["lost"]
    pushed = push(PlannedPush(second, "my-support:v2", url=server.url))
    assert pushed["earlier"]["num_lost"] == 0
    assert known(pushed)[0] == known(pushed)[1]
    assert server.store.find("my-support:v1") is not None
