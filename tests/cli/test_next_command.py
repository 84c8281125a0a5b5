"""The line that ends a command names the command that comes next, with what was used, ready to paste."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import write_data
from llmlora.cli import main, next_command, output
from llmlora.core.config import TrainConfig
from llmlora.core.job import EXPORT_SCHEMA, DataSource, JobConfig, read_job, write_job
from llmlora.core.layout import new_id
from llmlora.core.locale import set_language, set_program
from llmlora.core.publish import write_json
from llmlora.data.read import ReadOptions

AWKWARD = "my data (1) 🦊's"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def job(folder: Path) -> Path:
    """Return a job folder with the record of a job on five questions; nothing here loads a model."""
    source = DataSource(path=str(write_data(folder)), sha256="0" * 64)
    names = {
        "schema": "llmlora.job/1",
        "id": new_id(),
        "base_model": "nano",
        "base_dir": "/nano",
        "llmlora_version": "0",
    }
    (folder / "job").mkdir()
    write_job(folder / "job", JobConfig(**names, base_digest="0" * 64, data=source, train=TrainConfig()))
    return folder / "job"


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the words of the only next command that was said."""
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Next: ")]
    return shlex.split(line.removeprefix("Next: "))


def test_a_check_leads_to_training_with_the_same_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_data(folder)
    data.rename(folder / f"{AWKWARD}.jsonl")
    assert main.run(["dataset", "check", f"{AWKWARD}.jsonl", "--map", "output=output", "--encoding", "utf-8"]) == 0
    words = ["train", "--model", "nano", "--data", f"{AWKWARD}.jsonl", "--map", "output=output", "--encoding", "utf-8"]
    assert said(capsys) == ["llmlora", *words, "--out", f"{AWKWARD}-job"]


def test_what_was_counted_for_a_model_is_trained_so(capsys: pytest.CaptureFixture[str]) -> None:
    given = {"model": "./base", "max_length": 64, "drop_overlong": True, "eval_data": Path("-held out.jsonl")}
    next_command.after_check(Path("d.csv"), ReadOptions(format="chat"), given, ok=True)
    assert said(capsys)[1:] == [
        "train", "--model", "./base", "--data", "d.csv", "--format", "chat", "--eval-data", "./-held out.jsonl",
        "--drop-overlong", "--set", "max_length=64", "--out", "d-job",
    ]  # fmt: skip


def test_a_preview_leads_to_training_with_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    given = {"model": "nano", "chat_template": "raw", "system": "Be kind.", "max_length": None, "drop_overlong": False}
    next_command.after_preview(Path("d.csv"), ReadOptions(), given)
    words = ["train", "--model", "nano", "--data", "d.csv", "--chat-template", "raw", "--system", "Be kind."]
    assert said(capsys)[1:] == [*words, "--out", "d-job"]


@pytest.mark.parametrize("name", ["{}", "{0}", "{file!q}", "{model", "}{", "{{x}}"])
def test_braces_in_what_users_named_stay_as_they_are(capsys: pytest.CaptureFixture[str], name: str) -> None:
    read, file = ReadOptions(columns={"output": name}), Path(f"{name}.csv")
    next_command.after_check(file, read, {"model": name, "system": name, "eval_data": file}, ok=True)
    words = ["--map", f"output={name}", "--eval-data", f"{name}.csv", "--system", name, "--out", f"{name}-job"]
    assert said(capsys)[2:] == ["--model", name, "--data", f"{name}.csv", *words]
    next_command.after_check(file, read, {"model": name}, ok=False)
    assert said(capsys)[3:] == [f"{name}.csv", "--map", f"output={name}", "--model", name]
    next_command.after_convert({"output": file, "eval_output": f"{name}.eval"}, {"model": name})
    assert said(capsys)[3:] == [f"{name}.csv", "--model", name, "--eval-data", f"{name}.eval"]
    next_command.after_reword(shlex.join([name]))
    assert said(capsys)[1:] == [name]


