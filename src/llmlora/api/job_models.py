"""Jobs as the API takes and gives them; shared by the routes of every kind of work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
Identifier = Annotated[str, Path(min_length=1, max_length=64, pattern=PRINTABLE)]
Cursor = Annotated[str | None, Query(max_length=64, pattern=PRINTABLE)]
Limit = Annotated[int, Query(ge=1, le=200)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]
Reference = Annotated[str, Field(min_length=1, max_length=300, pattern=PRINTABLE)]
MOST_NUMBER = 2**31 - 1
Whole = Annotated[int, Query(ge=0, le=2**53)]
Step = Annotated[int, Query(ge=1, le=MOST_NUMBER)]

EXAMPLE_ID = "01M8K3V5E8ZC4Y2Q6T1N9B7R0X"


def answer(**values: Any) -> ConfigDict:
    """Return the configuration of an answer that has an example."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def example(**values: Any) -> ConfigDict:
    """Return the configuration of a body that refuses unknown fields and has an example."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [values]})


# What a route that gives a file says of its answers
BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "A part of the file"},
}


class Action(BaseModel):
    """The next step that a hint words, as data: `values` are sent as they stand.

    change_settings: `settings` of a plan, a new job or a clone. repair_dataset: beside `version` the body of
    POST /api/datasets/{dataset_id}/repair. resume_job, retry_job, cancel_job: POST /api/jobs/{job_id}/resume and so on.
    evaluate: POST /api/evaluations for the job. export: POST /api/exports for the job.
    """

    model_config = answer(name="change_settings", values={"max_length": 512})

    name: Literal["change_settings", "repair_dataset", "resume_job", "retry_job", "cancel_job", "evaluate", "export"]
    values: dict[str, Any]


class JobError(BaseModel):
    """Why a job failed: the code for programs, the rest in the caller's language."""

    code: str | None
    params: dict[str, Any]
    detail: str
    hint: str
    action: Action | None


class Progress(BaseModel):
    """How far a job is; null is not known. `message` says in the caller's language what it does, `phase` names it."""

    model_config = answer(
        status="running", step=12, total_steps=90, epoch=4.0, num_epochs=30.0, percent=13.3, loss=1.71, eval_loss=None,
        learning_rate=0.0017, tokens_per_second=428.3, eta_seconds=21.5, phase="training", message=None,
    )  # fmt: skip

    status: str
    step: int | None
    total_steps: int | None
    epoch: float | None
    num_epochs: float | None
    percent: float | None
    loss: float | None
    eval_loss: float | None
    learning_rate: float | None
    tokens_per_second: float | None
    eta_seconds: float | None
    phase: str | None
    message: str | None


class Learned(BaseModel):
    """What the newest evaluation of a training job counted: facts answered after and before training, of how many.

    `light` says whether anything else was lost (green, yellow or red), null where that was not measured.
    """

    model_config = answer(remembered=6, remembered_before=0, total=7, light="green")

    remembered: int
    remembered_before: int
    total: int
    light: str | None


class JobSummary(BaseModel):
    """A job: `reason` says why it waits, is paused or failed, `stop_request` what its worker was asked for.

    `obstacle` says why a paused, failed or canceled job cannot go on, null where it can. `learned` is null where
    nothing has been evaluated.
    """

    id: str
    kind: str
    name: str
    status: str
    reason: str | None
    stop_request: str | None
    position: float
    run: int
    parent_id: str | None
    created_at: str
    started_at: str | None
    ended_at: str | None
    base_model: str | None
    dataset_id: str | None
    eval_dataset_id: str | None
    error: JobError | None
    obstacle: JobError | None
    progress: Progress
    learned: Learned | None


class Base(BaseModel):
    """The base model of a job: its name, and the digest of its files."""

    name: str | None
    digest: str | None


class DatasetOfJob(BaseModel):
    """A dataset that a job reads: for what, how much of it (null: all), and its name while it is there."""

    id: str
    role: str
    share: float | None
    name: str | None


class Run(BaseModel):
    """One attempt of a job: when, how it ended, and from which checkpoint it went on."""

    run: int
    started_at: str
    ended_at: str | None
    exit_code: int | None
    outcome: str | None
    reason: str | None
    from_checkpoint: str | None
    from_step: int | None
    is_exact: bool | None
    last_step: int | None
    error: JobError | None


class ReplayedRows(BaseModel):
    """Earlier data among the rows of a job: its name, its id (null for a file), its share of all rows, and how many."""

    name: str
    source: str | None = None
    share: float
    num_rows: int


class Best(BaseModel):
    """The lowest loss on held-out rows, and the step where it was measured."""

    eval_loss: float
    step: int


class Job(JobSummary):
    """A job with all that its page shows.

    `reasons` says where each setting came from, `presets` which presets were asked for, `place` where it stands in the
    line, `facts` what its newest evaluation counted, `result_bytes` how large the adapter or model is that it made.
    """

    settings: dict[str, Any]
    reasons: dict[str, str]
    presets: dict[str, str]
    base: Base
    num_rows: int | None
    replay: ReplayedRows | None
    datasets: list[DatasetOfJob]
    runs: list[Run]
    message: str | None
    place: int | None
    result: dict[str, Any] | None
    best: Best | None
    facts: dict[str, Any] | None
    result_bytes: int | None


class JobList(BaseModel):
    """Jobs, the newest first; `next_cursor` is the `before` of the next page."""

    items: list[JobSummary]
    next_cursor: str | None


class JobBatch(BaseModel):
    """The jobs that were queued together, in their order."""

    items: list[Job]
    next_cursor: None = None


class Rename(BaseModel):
    """Another name."""

    model_config = example(name="shop 2")

    name: Name


class Reorder(BaseModel):
    """In front of which waiting job; null is behind all."""

    model_config = example(before=None)

    before: Reference | None


class Clone(BaseModel):
    """The name of the copy (null: the same), and for training settings to change; null takes back what was chosen."""

    model_config = example(name="r=16", settings={"r": 16, "learning_rate": None})

    name: Name | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
