"""Names on disk: the workspace, ids, runs and checkpoints."""

import re
import time

from llmlora.core import layout


def test_the_workspace_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMLORA_HOME", str(tmp_path / "here"))
    assert layout.home_dir() == tmp_path / "here"
    assert {layout.jobs_dir(), layout.prepared_dir(), layout.scratch_dir()} == {
        tmp_path / "here" / name for name in ("jobs", "prepared", "scratch")
    }
    monkeypatch.setenv("LLMLORA_HOME", "~/models")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert layout.home_dir() == tmp_path / "models"
    monkeypatch.setenv("LLMLORA_HOME", "")  # empty is not the current folder
    assert layout.home_dir().is_absolute()
    assert layout.home_dir().name == "llmlora"


def test_ids_are_ulids_that_sort_by_time_and_never_repeat():
    early = [layout.new_id() for _ in range(200)]
    time.sleep(0.002)
    late = layout.new_id()
    assert len(set(early)) == 200
    assert early == sorted(early)  # also within a millisecond: jobs queued together keep their order
    assert early[-1] < late
    assert all(re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", identifier) for identifier in early)


def test_runs_are_counted_as_numbers_and_nothing_else_counts(tmp_path):
    assert layout.run_numbers(tmp_path) == []
    for name in ("1", "2", "10", "x", ".tmp-3", "4.bak"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    (tmp_path / "runs" / "5").write_text("a file")
    assert layout.run_numbers(tmp_path) == [1, 2, 10]


def test_checkpoints_of_all_runs_by_step(tmp_path):
    assert layout.checkpoint_dirs(tmp_path) == []
    for run, name in ((1, "step-00000020"), (2, "step-00000100"), (2, "step-00000030"), (1, "step-00000100")):
        (tmp_path / "runs" / str(run) / "checkpoints" / name).mkdir(parents=True)
    for junk in (".tmp-step-00000200-77", "step-broken", "other"):
        (tmp_path / "runs" / "2" / "checkpoints" / junk).mkdir()
    (tmp_path / "runs" / "3").mkdir()
    assert [(step, run) for step, run, _ in layout.checkpoint_dirs(tmp_path)] == [(20, 1), (30, 2), (100, 1), (100, 2)]


def test_the_newest_evaluation_is_the_one_with_the_highest_number_and_a_report(tmp_path):
    assert layout.newest_evaluation_dir(tmp_path) is None
    for name in ("1", "2", "10", "11", "x"):
        layout.evaluation_dir(tmp_path, 0).with_name(f"evaluation-{name}").mkdir()
    assert layout.evaluation_numbers(tmp_path) == [1, 2, 10, 11]
    assert layout.newest_evaluation_dir(tmp_path) is None, "none has ended"
    for number in (10, 2):
        (layout.evaluation_dir(tmp_path, number) / layout.REPORT_FILE).write_text("{}")
    assert layout.newest_evaluation_dir(tmp_path) == tmp_path / "evaluation-10"
