"""Settings of the workspace, what else the server is set up with, and the server's log."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from llmlora.api.job_models import example
from llmlora.api.strict_route import StrictRoute
from llmlora.core.workspace_settings import MOST_RUNNING, NightWindow, WorkspaceSettings
from llmlora.services.server_log import server_log as read_server_log
from llmlora.services.workspace_settings import change_settings as change
from llmlora.services.workspace_settings import fixed_settings, read_settings

router = APIRouter(prefix="/api", tags=["settings"], route_class=StrictRoute)


class FixedSetting(BaseModel):
    """One value that only a file, the environment or the command line changes."""

    name: str
    value: Any
    origin: Literal["default", "environment", "command_line"]


class Settings(BaseModel):
    """The settings of the workspace, and how the server is set up."""

    settings: WorkspaceSettings
    fixed: list[FixedSetting]


class SettingsChange(BaseModel):
    """Settings to change; null gives one its default again."""

    model_config = example(theme="dark", night_window={"start": "22:00", "end": "06:00"})

    language: Literal["ja", "en"] | None = None
    theme: Literal["system", "light", "dark"] | None = None
    default_preset: Annotated[str, Field(max_length=100)] | None = None
    default_training_preset: Annotated[str, Field(max_length=100)] | None = None
    keep_checkpoints: Annotated[int, Field(ge=2, le=1000, strict=True)] | None = None
    max_running: Annotated[int, Field(ge=0, le=MOST_RUNNING, strict=True)] | None = None
    night_window: NightWindow | None = None
    pause_outside_window: Annotated[bool, Field(strict=True)] | None = None
    auto_shrink: Annotated[bool, Field(strict=True)] | None = None
    pause_while_ollama: Annotated[bool, Field(strict=True)] | None = None
    notifications: Annotated[bool, Field(strict=True)] | None = None


class ServerLog(BaseModel):
    """The end of the server's log."""

    text: str
    begins_at: int
    offset: int
    num_bytes: int


@router.get("/settings")
def get_settings(request: Request) -> Settings:
    """Return the settings of the workspace, and how the server is set up."""
    state = request.app.state
    database = state.platform.database
    fixed = [FixedSetting.model_validate(item) for item in fixed_settings(state.settings, database)]
    return Settings(settings=read_settings(database), fixed=fixed)


@router.patch("/settings")
def change_settings(request: Request, changes: SettingsChange) -> Settings:
    """Change some settings of the workspace; null gives one its default again."""
    change(request.app.state.platform.database, changes.model_dump(exclude_unset=True))
    return get_settings(request)


@router.get("/logs/server")
def server_log(request: Request, tail: Annotated[int, Query(ge=0, le=5000)] = 200) -> ServerLog:
    """Return the end of the server's log, without secrets; at most 256 KiB."""
    return ServerLog.model_validate(read_server_log(tail))
