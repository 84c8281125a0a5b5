"""Training jobs as the API takes them, plans them, and tells what they have measured, written and made."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from llmlora.api.evaluation_models import EvaluationReport
from llmlora.api.job_models import EXAMPLE_ID, Action, Name, Reference, answer, example
from llmlora.services.recipe import DEFAULT_SHARE, ReplayWish
from llmlora.services.replay import LARGEST_SHARE
from llmlora.services.training_jobs import TrainingWish

Share = Annotated[float, Field(gt=0, le=1)]


class Replay(BaseModel):
    """Earlier data to mix in, so that it is kept: the id of a dataset, or of a job that was trained on it.

    `share` is that of its rows among all; where it has too few of them all are taken.
    """

    model_config = ConfigDict(extra="forbid")

    source: Reference
    share: Annotated[float, Field(gt=0, le=LARGEST_SHARE)] = DEFAULT_SHARE


class Wish(BaseModel):
    """A model by name, presets, settings as in /api/presets and on the command line, and earlier data to mix in."""

    model_config = ConfigDict(extra="forbid")

    base_model: Reference
    name: Name | None = None
    eval_dataset_id: Reference | None = None
    preset: Reference | None = None
    training_preset: Reference | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    replay: Replay | None = None

    def asked(self) -> TrainingWish:
        """Return what is asked for as the services take it."""
        values = self.model_dump(exclude={"probe", "replay"})
        return TrainingWish(**values, replay=None if self.replay is None else ReplayWish(**self.replay.model_dump()))


class PlanRequest(Wish):
    """A training job to plan: a model and a dataset. `probe` takes a few real steps, which may last minutes."""

    model_config = example(base_model="nano", dataset_id=EXAMPLE_ID, settings={"num_train_epochs": 5})

    dataset_id: Reference
    probe: bool | None = None


class TrainingRequest(Wish):
    """A training job: a model, and either one dataset or several as one, with the share of rows taken of each."""

    model_config = example(name="shop", base_model="nano", dataset_id=EXAMPLE_ID, settings={"num_train_epochs": 5})

    dataset_id: Reference | None = None
    dataset_ids: list[Reference] = Field(default_factory=list, max_length=20)
    shares: list[Share] | None = Field(None, max_length=20)


class RecipeText(BaseModel):
    """The content of a recipe in YAML or JSON, and its file's name for messages."""

    model_config = example(text="base_model: nano\ndata: shop.jsonl\nr: 16\n", file_name="recipe.yaml")

    text: Annotated[str, Field(max_length=100_000)]
    file_name: Name = "recipe.yaml"


class RecipeReplay(BaseModel):
    """Earlier data that a recipe mixes in: the id of a dataset or of a job, and the share of its rows among all."""

    source: str
    share: float


class RecipeWish(BaseModel):
    """What a recipe asks for; null is not found here, `missing` holds the recipe's own words for it by their key.

    `settings` are those that differ from what is recommended.
    """

    model_config = answer(
        base_model="nano",
        dataset_id=None,
        eval_dataset_id=None,
        replay=None,
        settings={"r": 16},
        missing={"data": "shop.jsonl"},
    )

    base_model: str | None
    dataset_id: str | None
    eval_dataset_id: str | None
    replay: RecipeReplay | None
    settings: dict[str, Any]
    missing: dict[str, str]


class VaryRequest(BaseModel):
    """A training job whose settings, datasets (`dataset_ids`), presets or model are varied: a job per combination."""

    model_config = example(base={"base_model": "nano", "dataset_id": EXAMPLE_ID}, vary={"r": [4, 8]})

    base: dict[str, Any]
    vary: dict[str, Annotated[list[Any], Field(min_length=1, max_length=50)]] = Field(min_length=1, max_length=10)


class BatchRequest(BaseModel):
    """Training jobs to queue together, all or none, at most 50."""

    model_config = example(jobs=[{"base_model": "nano", "dataset_id": EXAMPLE_ID, "preset": "light"}])

    jobs: list[TrainingRequest] = Field(min_length=1, max_length=50)


class Curve(BaseModel):
    """A metric as columns: from which to which step, its lowest, highest and mean value there.

    `is_exact`: every value has a point of its own. Else neighbouring steps share one, and no spike is lost.
    """

    model_config = answer(is_exact=False, first_step=[1], last_step=[3], lowest=[4.3], highest=[7.0], mean=[6.0])

    is_exact: bool
    first_step: list[int]
    last_step: list[int]
    lowest: list[float]
    highest: list[float]
    mean: list[float]


class Curves(BaseModel):
    """The curves of a job by metric; one without values has empty columns."""

    step: int | None
    total_steps: int | None
    curves: dict[str, Curve]


class CurvesOfJob(Curves):
    """The curves of a job in a list of jobs."""

    job_id: str


class CurvesList(BaseModel):
    """The curves of several jobs."""

    items: list[CurvesOfJob]
    next_cursor: None = None


class Epoch(BaseModel):
    """One pass over the rows: mean and lowest loss, the last loss on held-out rows, the mean speed."""

    epoch: int
    first_step: int
    last_step: int
    loss: float | None
    lowest_loss: float | None
    eval_loss: float | None
    tokens_per_second: float | None


