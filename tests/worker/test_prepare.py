from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import ConfigError, Stopped, WorkerDied
from llmlora.core.events import EventWriter, read_events
from llmlora.core.locale import LANGUAGES, set_language
from llmlora.data.problems import Problem
from llmlora.worker.frame import StopFlag
from llmlora.worker.prepare import run
from prepare.base_folder import base_folder, data_file

pytestmark = pytest.mark.usefixtures("home")
READ = {"format": None, "columns": {}, "encoding": None}


def work(folder: Path, kind: str = "byte_level", **config: Any) -> dict[str, Any]:
    """Run the worker's function on a base with a kind of tokenizer and three rows."""
    base, path = base_folder(folder / "base", kind), data_file(folder / "data.jsonl")
    events, stop = EventWriter(folder, 1), StopFlag()
    if config.pop("stopped", False):
        stop.set()
    common = {"path": str(path), "base_dir": str(base), "read": READ, "language": "ja"}
    return run(folder, {**common, **config}, events, stop)


def test_the_preview_task(tmp_path: Path) -> None:
    result = work(tmp_path, task="preview", num_rows=1, options={"max_length": 64})
    assert (result["num_rows"], len(result["rows"])) == (3, 1)
    assert [event["type"] for event in read_events(tmp_path / "events.jsonl")] == ["phase"]


def test_the_count_task_hands_on_codes_that_are_worded_where_they_are_shown(tmp_path: Path) -> None:
    result = work(tmp_path, task="count", max_length=14)
    problems = [problem for problem in result["problems"] if problem["code"] == "over_max_length"]
    assert problems and not any({"message", "hint"} & set(problem) for problem in problems)
    texts = []
    for language in LANGUAGES:
        set_language(language)
        texts.append(Problem(**problems[0]).message)
    assert len(set(texts)) == 2


def test_what_training_would_refuse_is_not_ok(tmp_path: Path) -> None:
    result = work(tmp_path, task="count", max_length=8)
    assert (result["ok"], result["num_examples"]) == (False, 0)
    assert result["counts"] == {"no_trainable_tokens": 3}
    assert [problem["row"] for problem in result["problems"]] == [1, 2, 3]


def test_data_in_a_language_the_model_does_not_know_is_not_ok(tmp_path: Path) -> None:
    assert work(tmp_path / "knows", task="count", max_length=64)["ok"]
    assert not work(tmp_path / "lacks", "dropping", task="count", max_length=64)["ok"]


@pytest.mark.parametrize("task", ["preview", "count"])
def test_the_work_stops_when_asked(task: str, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        work(tmp_path, task=task, stopped=True, num_rows=1, options={"max_length": 64}, max_length=64)


def test_an_unknown_task_and_unknown_template(tmp_path: Path) -> None:
    with pytest.raises(WorkerDied):
        work(tmp_path, task="sing")
    options = {"max_length": 64, "chat_template": "nope"}
    with pytest.raises(ConfigError):
        work(tmp_path, task="preview", num_rows=1, options=options)
