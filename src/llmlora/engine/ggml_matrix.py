"""A matrix in GGUF blocks on the CPU: its numbers, computed with the threads that PyTorch computes with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch

from llmlora.core.machine import usable_cores
from llmlora.gguf.blocks import Blocks, dequantize_into

# Values at a time: a multiple of every block that stays in a core's cache, and too few for PyTorch to start threads.
PIECE = 127 * 256


@dataclass(frozen=True)
class GgmlMatrix:
    """A quantised matrix whose numbers are rounded from float32 as where a file is loaded without its blocks."""

    blocks: Blocks
    device: str = "cpu"

    @property
    def type_name(self) -> str:
        """The type of the blocks."""
        return self.blocks.ggml_type

    @property
    def shape(self) -> tuple[int, int]:
        """Its rows and columns."""
        return self.blocks.shape

    def dequantized(self, dtype: torch.dtype) -> torch.Tensor:
        """Return its numbers as a tensor."""
        rows, ggml_type = self.blocks.rows, self.blocks.ggml_type
        with torch.inference_mode(False):  # else the threads, which are in no such mode, could not fill it
            result = torch.empty(self.shape, dtype=dtype)
        num_threads = max(1, min(torch.get_num_threads(), len(rows)))
        bounds = np.linspace(0, len(rows), num_threads + 1).astype(int).tolist()
        parts = [(rows[start:end].reshape(-1), result[start:end].view(-1)) for start, end in pairwise(bounds)]
        if num_threads == 1:
            _fill(ggml_type, *parts[0])
        else:
            list(_threads().map(lambda part: _fill(ggml_type, *part), parts))
        return result

    def looked_up(self, indices: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return the numbers of some rows; no other is looked at."""
        rows = np.ascontiguousarray(self.blocks.rows[indices.numpy()])
        return GgmlMatrix(Blocks(self.blocks.ggml_type, rows)).dequantized(dtype)


def _fill(ggml_type: str, raw: np.ndarray, values: torch.Tensor) -> None:
    """Write the numbers of contiguous bytes into a flat tensor."""
    if not values.numel():
        return
    piece = torch.empty(min(PIECE, values.numel()), dtype=torch.float32)
    numbers = piece.numpy()
    step = PIECE * raw.size // values.numel()
    for place, start in enumerate(range(0, raw.size, step)):
        target = values[place * PIECE : (place + 1) * PIECE]
        dequantize_into(numbers[: target.numel()], raw[start : start + step], ggml_type)
        target.copy_(piece[: target.numel()])


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=usable_cores(), thread_name_prefix="dequantize")
