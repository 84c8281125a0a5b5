"""What a user may change while the server runs, every setting once with its limits."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
MOST_RUNNING: Final = 64


class NightWindow(BaseModel):
    """From when to when work may begin, by the clock of the machine; it may lie across midnight."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Clock
    end: Clock


class WorkspaceSettings(BaseModel):
    """The settings of a workspace with their defaults; unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Literal["ja", "en"] | None = Field(None, description="Language of the page; null: that of the browser.")
    theme: Literal["system", "light", "dark"] = Field("system", description="Colours of the page.")
    default_preset: str | None = Field(None, max_length=100, description="Preset of jobs that name none.")
    default_training_preset: str | None = Field(None, max_length=100, description="Training preset of such jobs.")
    keep_checkpoints: int | None = Field(None, ge=2, le=1000, description="Checkpoints kept, where a job names none.")
    max_running: int = Field(1, ge=0, le=MOST_RUNNING, description="Jobs that run at a time; 0 starts none.")
    night_window: NightWindow | None = Field(None, description="When work may begin; null: at any time.")
    pause_outside_window: bool = Field(False, description="Let what runs save and stop until the window opens again.")
    auto_shrink: bool = Field(True, description="Go on with smaller micro-batches when memory runs out.")
    pause_while_ollama: bool = Field(False, description="Let no work run while Ollama answers.")
    notifications: bool = Field(False, description="Let the page tell when a job has ended.")
