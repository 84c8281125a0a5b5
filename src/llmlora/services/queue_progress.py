"""How far a job is, in the words of its newest events."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from llmlora.core.layout import CONFIG_FILE
from llmlora.core.publish import read_json
from llmlora.core.recommend import planned_steps
from llmlora.store.jobs import JobRow

COUNTED = ("done", "total")  # how far a phase is, where it says so
METRICS = ("loss", "eval_loss", "learning_rate", "tokens_per_second", "eta_seconds")


def progress_document(job: JobRow, folder: Path) -> dict[str, Any]:
    """Return the progress of a job; `message` is a code and its parameters, to be worded where it is shown."""
    known = job.progress
    step, total = known.get("step"), known.get("total_steps")
    num_epochs = _num_epochs(folder)
    share = step / total if step is not None and total else None
    phase = known.get("phase") or {}
    counts = {**(phase.get("params") or {}), **phase} if job.kind != "train" else {}
    if share is None and counts.get("total"):
        share = counts.get("done", 0) / counts["total"]
    return {
        "status": job.status,
        "step": step,
        "total_steps": total,
        "epoch": None if num_epochs is None or step is None or not total else round(num_epochs * step / total, 3),
        "num_epochs": num_epochs,
        "percent": 100.0 if job.status == "succeeded" else None if share is None else round(100 * share, 1),
        **{name: known.get(name) for name in METRICS},
        "eta_seconds": known.get("eta_seconds") if job.is_active else None,
        "phase": phase.get("name") if job.is_active else None,
        "message": _message(job, phase),
    }


def _message(job: JobRow, phase: dict[str, Any]) -> dict[str, Any] | None:
    if job.error is not None:
        return {"code": job.error.get("code"), "params": job.error.get("params", {})}
    if job.is_active and phase:
        counts = {name: phase[name] for name in COUNTED if name in phase}
        return {"code": phase.get("name"), "params": {**counts, **(phase.get("params") or {})}}
    return None if job.reason is None else {"code": job.reason, "params": {}}


def _num_epochs(folder: Path) -> float | None:
    """Return how many epochs a training job has."""
    config = frozen_config(folder)
    train = config.get("train")
    if not isinstance(train, dict):
        return None
    if train.get("max_steps") is not None:
        length = steps_per_epoch(config)
        return None if length is None else round(train["max_steps"] / length, 3)
    stages = train.get("stages") or ()
    return sum(stage["epochs"] for stage in stages) if stages else train.get("num_train_epochs")


def steps_per_epoch(config: Mapping[str, Any]) -> int | None:
    """Return how many optimizer steps one pass over the rows of a job takes, None where that is not told."""
    train, num_rows = config.get("train"), config.get("num_rows")
    if not isinstance(train, Mapping) or not isinstance(num_rows, int):
        return None
    return planned_steps({**train, "max_steps": None, "stages": (), "num_train_epochs": 1}, num_rows)


def frozen_config(folder: Path) -> dict[str, Any]:
    """Return the configuration of a job; empty where its folder is gone."""
    path = folder / CONFIG_FILE
    try:
        return _config(path, path.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=256)
def _config(path: Path, _: int) -> dict[str, Any]:
    try:
        found = read_json(path)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
