"""How far somebody is in a lesson: each step is checked against the datasets and jobs of the workspace itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from llmlora.core.assets import BASE_MODEL
from llmlora.core.events import step_history
from llmlora.core.layout import tutorials_file
from llmlora.core.publish import disk_errors, read_json, write_json
from llmlora.services.dataset_versions import versions_of
from llmlora.services.evaluate import newest_evaluation
from llmlora.services.queue import Queue
from llmlora.services.queue_progress import frozen_config, steps_per_epoch
from llmlora.services.tutorials import Lesson, LessonJob, Step
from llmlora.store import datasets
from llmlora.store.datasets import DatasetRow
from llmlora.store.jobs import MOST_ROWS
from llmlora.store.statuses import ENDED

State = Literal["done", "open", "running", "differs"]
BY_MODEL: Final = ("learning_rate", "num_train_epochs", "per_device_train_batch_size", "max_length")
READ_STEPS: Final = ("read", "chat")  # leave nothing in a workspace that could be looked at


@dataclass(frozen=True)
class Finding:
    """What was found, or what differs from the lesson: a code and its values."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepState:
    """How far a step is, what was found, and the job or dataset that it is about."""

    step: Step
    state: State
    findings: tuple[Finding, ...] = ()
    job_id: str | None = None
    dataset_id: str | None = None


@dataclass(frozen=True)
class DoneJob:
    """A training job on the data of a lesson: its folder, and its id and status where the workspace has it."""

    folder: Path
    status: str
    id: str | None = None

    @property
    def train(self) -> Mapping[str, Any]:
        """The settings it was started with."""
        return dict(frozen_config(self.folder).get("train") or {})

    @property
    def base_model(self) -> str:
        """The model that it trains, as it was named."""
        return str(frozen_config(self.folder).get("base_model"))


def steps_of(queue: Queue, lesson: Lesson) -> list[StepState]:
    """Return how far each step of a lesson is in this workspace."""
    chosen = _jobs_of_lesson(lesson, _candidates(queue, lesson))
    marked = read_progress(queue.database.home).get(str(lesson.level), {}).get("read", [])
    states = []
    for step in lesson.steps:
        if step.kind in READ_STEPS:
            states.append(StepState(step, "done" if step.id in marked else "open"))
        elif step.kind == "dataset":
            states.append(_dataset_step(queue, lesson, step))
        else:
            states.append(job_step(lesson, step, chosen.get(step.job or "")))
    return states


def read_progress(home: Path) -> dict[str, Any]:
    """Return what the workspace keeps of the course, by level: `folder` of practice and the steps that were `read`."""
    path = tutorials_file(home)
    return dict(read_json(path)) if path.is_file() else {}


def mark_read(home: Path, lesson: Lesson, step: Step, is_read: bool = True) -> None:
    """Keep that a step was read, or that it was not."""
    progress = read_progress(home)
    entry = progress.setdefault(str(lesson.level), {})
    known = [name for name in entry.get("read", []) if name != step.id]
    entry["read"] = [*known, step.id] if is_read else known
    with disk_errors(home):
        write_json(tutorials_file(home), progress)


def keep_folder(home: Path, lesson: Lesson, folder: Path) -> None:
    """Keep where the commands of a lesson are practised: jobs in there count as well."""
    progress = read_progress(home)
    progress.setdefault(str(lesson.level), {})["folder"] = str(folder.absolute())
    with disk_errors(home):
        write_json(tutorials_file(home), progress)


def _dataset_step(queue: Queue, lesson: Lesson, step: Step) -> StepState:
    """Tell whether the workspace has the lesson's data, to the byte."""
    rows, sha256 = _all_datasets(queue), lesson.data_sha256
    found = next((row for row in rows if row.sha256 == sha256), None)
    if found is not None:
        params = {"name": found.name, "rows": found.num_examples}
        return StepState(step, "done", (Finding("dataset", params),), dataset_id=found.id)
    edited = next((row for row in rows if _was_once(queue, row, sha256)), None)
    if edited is None:
        return StepState(step, "open")
    params = {"name": edited.name, "file": lesson.dataset}
    return StepState(step, "differs", (Finding("dataset_edited", params),), dataset_id=edited.id)


def _was_once(queue: Queue, row: DatasetRow, sha256: str) -> bool:
    """Tell whether an earlier version of a dataset was this file."""
    return row.version > 1 and any(known.sha256 == sha256 for known in versions_of(queue.database, row.id))


def _all_datasets(queue: Queue) -> list[DatasetRow]:
    with queue.database.read() as connection:
        return datasets.page(connection, limit=MOST_ROWS)


def _candidates(queue: Queue, lesson: Lesson) -> Iterator[DoneJob]:
    """Yield the jobs on the lesson's data, the newest first: of the workspace, then of the folder of practice."""
    sha256 = lesson.data_sha256
    for row in queue.page(kinds=("train",), limit=MOST_ROWS).items:
        folder = queue.folder_of(row)
        if _data_digest(folder) == sha256:
            yield DoneJob(folder, row.status, row.id)
    practice = read_progress(queue.database.home).get(str(lesson.level), {}).get("folder")
    for folder in sorted(Path(practice).iterdir(), reverse=True) if practice and Path(practice).is_dir() else ():
        if _data_digest(folder) == sha256:
            yield DoneJob(folder, "succeeded" if (folder / "adapter").is_dir() else "running")


