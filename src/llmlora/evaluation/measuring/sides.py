"""The two models an evaluation compares: the base as it was, and what training made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llmlora.core.job import JobConfig
from llmlora.core.layout import ENVIRONMENT_FILE, TEMPLATE_FILE, run_dir, run_numbers
from llmlora.core.publish import read_json
from llmlora.engine.load import empty_model
from llmlora.engine.loss import LossPath
from llmlora.engine.selftest import path_of_architecture, recorded_path
from llmlora.inference.transformers_chat import TransformersChat, load_chat


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished job: `adapter_dir` is None when all weights were trained; then `weights_dir` holds them."""

    job: JobConfig
    job_dir: Path
    base_dir: Path
    weights_dir: Path
    adapter_dir: Path | None

    @property
    def template(self) -> str | None:
        """The chat template both sides are asked with, where the folder of the weights does not decide it."""
        saved = self.weights_dir / TEMPLATE_FILE
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

    def loss_path(self) -> LossPath:
        """Return how the run laid rows out; a job from before that was recorded is tested for it."""
        wanted = LossPath(packing=self.job.train.packing)
        return recorded_path(self.job_dir) or path_of_architecture(empty_model(self.base_dir).config, wanted)


class AdapterSides:
    """Both sides from weights loaded once: the base is the same model with its adapter switched off."""

    def __init__(self, trained: Trained) -> None:
        self._chat = load_chat(trained.base_dir, trained.adapter_dir, dtype=trained.dtype)

    @contextmanager
    def base(self) -> Iterator[TransformersChat]:
        """Give the model as it was before training."""
        with self._chat.adapter_disabled():
            yield self._chat

    @contextmanager
    def tuned(self) -> Iterator[TransformersChat]:
        """Give the trained model."""
        yield self._chat


class FullSides:
    """Two sets of weights, loaded one after the other so that only one is in memory."""

    def __init__(self, trained: Trained) -> None:
        self._trained = trained

    @contextmanager
    def base(self) -> Iterator[TransformersChat]:
        """Give the model as it was before training, asked with the template it was trained with."""
        yield from self._loaded(self._trained.base_dir)

    @contextmanager
    def tuned(self) -> Iterator[TransformersChat]:
        """Give the trained model."""
        yield from self._loaded(self._trained.weights_dir)

    def _loaded(self, folder: Path) -> Iterator[TransformersChat]:
        chat = load_chat(folder, None, self._trained.template, self._trained.dtype)
        try:
            yield chat
        finally:
            chat.close()


def load_sides(trained: Trained) -> AdapterSides | FullSides:
    """Return both sides of a finished job."""
    return FullSides(trained) if trained.adapter_dir is None else AdapterSides(trained)