def test_braces_in_the_place_of_a_base_stay_as_they_are(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    next_command.after_evaluate(job, Path("{}/base"))
    assert said(capsys)[-2:] == ["--model", "{}/base"]


def test_the_proposed_job_folder_is_free(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "d-job").mkdir()
    (folder / "d-job" / "x").touch()
    (folder / "d-job-2").touch()
    (folder / "d-job-3").mkdir()
    next_command.after_check(Path("d.csv"), ReadOptions(), {}, ok=True)
    assert said(capsys)[-1] == "d-job-3"


def test_bad_data_are_checked_again_once_mended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.jsonl").write_text('{"instruction": "q"}\n', encoding="utf-8")
    assert main.run(["dataset", "check", "bad.jsonl"]) == 4
    assert said(capsys) == ["llmlora", "dataset", "check", "bad.jsonl"]


def test_a_conversion_leads_to_the_check_of_both_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_data(folder)
    assert main.run(["dataset", "convert", "data.jsonl", "-o", "new.jsonl", "--split", "0.2"]) == 0
    words = said(capsys)
    assert words == ["llmlora", "dataset", "check", "new.jsonl", "--eval-data", "new.eval.jsonl"]
    assert main.run(words[1:]) == 0


def test_a_conversion_for_a_model_leads_to_the_check_with_it(
    folder: Path, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    write_data(folder)
    asked = ["dataset", "convert", "data.jsonl", "-o", "new.jsonl", "--model", "nano", "--drop-overlong"]
    assert main.run([*asked, "--max-length", "512"]) == 0
    words = said(capsys)
    assert words == ["llmlora", "dataset", "check", "new.jsonl", "--model", "nano", "--max-length", "512"]
    assert main.run(words[1:]) == 0


def test_documents_and_quiet_commands_say_no_next_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_data(folder)
    for more in (["--json"], ["--quiet"]):
        assert main.run(["dataset", "check", "data.jsonl", *more]) == 0
        assert capsys.readouterr().err == ""


def test_training_leads_to_questions_export_and_chat(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    next_command.after_train(job)
    assert said(capsys)[1:] == ["evaluate", str(job)]
    next_command.after_evaluate(job, Path("moved base"))
    assert said(capsys)[1:] == ["export", str(job), "-o", f"{job}-export", "--model", "moved base"]
    next_command.after_export(Path("my export"), "model-Q4_K_M.gguf")
    assert said(capsys)[1:] == ["chat", "my export/model-Q4_K_M.gguf"]
    next_command.after_export(Path("my-export"), "model-F16.gguf")
    assert "my-export/README.md" in capsys.readouterr().err


def test_a_job_without_questions_is_not_sent_to_an_evaluation(
    job: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = read_job(job).data
    text = Path(source.path).with_name("novel.txt")
    text.write_text("Once upon a time.\n\nThe end.\n", encoding="utf-8")
    moved = read_job(job).model_copy(update={"data": source.model_copy(update={"path": str(text)})})
    monkeypatch.setattr("llmlora.services.next_step.read_job", lambda _: moved)
    next_command.after_train(job)
    assert said(capsys)[1] == "export"
    text.unlink()
    next_command.after_train(job)
    assert said(capsys)[1] == "export"


def test_a_job_that_cannot_be_exported_is_sent_to_a_chat(
    job: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warning = {"type": "warning", "code": "not_exportable"}
    monkeypatch.setattr("llmlora.services.next_step.read_job_events", lambda _: iter([warning]))
    next_command.after_evaluate(job)
    assert said(capsys)[1:] == ["chat", str(job)]


def test_the_export_folder_is_new_or_this_jobs_own(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, owner in ((f"{job}-export", "another"), (f"{job}-export-2", read_job(job).id)):
        Path(name).mkdir()
        write_json(Path(name) / "config.json", {"schema": EXPORT_SCHEMA, "job_id": owner})
    next_command.after_evaluate(job)
    assert said(capsys)[-1] == f"{job}-export-2"


def compared(*jobs: tuple[str, bool], **best: list[int]) -> dict[str, Any]:
    metrics = [{"name": name, "best": best.get(name, [])} for name in ("facts_remembered", "eval_loss", "final_loss")]
    listed = [{"folder": name, "status": "succeeded", "is_evaluated": evaluated} for name, evaluated in jobs]
    return {"jobs": listed, "metrics": metrics}


def test_a_comparison_leads_to_what_it_lacks_or_to_the_best_job(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    next_command.after_compare(compared(("/none", True), (str(job), False)))
    assert said(capsys)[1:] == ["evaluate", str(job)]
    both = [("/none", True), (str(job), True)]
    next_command.after_compare(compared(*both, final_loss=[0], facts_remembered=[1]))
    assert said(capsys)[1:3] == ["export", str(job)]


def test_folders_without_a_slash_name_no_bundled_model(capsys: pytest.CaptureFixture[str]) -> None:
    next_command.after_merge(Path("nano"))
    assert said(capsys)[1:] == ["chat", "./nano"]
    next_command.after_verify(Path("out/x"))
    assert said(capsys)[1:] == ["chat", "out/x"]


@pytest.mark.parametrize(
    ("folder_name", "name"), [("My Export (2)", "my-export-2"), ("書き出し", "my-model"), ("out", "out")]
)
def test_the_name_for_ollama_is_one_that_it_takes(folder_name: str, name: str) -> None:
    assert next_command.ollama_name(Path(folder_name)) == name


def test_the_list_of_models_and_the_doctor_lead_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["models"]) == 0
    words = said(capsys)
    assert words[:4] == ["llmlora", "train", "--model", "nano"]
    assert Path(words[5]).is_file()
    assert main.run(["doctor"]) == 0
    assert said(capsys) == ["llmlora", "demo"]


def test_a_language_that_was_asked_for_is_asked_for_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["models", "--lang", "ja"]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("次: ")]
    assert line.endswith(" --lang ja")
    assert main.run(["models", "--lang", "en"]) == 0
    assert "--lang" not in " ".join(said(capsys))


def test_commands_in_texts_begin_as_this_program_was_started(capsys: pytest.CaptureFixture[str]) -> None:
    set_program("'/my {place}/llmlora'")
    try:
        set_language("en")
        output.print_error(main.Stopped("stopped", step=3, total_steps=9, folder="j", has_checkpoint=True), False)
        shown = capsys.readouterr().err
        next_command.after_doctor()
        assert "'/my {place}/llmlora' train --resume j" in shown
        assert said(capsys) == ["/my {place}/llmlora", "demo"]
    finally:
        set_program("llmlora")
