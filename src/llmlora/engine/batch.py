"""Which rows make up an optimizer step, and how they are laid out for the model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

IGNORED = -100


class Rows(Protocol):
    """Token ids and labels by row, as the prepare room stores them."""

    def __len__(self) -> int: ...

    def row(self, index: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]: ...


@dataclass(frozen=True)
class Batch:
    """One micro-batch.

    input_ids, position_ids and attention_mask are [rows, tokens]; `example_lengths` is given when the examples lie end
    to end in a single row. `label_index` holds the flat positions whose hidden state predicts a label, `targets` the
    labels themselves.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    attention_mask: torch.Tensor | None
    example_lengths: list[int] | None
    label_index: torch.Tensor
    targets: torch.Tensor
    num_tokens: int

    @property
    def num_label_tokens(self) -> int:
        """Tokens that carry loss."""
        return len(self.targets)

    def to(self, device: torch.device) -> Batch:
        """Return the batch with its tensors on a device."""
        mask = None if self.attention_mask is None else self.attention_mask.to(device)
        return replace(
            self,
            input_ids=self.input_ids.to(device),
            position_ids=self.position_ids.to(device),
            attention_mask=mask,
            label_index=self.label_index.to(device),
            targets=self.targets.to(device),
        )


class StepPlan:
    """The rows of every optimizer step, computed from the seed alone, so that a resume needs only the step number."""

    def __init__(self, num_rows: int, effective_batch_size: int, seed: int) -> None:
        self.num_rows = num_rows
        self.effective_batch_size = effective_batch_size
        self.seed = seed
        self.steps_per_epoch = math.ceil(num_rows / effective_batch_size)
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def rows_of(self, step: int) -> list[int]:
        """Return the row indices of a step (0-based); each epoch is a new permutation, its last step may be smaller."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, np.random.default_rng([self.seed, epoch]).permutation(self.num_rows)
        start = position * self.effective_batch_size
        return [int(row) for row in self._order[start : start + self.effective_batch_size]]

    def is_epoch_end(self, step: int) -> bool:
        """Tell whether `step` finished steps complete an epoch."""
        return step % self.steps_per_epoch == 0


def micro_batches(rows: Rows, indices: Sequence[int], size: int, packing: bool) -> Iterator[Batch]:
    """Yield the micro-batches of a step: `size` examples each, end to end or padded."""
    for start in range(0, len(indices), size):
        examples = [rows.row(index) for index in indices[start : start + size]]
        yield laid_out(examples, packing)


def laid_out(examples: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]], packing: bool) -> Batch:
    """Return examples as one micro-batch, end to end or padded."""
    return packed_batch(examples) if packing else padded_batch(examples)


def packed_batch(examples: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]) -> Batch:
    """Lay examples end to end in one row; positions restart with each."""
    lengths = [len(ids) for ids, _ in examples]
    ids = torch.from_numpy(np.concatenate([ids for ids, _ in examples]).astype(np.int64))
    labels = torch.from_numpy(np.concatenate([_next_labels(labels) for _, labels in examples]))
    positions = torch.cat([torch.arange(length) for length in lengths])
    index = (labels != IGNORED).nonzero().flatten()
    return Batch(ids[None], positions[None], None, lengths, index, labels[index], len(ids))


def padded_batch(examples: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]) -> Batch:
    """Pad examples on the right to the longest of them: the plain layout every model understands."""
    width = max(len(ids) for ids, _ in examples)
    shape = (len(examples), width)
    input_ids, mask = torch.zeros(shape, dtype=torch.int64), torch.zeros(shape, dtype=torch.int64)
    labels = torch.full(shape, IGNORED, dtype=torch.int64)
    for row, (ids, row_labels) in enumerate(examples):
        input_ids[row, : len(ids)] = torch.from_numpy(ids.astype(np.int64))
        labels[row, : len(ids)] = torch.from_numpy(_next_labels(row_labels))
        mask[row, : len(ids)] = 1
    flat = labels.flatten()
    index = (flat != IGNORED).nonzero().flatten()
    positions = torch.arange(width).expand(shape)
    return Batch(input_ids, positions, mask, None, index, flat[index], int(mask.sum()))


def _next_labels(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Shift labels so that position i holds what the model must say after token i; the last token predicts nothing."""
    shifted = np.full(len(labels), IGNORED, dtype=np.int64)
    shifted[:-1] = labels[1:]
    return shifted


def count_label_tokens(rows: Rows, indices: Sequence[int]) -> int:
    """Return the label tokens of some rows: the divisor of a step's loss."""
    return sum(int((rows.row(index)[1][1:] != IGNORED).sum()) for index in indices)


class Joined:
    """The rows of two sources, one after the other."""

    def __init__(self, first: Rows, second: Rows) -> None:
        self._first = first
        self._second = second

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def row(self, index: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return token ids and labels of one row."""
        own = len(self._first)
        return self._first.row(index) if index < own else self._second.row(index - own)


class Subset:
    """Some rows of a dataset, by index."""

    def __init__(self, rows: Rows, indices: Sequence[int]) -> None:
        self._rows = rows
        self._indices = list(indices)

    def __len__(self) -> int:
        return len(self._indices)

    def row(self, index: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return token ids and labels of one row."""
        return self._rows.row(self._indices[index])
