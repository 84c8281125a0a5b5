"""`llmlora tutorial` as a user types it; training and evaluation of `check` are made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmlora.cli import tutorial as command
from llmlora.cli.main import run
from llmlora.core.assets import asset_path
from llmlora.core.locale import LANGUAGES
from llmlora.services.tutorial_steps import Finding, StepState
from llmlora.services.tutorials import Lesson, find_lesson, lessons

LESSON = find_lesson(1)


@pytest.fixture
def place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Let `check` find what a test says instead of training; returns the levels that were tried."""

    def use(state: str = "done") -> list[int]:
        tried: list[int] = []

        def try_lesson(lesson: Lesson, on_event: Any, on_job: Any) -> dict[str, Any]:
            tried.append(lesson.level)
            on_job(next(iter(lesson.jobs.values())))
            findings = (Finding("loss_outside", {"epoch": 1, "loss": 9.0, "low": 3.0, "high": 5.0}),)
            watch = next(step for step in lesson.steps if step.kind == "loss")
            return {"steps": [StepState(watch, state, findings if state == "differs" else ())], "seconds": 1.5}  # type: ignore[arg-type]

        monkeypatch.setattr(command, "try_lesson", try_lesson)
        return tried

    return use


def document(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    run([*map(str, words), "--json"])
    return dict(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_tells_progress_and_what_to_type(
    place: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    assert run(["tutorial", "--lang", language]) == 0
    shown = capsys.readouterr()
    assert f"0 / {len(LESSON.steps)}" in shown.out
    assert "llmlora tutorial start 1" in shown.err


def test_json_of_the_list(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "tutorial")
    assert found["schema"] == "llmlora.tutorials/1"
    assert [lesson["level"] for lesson in found["tutorials"]] == [lesson.level for lesson in lessons()]


def test_a_lesson_begins_in_a_folder_with_its_data(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tutorial", "start", "1", "--out", "level1", "--lang", "ja"]) == 0
    data = place / "level1" / LESSON.dataset
    assert data.read_bytes() == asset_path("datasets", LESSON.dataset).read_bytes()
    shown = capsys.readouterr().out
    assert "準備" in shown
    assert "llmlora dataset add level1_basic_qa.json" in shown, "reading goes on up to the first step that is work"
    assert "llmlora evaluate job" not in shown


def test_what_was_read_is_ticked_and_not_shown_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["tutorial", "start", "1", "--lang", "en"])
    assert "Get ready" in capsys.readouterr().out
    states = {step["id"]: step["state"] for step in document(capsys, "tutorial", "start", 1)["steps"]}
    assert (states["begin"], states["data"]) == ("done", "open")
    run(["tutorial", "start", "1", "--lang", "en"])
    assert "llmlora doctor" not in capsys.readouterr().out


def test_commands_stay_one_line_that_can_be_pasted(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command.out, "_width", 80)
    assert run(["tutorial", "start", "1", "--whole", "--lang", "ja"]) == 0
    shown = capsys.readouterr()
    lines = [line.strip() for line in shown.out.splitlines()]
    assert "llmlora train --model nano --data level1_basic_qa.json --preset light --out job" in lines
    assert not [line for line in lines if line.startswith(("```", "|--"))]
    assert "「訓練データセット」は`基本Q&A`です。" in shown.out, "nothing is cut at the edge of the screen"
    assert "llmlora tutorial start 1" in shown.err


def test_data_that_are_there_already_stay(place: Path) -> None:
    (place / "level1").mkdir()
    (place / "level1" / LESSON.dataset).write_text("mine", encoding="utf-8")
    assert run(["tutorial", "start", "1", "--out", "level1"]) == 0
    assert (place / "level1" / LESSON.dataset).read_text(encoding="utf-8") == "mine"


def test_json_changes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        found = document(capsys, "tutorial", "start", 1)
        assert found["schema"] == "llmlora.tutorial/1"
        assert {step["state"] for step in found["steps"]} == {"open"}


def test_check_tries_what_nobody_has_done(
    place: Path, trial: Callable[..., list[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    tried = trial()
    assert run(["tutorial", "check", "1", "--lang", "en"]) == 0
    assert tried == [1]
    assert "nothing differs" in capsys.readouterr().out


def test_check_fails_and_says_what_differs(
    place: Path, trial: Callable[..., list[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    trial("differs")
    assert run(["tutorial", "check", "1", "--lang", "en"]) == 1
    assert "The loss of epoch 1 is 9.0; measured were 3.0 to 5.0." in capsys.readouterr().out
    found = document(capsys, "tutorial", "check", 1)
    assert (found["schema"], found["ok"]) == ("llmlora.tutorial_check/1", False)
    assert found["levels"][0]["tried"][0]["findings"][0]["code"] == "loss_outside"


def test_check_all_tries_every_level(
    place: Path, trial: Callable[..., list[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    tried = trial()
    assert document(capsys, "tutorial", "check", "--all")["ok"]
    assert tried == [lesson.level for lesson in lessons()]


@pytest.mark.parametrize(
    ("words", "code"), [(["check"], 2), (["check", "1", "--all"], 2), (["start", "9"], 3), (["check", "9"], 3)]
)
def test_wrong_words_are_refused_with_what_to_type(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    assert run(["tutorial", *words, "--lang", "en"]) == code
    assert "llmlora tutorial" in capsys.readouterr().err
