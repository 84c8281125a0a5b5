"""Put a planned training job into the queue: its folder first, then its row."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from llmlora.core.job import JobConfig
from llmlora.services.job_folder import write_job_folder
from llmlora.services.queue import Queue
from llmlora.store.jobs import DatasetUse, JobRow
from llmlora.store.records import data_name, datasets_read


def queue_training(queue: Queue, job: JobConfig) -> JobRow:
    """Write the folder of a planned job into the workspace, and queue it under the name of its data.

    Raises: those of `queue_job`.
    """
    home, config = queue.database.home, job.to_json()
    return queue_job(queue, job, name=data_name(home, config), datasets=datasets_read(home, config))


def queue_job(queue: Queue, job: JobConfig, *, name: str, datasets: Sequence[DatasetUse] = ()) -> JobRow:
    """Write the folder of a job into the workspace, and queue it.

    Raises:
        ResourceError: the folder cannot be written. DiskFull: there is no room for the row.
    """
    folder = write_job_folder(job)
    try:
        return queue.submit("train", folder, name=name, datasets=datasets, job_id=job.id)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # else the next server would find work that nobody was promised
        raise
