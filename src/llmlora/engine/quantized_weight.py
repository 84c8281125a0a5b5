"""A weight that stays quantised: what multiplies by it gets its numbers for as long as the product takes.

Autograd keeps the quantised matrix for the backward pass, and the product there computes the numbers again, so a frozen
base in memory is as large as it is stored, whatever the number format that it is computed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, Self

import torch
from torch import nn
from torch.utils._pytree import tree_map_only

_aten = torch.ops.aten
_UNCHANGED = (_aten.detach.default, _aten.alias.default)


class QuantizedMatrix(Protocol):
    """A matrix that does not change, in few bits."""

    @property
    def type_name(self) -> str:
        """How it is quantised, such as Q4_K."""

    @property
    def shape(self) -> tuple[int, int]:
        """Its rows and columns."""

    @property
    def device(self) -> str:
        """Where it lies."""

    def dequantized(self, dtype: torch.dtype) -> torch.Tensor:
        """Return its numbers as a tensor."""

    def looked_up(self, indices: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return the numbers of some rows, shape (indices, columns)."""


class QuantizedWeight(torch.Tensor):
    """A quantised matrix that computes as a tensor of a number format would; it cannot be changed.

    Copies made by `deepcopy` are plain tensors: they are made to be trained.
    """

    matrix: QuantizedMatrix
    is_transposed: bool

    @staticmethod
    def __new__(cls: type[Self], matrix: QuantizedMatrix, dtype: torch.dtype, is_transposed: bool = False) -> Self:
        """Make a tensor without storage of the matrix' shape."""
        shape = matrix.shape[::-1] if is_transposed else matrix.shape
        return torch.Tensor._make_wrapper_subclass(cls, shape, dtype=dtype, device=torch.device(matrix.device))

    def __init__(self, matrix: QuantizedMatrix, dtype: torch.dtype, is_transposed: bool = False) -> None:
        self.matrix = matrix
        self.is_transposed = is_transposed

    def plain(self) -> torch.Tensor:
        """Return the numbers as a tensor of its own."""
        values = self.matrix.dequantized(self.dtype)
        return values.t() if self.is_transposed else values

    def __deepcopy__(self, memo: dict[int, Any]) -> nn.Parameter:
        return nn.Parameter(self.plain(), requires_grad=self.requires_grad)

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        weight: Any = args[0] if args else None
        options = kwargs or {}
        if func in _UNCHANGED:
            return cls(weight.matrix, weight.dtype, weight.is_transposed)
        if func is _aten.t.default:
            return cls(weight.matrix, weight.dtype, not weight.is_transposed)
        if func is _aten._to_copy.default:  # to another format; it stays on its device
            return cls(weight.matrix, options.get("dtype") or weight.dtype, weight.is_transposed)
        if func is _aten.embedding.default and not weight.is_transposed:
            rows = weight.matrix.looked_up(args[1].reshape(-1), weight.dtype)
            return rows.view(*args[1].shape, rows.shape[-1])
        if func._schema.is_mutable and isinstance(weight, cls):
            raise RuntimeError(f"{func} would change a quantised weight")
        plain_args, plain_options = tree_map_only(cls, cls.plain, (args, options))
        return func(*plain_args, **plain_options)


def quantized_types(model: nn.Module) -> dict[str, int]:
    """Return how many weights of a model are quantised in each way, the commonest first."""
    counts: Counter[str] = Counter()
    for weight in model.parameters():
        if isinstance(weight, QuantizedWeight):
            counts[weight.matrix.type_name] += weight.numel()
    return dict(counts.most_common())


def unpack(*modules: Any) -> None:
    """Give layers plain weights in place of quantised ones; layers that share one go on sharing it."""
    unpacked: dict[int, nn.Parameter] = {}
    for module in modules:
        weight = getattr(module, "weight", None)
        if isinstance(weight, QuantizedWeight):
            if id(weight) not in unpacked:
                unpacked[id(weight)] = nn.Parameter(weight.plain(), requires_grad=False)
            module.weight = unpacked[id(weight)]


@contextmanager
def plain_weight(module: Any) -> Iterator[None]:
    """Hold a layer's weight as plain numbers inside the block, for several products by it."""
    weight = getattr(module, "weight", None)
    if not isinstance(weight, QuantizedWeight):
        yield
        return
    module.weight = nn.Parameter(weight.plain(), requires_grad=False)
    try:
        yield
    finally:
        module.weight = weight
