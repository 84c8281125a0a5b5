"""Exports: what a training job has learned as files for other programs, and merges of it with its base."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import BYTES, Cursor, Identifier, JobSummary, Limit, Name, Reference
from llmlora.api.opened_file import OpenedFile
from llmlora.services.job_files import open_file
from llmlora.services.job_page import job_document
from llmlora.services.queue import Queue
from llmlora.services.result_jobs import (
    ExportWish,
    export_comparison,
    export_document,
    export_files,
    submit_export,
    submit_merge,
    submit_verification,
)

router = APIRouter(prefix="/api", tags=["exports"], route_class=IdempotentRoute)
Quantization = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,16}$")]


class ExportRequest(BaseModel):
    """A finished training job and the GGUF files to make of it; without quantizations its base decides.

    Among them, `stitched` is the base's GGUF file with what training changed, which is rewritten in `stitch_type`.
    """

    model_config = ConfigDict(extra="forbid")

    job_id: Reference
    name: Name | None = None
    quantizations: Annotated[list[Quantization], Field(min_length=1, max_length=20)] | None = None
    adapter: bool = False
    keep_merged: bool = False
    stitch_type: Literal["Q8_0", "Q6_K", "Q5_K", "Q4_K", "base"] | None = None


class MergeRequest(BaseModel):
    """A finished training job, and the number format of the merged model; null is that of the base."""

    model_config = ConfigDict(extra="forbid")

    job_id: Reference
    name: Name | None = None
    dtype: Literal["float32", "float16", "bfloat16"] | None = None


class ExportCheck(BaseModel):
    """A check of a file: what was measured, against which limits; `text` words the cause where it has failed."""

    check: str
    ok: bool
    measured: dict[str, Any]
    limits: dict[str, float]
    cause: str | None
    detail: str
    text: str | None


class ExportFile(BaseModel):
    """A file; `verdict` is verified, lossy or failed, null while it is not verified yet."""

    file: str
    quantization: str | None
    size_bytes: int
    sha256: str
    verdict: str | None
    checks: list[ExportCheck]


class ServedCheck(BaseModel):
    """A check of a registered model; `ok` is null where the server's version has no means for it."""

    check: str
    ok: bool | None
    measured: dict[str, Any]
    detail: str
    text: str


class ServedScore(BaseModel):
    """How many facts a registered model answers with: asked again what `source` names.

    `num_file` is the same file run here, `num_trained` the trained model in that evaluation; null is what was not
    measured. The speed is that of the answers, the questions' reading included.
    """

    source: Literal["evaluation", "training_rows"]
    evaluation: str | None
    num_questions: int
    num_facts: int | None
    num_trained: int | None
    num_file: int | None
    num_served: int | None
    tokens_per_second: float | None


class NotMeasured(BaseModel):
    """Types that the export lacks for a comparison, and the command that makes and measures them."""

    quantizations: list[str]
    command: str


class OllamaRegistration(BaseModel):
    """The last registration of an export in Ollama; `ok` is null while it is not checked.

    `kept` is the name under which what the name stood for before is kept; the other files of the export are told by
    its comparison.
    """

    name: str
    url: str
    version: str
    file: str | None
    is_verified: bool | None
    kept: str | None
    ok: bool | None
    checks: list[ServedCheck]
    score: ServedScore | None
    not_measured: NotMeasured | None


class Export(JobSummary):
    """An export with the files that are there by now; `model_file` is the one for Ollama and for chat.

    `ollama_name` is a name for it in Ollama, made of its own; `ollama` is its last registration there.
    """

    job_id: str | None
    quantizations: list[str] | None
    adapter: bool | None
    keep_merged: bool | None
    model_file: str | None
    files: list[ExportFile]
    ollama_name: str
    ollama: OllamaRegistration | None


class ExportList(BaseModel):
    """Exports, the newest first; `next_cursor` is the `before` of the next page."""

    items: list[Export]
    next_cursor: str | None


