"""The two models an evaluation compares: the base as it was, and what training made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llmlora.inference.trained_job import TrainedJob
from llmlora.inference.transformers_chat import TransformersChat, fits_memory, load_chat
from llmlora.weights.base import Base


class AdapterSides:
    """Both sides from weights loaded once: the base is the same model with its adapter switched off."""

    def __init__(self, trained: TrainedJob) -> None:
        self.dtype = _dtype_of(trained)
        self._chat = load_chat(trained.base, trained.adapter_dir, dtype=self.dtype, quantization=trained.quantization)

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
        self.dtype = trained.dtype

    @contextmanager
    def base(self) -> Iterator[TransformersChat]:
        """Give the model as it was before training, asked with the template it was trained with."""
        yield from self._loaded(self._trained.base)

    @contextmanager
    def tuned(self) -> Iterator[TransformersChat]:
        """Give the trained model."""
        yield from self._loaded(self._trained.weights)

    def _loaded(self, model: Base) -> Iterator[TransformersChat]:
        chat = load_chat(model, None, self._trained.given_template, self.dtype)
        try:
            yield chat
        finally:
            chat.close()


def _dtype_of(trained: TrainedJob) -> str:
    """Return the number format that an adapter's sides are asked in.

    That is float32 where it fits the memory: files of an export are verified against it, and only in float32 many
    questions are asked together (inference/together.py).
    """
    return "float32" if fits_memory(trained.base) and not trained.quantization else trained.dtype


def load_sides(trained: TrainedJob) -> AdapterSides | FullSides:
    """Return both sides of a finished job."""
    return FullSides(trained) if trained.adapter_dir is None else AdapterSides(trained)
