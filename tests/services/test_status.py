"""The status of a job folder: from its newest run, else from who holds it."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from evaluation.fake_reports import make_job
from llmlora.core.events import EventWriter
from llmlora.core.layout import LOCK_FILE, run_dir
from llmlora.core.locale import LANGUAGES, set_language, translate
from llmlora.services.status import job_status


def begin_run(folder: Path, number: int, ended: str | None = None) -> None:
    directory = run_dir(folder, number)
    directory.mkdir(parents=True)
    events = EventWriter(directory, number)
    events.emit("run_started")
    if ended:
        events.emit("run_ended", status=ended)
    events.close()


@pytest.mark.parametrize("ended", ["succeeded", "failed", "interrupted"])
def test_a_run_says_how_it_ended(tmp_path: Path, ended: str) -> None:
    make_job(tmp_path / "job", steps=0, ended=ended)
    assert job_status(tmp_path / "job") == ended


def test_a_killed_run_can_be_resumed(tmp_path: Path) -> None:
    make_job(tmp_path / "job", steps=3, ended=None)
    assert job_status(tmp_path / "job") == "interrupted"
    (tmp_path / "job" / LOCK_FILE).write_text("4711", encoding="utf-8")
    assert job_status(tmp_path / "job") == "interrupted", "a lock file that nobody holds is no lock"


def test_the_newest_run_counts(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    make_job(folder, steps=0, ended="failed")
    begin_run(folder, 2, "interrupted")
    begin_run(folder, 10, "succeeded")
    assert job_status(folder) == "succeeded"
    begin_run(folder, 11)
    assert job_status(folder) == "interrupted"


def test_a_job_that_never_ran_is_queued(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    assert job_status(tmp_path / "job") == "queued"


def test_who_holds_the_folder_is_running(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    make_job(folder, steps=0, ended=None)
    with (folder / LOCK_FILE).open("a+") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert job_status(folder) == "running"
    assert job_status(folder) == "interrupted"
    empty = tmp_path / "starting"
    empty.mkdir()
    with (empty / LOCK_FILE).open("a+") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert job_status(empty) == "running"


def test_looking_does_not_disturb_another_reader(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    make_job(folder, steps=0, ended=None)
    with (folder / LOCK_FILE).open("a+") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        assert job_status(folder) == "interrupted"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_has_its_word(language: str) -> None:
    set_language(language)
    statuses = ("queued", "running", "interrupted", "succeeded", "failed")
    assert len({translate(f"status.{status}") for status in statuses} - {f"status.{s}" for s in statuses}) == 5
