"""What a trained job can be used for next, told from its folder without loading anything heavy."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from llmlora.core.errors import LlmloraError
from llmlora.core.events import read_job_events
from llmlora.core.free_place import is_free, numbered
from llmlora.core.job import DataSource, read_job
from llmlora.data.asked import asked_of
from llmlora.data.read import iter_examples, read_options
from llmlora.services.export import export_record

ROWS_LOOKED_AT = 1000


@dataclass(frozen=True)
class NextStep:
    """What to do with a trained job; `place` is a folder for its export."""

    verb: Literal["evaluate", "export", "chat"]
    place: Path | None = None


def next_step(job_dir: Path, is_evaluated: bool = False) -> NextStep | None:
    """Return questions, or the export where the data holds none, or a chat where there is no export.

    None where the folder holds no job that can be read (any more).
    """
    try:
        job = read_job(job_dir)
    except LlmloraError:
        return None
    if not is_evaluated and _has_questions(job.data):
        return NextStep("evaluate")
    if not _can_be_exported(job_dir):
        return NextStep("chat")
    return NextStep("export", _export_place(job_dir, job.id))


def _has_questions(source: DataSource) -> bool:
    """Tell whether one of the first rows of a job's data is a question with an answer, as an evaluation needs."""
    try:
        options = read_options(source.format, source.columns, source.encoding)
        return any(asked_of(example) for example in islice(iter_examples(Path(source.path), options), ROWS_LOOKED_AT))
    except (LlmloraError, OSError):
        return False


def _can_be_exported(job_dir: Path) -> bool:
    """Tell whether the job's run has not warned that its model cannot become a GGUF file."""
    return not any(
        event["type"] == "warning" and event["code"] == "not_exportable" for event in read_job_events(job_dir)
    )


def _export_place(job_dir: Path, job_id: str) -> Path:
    """Return a folder beside a job that its export can go to: a new one, or the one that holds it already."""
    wanted = job_dir.with_name(f"{job_dir.name}-export")
    return next(place for place in numbered(wanted) if is_free(place) or _holds_export_of(place, job_id))


def _holds_export_of(place: Path, job_id: str) -> bool:
    try:
        record = export_record(place)
    except LlmloraError:
        return False
    return record is not None and record.get("job_id") == job_id
