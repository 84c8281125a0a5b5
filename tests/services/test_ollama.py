"""From a job to a served model: exported, registered, asked again; and what the gate after that finds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import run
from fake_ollama.server import FakeOllama
from llmlora.cli.ollama import _print_gate as print_report
from llmlora.core.errors import ConfigError, LlmloraError, VerificationFailed
from llmlora.core.job import update_job
from llmlora.core.locale import set_language
from llmlora.core.publish import read_json, write_json
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.export.ollama_push import Inherited, PushRequest, inherited, push
from llmlora.services import ollama as service
from llmlora.services.queued_ollama import queue_push
from llmlora.services.workspace import open_workspace
from served import serving
from tiny_jobs import tiny_job
from tiny_models import tiny_model

SMALL = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "max_position_embeddings": 512}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random model, exported and verified once."""
    from llmlora.export.pipeline import ExportRequest, export_model

    folder = tmp_path_factory.mktemp("exported")
    job = tiny_job("llama", folder, {}, **SMALL)
    output = folder / "out"
    output.mkdir()
    export_model(ExportRequest(job, output, ("F16",)), carried=carried_facts)
    return output


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeOllama]:
    with FakeOllama(tmp_path / "store") as server:
        yield server


def pushed(exported: Path, fake: FakeOllama, **options: Any) -> dict[str, Any]:
    request = PushRequest(exported, "my-support:v1", fake.url, **options)
    return push(request, lambda phase, done, total: None, carried_facts)


def gate_of(report: dict[str, Any]) -> dict[str, bool | None]:
    return {entry["check"]: entry["ok"] for entry in report["checks"]}


def test_the_served_model_answers_as_the_file(exported: Path, fake: FakeOllama):
    report = pushed(exported, fake)
    assert report["ok"]
    assert report["is_new"]
    found = gate_of(report)
    assert {name for name, ok in found.items() if ok is None} <= {"stop"}
    assert set(found) == {"show", "render", "tokens", "logprobs", "truncation", "questions", "stop"}
    assert read_json(exported / "ollama.json")["checks"] == report["checks"]
    assert fake.store.find("my-support:v1").parameters["num_ctx"] == 512
    assert not pushed(exported, fake)["is_new"]


def test_the_evaluations_questions_are_asked_again_and_the_other_files_stand_beside(
    exported: Path, fake: FakeOllama, capsys: pytest.CaptureFixture[str]
):
    set_language("en")
    verified, meta = read_json(exported / "verify.json"), read_json(exported / "meta.json")
    report = pushed(exported, fake)
    score = report["score"]
    assert (score["source"], score["evaluation"], score["num_trained"]) == ("training_rows", None, None)
    assert score["num_questions"] == 1
    (row,) = report["files"]
    assert row["is_served"]
    assert row["tokens_per_second"] == verified["files"][0]["tokens_per_second"]
    assert report["not_measured"]["quantizations"] == ["Q8_0", "Q4_K_M", "Q2_K"], "no stitched file of a folder"
    command = f"llmlora export {meta['job_dir']} -o {exported} --quant F16,Q8_0,Q4_K_M,Q2_K"
    assert report["not_measured"]["command"].endswith(command.removeprefix("llmlora"))
    evaluation = Path(meta["job_dir"]) / "evaluation-1"
    evaluation.mkdir()
    asked = {"messages": [{"role": "user", "content": "定休日は？"}], "reference": "定休日は水曜日です。"}
    body = {"items": [{**asked, "tuned": {"text": "水曜日です。"}}] * 2, "settings": {"max_new_tokens": 5}}
    write_json(evaluation / "report.json", body)
    try:
        report = pushed(exported, fake)
        print_report(report)
        captured = capsys.readouterr()
        shown = " ".join((captured.out + captured.err).split())
        assert "In Ollama: 0 of 2 facts, asked the 2 questions of evaluation-1 again" in shown
        told = ("model-F16.gguf", "the same in Ollama", "Not measured: Q8_0, Q4_K_M, Q2_K")
        assert all(words in shown for words in told)
        score = report["score"]
        assert (score["source"], score["evaluation"], score["num_questions"]) == ("evaluation", "evaluation-1", 2)
        assert (score["num_facts"], score["num_trained"]) == (2, 2)
        assert score["num_served"] == score["num_file"] == 0, "a random model knows nothing"
        write_json(evaluation / "report.json", {"items": "of another version"})
        assert pushed(exported, fake)["score"]["source"] == "training_rows"
    finally:
        shutil.rmtree(evaluation)


