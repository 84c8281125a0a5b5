"""A finished training job whose result can be used: the base it stands on, the weights it trained, how it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from llmlora.catalog.job_base import find_base
from llmlora.core.config import Quantization
from llmlora.core.errors import LlmloraError
from llmlora.core.job import JobConfig, read_job, trained_dir
from llmlora.core.layout import ENVIRONMENT_FILE, TEMPLATE_FILE, run_dir, run_numbers
from llmlora.core.publish import read_json
from llmlora.engine.load import empty_model
from llmlora.engine.loss import LossPath
from llmlora.engine.selftest import path_of_architecture, recorded_path
from llmlora.prepare.template import ChatTemplate, load_template
from llmlora.weights.base import Base, open_base, open_folder


@dataclass(frozen=True)
class TrainedJob:
    """A job and its result: an adapter folder, or a model folder when all weights were trained.

    `open_base` finds and opens the base that was trained; a job of method `full` can be used without it.
    """

    job: JobConfig
    job_dir: Path
    result_dir: Path
    open_base: Callable[[], Base]

    @cached_property
    def base(self) -> Base:
        """The base that was trained.

        Raises:
            NotFound: it is gone.
            ExportError: its files are not those the job was trained on.
        """
        return self.open_base()

    @property
    def untouched_base(self) -> Base | None:
        """The base that was trained; None when all weights were and it is gone by now or no longer the same."""
        if self.adapter_dir is not None:
            return self.base
        try:
            return self.open_base()
        except LlmloraError:
            return None

    @property
    def adapter_dir(self) -> Path | None:
        """The adapter's folder; None when all weights were trained."""
        return None if self.job.method == "full" else self.result_dir

    @property
    def quantization(self) -> Quantization | None:
        """How the base was held when it was trained, and is to be when it is used; None for its own numbers."""
        return self.job.train.quantization if self.job.method == "qlora" else None

    @cached_property
    def weights(self) -> Base:
        """What the adapter is put on; the trained model itself when all weights were trained."""
        return open_folder(self.result_dir) if self.adapter_dir is None else self.base

    @property
    def model_config(self) -> dict[str, Any]:
        """The `config.json` of the weights."""
        return dict(self.weights.config)

    @cached_property
    def template(self) -> ChatTemplate:
        """The chat template and tokenizer the trained model is asked with; a large vocabulary takes seconds to read."""
        return load_template(self.result_dir)

    @property
    def given_template(self) -> str | None:
        """The chat template that both base and trained model are asked with, where their folders do not decide it."""
        saved = self.result_dir / TEMPLATE_FILE
        if self.adapter_dir is None and saved.is_file():
            return str(saved)
        return self.job.train.chat_template

    @property
    def dtype(self) -> str:
        """The number format that the run computed in; float32 when it was not recorded."""
        for run in reversed(run_numbers(self.job_dir)):
            path = run_dir(self.job_dir, run) / ENVIRONMENT_FILE
            if path.is_file() and self.adapter_dir is not None:
                return str(read_json(path).get("plan", {}).get("dtype", "float32"))
        return "float32"

    @property
    def gguf_name(self) -> str:
        """The `general.name` of its GGUF files: ours, because llama.cpp behaves differently for some names."""
        return f"llmlora-{self.job.id.lower()}"

    def loss_path(self) -> LossPath:
        """Return how the run laid rows out; a job from before that was recorded is tested for it."""
        wanted = LossPath(packing=self.job.train.packing)
        return recorded_path(self.job_dir) or path_of_architecture(empty_model(self.base).config, wanted)


def find_trained(job_dir: Path, moved_base: Path | None = None) -> TrainedJob:
    """Return what a job trained; `moved_base` is where the user says that its base model lies now.

    Raises:
        NotFound: not a job folder, not finished, or the base model that its adapter needs is gone.
        ExportError: the base model's files are not those the job was trained on.
    """
    job = read_job(job_dir)
    trained = TrainedJob(job, job_dir, trained_dir(job_dir), lambda: open_base(find_base(job, moved_base).path))
    if trained.adapter_dir is not None:
        trained.base  # noqa: B018 - an adapter is of no use without it
    return trained
