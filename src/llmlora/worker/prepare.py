"""Worker kind `prepare`: what needs a tokenizer but no model: previewing training rows, checking a data file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from llmlora.core.errors import Stopped, WorkerDied
from llmlora.core.events import EventWriter
from llmlora.core.examples import Example
from llmlora.data.problems import OVERLONG
from llmlora.data.read import ReadOptions, Source, read_rows, row_reader
from llmlora.data.validate import RowTokens, check_dataset
from llmlora.prepare.count import RowCounter
from llmlora.prepare.dataset import PrepareOptions, prepare_file
from llmlora.prepare.held_out import split_by_content
from llmlora.prepare.preview import preview_rows
from llmlora.prepare.template import load_template
from llmlora.prepare.tokenizer import load_tokenizer
from llmlora.prepare.view import ViewQuery, training_view
from llmlora.weights.base import Base, open_base
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Do the task that the configuration names: one of `TASKS`."""
    events.emit("phase", name="preparing", params={})
    if config["task"] not in TASKS:
        raise WorkerDied("internal", detail=f"task {config['task']}")
    return TASKS[config["task"]](config, stop)


def _check_stop(stop: StopFlag) -> None:
    if stop:
        raise Stopped("interrupted")


def _base(config: dict[str, Any]) -> Base:
    return open_base(Path(config["base_dir"]))


def _rows(config: dict[str, Any], stop: StopFlag) -> dict[str, Any]:
    """Return what training will make of a file: its rows, those left when some are held out, its tokens."""
    path, read = Path(config["path"]), ReadOptions(**config["read"])
    options = PrepareOptions(**config["options"])
    prepared = prepare_file(path, read, _base(config), options, lambda _: _check_stop(stop))
    train: Sequence[int] = range(len(prepared))
    if config["validation_split"]:
        train, _ = split_by_content(path, read, prepared.rows.tolist(), config["validation_split"], config["seed"])
    return {
        "num_rows": len(prepared),
        "num_train_rows": len(train),
        "num_tokens": prepared.num_tokens,
        "num_label_tokens": prepared.num_label_tokens,
        "num_truncated": prepared.num_truncated,
        "least_length": prepared.least_length(options.drop_overlong),
    }


def _template(config: dict[str, Any], _: StopFlag) -> dict[str, Any]:
    """Return the name of a chat template that can be used with a model."""
    return {"name": load_template(_base(config).tokenizer_dir, config["template"]).name}


def _preview(config: dict[str, Any], stop: StopFlag) -> dict[str, Any]:
    base = _base(config)
    options = PrepareOptions(**config["options"])
    read = ReadOptions(**config["read"])
    prepared = prepare_file(Path(config["path"]), read, base, options, lambda _: _check_stop(stop))
    rows = preview_rows(prepared, load_tokenizer(base.tokenizer_dir), config["num_rows"])
    return {**prepared.facts, "rows": rows}


def _view(config: dict[str, Any], stop: StopFlag) -> dict[str, Any]:
    """Return training rows as spans of text, counts, and what other lengths would cut."""
    options, read = PrepareOptions(**config["options"]), ReadOptions(**config["read"])
    query = ViewQuery(**{**config["query"], "lengths": tuple(config["query"]["lengths"])})
    return training_view(Path(config["path"]), read, _base(config), options, query, lambda _: _check_stop(stop))


def _count(config: dict[str, Any], stop: StopFlag) -> dict[str, Any]:
    """Check a data file with the model's tokenizer and template; the result is what `dataset check` puts in words."""
    base = _base(config)
    drops = bool(config.get("drop_overlong"))
    counter = RowCounter(load_template(base.tokenizer_dir), config["max_length"], base.context_length, drops)

    def count_tokens(example: Example) -> RowTokens:
        _check_stop(stop)
        return counter(example)

    eval_path = config.get("eval_path")
    report = check_dataset(
        Path(config["path"]),
        ReadOptions(**config["read"]),
        eval_path=Path(eval_path) if eval_path else None,
        max_length=config["max_length"],
        count_tokens=count_tokens,
    )
    return report.stored()


def _overlong(config: dict[str, Any], stop: StopFlag) -> dict[str, Any]:
    """Return the rows that training would leave out as overlong: [row (1-based), tokens] of each."""
    base = _base(config)
    counter = RowCounter(
        load_template(base.tokenizer_dir), config["max_length"], base.context_length, drop_overlong=True
    )
    source = Source(Path(config["path"]), ReadOptions(**config["read"]))
    rows = []
    for item in read_rows(source, row_reader(source, config["keeps_chosen"])):
        _check_stop(stop)
        if not isinstance(item, Example):
            continue
        found = counter(item)
        if found.refusal is not None and found.refusal.code == OVERLONG:
            rows.append([item.row, found.num_tokens])
    return {"rows": rows}


TASKS: dict[str, Callable[[dict[str, Any], StopFlag], dict[str, Any]]] = {
    "preview": _preview,
    "view": _view,
    "count": _count,
    "overlong": _overlong,
    "rows": _rows,
    "template": _template,
}