@pytest.mark.parametrize(
    ("switch", "value", "check"),
    [
        ("wrong_template", "{{ .Prompt }}", "show"),
        ("loses_parameter", "num_ctx", "show"),
        ("num_ctx", 96, "tokens"),
    ],
)
def test_what_a_server_does_otherwise_is_named_and_nothing_is_removed(
    switch: str, value: object, check: str, exported: Path, fake: FakeOllama
):
    setattr(fake.odd, switch, value)
    (exported / "ollama.json").unlink(missing_ok=True)
    with pytest.raises(VerificationFailed) as caught:
        pushed(exported, fake)
    assert caught.value.code == "ollama_gate_failed"
    assert caught.value.params["check"] in (check, "render", "truncation")
    assert gate_of(read_json(exported / "ollama.json"))[check] is False
    assert fake.store.find("my-support:v1") is not None


def test_answers_of_other_weights_are_found(exported: Path, fake: FakeOllama, tmp_path: Path):
    from llmlora.gguf.writer import write_gguf
    from llmlora.weights.base import open_folder

    base = open_folder(tiny_model("llama", tmp_path / "other", seed=5, **SMALL))
    write_gguf(base.source, base.config, base.path, tmp_path / "other.gguf", "F16", "other")
    fake.store.add("aaa:latest", tmp_path / "other.gguf")
    fake.odd.forgets_weights = True
    (exported / "ollama.json").unlink(missing_ok=True)
    with pytest.raises(VerificationFailed):
        pushed(exported, fake)
    assert gate_of(read_json(exported / "ollama.json"))["logprobs"] is False


def test_an_old_version_leaves_out_what_it_cannot_show(exported: Path, tmp_path: Path):
    (exported / "ollama.json").unlink(missing_ok=True)
    with FakeOllama(tmp_path / "old", "0.12.0") as old:
        found = gate_of(pushed(exported, old))
    assert found["logprobs"] is None
    assert found["tokens"] is True


def test_a_base_of_the_store_gives_its_parameters_licence_and_programs(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    parameters = {"top_k": 64, "stop": ["<x>"], "typical_p": 0.7}
    with FakeOllama(tmp_path / "store") as server:
        file, programs = exported / "model-F16.gguf", {"renderer": "own-renderer", "parser": "own-parser"}
        texts = {"license": "Their terms", "system": "You are theirs."}
        server.store.add("base:1b", file, programs, params=json.dumps(parameters), **texts)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "store"))
    assert inherited("ollama:base:1b") == Inherited({"top_k": 64}, "Their terms", programs, "You are theirs.")
    assert inherited("ollama:gone") == inherited("base") == Inherited()


@pytest.mark.parametrize("system", [None, "Be short."])
def test_the_bases_system_message_is_told_of_and_left_out(
    system: str | None, exported: Path, fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
):
    found = Inherited(system="You are theirs.")
    monkeypatch.setattr("llmlora.export.ollama_push.inherited", lambda name: found)
    (exported / "ollama.json").unlink(missing_ok=True)
    report = pushed(exported, fake, system=system)
    assert report["system_left_out"] == (None if system else "You are theirs.")
    assert fake.store.find("my-support:v1").text("system") == system


