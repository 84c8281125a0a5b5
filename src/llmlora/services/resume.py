"""Whether a stopped or killed job can go on: it is finished already, or all that it reads is there and unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmlora.catalog.job_inputs import check_job_inputs
from llmlora.core.errors import ConfigError
from llmlora.core.job import JobConfig, read_job, stopped_early, update_job
from llmlora.core.layout import ADAPTER_DIR, MODEL_DIR, RESULT_FILE, run_dir, run_numbers
from llmlora.core.publish import read_document
from llmlora.services.outside_readers import note_reader
from llmlora.services.resume_places import STAYED, NewPlaces

PLACES = ("base_model", "base_dir", "data", "eval_data", "places")  # what changes in a job whose files were moved


@dataclass(frozen=True)
class PlannedResume:
    """A job that can go on with its files where they lie now; or the `result` of one that has ended."""

    folder: Path
    job: JobConfig
    is_moved: bool = False
    result: dict[str, Any] | None = None


def plan_resume(folder: Path, places: NewPlaces = STAYED) -> PlannedResume:
    """Check that a job can go on; nothing is written.

    `places` says where base model, data, template and first adapter lie now, if they were moved; their bytes must be
    the same.

    Raises:
        NotFound: not a job folder, or base model or data are gone.
        Conflict: the data, the base model or another file of the job changed since it was made.
        Stopped: Ctrl-C while files were compared.
    """
    job = read_job(folder)
    folder = folder.absolute()
    result = _finished_result(folder, job)
    if result is not None:
        return PlannedResume(folder, job, result=result)
    try:
        moved, base = places.applied(job, folder)
        check_job_inputs(moved, base)
    except KeyboardInterrupt as error:  # reading large files takes its time
        raise stopped_early(folder) from error
    return PlannedResume(folder, moved, is_moved=moved != job)  # or a bundled model of a newer installation, same bytes


def write_resume(planned: PlannedResume) -> Path:
    """Keep the new places of moved files in the job's folder, and return it; nothing runs."""
    note_reader(planned.job, planned.folder)
    if planned.is_moved:
        values = planned.job.to_json()
        update_job(planned.folder, **{name: values[name] for name in PLACES})
    return planned.folder


def _finished_result(folder: Path, job: JobConfig) -> dict[str, Any] | None:
    """Return the summary of a finished job whose result is still there, wherever the folder lies now."""
    trained = folder / (MODEL_DIR if job.method == "full" else ADAPTER_DIR)
    for run in reversed(run_numbers(folder)):
        path = run_dir(folder, run) / RESULT_FILE
        if path.is_file() and trained.is_dir():
            return {**read_document(path), "adapter_dir": str(trained)}
    return None


def refuse_with_resume(*others: Any) -> None:
    """Raise ConfigError when settings are given beside the job to go on with: its own config.json says all."""
    if any(others):
        raise ConfigError("resume_alone")
