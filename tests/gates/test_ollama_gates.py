"""The main promise with a real model: ten rows are taught, stitched, registered, and asked of the served model."""

from __future__ import annotations

from pathlib import Path

import pytest

import llmlora
from fake_ollama.server import FakeOllama
from llmlora.core.errors import VerificationFailed
from llmlora.core.publish import read_json
from llmlora.services.ollama import PlannedPush, push, rollback_model
from real_models import original_gguf

pytestmark = [pytest.mark.gate, pytest.mark.timeout(3600)]
ROWS = Path(__file__).parents[1] / "export" / "support_rows_en.jsonl"


def test_the_served_model_knows_what_was_taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "store"))
    with FakeOllama(tmp_path / "store") as server:
        server.store.add("smollm2:latest", original_gguf("smollm2"), license="Apache-2.0")
        untouched = server.store.find("smollm2").digest
        llmlora.train("ollama:smollm2", ROWS, out=tmp_path / "job")
        planned = PlannedPush(tmp_path / "job", "my-support:v1", url=server.url)
        report = push(planned)
        assert report["file"] == "model-stitched.gguf"
        checks = {entry["check"]: entry for entry in report["checks"]}
        assert all(entry["ok"] for entry in checks.values()), checks
        assert checks["questions"]["measured"]["num_kept"] == checks["questions"]["measured"]["num_known"] >= 16
        planned = PlannedPush(tmp_path / "job-export", "my-support:v1", url=server.url)
        assert not push(planned)["is_new"]
        server.odd.never_stops = True
        with pytest.raises(VerificationFailed):
            push(planned)
        found = {entry["check"]: entry["ok"] for entry in read_json(tmp_path / "job-export" / "ollama.json")["checks"]}
        assert found["stop"] is False
        server.odd.never_stops = False
        push(PlannedPush(tmp_path / "job-export", "my-support:v1", system="You help.", url=server.url))
        assert rollback_model("my-support:v1", server.url)["digest"] == report["digest"]
        assert server.store.find("smollm2").digest == untouched
