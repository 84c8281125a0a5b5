"""Passports of jobs and exports: what they tell, and that every byte they cover is watched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.fake_reports import evaluation_body, make_job
from llmlora.catalog.passport import check_passport, passport_problems, read_passport, write_passport
from llmlora.cli.main import run
from llmlora.core.errors import InputError, NotFound, VerificationFailed
from llmlora.core.job import update_job
from llmlora.core.layout import PASSPORT_FILE, PASSPORT_PAGE
from llmlora.core.locale import error_texts, set_language
from llmlora.core.publish import read_json, sha256_file, write_json
from llmlora.core.signing import signed

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def job_dir(tmp_path: Path) -> Path:
    """Return a finished job with an adapter of two files and two evaluations."""
    folder = tmp_path / "my-job"
    make_job(folder)
    (folder / "adapter" / "adapter_model.safetensors").write_bytes(bytes(range(200)))
    (folder / "adapter" / "adapter_config.json").write_text('{"r": 8}', encoding="utf-8")
    write_json(folder / "runs" / "1" / "environment.json", {"versions": {"torch": "2"}, "plan": {"dtype": "float32"}})
    for number, name in ((9, "old"), (10, "new")):
        (folder / f"evaluation-{number}").mkdir()
        write_json(folder / f"evaluation-{number}" / "report.json", {**evaluation_body(), "made_at": name})
    return folder


@pytest.fixture
def export_dir(job_dir: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    model = folder / "model-Q8_0.gguf"
    model.write_bytes(b"GGUF" + bytes(500))
    entry = {"sha256": sha256_file(model), "size_bytes": 504, "quantization": "Q8_0"}
    write_json(folder / "config.json", {"schema": "llmlora.export/1", "job_dir": str(job_dir), "job_id": "x"})
    write_json(folder / "meta.json", {"files": {model.name: entry, "gone.gguf": entry}})
    judged = {"file": model.name, "verdict": "verified", "sha256": entry["sha256"]}
    write_json(folder / "verify.json", {"files": [{**judged, "checks": []}]})
    (folder / "Modelfile").write_text("FROM ./model-Q8_0.gguf\n", encoding="utf-8")
    return folder


def test_a_jobs_passport_tells_what_it_was_made_of(job_dir: Path) -> None:
    made = write_passport(job_dir)
    assert (made["schema"], made["kind"], made["base"]["digest"]) == ("llmlora.passport/1", "job", "0" * 64)
    assert (made["data"]["name"], made["data"]["sha256"]) == ("data.jsonl", "1" * 64)
    assert made["training"]["settings"]["r"] == 8
    assert (made["training"]["final_loss"], made["training"]["num_steps"]) == (0.212, 60)
    assert made["training"]["started_at"] <= made["training"]["ended_at"]
    assert (made["versions"], made["hardware"]["dtype"]) == ({"torch": "2"}, "float32")
    assert made["scores"]["evaluation"]["made_at"] == "new", "the tenth evaluation is newer than the ninth"
    assert made["scores"]["forgetting"]["light"] == "yellow"
    assert made["scores"]["quality"]["safety"]["carried"] == 1
    assert [item["part"] for item in made["licenses"]] == ["base", "data", "llmlora"]
    assert set(made["files"]) == {"config.json", "adapter/adapter_model.safetensors", "adapter/adapter_config.json"}
    assert check_passport(job_dir) == {"public_key": made["public_key"], "is_own": True, "num_files": 3}
    before = (job_dir / PASSPORT_FILE).read_bytes()
    assert write_passport(job_dir) == made and (job_dir / PASSPORT_FILE).read_bytes() == before


def test_no_folder_of_this_machine_is_told(job_dir: Path) -> None:
    member = {"job_id": "x", "folder": str(job_dir), "sha256": "0" * 64}
    combination = {"method": "svd", "weights": [1.0], "density": None, "members": [member]}
    config = read_json(job_dir / "config.json")
    train = {**config["train"], "chat_template": str(job_dir / "mine.jinja")}
    update_job(job_dir, combination=combination, train=train)
    made = write_passport(job_dir)
    assert made["training"]["settings"]["chat_template"] == "mine.jinja"
    assert made["training"]["combination"]["members"] == [{"job_id": "x", "sha256": "0" * 64}]
    assert str(job_dir.parent) not in json.dumps(made)


def test_an_exports_passport_tells_its_verdicts(export_dir: Path) -> None:
    made = write_passport(export_dir)
    assert (made["kind"], made["job"]["name"]) == ("export", "my-job")
    assert [(item["file"], item["verdict"]) for item in made["scores"]["verification"]] == [
        ("model-Q8_0.gguf", "verified")
    ]
    assert set(made["files"]) == {"model-Q8_0.gguf", "Modelfile"}
    assert passport_problems(export_dir) == []


def test_every_changed_byte_is_found(job_dir: Path) -> None:
    made = write_passport(job_dir)
    for name in made["files"]:
        path = job_dir / name
        whole = path.read_bytes()
        for place in {0, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            assert passport_problems(job_dir) == [name], (name, place)
        path.unlink()
        assert passport_problems(job_dir) == [name], "a file that is gone"
        path.write_bytes(whole)
    assert passport_problems(job_dir) == []


def test_every_changed_value_of_the_passport_itself_is_found(job_dir: Path) -> None:
    made = write_passport(job_dir)
    for name in made:
        if name != "schema":
            write_json(job_dir / PASSPORT_FILE, {**made, name: "x"})
            assert passport_problems(job_dir) == [PASSPORT_FILE], name
    for text in ("", "[]", "{", '{"schema": "other/1"}'):
        (job_dir / PASSPORT_FILE).write_text(text, encoding="utf-8")
        with pytest.raises(VerificationFailed) as caught:
            read_passport(job_dir)
        assert "llmlora passport" in error_texts(caught.value)["hint"]
    assert write_passport(job_dir)["files"] == made["files"], "it can be made anew"


def test_somebody_elses_passport_holds_and_is_said_to_be_theirs(
    job_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = write_passport(job_dir)
    monkeypatch.setenv("LLMLORA_HOME", str(tmp_path / "elsewhere"))
    assert check_passport(job_dir)["is_own"] is False
    assert run(["verify", str(job_dir)]) == 0
    assert made["public_key"] in capsys.readouterr().err
    body = {name: value for name, value in made.items() if name not in ("public_key", "signature")}
    write_json(job_dir / PASSPORT_FILE, signed({**body, "base": {"name": "other"}}))
    assert check_passport(job_dir)["public_key"] != made["public_key"], "who signs anew signs with another key"


def test_the_command_writes_it_and_verify_checks_it(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["passport", str(job_dir)]) == 0
    said = capsys.readouterr().err
    assert "3 files signed" in said and f"llmlora verify {job_dir}" in said
    assert run(["passport", str(job_dir), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == read_json(job_dir / PASSPORT_FILE)
    assert run(["verify", str(job_dir)]) == 0
    assert "3 files are as they were" in capsys.readouterr().err
    (job_dir / "adapter" / "adapter_config.json").write_text('{"r": 9}', encoding="utf-8")
    assert run(["verify", str(job_dir)]) == 1
    assert "adapter/adapter_config.json" in capsys.readouterr().err


def test_what_is_no_finished_job_or_export_has_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        write_passport(tmp_path)
    with pytest.raises(NotFound) as caught:
        check_passport(tmp_path)
    assert caught.value.code == "passport_missing"
    assert run(["passport", str(tmp_path / "nowhere")]) == 3


@pytest.mark.parametrize(("language", "title"), [("ja", "モデルの製造記録"), ("en", "Model passport")])
def test_the_page_is_whole_and_shows_no_markup_of_others(job_dir: Path, language: str, title: str) -> None:
    set_language(language)
    folder = job_dir.rename(job_dir.with_name("<b>job"))
    made = write_passport(folder)
    page = (folder / PASSPORT_PAGE).read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in page and f"<h1>{title}</h1>" in page
    assert "&lt;b&gt;job" in page and "<b>" not in page
    assert made["signature"] in page and made["files"]["config.json"] in page
    assert not any(word in page for word in ("<script", "src=", "href=", "url("))


@pytest.mark.parametrize("name", ["environment.json", "result.json"])
def test_a_record_that_was_cut_off_is_named(job_dir: Path, name: str) -> None:
    """A copy onto a full disk leaves such files: it was an unexpected error."""
    path = job_dir / "runs" / "1" / name
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        write_passport(job_dir)
    assert (caught.value.code, caught.value.params["path"]) == ("damaged_record", str(path))
