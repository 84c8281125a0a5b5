"""Datasets: made from rows or from a file, looked at, deleted."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, File, Form, Path, Query, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field, Json

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import Action
from llmlora.core.errors import Forbidden
from llmlora.services import fetch_url, kept_datasets
from llmlora.services.kept_datasets import NewDataset, dataset_document

router = APIRouter(prefix="/api/datasets", tags=["datasets"], route_class=IdempotentRoute)
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]
Description = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Identifier = Annotated[str, Path(min_length=1, max_length=64, pattern=PRINTABLE)]
Cursor = Annotated[str | None, Query(max_length=64, pattern=PRINTABLE)]
Columns = Annotated[dict[str, str], Field(max_length=20)]
Limit = Annotated[int, Query(ge=1, le=200)]


class DatasetRequest(BaseModel):
    """Rows to keep as a dataset; `type` is instruction, chat, completion or text, or its Japanese word."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = ""
    type: str | None = Field(None, max_length=20)
    examples: list[dict[str, Any]] = Field(min_length=1)


class UrlRequest(BaseModel):
    """The address of a file, https only, and what is said of the dataset that it becomes."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=9, max_length=2000)
    name: Name | None = None
    description: Description = ""
    type: str | None = Field(None, max_length=20)
    encoding: str | None = Field(None, max_length=32)
    columns: Columns | None = Field(None, alias="map")


class DatasetSummary(BaseModel):
    """A dataset; one with `ok` false cannot be trained on. An edit makes the next `version`, `change` says how."""

    id: str
    name: str
    description: str
    type: str | None
    format: str | None
    encoding: str | None
    num_examples: int
    num_bytes: int
    sha256: str
    ok: bool
    version: int
    columns: dict[str, str]
    change: dict[str, Any] | None
    created_at: str


class EncodedLine(BaseModel):
    """A line of a file as UTF-8 shows it, and as an encoding does."""

    line: int
    before: str
    after: str


class EncodingProposal(BaseModel):
    """An encoding that reads a whole file."""

    encoding: str
    lines: list[EncodedLine]


class Column(BaseModel):
    """A column of a file, and what stands in its first rows."""

    name: str
    examples: list[str]


class ColumnDoubt(BaseModel):
    """Columns whose meaning is not clear, and the likeliest one: field -> column."""

    names: list[Column]
    map: dict[str, str]


class Doubts(BaseModel):
    """What only a person can tell; the answers are `encoding` and `map` of an upload or a repair."""

    encodings: list[EncodingProposal]
    columns: ColumnDoubt | None


class RowProblem(BaseModel):
    """One finding about a row, or about the whole file; lines and rows count from 1."""

    level: Literal["error", "warning"]
    code: str
    line: int | None
    row: int | None
    column: int | None
    field: str | None
    message: str
    hint: str
    action: Action | None
    params: dict[str, Any]


class Dataset(DatasetSummary):
    """A dataset with what its check has found: the first 20 problems of each code, numbers, and what is in doubt."""

    problems: list[RowProblem]
    stats: dict[str, Any]
    doubts: Doubts | None


class DatasetList(BaseModel):
    """Datasets, the newest first; `next_cursor` is the `before` of the next page."""

    items: list[DatasetSummary]
    next_cursor: str | None


def label_of(file_name: str) -> str:
    """Return what a dataset is called after the name of the file that came."""
    stem = PurePath(file_name.replace("\\", "/")).stem
    return "".join(letter for letter in stem if letter.isprintable())[:200] or "data"


@router.get("")
def list_datasets(request: Request, before: Cursor = None, limit: Limit = 50) -> DatasetList:
    """List the datasets, the newest first."""
    page = kept_datasets.page_of_datasets(request.app.state.platform.database, before, limit)
    return DatasetList.model_validate(
        {"items": [dataset_document(row) for row in page.items], "next_cursor": page.next_cursor}
    )


@router.post("", status_code=201)
def create_dataset(request: Request, wish: DatasetRequest) -> Dataset:
    """Make a dataset from rows; bad rows are kept and named, `ok` is false then."""
    new = NewDataset(wish.name, wish.description, wish.type)
    row = kept_datasets.keep_examples(request.app.state.platform.database, new, wish.examples)
    return Dataset.model_validate(dataset_document(row))


@router.post("/upload", status_code=201)
def upload_dataset(
    request: Request,
    file: Annotated[UploadFile, File()],
    name: Annotated[str | None, Form(max_length=200, pattern=PRINTABLE)] = None,
    description: Annotated[str, Form(max_length=2000, pattern=r"^[^\x00]*$")] = "",
    type: Annotated[str | None, Form(max_length=20)] = None,  # noqa: A002 - the name of the field
    encoding: Annotated[str | None, Form(max_length=32)] = None,
    columns: Annotated[Json[Columns] | None, Form(alias="map", max_length=4000)] = None,
) -> Dataset:
    """Make a dataset from a file; bad rows are kept and named, what is no dataset at all is refused."""
    file_name = file.filename or ""
    new = NewDataset(name or label_of(file_name), description, type, file_name, encoding or None, columns or {})
    row = kept_datasets.keep_file(request.app.state.platform.database, new, file.file)
    return Dataset.model_validate(dataset_document(row))


@router.post("/from-url", status_code=201)
def create_dataset_from_url(request: Request, wish: UrlRequest) -> Dataset:
    """Make a dataset from a file on another machine; off unless the server was started with LLMLORA_FETCH_URLS=1."""
    if not request.app.state.fetches_urls:
        raise Forbidden("url_fetching_off", variable="LLMLORA_FETCH_URLS=1")
    file_name = PurePath(urlsplit(wish.url).path).name
    new = NewDataset(
        wish.name or label_of(file_name),
        wish.description,
        wish.type,
        file_name,
        wish.encoding or None,
        wish.columns or {},
    )
    row = fetch_url.keep_url(request.app.state.platform.database, wish.url, new)
    return Dataset.model_validate(dataset_document(row))


@router.get("/{dataset_id}")
def get_dataset(request: Request, dataset_id: Identifier) -> Dataset:
    """Return a dataset with the problems of its rows."""
    row = kept_datasets.get_dataset(request.app.state.platform.database, dataset_id)
    return Dataset.model_validate(dataset_document(row))


@router.delete("/{dataset_id}")
def delete_dataset(request: Request, dataset_id: Identifier) -> DatasetSummary:
    """Delete a dataset; it can be had back for ten seconds, and a job that has not ended keeps it."""
    row = kept_datasets.delete_dataset(request.app.state.platform.database, dataset_id)
    return DatasetSummary.model_validate(dataset_document(row))


@router.post("/{dataset_id}/undo-delete")
def undo_delete_dataset(request: Request, dataset_id: Identifier) -> DatasetSummary:
    """Have a dataset back that was deleted a moment ago."""
    row = kept_datasets.undo_delete_dataset(request.app.state.platform.database, dataset_id)
    return DatasetSummary.model_validate(dataset_document(row))
