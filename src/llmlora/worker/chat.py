"""Worker kind `chat`: talk with a job's result or a base model, by transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.errors import NotFound
from llmlora.core.events import EventWriter
from llmlora.inference.trained_job import find_trained
from llmlora.inference.transformers_chat import TransformersChat, load_chat, load_model
from llmlora.weights.base import open_base
from llmlora.worker.conversation import answer_all
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Answer requests with a job folder (kind `job`), what it began with (`job_base`), or a model folder.

    That is `base`, or `base_4bit` to quantise it as it is loaded.
    """
    return answer_all(OPENERS[config["model"]["kind"]], config, events, stop)


def _open_job(path: Path) -> TransformersChat:
    trained = find_trained(path)
    return load_chat(trained.weights, trained.adapter_dir, quantization=trained.quantization)


def _open_base_of_job(path: Path) -> TransformersChat:
    """Load the base of a job, to be asked exactly as the job's result is.

    Raises:
        NotFound: it is gone or no longer the same.
    """
    trained = find_trained(path)
    base = trained.untouched_base
    if base is None:
        raise NotFound("base_missing", base_model=trained.job.base_model, path=trained.job.base_dir)
    return TransformersChat(load_model(base, None, quantization=trained.quantization), trained.template, base.path)


OPENERS = {
    "job": _open_job,
    "job_base": _open_base_of_job,
    "base": lambda path: load_chat(open_base(path)),
    "base_4bit": lambda path: load_chat(open_base(path), quantization="auto"),
}
