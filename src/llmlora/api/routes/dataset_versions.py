"""Change datasets: edit and add rows, repair, go back to an earlier version, split, export."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.background import BackgroundTask

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.routes.datasets import Dataset, DatasetSummary, Identifier
from llmlora.data.edit import RowChange
from llmlora.services import dataset_files, dataset_versions
from llmlora.services.dataset_versions import Repair
from llmlora.services.kept_datasets import dataset_document

router = APIRouter(prefix="/api/datasets/{dataset_id}", tags=["datasets"], route_class=IdempotentRoute)
Version = Annotated[int, Field(ge=1, le=1 << 31, description="The version that was looked at; another one is a 409.")]
Row = Annotated[int, Path(ge=1, le=1 << 40)]


class RowEdit(BaseModel):
    """New values of some `fields`, or a whole new row as `value`."""

    model_config = ConfigDict(extra="forbid")

    version: Version
    fields: dict[str, Any] | None = Field(None, min_length=1)
    value: dict[str, Any] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.fields is None) == (self.value is None):
            raise ValueError("fields or value")
        return self


class NewRow(BaseModel):
    """A row in the form of the dataset's own rows."""

    model_config = ConfigDict(extra="forbid")

    version: Version
    value: dict[str, Any] = Field(min_length=1)


class RepairRequest(BaseModel):
    """Rows to leave out, and how the file is to be read: `map` is field -> column, `type` as of an upload."""

    model_config = ConfigDict(extra="forbid")

    version: Version
    actions: list[Annotated[str, Field(max_length=20)]] = Field([], max_length=10)
    columns: dict[str, str] | None = Field(None, alias="map", max_length=20)
    encoding: str | None = Field(None, min_length=1, max_length=32)
    type: str | None = Field(None, max_length=20)
    model: str | None = Field(None, min_length=1, max_length=200)
    max_length: int | None = Field(None, ge=8, le=1 << 20)


class RestoreRequest(BaseModel):
    """The version that was looked at, and the earlier one to go back to."""

    model_config = ConfigDict(extra="forbid")

    version: Version
    restore: int = Field(ge=1, le=1 << 31)


class SplitRequest(BaseModel):
    """The share of rows to evaluate with; rows with errors are left out only with `drop_invalid`."""

    model_config = ConfigDict(extra="forbid")

    share: float = Field(0.1, gt=0, lt=1)
    seed: int = Field(0, ge=0, le=1 << 31)
    drop_invalid: bool = False


class DatasetVersion(BaseModel):
    """A version of a dataset whose file is kept; `change` tells how it was made."""

    version: int
    num_examples: int
    num_bytes: int
    sha256: str
    ok: bool
    change: dict[str, Any] | None


class DatasetVersions(BaseModel):
    """The versions of a dataset, the newest first."""

    items: list[DatasetVersion]
    next_cursor: str | None


class DatasetPair(BaseModel):
    """The two datasets that one was divided into."""

    train: DatasetSummary
    eval: DatasetSummary


@router.post("/rows", status_code=201)
def add_dataset_row(request: Request, dataset_id: Identifier, wish: NewRow) -> Dataset:
    """Add a row behind the others and return the next version; jobs go on with the file that they were given."""
    database = request.app.state.platform.database
    return Dataset.model_validate(
        dataset_document(dataset_versions.add_row(database, dataset_id, wish.version, wish.value))
    )


@router.patch("/rows/{row}")
def edit_dataset_row(request: Request, dataset_id: Identifier, row: Row, wish: RowEdit) -> Dataset:
    """Change one row and return the next version; jobs go on with the file that they were given."""
    change = RowChange(row, wish.fields, wish.value)
    database = request.app.state.platform.database
    return Dataset.model_validate(
        dataset_document(dataset_versions.change_row(database, dataset_id, wish.version, change))
    )


@router.delete("/rows/{row}")
def delete_dataset_row(
    request: Request, dataset_id: Identifier, row: Row, version: Annotated[int, Query(ge=1, le=1 << 31)]
) -> Dataset:
    """Take one row out and return the next version."""
    database = request.app.state.platform.database
    return Dataset.model_validate(
        dataset_document(dataset_versions.change_row(database, dataset_id, version, RowChange(row)))
    )


@router.post("/repair")
def repair_dataset(request: Request, dataset_id: Identifier, wish: RepairRequest) -> Dataset:
    """Leave rows out (drop_invalid, deduplicate, drop_overlong, keep_chosen) or read the file in another way."""
    names = ("columns", "encoding", "type", "model", "max_length")
    asked = Repair(tuple(wish.actions), **{name: getattr(wish, name) for name in names})
    database = request.app.state.platform.database
    return Dataset.model_validate(dataset_document(dataset_versions.repair(database, dataset_id, wish.version, asked)))


@router.get("/versions")
def dataset_history(request: Request, dataset_id: Identifier) -> DatasetVersions:
    """List the versions of a dataset and how each was made."""
    found = dataset_versions.versions_of(request.app.state.platform.database, dataset_id)
    items = [DatasetVersion.model_validate(dataset_document(row)) for row in found]
    return DatasetVersions(items=items, next_cursor=None)


@router.post("/restore")
def restore_dataset(request: Request, dataset_id: Identifier, wish: RestoreRequest) -> Dataset:
    """Go back to an earlier version, which makes the next one: so a repair is undone, and its undoing too."""
    database = request.app.state.platform.database
    return Dataset.model_validate(
        dataset_document(dataset_versions.restore(database, dataset_id, wish.version, wish.restore))
    )


@router.post("/split", status_code=201)
def split_dataset(request: Request, dataset_id: Identifier, wish: SplitRequest) -> DatasetPair:
    """Make two datasets of one, to train on and to evaluate with; the same rows and seed give the same two."""
    database = request.app.state.platform.database
    train, held_out = dataset_files.split(database, dataset_id, wish.share, wish.seed, wish.drop_invalid)
    return DatasetPair.model_validate({"train": dataset_document(train), "eval": dataset_document(held_out)})


@router.get("/export", response_class=FileResponse, responses={200: {"content": {"application/octet-stream": {}}}})
def export_dataset(
    request: Request,
    dataset_id: Identifier,
    format: Literal["jsonl", "csv", "source"] = "jsonl",  # noqa: A002 - the name of the parameter
    drop_invalid: bool = False,
    raw: bool = False,
) -> FileResponse:
    """Download a dataset as JSON Lines or CSV in the canonical form, or its file as it is."""
    database = request.app.state.platform.database
    with ExitStack() as stack:
        path, name = stack.enter_context(dataset_files.exported(database, dataset_id, format, drop_invalid, raw))
        kept = stack.pop_all()  # the file goes when it was sent
    return FileResponse(path, filename=name, background=BackgroundTask(kept.close))
