"""Chat as a user asks for it: what a model argument means, one question, a conversation, errors that keep it alive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmlora.core.errors import ConfigError, LlmloraError, NotFound
from llmlora.core.layout import scratch_dir
from llmlora.services.chat import ChatSession, chat, locate_model
from tiny_jobs import tiny_job
from tiny_models import tiny_model


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_job("llama", tmp_path_factory.mktemp("chat"), {})


def test_what_a_model_argument_means(job: Path, tmp_path: Path):
    assert locate_model(str(job)).kind == "job"
    assert locate_model(str(job / "adapter")).path == job
    assert locate_model(str(job.parent / "base")).kind == "base"
    export = tmp_path / "export"
    export.mkdir()
    (export / "config.json").write_text(json.dumps({"schema": "llmlora.export/1"}))
    with pytest.raises(NotFound) as unfinished:
        locate_model(str(export))
    assert unfinished.value.code == "export_not_finished"
    (export / "meta.json").write_text(json.dumps({"model_file": "model-F16.gguf"}))
    assert locate_model(str(export)).path == export / "model-F16.gguf"
    with pytest.raises(NotFound):
        locate_model(str(tmp_path / "missing.gguf"))
    with pytest.raises(NotFound):
        locate_model("no-such-model")


def test_one_question_to_a_job_and_to_its_base(job: Path):
    replies = [chat(str(model), "営業時間は？", max_new_tokens=8) for model in (job, job.parent / "base")]
    assert all(set(reply) == {"text", "finish_reason", "num_tokens"} for reply in replies)
    assert replies[0]["text"] != replies[1]["text"]
    assert replies[0]["num_tokens"] <= 8


def test_conversation_stays_loaded_streams_and_survives_a_wrong_request(job: Path):
    pieces: list[str] = []
    with ChatSession(str(job)) as session:
        first = session.ask([{"role": "user", "content": "こんにちは"}], pieces.append, max_new_tokens=12)
        assert "".join(pieces) == first["text"]
        with pytest.raises(ConfigError) as caught:
            session.ask([{"role": "user", "content": "あ" * 2000}])
        assert caught.value.code == "prompt_too_long"
        with pytest.raises(ConfigError):
            session.ask([{"role": "user", "content": "x"}], temperature=-1)
        again = session.ask([{"role": "user", "content": "こんにちは"}], max_new_tokens=12)
        assert again == first
    assert not any(scratch_dir().iterdir())


def test_a_model_that_does_not_load_is_reported_and_leaves_nothing(tmp_path: Path):
    base = tiny_model("llama", tmp_path / "base")
    weights = base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(LlmloraError) as caught, ChatSession(str(base)):
        pass
    assert caught.value.code not in ("internal", "worker_died")
    assert not scratch_dir().exists() or not any(scratch_dir().iterdir())
