"""Jobs as JSON objects: in lists, and by themselves with all that a page shows; worded in the current language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from llmlora.core.errors import error_from_dict
from llmlora.core.layout import ADAPTER_DIR, MODEL_DIR, REPORT_FILE, newest_evaluation_dir
from llmlora.core.locale import has_text, spoken_error, translate, what_and_why, worded_error
from llmlora.core.publish import read_json
from llmlora.services.job_files import folder_bytes
from llmlora.services.obstacle import obstacle
from llmlora.services.queue import Queue
from llmlora.services.queue_progress import COUNTED, frozen_config, progress_document
from llmlora.store import datasets
from llmlora.store.jobs import DatasetUse, JobRow
from llmlora.store.runs import RunRow

FIELDS: Final = ("id", "kind", "name", "status", "reason", "stop_request", "position", "run", "parent_id")
TIMES: Final = ("created_at", "started_at", "ended_at", "deleted_at")
RUN_FIELDS: Final = (
    *("run", "started_at", "ended_at", "exit_code", "outcome", "reason"),
    *("from_checkpoint", "from_step", "is_exact", "last_step"),
)


def job_document(queue: Queue, job: JobRow) -> dict[str, Any]:
    """Return a job as a JSON object; its error is worded in the current language."""
    folder = queue.folder_of(job)
    config = frozen_config(folder)
    kept_by = obstacle(job, folder)
    uses = {use.role: use.dataset_id for use in reversed(job.datasets)}
    return {
        **{name: getattr(job, name) for name in (*FIELDS, *TIMES)},
        "base_model": config.get("base_model"),
        "dataset_id": uses.get("train"),
        "eval_dataset_id": uses.get("eval"),
        "settings": config.get("train") or {},
        "reasons": config.get("reasons") or {},
        "error": worded_error(job.error),
        "obstacle": None if kept_by is None else spoken_error(kept_by),
        "result": job.result,
        "progress": progress_words(queue, job),
        "learned": _learned(folder) if job.kind == "train" else None,
    }


def job_detail(queue: Queue, job: JobRow) -> dict[str, Any]:
    """Return a job as `job_document` does, with its base, datasets, presets, attempts and what it has made."""
    folder = queue.folder_of(job)
    config = frozen_config(folder)
    document = job_document(queue, job)
    return {
        **document,
        "message": document["progress"]["message"],
        "place": queue.num_ahead(job.id) + 1 if job.status == "queued" else None,
        "base": {"name": config.get("base_model"), "digest": config.get("base_digest")},
        "presets": config.get("presets") or {},
        "num_rows": config.get("num_rows"),
        "replay": config.get("replay"),
        "datasets": [_dataset_use(queue, use) for use in job.datasets],
        "runs": [_run_document(run) for run in queue.runs(job.id)],
        "best": _best(queue, job.id),
        "facts": (evaluation_report(queue, job) or {}).get("facts"),
        "result_bytes": folder_bytes(folder / ADAPTER_DIR) or folder_bytes(folder / MODEL_DIR),
    }


def _dataset_use(queue: Queue, use: DatasetUse) -> dict[str, Any]:
    with queue.database.read() as connection:
        row = datasets.find(connection, use.dataset_id)
    return {"id": use.dataset_id, "role": use.role, "share": use.share, "name": None if row is None else row.name}


def _run_document(run: RunRow) -> dict[str, Any]:
    return {**{name: getattr(run, name) for name in RUN_FIELDS}, "error": worded_error(run.error)}


def _best(queue: Queue, job_id: str) -> dict[str, Any] | None:
    """Return the lowest loss on held-out rows and its step; None without an evaluation."""
    found = queue.curves(job_id, ("eval_loss",))["eval_loss"]
    lowest = min(found, key=lambda bucket: bucket.lowest, default=None)
    return None if lowest is None else {"eval_loss": lowest.lowest, "step": lowest.first_step}


def progress_words(queue: Queue, job: JobRow) -> dict[str, Any]:
    """Return how far a job is; `message` says in the current language what it does, or why it does not."""
    found = progress_document(job, queue.folder_of(job))
    return {**found, "message": _message(found["message"])}


def _message(message: Mapping[str, Any] | None) -> str | None:
    if message is None or not message["code"]:
        return None
    code, params = message["code"], message["params"]
    if not params and has_text(f"api.reason.{code}"):  # why it waits; an error of that name has values of its own
        return translate(f"api.reason.{code}")
    if has_text(f"error.{code}.what"):
        return what_and_why(error_from_dict({"code": code, "params": params}))
    key = f"cli.phase.{code}"
    return translate(key, **{**dict.fromkeys(COUNTED, "?"), **params}) if has_text(key) else str(code)


def _learned(folder: Path) -> dict[str, Any] | None:
    """Return what the newest evaluation of a job has counted, None without a readable one."""
    evaluation = newest_evaluation_dir(folder)
    if evaluation is None:
        return None
    path = evaluation / REPORT_FILE
    return _read_learned(path, _changed_at(path))


@lru_cache(maxsize=1024)
def _read_learned(path: Path, _changed: int) -> dict[str, Any] | None:
    report = _read(path) or {}
    facts = report.get("facts")
    if not isinstance(facts, dict):
        return None
    counts = {name: facts.get(name, 0) for name in ("remembered", "remembered_before", "total")}
    return {**counts, "light": (report.get("forgetting") or {}).get("light")}


def evaluation_report(queue: Queue, job: JobRow) -> dict[str, Any] | None:
    """Return the report of the newest evaluation of a job, None without one."""
    folder = newest_evaluation_dir(queue.folder_of(job))
    return None if folder is None else stored_report(folder)


def stored_report(folder: Path) -> dict[str, Any] | None:
    """Return the `report.json` of a folder, None without a readable one."""
    path = folder / REPORT_FILE
    return _read_report(path, _changed_at(path)) if path.is_file() else None


@lru_cache(maxsize=16)
def _read_report(path: Path, _changed: int) -> dict[str, Any] | None:
    return _read(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
