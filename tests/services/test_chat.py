"""Chat as a user asks for it: what a model argument means, one question, a conversation, errors that keep it alive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmlora.core.errors import ConfigError, LlmloraError, ModelFileError, NotFound, WorkerDied
from llmlora.core.layout import scratch_dir
from llmlora.core.publish import read_json
from llmlora.engine.quantized_weight import quantized_types
from llmlora.gguf.writer import write_gguf
from llmlora.services.chat import ChatSession, ModelLocation, _native_failures, chat, locate_model
from llmlora.weights.folder_source import FolderSource
from llmlora.worker.chat import OPENERS
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


def test_a_folder_needs_no_slash_unless_a_bundled_model_has_its_name(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(job.parent)
    assert locate_model("base").path.samefile(job.parent / "base")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nano").mkdir()
    assert locate_model("nano").path != tmp_path / "nano"
    (tmp_path / "empty").mkdir()
    with pytest.raises(LlmloraError) as caught:
        locate_model("empty")
    assert caught.value.code != "model_not_found"


@pytest.mark.parametrize("options", [{"temperature": float("nan")}, {"seed": -1}, {"top_p": 2}])
def test_wrong_options_are_refused_before_a_worker_starts(
    options: dict[str, float], job: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("llmlora.services.chat.run_worker", lambda *_: pytest.fail("a worker was started"))
    with pytest.raises(ConfigError) as caught:
        chat(str(job), "x", **options)
    assert caught.value.params["name"] in options


@pytest.fixture(scope="module")
def gguf(job: Path) -> Path:
    path = job.parent / "model.gguf"
    base = job.parent / "base"
    write_gguf(FolderSource(base), read_json(base / "config.json"), base, path, "F16", "llmlora-test")
    return path


def test_a_file_on_which_llama_cpp_ends_the_process_is_named_with_the_reason(gguf: Path, tmp_path: Path):
    tokens = [b"\x01\0\0\0\0\0\0\0" + bytes([letter]) for letter in b"abc"]
    broken = tmp_path / "twice.gguf"
    broken.write_bytes(gguf.read_bytes().replace(b"".join(tokens), tokens[0] * 2 + tokens[2]))
    for ask in (lambda: chat(str(broken), "x"), lambda: ChatSession(str(broken)).__enter__()):
        with pytest.raises(ModelFileError) as caught:
            ask()
        assert caught.value.code == "gguf_load_failed"
        assert caught.value.params["path"] == str(broken)
        assert "token_to_id" in caught.value.params["detail"]
    assert not any(scratch_dir().iterdir())


def test_a_worker_that_dies_for_another_reason_is_not_the_files_fault(tmp_path: Path):
    died = WorkerDied("worker_died", kind="chat", exit_code=-6, folder="")
    with pytest.raises(WorkerDied), _native_failures(ModelLocation("job", tmp_path), tmp_path):
        raise died
    with pytest.raises(ModelFileError) as caught, _native_failures(ModelLocation("gguf", tmp_path), tmp_path):
        raise died
    assert caught.value.params["detail"] == "SIGABRT"
    with pytest.raises(WorkerDied), _native_failures(ModelLocation("gguf", tmp_path), tmp_path):
        raise WorkerDied("internal", detail="x")


def test_a_file_without_a_template_is_refused_in_a_conversation(gguf: Path, tmp_path: Path):
    path = tmp_path / "bare.gguf"
    path.write_bytes(gguf.read_bytes().replace(b"tokenizer.chat_template", b"tokenizer.chat_tempIate"))
    with pytest.raises(ModelFileError) as caught:
        chat(str(path), "x")
    assert caught.value.code == "gguf_no_template"


def test_one_question_to_a_job_and_to_its_base(job: Path):
    replies = [chat(str(model), "営業時間は？", max_new_tokens=8) for model in (job, job.parent / "base")]
    assert all(set(reply) == {"text", "finish_reason", "num_tokens", "num_prompt_tokens"} for reply in replies)
    assert replies[0]["text"] != replies[1]["text"]
    assert replies[0]["num_tokens"] <= 8


def test_a_model_folder_is_loaded_in_four_bits_and_answers():
    reply = chat("nano", "こんにちは", load_in_4bit=True, max_new_tokens=512, temperature=0.7)
    assert reply["finish_reason"] == "stop"
    assert 0 < reply["num_tokens"] < 512
    assert set(quantized_types(OPENERS["base_4bit"](locate_model("nano").path).model)) == {"Q4_K", "Q6_K"}


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
