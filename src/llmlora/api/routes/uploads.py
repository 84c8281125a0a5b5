"""Uploads that go on after a break: begin, send pieces, ask how much has arrived, make the dataset."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.routes.datasets import PRINTABLE, Columns, Dataset, Description, Name, label_of
from llmlora.services import uploads
from llmlora.services.kept_datasets import NewDataset, dataset_document

router = APIRouter(prefix="/api/uploads", tags=["datasets"], route_class=IdempotentRoute)
Identifier = Annotated[str, Path(min_length=1, max_length=64, pattern=PRINTABLE)]
Offset = Annotated[int, Header(alias="Upload-Offset", ge=0, le=1 << 40)]
BINARY = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}}


class UploadRequest(BaseModel):
    """The file that is to come: its name, its size, and its digest if it shall be compared."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    bytes: int = Field(ge=1, le=1 << 40)
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")


class Upload(BaseModel):
    """An upload; the next piece begins at `offset`. It is given up 24 hours after it began."""

    id: str
    file_name: str
    num_bytes: int
    offset: int
    sha256: str | None
    created_at: str


class UploadedDataset(BaseModel):
    """What is said of the dataset that an upload becomes; what is not said is found out."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Description = ""
    type: str | None = Field(None, max_length=20)
    encoding: str | None = Field(None, max_length=32)
    columns: Columns | None = Field(None, alias="map")


@router.post("", status_code=201)
def create_upload(request: Request, wish: UploadRequest) -> Upload:
    """Begin an upload that can go on after a break."""
    database = request.app.state.platform.database
    row = uploads.create_upload(database, wish.name, wish.bytes, wish.sha256)
    return Upload.model_validate(uploads.upload_document(database, row.id))


@router.get("/{upload_id}")
def get_upload(request: Request, upload_id: Identifier) -> Upload:
    """Return how much of an upload has arrived."""
    return Upload.model_validate(uploads.upload_document(request.app.state.platform.database, upload_id))


@router.head("/{upload_id}", status_code=200)
def head_upload(request: Request, upload_id: Identifier) -> Response:
    """Tell in headers how much of an upload has arrived (`Upload-Offset`) and how much is to come (`Upload-Length`)."""
    found = uploads.upload_document(request.app.state.platform.database, upload_id)
    headers = {"Upload-Offset": str(found["offset"]), "Upload-Length": str(found["num_bytes"])}
    return Response(headers={**headers, "Cache-Control": "no-store"})


@router.put("/{upload_id}", openapi_extra=BINARY)
async def send_upload(request: Request, upload_id: Identifier, offset: Offset) -> Upload:
    """Append a piece of any size; with a wrong `Upload-Offset` nothing happens, and the 409 names the right one."""
    database = request.app.state.platform.database
    receiver = await asyncio.to_thread(uploads.Receiver, database, upload_id, offset)
    try:
        async for piece in request.stream():
            await asyncio.to_thread(receiver.write, piece)
    except ClientDisconnect:  # what has arrived is kept, and nobody reads the answer
        pass
    finally:
        await asyncio.to_thread(receiver.close)
    return Upload.model_validate(await asyncio.to_thread(uploads.upload_document, database, upload_id))


@router.delete("/{upload_id}")
def delete_upload(request: Request, upload_id: Identifier) -> Upload:
    """Give an upload up."""
    database = request.app.state.platform.database
    found = uploads.upload_document(database, upload_id)
    uploads.give_up(database, upload_id)
    return Upload.model_validate(found)


@router.post("/{upload_id}/dataset", status_code=201)
def create_uploaded_dataset(request: Request, upload_id: Identifier, wish: UploadedDataset) -> Dataset:
    """Make a dataset of an upload that has arrived; what is no dataset is refused, and the upload stays."""
    database = request.app.state.platform.database
    name = wish.name or label_of(uploads.upload_document(database, upload_id)["file_name"])
    new = NewDataset(name, wish.description, wish.type, "", wish.encoding or None, wish.columns or {})
    return Dataset.model_validate(dataset_document(uploads.keep_upload(database, upload_id, new)))
