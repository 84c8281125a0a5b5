"""What is in a dataset: its rows, their problems, numbers, the rows as a model is trained on, the jobs that read it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.routes.datasets import PRINTABLE, Identifier, Limit, RowProblem
from llmlora.services import dataset_view
from llmlora.services.dataset_view import RowWish, TrainingWish

router = APIRouter(prefix="/api/datasets/{dataset_id}", tags=["datasets"], route_class=IdempotentRoute)
Place = Annotated[int, Query(ge=0, le=1 << 40, description="Where the page before has ended.")]
Code = Annotated[str | None, Query(max_length=64, pattern=PRINTABLE, description="Code of a problem.")]
Model = Annotated[str, Query(min_length=1, max_length=200)]
MaxLength = Annotated[int | None, Query(ge=8, le=1 << 20, description="Tokens per row; without it the model's own.")]


class DatasetRow(BaseModel):
    """One row as it stands in the file, and as it is trained on.

    `fields` is null for a row that cannot be read, `text` is its line then; `example` is null for a row that cannot be
    trained on. Texts are cut to 4,000 characters (`is_shortened`).
    """

    row: int
    line: int | None
    fields: dict[str, Any] | None
    text: str | None
    example: dict[str, Any] | None
    is_shortened: bool
    problems: list[RowProblem]


class DatasetRows(BaseModel):
    """A page of rows; `next_cursor` is the `cursor` of the next page, so any row number can be jumped to."""

    items: list[DatasetRow]
    next_cursor: str | None
    num_rows: int
    version: int


class DatasetProblems(BaseModel):
    """A page of problems, errors first; of each code the first 10,000 are listed, `counts` cover all."""

    items: list[RowProblem]
    next_cursor: str | None
    counts: dict[str, int]
    version: int


class Bar(BaseModel):
    """How many numbers are larger than `over` and at most `up_to`."""

    over: int
    up_to: int
    count: int


class Quantiles(BaseModel):
    """Smallest, mean, median, 95th percentile and largest of many numbers; nothing where there are none."""

    min: float | None = None
    mean: float | None = None
    median: float | None = None
    p95: float | None = None
    max: float | None = None


class TokenCounts(Quantiles):
    """Tokens of the training rows at their full length; `num_end_learned` rows end in a learned end token."""

    num_rows: int
    total: int
    learned: int
    num_end_learned: int
    histogram: list[Bar]


class DatasetStats(BaseModel):
    """Numbers about a dataset; those in tokens only where a model was named, null where older checks did not count."""

    version: int
    num_rows: int | None
    num_examples: int
    num_bytes: int
    num_characters: int | None
    characters: Quantiles | None
    answer_characters: Quantiles | None
    turns: Quantiles | None
    answers: Quantiles | None
    histograms: dict[str, list[Bar]]
    learned_share: float | None
    languages: dict[str, float]
    duplicates: dict[str, int]
    style: dict[str, int] | None
    personal_data: dict[str, int]
    columns: dict[str, Any]
    size_class: str | None
    terms_per_100_characters: float | None
    tokens: TokenCounts | None


class Span(BaseModel):
    """A piece of a training row: `learned` tells whether the loss counts its tokens.

    `kind`: learned; context; masked (an answer that its author kept out); special (one control token); cut (behind
    max_length); bytes (a character of several tokens, or one that the tokenizer does not know).
    """

    text: str
    kind: Literal["learned", "context", "special", "masked", "cut", "bytes"]
    learned: bool
    num_tokens: int


class TrainingRow(BaseModel):
    """One training row of example `row`, in spans."""

    row: int
    num_tokens: int
    num_label_tokens: int
    num_cut: int
    end_token_trained: bool
    num_characters: int
    spans: list[Span]


class LengthTrial(BaseModel):
    """What a max_length does: rows it cuts, and rows that lose their whole answer (the first 100 by number)."""

    max_length: int
    num_cut: int
    num_vanished: int
    vanished_rows: list[int]


class DatasetPreview(BaseModel):
    """A dataset as it would be trained on; with a `refusal` training would refuse it, and there are no rows."""

    items: list[TrainingRow]
    next_cursor: str | None
    version: int
    num_examples: int
    num_rows: int
    num_tokens: int
    num_label_tokens: int
    num_truncated: int
    max_length: int
    template: str
    template_source: str
    unknown_share: float
    tokens: TokenCounts
    lengths: list[LengthTrial]
    refusal: dict[str, Any] | None


class DatasetUser(BaseModel):
    """A job that reads a dataset."""

    id: str
    kind: str
    name: str
    status: str
    created_at: str


class DatasetUsers(BaseModel):
    """The jobs that read a dataset, the newest first."""

    items: list[DatasetUser]
    next_cursor: str | None


@router.get("/rows")
def dataset_rows(
    request: Request,
    dataset_id: Identifier,
    cursor: Place = 0,
    limit: Limit = 50,
    q: Annotated[str, Query(max_length=200)] = "",
    problem: Code = None,
) -> DatasetRows:
    """Show rows: those behind row `cursor`, with `q` in their texts, or with a problem of a code."""
    wish = RowWish(cursor, limit, q, problem)
    return DatasetRows.model_validate(dataset_view.rows_of(request.app.state.platform.database, dataset_id, wish))


@router.get("/problems")
def dataset_problems(
    request: Request, dataset_id: Identifier, cursor: Place = 0, limit: Limit = 50, code: Code = None
) -> DatasetProblems:
    """List what is wrong or worth knowing, each with its place and the next step."""
    database = request.app.state.platform.database
    return DatasetProblems.model_validate(dataset_view.problems_of(database, dataset_id, code, cursor, limit))


@router.get("/stats")
def dataset_stats(
    request: Request,
    dataset_id: Identifier,
    model: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    max_length: MaxLength = None,
) -> DatasetStats:
    """Return numbers: lengths, turns, languages, style, duplicates, personal data; with `model` also tokens."""
    wish = None if model is None else TrainingWish(model, max_length=max_length, limit=0)
    return DatasetStats.model_validate(dataset_view.stats_of(request.app.state.platform.database, dataset_id, wish))


@router.get("/preview")
def preview_dataset(
    request: Request,
    dataset_id: Identifier,
    model: Model,
    template: Annotated[str | None, Query(max_length=64)] = None,
    max_length: MaxLength = None,
    lengths: Annotated[list[Annotated[int, Field(ge=8, le=1 << 20)]], Query(max_length=32)] = [],  # noqa: B006
    cursor: Place = 0,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> DatasetPreview:
    """Show training rows token by token, what is learned of each, and what other lengths would cut."""
    wish = TrainingWish(model, template, max_length, cursor, limit, tuple(lengths))
    return DatasetPreview.model_validate(
        dataset_view.training_rows(request.app.state.platform.database, dataset_id, wish)
    )


@router.get("/jobs")
def dataset_jobs(request: Request, dataset_id: Identifier) -> DatasetUsers:
    """List the jobs that read a dataset, ended ones too."""
    found = dataset_view.users_of(request.app.state.platform.database, dataset_id)
    items = [DatasetUser.model_validate(job, from_attributes=True) for job in found]
    return DatasetUsers(items=items, next_cursor=None)
