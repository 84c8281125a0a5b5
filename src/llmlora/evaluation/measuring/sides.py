"""The two models an evaluation compares: the base as it was, and what training made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llmlora.inference.trained_job import TrainedJob
from llmlora.inference.transformers_chat import TransformersChat, load_chat
from llmlora.weights.base import Base


class AdapterSides:
    """Both sides from weights loaded once: the base is the same model with its adapter switched off."""

    def __init__(self, trained: TrainedJob) -> None:
        self._chat = load_chat(
            trained.base, trained.adapter_dir, dtype=trained.dtype, is_quantized=trained.is_quantized
        )

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

    def __init__(self, trained: TrainedJob) -> None:
        self._trained = trained

    @contextmanager
    def base(self) -> Iterator[TransformersChat]:
        """Give the model as it was before training, asked with the template it was trained with."""
        yield from self._loaded(self._trained.base)

    @contextmanager
    def tuned(self) -> Iterator[TransformersChat]:
        """Give the trained model."""
        yield from self._loaded(self._trained.weights)

    def _loaded(self, model: Base) -> Iterator[TransformersChat]:
        chat = load_chat(model, None, self._trained.given_template, self._trained.dtype)
        try:
            yield chat
        finally:
            chat.close()


def load_sides(trained: TrainedJob) -> AdapterSides | FullSides:
    """Return both sides of a finished job."""
    return FullSides(trained) if trained.adapter_dir is None else AdapterSides(trained)
