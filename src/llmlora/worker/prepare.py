"""Worker kind `prepare`: what needs a tokenizer but no model: previewing training rows, checking a data file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.errors import WorkerDied
from llmlora.core.events import EventWriter
from llmlora.core.locale import set_language
from llmlora.data.read import ReadOptions
from llmlora.data.validate import check_dataset
from llmlora.prepare.dataset import PrepareOptions, prepare_file
from llmlora.prepare.preview import preview_rows
from llmlora.prepare.tokenizer import TextEncoder, load_tokenizer
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Do the task that the configuration names: `preview` or `count`."""
    set_language(config.get("language"))
    tasks = {"preview": _preview, "count": _count}
    if config["task"] not in tasks:
        raise WorkerDied("internal", detail=f"task {config['task']}")
    events.emit("phase", name="preparing", params={})
    return tasks[config["task"]](config)


def _preview(config: dict[str, Any]) -> dict[str, Any]:
    base_dir = Path(config["base_dir"])
    options = PrepareOptions(**config["options"])
    prepared = prepare_file(Path(config["path"]), ReadOptions(**config["read"]), base_dir, options)
    rows = preview_rows(prepared, load_tokenizer(base_dir), config["num_rows"])
    return {**prepared.facts, "rows": rows}


def _count(config: dict[str, Any]) -> dict[str, Any]:
    """Check a data file with the model's tokenizer; the result is the document of `dataset check`."""
    eval_path = config.get("eval_path")
    report = check_dataset(
        Path(config["path"]),
        ReadOptions(**config["read"]),
        eval_path=Path(eval_path) if eval_path else None,
        max_length=config.get("max_length"),
        count_tokens=TextEncoder(load_tokenizer(Path(config["base_dir"]))).count,
    )
    return report.to_dict()
