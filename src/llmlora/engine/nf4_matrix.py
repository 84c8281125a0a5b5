"""A matrix in 4-bit NormalFloat with double quantisation, by bitsandbytes: how a GPU holds a base, or a CPU if told to.

The format and its use for adapters are Dettmers et al., "QLoRA" (2023).
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Self

import torch

from llmlora.core.errors import PackageMissing


@dataclass(frozen=True)
class Nf4Matrix:
    """A quantised matrix on the device of the numbers that it was made of."""

    packed: torch.Tensor
    state: Any
    type_name: str = "NF4"

    @classmethod
    def of(cls, values: torch.Tensor) -> Self:
        """Quantise a matrix; raises PackageMissing without bitsandbytes."""
        packed, state = _functional().quantize_4bit(values.contiguous(), quant_type="nf4", compress_statistics=True)
        return cls(packed, state)

    @property
    def shape(self) -> tuple[int, int]:
        """Its rows and columns."""
        rows, columns = self.state.shape
        return int(rows), int(columns)

    @property
    def device(self) -> str:
        """Where it lies."""
        return str(self.packed.device)

    def dequantized(self, dtype: torch.dtype) -> torch.Tensor:
        """Return its numbers as a tensor."""
        return _functional().dequantize_4bit(self.packed, self.state).to(dtype)  # type: ignore[no-any-return]

    def looked_up(self, indices: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return the numbers of some rows."""
        return self.dequantized(dtype)[indices]


def require_nf4() -> None:
    """Raise PackageMissing without bitsandbytes."""
    _functional()


def _functional() -> Any:
    try:
        return importlib.import_module("bitsandbytes.functional")
    except ImportError as error:
        raise PackageMissing("package_missing", package="bitsandbytes", extra="gpu", reason="method: qlora") from error
