"""What a trained job can be used for next, told from its folder without loading anything heavy."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from llmlora.core.errors import LlmloraError
from llmlora.core.events import read_job_events
from llmlora.core.free_place import is_free, numbered
from llmlora.core.job import read_job
from llmlora.data.asked import asked_of
from llmlora.data.read import iter_examples, read_options
from llmlora.services.export import export_record

ROWS_LOOKED_AT = 1000


def is_job(job_dir: Path) -> bool:
    """Tell whether a folder holds a job that can be read."""
    try:
        read_job(job_dir)
    except LlmloraError:
        return False
    return True


def has_questions(job_dir: Path) -> bool:
    """Tell whether one of the first rows of a job's data is a question with an answer, as an evaluation needs."""
    source = read_job(job_dir).data
    try:
        options = read_options(source.format, source.columns, source.encoding)
        return any(asked_of(example) for example in islice(iter_examples(Path(source.path), options), ROWS_LOOKED_AT))
    except (LlmloraError, OSError):
        return False


def can_be_exported(job_dir: Path) -> bool:
    """Tell whether the job's run has not warned that its model cannot become a GGUF file."""
    return not any(
        event["type"] == "warning" and event["code"] == "not_exportable" for event in read_job_events(job_dir)
    )


def export_place(job_dir: Path) -> Path:
    """Return a folder beside a job that its export can go to: a new one, or the one that holds it already."""
    wanted = job_dir.with_name(f"{job_dir.name}-export")
    job_id = read_job(job_dir).id
    return next(place for place in numbered(wanted) if is_free(place) or _holds_export_of(place, job_id))


def _holds_export_of(place: Path, job_id: str) -> bool:
    try:
        record = export_record(place)
    except LlmloraError:
        return False
    return record is not None and record.get("job_id") == job_id
