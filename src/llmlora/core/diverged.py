"""Weights that are no longer numbers: a training that diverged, or a model that was broken before."""

from __future__ import annotations

from pathlib import Path

from llmlora.core.errors import LlmloraError, ModelFileError
from llmlora.core.job import read_job
from llmlora.core.next_run import lower_rate_words


def not_finite(folder: Path, name: str) -> ModelFileError:
    """Return the error for a folder whose `name` holds NaN or infinity: `weights_diverged` where a job trained it.

    `name` is a weight, or what was computed from all of them.
    """
    try:
        job = read_job(folder.parent)
    except LlmloraError:
        return ModelFileError("weights_not_finite", path=str(folder), name=name)
    return ModelFileError("weights_diverged", path=str(folder), name=name, words=lower_rate_words(job))
