"""The passports of jobs and exports: signed records of what they were made of."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import Identifier
from llmlora.catalog.passport import passport_problems, read_passport, write_passport

router = APIRouter(prefix="/api/jobs/{job_id}/passport", tags=["jobs"], route_class=IdempotentRoute)


class Passport(BaseModel):
    """A document of schema llmlora.passport/1, and the names of what is not as it says, which is itself or files."""

    passport: dict[str, Any]
    problems: list[str]


@router.post("", status_code=201)
def create_passport(request: Request, job_id: Identifier) -> Passport:
    """Sign and write the passport of a finished training job or an export, and return it."""
    queue = request.app.state.platform.queue
    folder = queue.folder_of(queue.get(job_id))
    return Passport(passport=write_passport(folder), problems=passport_problems(folder))


@router.get("")
def get_passport(request: Request, job_id: Identifier) -> Passport:
    """Return a passport, and what is not as it says."""
    queue = request.app.state.platform.queue
    folder = queue.folder_of(queue.get(job_id))
    return Passport(passport=read_passport(folder), problems=passport_problems(folder))