def _data_digest(folder: Path) -> str | None:
    data = frozen_config(folder).get("data")
    return data.get("sha256") if isinstance(data, dict) else None


def _jobs_of_lesson(lesson: Lesson, candidates: Iterable[DoneJob]) -> dict[str, DoneJob]:
    """Return which job stands for which of the lesson's: each counts for the one that it differs from the least."""
    by_key: dict[str, list[DoneJob]] = {}
    for job in candidates:
        nearest = min(lesson.jobs, key=lambda key: len(different_settings(lesson.jobs[key], job)))
        by_key.setdefault(nearest, []).append(job)

    def rank(key: str, job: DoneJob) -> tuple[int, bool]:
        return len(different_settings(lesson.jobs[key], job)), job.status in ("failed", "canceled")

    return {key: min(found, key=lambda job: rank(key, job)) for key, found in by_key.items()}


def different_settings(planned: LessonJob, job: DoneJob) -> list[Finding]:
    """Return the settings in which a job differs from the lesson's; with another base what depends on it may differ."""
    is_same_base = job.base_model == BASE_MODEL
    wanted = planned.measured.get("settings", {})
    found = job.train
    return [
        Finding("setting", {"name": name, "expected": _worded(value), "found": _worded(found.get(name))})
        for name, value in wanted.items()
        if found.get(name) != value and (is_same_base or name not in BY_MODEL)
    ]


def _worded(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_worded(item) for item in value) or "-"
    return "-" if value is None else str(value)


def job_step(lesson: Lesson, step: Step, job: DoneJob | None) -> StepState:
    """Judge a step by the job that was made for it: its settings, its losses, or what it has learned."""
    if job is None or step.job is None:
        return StepState(step, "open")
    planned = lesson.jobs[step.job]
    if job.status not in ENDED:
        return StepState(step, "running", job_id=job.id)
    if job.status != "succeeded":
        return StepState(step, "differs", (Finding("job_not_succeeded", {"status": job.status}),), job.id)
    if step.kind == "job":
        differences = different_settings(planned, job)
        return StepState(step, "differs" if differences else "done", tuple(differences) or _made(job), job.id)
    if job.base_model != BASE_MODEL:
        return StepState(step, "done", (Finding("other_base", {"name": job.base_model}),), job.id)
    if step.kind == "loss":
        return _loss_step(step, planned, job)
    return _facts_step(step, planned, job)


def _made(job: DoneJob) -> tuple[Finding, ...]:
    return (Finding("job", {"folder": job.folder.name if job.id is None else job.id[-8:]}),)


def _loss_step(step: Step, planned: LessonJob, job: DoneJob) -> StepState:
    """Compare the mean loss of each epoch with the range that was measured."""
    losses, ranges = epoch_losses(job.folder), planned.measured["loss"]
    outside = [
        Finding("loss_outside", {"epoch": epoch, "loss": losses[epoch], "low": low, "high": high})
        for epoch, (low, high) in ((int(name), values) for name, values in ranges.items())
        if epoch in losses and not low <= losses[epoch] <= high
    ]
    if outside:
        return StepState(step, "differs", tuple(outside[:3]), job.id)
    if not losses:
        return StepState(step, "open", job_id=job.id)
    last = max(losses)
    return StepState(step, "done", (Finding("losses", {"epochs": last, "loss": losses[last]}),), job.id)


def epoch_losses(folder: Path) -> dict[int, float]:
    """Return the mean loss of each whole epoch of a job, rounded to two digits."""
    length = steps_per_epoch(frozen_config(folder))
    sums: dict[int, list[float]] = {}
    for record in step_history(folder) if length else ():
        if isinstance(record.get("loss"), float):
            sums.setdefault(1 + (record["step"] - 1) // (length or 1), []).append(record["loss"])
    return {epoch: round(sum(found) / len(found), 2) for epoch, found in sums.items()}


def _facts_step(step: Step, planned: LessonJob, job: DoneJob) -> StepState:
    """Compare the facts of the newest evaluation with those that were measured."""
    report = newest_evaluation(job.folder)
    if report is None or not report.get("facts"):
        return StepState(step, "open", job_id=job.id)
    facts = report["facts"]
    told = (
        ("facts", facts["as_trained"], facts["asked_as_trained"], planned.measured["facts"]),
        ("other_words", facts["in_other_words"], facts["asked_in_other_words"], planned.measured["other_words"]),
    )
    findings, is_less = [], False
    for name, known, total, measured in told:
        if total == 0:  # a dataset of one's own has no questions in other words
            continue
        low, high = measured["known"]
        is_less = is_less or (total == measured["total"] and known < low)
        code = name if known >= low else f"{name}_fewer"
        findings.append(Finding(code, {"known": known, "total": total, "low": low, "high": high}))
    return StepState(step, "differs" if is_less else "done", tuple(findings), job.id)
