"""What cannot be written is told before the plan, before data is read, and nothing is left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.fake_reports import make_job
from llmlora.cli.main import run
from llmlora.services import plan_training, supervisor
from unprivileged import open_folder, unprivileged

NO_PLACES = ("/proc/llmlora", "/dev/null/x")
TRAIN = "train --model nano --data data.jsonl"
NEED_WORKSPACE = (
    TRAIN, f"{TRAIN} --out o", "demo", "chat nano --prompt hello", "dataset preview data.jsonl --model nano",
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_is_spent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def spent(*_: object, **__: object) -> None:
        raise AssertionError("data was read or a worker was started")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plan_training, "check_dataset", spent)
    monkeypatch.setattr(supervisor, "Worker", spent)
    Path("data.jsonl").write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")


def refused(call: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """Return the error of a call, which is the last thing that it says; before it there is no plan."""
    assert run([*call.split(), "--json"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert not [line for line in lines if "nano" in line and "llmlora.error/1" not in line]
    return dict(json.loads(lines[-1]))


@pytest.mark.parametrize("home", NO_PLACES)
@pytest.mark.parametrize("call", NEED_WORKSPACE)
def test_a_workspace_that_cannot_be_written(
    call: str, home: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLMLORA_HOME", home)
    error = refused(call, capsys)
    assert (error["code"], home in str(error["what"])) == ("workspace_not_writable", True)
    assert "export LLMLORA_HOME=" in str(error["hint"])
    assert [path.name for path in Path().iterdir()] == ["data.jsonl"]


@pytest.mark.parametrize("place", [*NO_PLACES, "data.jsonl/x", "x" * 300])
@pytest.mark.parametrize("call", [f"{TRAIN} --out", "demo --out"])
def test_an_output_that_cannot_be_written(call: str, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(f"{call} {place}", capsys)
    assert (error["code"], place in str(error["what"])) == ("output_not_writable", True)
    assert "--out " in str(error["hint"])
    assert [path.name for path in Path().iterdir()] == ["data.jsonl"]


@pytest.mark.parametrize("verb", ["export", "merge"])
@pytest.mark.parametrize("place", NO_PLACES)
def test_an_export_that_cannot_be_written(verb: str, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    make_job(Path("job"))
    error = refused(f"{verb} job -o {place}", capsys)
    assert (error["code"], place in str(error["what"])) == ("output_not_writable", True)
    assert "-o " in str(error["hint"])


def test_an_evaluation_of_a_job_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_folder() as folder:
        make_job(folder / "job")
        (folder / "job").chmod(0o555)
        monkeypatch.chdir(folder)
        with unprivileged():
            error = refused("evaluate job", capsys)
        assert error["code"] == "job_not_writable"
        assert f"cp -r {folder}/job " in str(error["hint"])
        assert not list(folder.glob("job/evaluation-*"))
