"""What a finished training job left behind: the base it stands on and the weights it trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from llmlora.catalog.base_model import BaseModel, resolve_base_model
from llmlora.core.errors import Conflict, ExportError, LlmloraError, NotFound
from llmlora.core.job import JobConfig, read_job, trained_dir
from llmlora.core.layout import CONFIG_FILE
from llmlora.core.publish import read_json
from llmlora.prepare.template import ChatTemplate, load_template


@dataclass(frozen=True)
class TrainedModel:
    """A job's result; `adapter_dir` is None when all weights were trained and lie in `weights_dir` themselves.

    `moved_base` is where the user says that the base lies now.
    """

    job: JobConfig
    job_dir: Path
    base_dir: Path
    weights_dir: Path
    adapter_dir: Path | None
    moved_base: Path | None = None

    @property
    def tokenizer_dir(self) -> Path:
        """The folder whose tokenizer and chat template belong to the trained model."""
        return self.adapter_dir or self.weights_dir

    @property
    def gguf_name(self) -> str:
        """The `general.name` of its GGUF files: ours, because llama.cpp behaves differently for some names."""
        return f"llmlora-{self.job.id.lower()}"

    @cached_property
    def template(self) -> ChatTemplate:
        """The chat template and tokenizer the trained model is asked with; a large vocabulary takes seconds to read."""
        return load_template(self.tokenizer_dir)

    @property
    def untouched_base(self) -> Path | None:
        """The folder of the base that was trained; None when all weights were and it is gone or no longer the same."""
        if self.adapter_dir is not None:
            return self.base_dir
        try:
            return find_base(self.job, self.moved_base).path
        except LlmloraError:
            return None

    @property
    def model_config(self) -> dict[str, Any]:
        """The `config.json` of the weights."""
        return dict(read_json(self.weights_dir / CONFIG_FILE))


def find_trained(job_dir: Path, base_dir: Path | None = None) -> TrainedModel:
    """Return what a job trained; `base_dir` says where its base model lies now if it moved.

    Raises:
        NotFound: not a job folder, not finished, or the base model is gone.
        ExportError: the base model's files are not those the job was trained on.
    """
    job = read_job(job_dir)
    result = trained_dir(job_dir)
    if job.method == "full":
        return TrainedModel(job, job_dir, result, result, None, base_dir)
    base = find_base(job, base_dir)
    return TrainedModel(job, job_dir, base.path, base.path, result)


def find_base(job: JobConfig, base_dir: Path | None = None) -> BaseModel:
    """Return the base model of a job, checked against the digest it was trained on."""
    names = [str(base_dir.absolute())] if base_dir else [job.base_model, job.base_dir]
    base = _first_found(names, job)
    if base.digest != job.base_digest:
        raise ExportError("export_base_changed", base_model=job.base_model, path=str(base.path))
    return base


def _first_found(names: list[str], job: JobConfig) -> BaseModel:
    failure: LlmloraError | None = None
    for name in names:
        try:
            found = resolve_base_model(name)
        except NotFound as error:
            failure = failure or error
            continue
        if found.digest == job.base_digest or name == names[-1]:
            return found
    raise NotFound("base_missing", base_model=job.base_model, path=job.base_dir) from failure


def check_output_free(output: Path) -> None:
    """Raise Conflict when `output` exists and is not an empty folder."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise Conflict("output_not_empty", path=str(output))
