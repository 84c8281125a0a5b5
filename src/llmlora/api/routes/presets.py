"""Named sets of settings."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from llmlora.api.strict_route import StrictRoute
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS

router = APIRouter(prefix="/api/presets", tags=["presets"], route_class=StrictRoute)


class Preset(BaseModel):
    """One preset: which field of a job takes its name, and the settings it names."""

    name: str
    kind: Literal["preset", "training_preset"]
    settings: dict[str, Any]


class PresetList(BaseModel):
    """All presets."""

    items: list[Preset]
    next_cursor: str | None


@router.get("")
def list_presets() -> PresetList:
    """List the presets for LoRA and for training."""
    items = [Preset(name=name, kind="preset", settings=values) for name, values in LORA_PRESETS.items()]
    items += [Preset(name=name, kind="training_preset", settings=values) for name, values in TRAINING_PRESETS.items()]
    return PresetList(items=items, next_cursor=None)
