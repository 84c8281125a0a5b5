"""Base models: which there are, and whether a name is one of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict

from llmlora.api.strict_route import StrictRoute
from llmlora.services.models import check_model as check
from llmlora.services.models import list_models as find_models
from llmlora.services.models import list_starting_points as find_points

router = APIRouter(prefix="/api/models", tags=["models"], route_class=StrictRoute)


class Model(BaseModel):
    """A base model; `why_not` says in words why it cannot be trained here, `install` is the command that gets it.

    `memory_bytes` is what training an adapter takes at least, null where the model's size is not known.
    """

    model_config = ConfigDict(extra="ignore")

    name: str
    kind: str
    architecture: str | None
    model_type: str | None
    num_parameters: int | None
    context_length: int | None
    vocab_size: int | None
    dtype: str | None
    license: str | None
    num_bytes: int | None
    memory_bytes: int | None
    digest: str | None
    recommended: dict[str, Any]
    can_train: bool
    can_export: bool
    why_not: str | None
    code: str | None
    install: str | None


class ModelList(BaseModel):
    """Base models."""

    items: list[Model]
    next_cursor: str | None


class ModelCheck(BaseModel):
    """Whether a name stands for a model here; `why_not` says in words why it cannot be trained, `code` for programs."""

    name: str
    exists: bool
    source: str | None
    can_train: bool
    why_not: str | None
    code: str | None


@router.get("")
def list_models() -> ModelList:
    """List the base models of this machine."""
    return ModelList(items=[Model.model_validate(model) for model in find_models()], next_cursor=None)


class StartingPoint(BaseModel):
    """A model of the curated list; `confirmed` is false where it was not read at its source on that date."""

    id: str
    languages: list[str]
    num_parameters: int
    license: str
    gated: bool
    ollama: str | None
    preset: str
    training_preset: str | None
    source: str
    date: str
    confirmed: bool


class StartingPoints(BaseModel):
    """Models to start from."""

    items: list[StartingPoint]
    next_cursor: str | None


@router.get("/catalogue")
def list_catalogue() -> StartingPoints:
    """List models that are good to start from, with licence, name in Ollama's library and presets."""
    return StartingPoints(items=[StartingPoint.model_validate(entry) for entry in find_points()], next_cursor=None)


@router.get("/check/{name:path}")
def check_model(name: Annotated[str, Path(min_length=1, max_length=300)]) -> ModelCheck:
    """Tell whether a model exists and can be trained; names with / and : are taken as they are."""
    return ModelCheck.model_validate(check(name))