class EpochList(BaseModel):
    """The newest 1,000 epochs of a job, ascending."""

    items: list[Epoch]
    next_cursor: None = None


class Log(BaseModel):
    """A piece of a log, as text; `offset` is the `after` of the next one, `runs` are the attempts that have a log."""

    run: int
    runs: list[int]
    text: str
    begins_at: int
    offset: int
    num_bytes: int


class Event(BaseModel):
    """One event of a job as the stream has it."""

    id: int
    type: str
    run: int
    seq: int | None
    time: str
    data: dict[str, Any]


class EventList(BaseModel):
    """Events, the oldest first; `next_cursor` is the `after` of the next page."""

    items: list[Event]
    next_cursor: str | None


class Checkpoint(BaseModel):
    """A saved state; `is_whole` says that every file of its manifest is there in full length."""

    step: int
    run: int
    name: str
    num_bytes: int
    created_at: str
    is_whole: bool


class CheckpointList(BaseModel):
    """Checkpoints, the newest step first."""

    items: list[Checkpoint]
    next_cursor: None = None


class JobFile(BaseModel):
    """A file of a job by its name below the job's folder; `sha256` where it is recorded and the file unchanged."""

    model_config = answer(
        name="adapter/adapter_config.json", num_bytes=1203, changed_at="2026-11-29T23:56:23+00:00",
        sha256="74c85379fc7941eca8808f623ed684f0e3e9958bf56dc0490da34acd242a9381",
    )  # fmt: skip

    name: str
    num_bytes: int
    changed_at: str
    sha256: str | None


class FileList(BaseModel):
    """The first 2,000 files of a job."""

    items: list[JobFile]
    next_cursor: None = None


class Finding(BaseModel):
    """One thing that a job's numbers say: `params` are its evidence, `text` and `advice` the words.

    `settings` are the changes for POST /api/jobs/{job_id}/clone that mend it; null is not known. `action` is the next
    step as data, also where it is no change of settings.
    """

    model_config = answer(
        type="finding", code="still_falling", step=None, params={"first": "6.016", "last": "1.714"},
        text="The loss is still falling (6.016 → 1.714): a longer run can learn more.",
        advice="The run has fewer steps than recommended for these rows.", settings={"max_steps": None},
        action={"name": "change_settings", "values": {"max_steps": None}},
    )  # fmt: skip

    type: Literal["error", "finding", "warning"]
    code: str | None
    step: int | None
    params: dict[str, Any]
    text: str
    advice: str | None
    settings: dict[str, Any] | None
    action: Action | None


class FindingList(BaseModel):
    """What is known of a job, the gravest first."""

    items: list[Finding]
    next_cursor: None = None


class Reports(BaseModel):
    """The reports of a job: of its training when it has ended, and of its newest evaluation."""

    training: dict[str, Any] | None
    evaluation: EvaluationReport | None


class PlanProblem(BaseModel):
    """One thing that is wrong with a job that is not started yet: the field of the request it is about, and words."""

    model_config = answer(
        field="settings.r", code="bad_value", params={"field": "r", "value": 0},
        detail="r = 0: must be at least 1", hint="Correct the values.", action=None,
    )  # fmt: skip

    field: str
    code: str
    params: dict[str, Any]
    detail: str
    hint: str
    action: Action | None


class PlanWarning(BaseModel):
    """What is known to go wrong although it can start; `settings` mend it."""

    code: str
    params: dict[str, Any]
    text: str
    settings: dict[str, Any]


class Range(BaseModel):
    """From a low to a high value."""

    low: float
    high: float


class MemoryNeed(BaseModel):
    """Memory that a run needs at its peak, and what is free."""

    needed_bytes: int
    free_bytes: int


class DiskNeed(MemoryNeed):
    """Disk that a run needs at its peak, what is free, and what of it has to stay free."""

    reserve_bytes: int


class PlanProbe(BaseModel):
    """What a few real steps have shown: seconds of the whole run and of one step, memory at its peak."""

    seconds: float
    seconds_per_step: float
    memory_bytes: int


class Plan(BaseModel):
    """What a training job would do and need; null is not known.

    `fits` false: it cannot start as it is; `problems` say why, all at once, and `change` holds the settings with which
    it would fit, ready to send. `tokens` are those of the rows, `learned_tokens` those of them that are learned;
    `minutes` and `memory` are arithmetic, and null where a GPU computes; with `probe` they are measured.
    """

    fits: bool
    problems: list[PlanProblem]
    rows: int | None
    train_rows: int | None
    rows_truncated: int | None
    tokens: int | None
    learned_tokens: int | None
    steps: int | None
    steps_per_epoch: int | None
    effective_batch: int | None
    minutes: Range | None
    memory: MemoryNeed | None
    disk: DiskNeed | None
    license: str | None
    warnings: list[PlanWarning]
    settings: dict[str, Any]
    reasons: dict[str, str]
    recommended: dict[str, Any]
    change: dict[str, Any] | None
    probe: PlanProbe | None
