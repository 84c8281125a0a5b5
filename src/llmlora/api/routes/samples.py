"""The bundled sample datasets: the first click of somebody who has no data yet."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.routes.datasets import PRINTABLE, Dataset
from llmlora.services import dataset_files
from llmlora.services.kept_datasets import dataset_document

router = APIRouter(prefix="/api/datasets/samples", tags=["datasets"], route_class=IdempotentRoute)


class Sample(BaseModel):
    """A bundled dataset, with its title and what is to be known of it in the caller's language."""

    name: str
    title: str
    description: str
    num_examples: int
    type: str


class SampleList(BaseModel):
    """All bundled datasets."""

    items: list[Sample]
    next_cursor: str | None


@router.get("")
def list_samples() -> SampleList:
    """List the sample datasets that come with llmlora."""
    return SampleList.model_validate({"items": dataset_files.list_samples(), "next_cursor": None})


@router.post("/{name}", status_code=201)
def create_sample(
    request: Request, name: Annotated[str, Path(min_length=1, max_length=64, pattern=PRINTABLE)]
) -> Dataset:
    """Make a dataset of a sample."""
    row = dataset_files.keep_sample(request.app.state.platform.database, name)
    return Dataset.model_validate(dataset_document(row))
