"""How much of what training changed is in a file: all of it, what a coarse type left, or nothing.

Weights that already sit on a quantiser's grid, as those of a base that was quantised before, snap back to it, and small
changes are lost. Such a file holds what its type can hold; it says what it lost. An adapter that was not merged at all
is a mistake, told from that by quantising a few rows again, with the change and without.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.catalog.gguf_header import GgufTensor
from llmlora.export.check import Check, passed
from llmlora.export.quantized_values import Sums
from llmlora.gguf.backends import backend_for
from llmlora.gguf.blocks import dequantize_rows, row_bytes

LIMIT = 0.8
NUM_ROWS = 8
CLEARLY = 4.0  # times as near (squared) to the unchanged rows as to the changed ones


@dataclass
class UpdateShares:
    """The shares of all tensors that training changed; `changed` and `along` are their sums."""

    changed: float = 0.0
    along: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, sums: Sums) -> None:
        """Add one tensor."""
        self.changed += sums.update
        self.along += sums.along_update
        self.shares[name] = sums.update_share


def update_check(shares: UpdateShares) -> Check:
    """Return what survived; `is_lost` says that it is less than the limit. Only a missing merge is a failure."""
    measured: dict[str, Any] = {"num_changed": len(shares.shares), "share": None, "is_lost": False}
    if shares.shares:
        total = 1 + shares.along / shares.changed
        worst = min(shares.shares, key=lambda name: shares.shares[name])
        measured |= {"share": total, "min_share": shares.shares[worst], "min_tensor": worst}
        measured |= {"num_lost": sum(share < LIMIT for share in shares.shares.values()), "is_lost": total < LIMIT}
    return passed("update", measured, {"share": LIMIT})


def is_merged(path: Path, stored: GgufTensor, trained: np.ndarray, base: np.ndarray | None) -> bool:
    """Tell whether a tensor holds the trained values rather than the base's, from the rows that changed most."""
    if base is None:
        return True
    length = stored.shape[-1]
    trained, base = trained.reshape(-1, length), base.reshape(-1, length)
    change = np.einsum("ij,ij->i", trained - base, trained - base)
    rows = np.sort(np.argsort(change)[-NUM_ROWS:])
    found = np.concatenate([_row(path, stored, int(row)) for row in rows])
    right, unchanged = (_as_written(values[rows], stored.ggml_type) for values in (trained, base))
    return bool(np.square(found - right).sum() <= CLEARLY * np.square(found - unchanged).sum())


def _row(path: Path, stored: GgufTensor, row: int) -> np.ndarray:
    width = row_bytes(stored.shape[-1], stored.ggml_type)
    raw = np.fromfile(path, np.uint8, width, offset=stored.offset + row * width)
    return dequantize_rows(raw, stored.ggml_type)


def _as_written(rows: np.ndarray, kind: str) -> np.ndarray:
    """Return what rows are worth after quantising, as the export does it: from F16."""
    backend = backend_for(kind)
    half = rows.astype(np.float16).astype(np.float32)
    if backend is None:
        return rows.reshape(-1) if kind in ("F32", "BF16") else half.reshape(-1)
    return dequantize_rows(np.ascontiguousarray(backend[1](half, kind)).reshape(-1), kind)
