"""What the command line says of a job, as JSON documents."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from llmlora.services.job_page import job_document
from llmlora.services.queue import Queue
from llmlora.services.queue_progress import progress_document
from llmlora.store.jobs import JobRow

SUMMARY: Final = (
    "id",
    "name",
    "kind",
    "status",
    "reason",
    "stop_request",
    "base_model",
    "dataset_id",
    "eval_dataset_id",
    "created_at",
    "started_at",
    "ended_at",
    "run",
    "parent_id",
    "error",
    "obstacle",
)
RUN: Final = ("run", "started_at", "ended_at", "outcome", "reason", "from_step", "is_exact", "last_step")


def job_summary(queue: Queue, job: JobRow) -> dict[str, Any]:
    """Return what a list says of a job."""
    document = job_document(queue, job)
    progress = progress_document(job, queue.folder_of(job))
    return {
        **{name: document[name] for name in SUMMARY},
        "folder": str(queue.folder_of(job)),
        "percent": progress["percent"],
        "eta_seconds": progress["eta_seconds"],
        "final_loss": (job.result or {}).get("final_loss"),
    }


def job_details(queue: Queue, job: JobRow) -> dict[str, Any]:
    """Return everything about a job: settings, progress, result and its runs."""
    document = job_document(queue, job)
    return {
        **job_summary(queue, job),
        **{name: document[name] for name in ("settings", "reasons", "result", "progress")},
        "runs": [{name: value for name, value in asdict(row).items() if name in RUN} for row in queue.runs(job.id)],
    }
