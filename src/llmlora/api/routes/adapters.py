"""Adapters of several finished jobs as one, as a job of the queue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import Job, Name, Reference
from llmlora.core.job import CombineMethod
from llmlora.services.combine import submit_combination
from llmlora.services.job_page import job_detail

router = APIRouter(prefix="/api/adapters", tags=["adapters"], route_class=IdempotentRoute)
Weight = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]


class CombinationRequest(BaseModel):
    """Finished jobs on one base; without weights all count alike. `density` is for ties and the dare methods."""

    model_config = ConfigDict(extra="forbid")

    job_ids: Annotated[list[Reference], Field(min_length=2, max_length=16)]
    name: Name | None = None
    weights: Annotated[list[Weight], Field(min_length=2, max_length=16)] | None = None
    method: CombineMethod = "svd"
    density: Annotated[float, Field(gt=0, le=1)] | None = None


@router.post("/combine", status_code=201)
def combine_adapters(request: Request, wish: CombinationRequest) -> Job:
    """Put the combination of finished jobs' adapters into the queue; its result is a training job like any other."""
    queue = request.app.state.platform.queue
    choices = {"weights": wish.weights, "method": wish.method, "density": wish.density}
    return Job.model_validate(job_detail(queue, submit_combination(queue, wish.job_ids, wish.name, **choices)))
