"""What a base's tensors are read through, whether they lie in a folder's files or in a GGUF file."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from llmlora.gguf.blocks import Blocks
from llmlora.gguf.source import TensorSource


class StoredSource(TensorSource, Protocol):
    """Tensors that are also given as they are stored, so that a model in memory costs no second copy of them."""

    def dtype(self, name: str) -> str:
        """Return the number format that `stored` gives a tensor in, by its safetensors name, such as BF16."""

    def stored(self, name: str) -> np.ndarray:
        """Return a tensor's numbers as they are stored, unchecked; those that numpy lacks as unsigned integers.

        The caller may change them: what it gets is its own, however it is mapped.
        """

    def blocks(self, name: str) -> Blocks | None:
        """Return a matrix in blocks: those that it is stored in, else such as are made of its numbers.

        None for what has no blocks and is not to have any, because others of the same files do.
        """
