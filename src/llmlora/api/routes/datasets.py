"""Datasets: made from rows or from a file, looked at, deleted."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Query, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.services import kept_datasets
from llmlora.services.kept_datasets import NewDataset, dataset_document

router = APIRouter(prefix="/api/datasets", tags=["datasets"], route_class=IdempotentRoute)
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]
Description = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Identifier = Annotated[str, Path(min_length=1, max_length=64, pattern=PRINTABLE)]
Cursor = Annotated[str | None, Query(max_length=64, pattern=PRINTABLE)]
Limit = Annotated[int, Query(ge=1, le=200)]


class DatasetRequest(BaseModel):
    """Rows to keep as a dataset; `type` is instruction, chat, completion or text, or its Japanese word."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = ""
    type: str | None = Field(None, max_length=20)
    examples: list[dict[str, Any]] = Field(min_length=1)


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


class Dataset(DatasetSummary):
    """A dataset with what its check has found: the first 20 problems of each code, and numbers."""

    problems: list[dict[str, Any]]
    stats: dict[str, Any]


class DatasetList(BaseModel):
    """Datasets, the newest first; `next_cursor` is the `before` of the next page."""

    items: list[DatasetSummary]
    next_cursor: str | None


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
) -> Dataset:
    """Make a dataset from a file; bad rows are kept and named, what is no dataset at all is refused."""
    file_name = PurePath((file.filename or "").replace("\\", "/")).name
    shown = "".join(letter for letter in PurePath(file_name).stem if letter.isprintable())[:200]
    new = NewDataset(name or shown or "data", description, type, file_name)
    row = kept_datasets.keep_file(request.app.state.platform.database, new, file.file)
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
