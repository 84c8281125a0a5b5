"""The numbers of a training job as a page draws them: curves of few points in which no spike is lost, and epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from llmlora.core.errors import NotFound
from llmlora.services.queue import Queue
from llmlora.services.queue_progress import frozen_config, steps_per_epoch
from llmlora.store.metrics import MOST_STEPS, Bucket

SHOWN: Final = ("loss", "eval_loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_bytes")
COLUMNS: Final = ("first_step", "last_step", "lowest", "highest", "mean")


def curves_of(
    queue: Queue, job_id: str, names: Sequence[str], num_points: int, first_step: int, last_step: int
) -> dict[str, Any]:
    """Return the curves of metrics between two steps, each as columns; one that has no values is empty.

    Raises:
        NotFound: the job. ConfigError: `unknown_metric`.
    """
    job = queue.get(job_id)
    found = queue.curves(job_id, names or SHOWN, num_points, first_step, last_step)
    return {
        "step": job.progress.get("step"),
        "total_steps": job.progress.get("total_steps"),
        "curves": {name: _columns(buckets) for name, buckets in found.items()},
    }


def curves_of_jobs(queue: Queue, job_ids: Sequence[str], names: Sequence[str], num_points: int) -> list[dict[str, Any]]:
    """Return the whole curves of several jobs, each with its `job_id`; a job that is gone is left out.

    Raises:
        ConfigError: `unknown_metric`.
    """
    found = []
    for job_id in job_ids:
        try:
            found.append({"job_id": job_id, **curves_of(queue, job_id, names, num_points, 1, MOST_STEPS)})
        except NotFound:  # deleted since it was listed
            continue
    return found


def _columns(buckets: Sequence[Bucket]) -> dict[str, Any]:
    is_exact = all(bucket.first_step == bucket.last_step for bucket in buckets)
    return {"is_exact": is_exact, **{name: [getattr(bucket, name) for bucket in buckets] for name in COLUMNS}}


def epochs_of(queue: Queue, job_id: str) -> list[dict[str, Any]]:
    """Return the newest 1,000 epochs of a training job, ascending; nothing where its folder does not tell their length.

    Raises:
        NotFound: the job.
    """
    job = queue.get(job_id)
    length = steps_per_epoch(frozen_config(queue.folder_of(job)))
    return [] if length is None else [asdict(epoch) for epoch in queue.epochs(job_id, length)]