class ExportFileList(BaseModel):
    """The files of an export."""

    items: list[ExportFile]
    next_cursor: str | None


class ComparedFile(BaseModel):
    """What verification measured of a file: null where it was not.

    `kl` and `top1_agreement` are to the trained model; `num_known` are the taught facts that it answers with,
    `num_kept` those that the file does as well; the speed is that of the answers, the questions' reading included.
    """

    file: str
    quantization: str | None
    size_bytes: int | None
    tokens_per_second: float | None
    verdict: str | None
    kl: float | None
    top1_agreement: float | None
    num_known: int | None
    num_kept: int | None


class ComparedAnswer(BaseModel):
    """A taught question: its row of the data, what was taught, the trained model's answer, and each file's by name."""

    row: int
    question: str
    taught: str
    trained: str
    files: dict[str, str]


class FileComparison(BaseModel):
    """The files of an export side by side; both lists are empty while they are not verified."""

    files: list[ComparedFile]
    answers: list[ComparedAnswer]


@router.post("/exports", status_code=201)
def create_export(request: Request, wish: ExportRequest) -> Export:
    """Put the export of a finished training job into the queue."""
    queue = request.app.state.platform.queue
    return _document(queue, submit_export(queue, ExportWish(**wish.model_dump())).id)


@router.get("/exports")
def list_exports(request: Request, job_id: Cursor = None, before: Cursor = None, limit: Limit = 50) -> ExportList:
    """List exports, all or those of one training job, the newest first."""
    queue = request.app.state.platform.queue
    page = queue.page(kinds=("export",), parent_id=job_id, before=before, limit=limit)
    items = [export_document(queue, job) for job in page.items]
    return ExportList.model_validate({"items": items, "next_cursor": page.next_cursor})


@router.get("/exports/{export_id}")
def get_export(request: Request, export_id: Identifier) -> Export:
    """Return an export with its files, their sizes and verdicts."""
    return _document(request.app.state.platform.queue, export_id)


@router.get("/exports/{export_id}/files")
def list_export_files(request: Request, export_id: Identifier) -> ExportFileList:
    """List the files of an export with sizes, hashes and verdicts."""
    queue = request.app.state.platform.queue
    items = export_files(queue.folder_of(queue.get_of_kind(export_id, "export")))
    return ExportFileList.model_validate({"items": items, "next_cursor": None})


@router.get("/exports/{export_id}/comparison")
def compare_export_files(request: Request, export_id: Identifier) -> FileComparison:
    """Return the files of an export side by side: size, speed, distance, facts kept, and the same answers of each."""
    return FileComparison.model_validate(export_comparison(request.app.state.platform.queue, export_id))


@router.get("/exports/{export_id}/files/{name:path}", response_class=FileResponse, responses=BYTES)
def download_export_file(
    request: Request, export_id: Identifier, name: Annotated[str, Path(min_length=1, max_length=1000)]
) -> FileResponse:
    """Download a file of an export; parts of it can be asked for with `Range`."""
    queue = request.app.state.platform.queue
    return OpenedFile(open_file(queue.folder_of(queue.get_of_kind(export_id, "export")), name), name)


@router.post("/exports/{export_id}/verify", status_code=201)
def verify_export(request: Request, export_id: Identifier) -> JobSummary:
    """Put the verification of an export's files into the queue."""
    queue = request.app.state.platform.queue
    queue.get_of_kind(export_id, "export")
    return JobSummary.model_validate(job_document(queue, submit_verification(queue, export_id)))


@router.post("/merges", status_code=201)
def create_merge(request: Request, wish: MergeRequest) -> JobSummary:
    """Put the merge of a finished training job with its base model into the queue."""
    queue = request.app.state.platform.queue
    return JobSummary.model_validate(job_document(queue, submit_merge(queue, **wish.model_dump())))


def _document(queue: Queue, export_id: str) -> Export:
    return Export.model_validate(export_document(queue, queue.get_of_kind(export_id, "export")))
