"""Base models: which there are, and whether a name is one of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict

from llmlora.api.strict_route import StrictRoute
from llmlora.services.models import check_model as check
from llmlora.services.models import list_models as find_models

router = APIRouter(prefix="/api/models", tags=["models"], route_class=StrictRoute)


class Model(BaseModel):
    """A base model that training can start from."""

    model_config = ConfigDict(extra="ignore")

    name: str
    kind: str
    architecture: str
    model_type: str
    num_parameters: int
    context_length: int
    vocab_size: int
    dtype: str
    license: str | None
    digest: str
    recommended: dict[str, Any]


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


@router.get("/check/{name:path}")
def check_model(name: Annotated[str, Path(min_length=1, max_length=300)]) -> ModelCheck:
    """Tell whether a model exists and can be trained; names with / and : are taken as they are."""
    return ModelCheck.model_validate(check(name))
