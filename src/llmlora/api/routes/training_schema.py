"""What can be set in a training job, for forms and other programs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from llmlora.api.strict_route import StrictRoute
from llmlora.core.config import TrainConfig

router = APIRouter(prefix="/api/training", tags=["training"], route_class=StrictRoute)


class TrainingSchema(BaseModel):
    """The JSON Schema of the `settings` of a training job: limits, defaults, and a sentence about each."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    json_schema: dict[str, Any] = Field(alias="schema")


@router.get("/schema")
def training_schema() -> TrainingSchema:
    """Return the JSON Schema of a training job's settings."""
    return TrainingSchema.model_validate({"schema": TrainConfig.model_json_schema()})