@pytest.mark.parametrize("chat_template", [None, "chatml"])
def test_the_bases_own_renderer_goes_along_unless_another_template_was_chosen(
    chat_template: str | None, exported: Path, fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
):
    job_dir = Path(read_json(exported / "meta.json")["job_dir"])
    programs = {"renderer": "own-renderer", "parser": "own-parser"}
    monkeypatch.setattr("llmlora.export.ollama_push.inherited", lambda name: Inherited(programs=programs))
    stored = read_json(job_dir / "config.json")
    update_job(job_dir, train={**stored["train"], "chat_template": chat_template})
    try:
        (exported / "ollama.json").unlink(missing_ok=True)
        pushed(exported, fake)
    finally:
        write_json(job_dir / "config.json", stored)
    config = fake.store.find("my-support:v1").config
    expected = {"renderer": None, "parser": None} if chat_template else programs
    assert {name: config.get(name) for name in programs} == expected


def test_the_service_asks_the_server_before_it_exports(fake: FakeOllama, tmp_path: Path):
    with pytest.raises(ConfigError, match="ollama_no_adapters"):
        service.push(service.PlannedPush(tmp_path, "a", way="adapter", url=fake.url))
    with pytest.raises(ConfigError, match="ollama_name_unusable"):
        service.push(service.PlannedPush(tmp_path, "サポート", url=fake.url))
    fake.odd.is_html = True
    with pytest.raises(LlmloraError, match="ollama_odd"):
        service.push(service.PlannedPush(tmp_path, "a", url=fake.url))


def test_an_export_is_not_exported_in_another_way(exported: Path, fake: FakeOllama):
    planned = service.PlannedPush(exported, "a", quantizations=("Q4_K_M",), url=fake.url)
    write_json(exported / "config.json", {"schema": "llmlora.export/1"})
    with pytest.raises(ConfigError, match="ollama_export_given"):
        service.push(planned)


def test_beside_a_server_a_job_is_exported_and_registered_as_one_piece_of_queue_work(
    fake: FakeOllama, home: Path, tmp_path: Path
):
    job_dir = tiny_job("llama", tmp_path / "place", {}, **SMALL)
    words = ("ollama", "push", job_dir, "--name", "my-support:v1", "--quant", "F16", "--json")
    with serving(home):
        first, again = (run(*words, OLLAMA_HOST=fake.url) for _ in range(2))
    assert first.code == again.code == 0, first.stderr + again.stderr
    assert first.document["ok"]
    assert (first.document["is_new"], again.document["is_new"]) == (True, False), "done again, it changes nothing"
    with open_workspace() as queue:
        jobs = queue.page(kinds=("register",)).items
    assert [(job.name, job.status, job.parent_id) for job in jobs] == [("my-support:v1", "succeeded", None)] * 2
    assert (job_dir.with_name(f"{job_dir.name}-export") / "verify.json").is_file()
    assert fake.store.find("my-support:v1") is not None


def test_the_registration_of_an_export_of_the_queue_belongs_to_it(fake: FakeOllama, exported: Path, home: Path):
    job_dir = read_json(exported / "meta.json")["job_dir"]
    with open_workspace() as queue:
        folder = home / "exports" / "01EXPORT"
        folder.mkdir(parents=True)
        write_json(folder / "config.json", {"schema": "llmlora.export/1", "kind": "export", "job_dir": job_dir})
        queue.submit("export", folder, name="an export", job_id="01EXPORT")
        queued = queue_push(queue, service.PlannedPush(folder, "a", url=fake.url))
        config = read_json(queue.folder_of(queued) / "config.json")
    assert (queued.parent_id, config["exports"], config["url"]) == ("01EXPORT", False, fake.url)


def test_looking_at_a_server(fake: FakeOllama, exported: Path):
    fake.store.add("small:latest", exported / "model-F16.gguf", license="Apache-2.0")
    found = service.list_models(fake.url)
    assert [model["name"] for model in found["models"]] == ["small:latest"]
    assert service.show_model("small", fake.url)["license"] == "Apache-2.0"
    checked = service.check_server(fake.url)
    assert all(entry["ok"] for entry in checked["checks"])
    assert (checked["version"], checked["takes_adapters"]) == ("0.40.0", False)
    assert service.proposed_name(Path("みどり堂")) == "midori:latest"
