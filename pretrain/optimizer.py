"""Muon for the matrices inside the layers, AdamW for the embedding and the norms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

# Quintic iteration towards the nearest orthogonal matrix (coefficients of the published Muon optimizer).
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


def orthogonal(update: torch.Tensor) -> torch.Tensor:
    """Return the matrices [n, rows, columns] with all singular values near one."""
    a, b, c = COEFFICIENTS
    tall = update.shape[1] > update.shape[2]
    x = update.transpose(1, 2) if tall else update
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * square @ square) @ x
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum, then orthogonalised updates, for all matrices of the same shape at once, in float32.

    PyTorch's own Muon computes in bfloat16, which the CPU of the published run had no fast instructions for.
    """

    def __init__(
        self, matrices: Iterable[torch.Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.05
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Move every matrix by one update."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[torch.Tensor]] = {}
            for matrix in group["params"]:
                shapes.setdefault(matrix.shape, []).append(matrix)
            for same in shapes.values():
                self._move(same, group)

    def _move(self, matrices: list[torch.Tensor], group: dict[str, Any]) -> None:
        updates = []
        for matrix in matrices:
            assert matrix.grad is not None
            state = self.state[matrix]
            if not state:
                state["momentum"] = torch.zeros_like(matrix)
            state["momentum"].lerp_(matrix.grad, 1 - group["momentum"])
            updates.append(matrix.grad.lerp(state["momentum"], group["momentum"]))
        scale = 0.2 * max(matrices[0].shape) ** 0.5  # the size of an AdamW step, so that one schedule fits both
        for matrix, update in zip(matrices, orthogonal(torch.stack(updates)), strict=True):
            matrix.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"] * scale)
