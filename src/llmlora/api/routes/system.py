"""What this machine has and how it does."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from llmlora.api.strict_route import StrictRoute
from llmlora.services.doctor import doctor as examine
from llmlora.services.system import system_info as look

router = APIRouter(prefix="/api", tags=["system"], route_class=StrictRoute)


class Cpu(BaseModel):
    """Processor: `percent` of all cores since the last look."""

    cores: int
    threads: int
    percent: float


class Memory(BaseModel):
    """Main memory, within the container's limit."""

    total_bytes: int
    available_bytes: int
    percent: float


class Gpu(BaseModel):
    """One graphics processor that the driver reports."""

    name: str
    memory_bytes: int | None


class Disk(BaseModel):
    """The disk of the workspace."""

    path: str
    total_bytes: int
    free_bytes: int


class Tasks(BaseModel):
    """How many jobs are worked on, and how many wait for their turn."""

    running: int
    queued: int


class SystemInfo(BaseModel):
    """This machine: what it has, what is installed, what it works on."""

    cpu: Cpu
    memory: Memory
    gpus: list[Gpu]
    disk: Disk
    versions: dict[str, str | None]
    tasks: Tasks


class Check(BaseModel):
    """One question about this machine, its answer, and what to do."""

    id: str
    status: Literal["ok", "warning", "error"]
    message: str
    hint: str
    data: dict[str, Any]


class DoctorReport(BaseModel):
    """Every check; `ok` is false when one of them is an error."""

    ok: bool
    version: str
    checks: list[Check]


@router.get("/system-info")
def system_info(request: Request) -> SystemInfo:
    """Return processor, memory, graphics processors, disk, versions and running tasks."""
    return SystemInfo.model_validate(look(request.app.state.platform.queue))


@router.get("/doctor")
def doctor() -> DoctorReport:
    """Check this machine and installation."""
    return DoctorReport.model_validate(examine())
