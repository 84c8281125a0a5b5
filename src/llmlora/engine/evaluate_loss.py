"""Loss on rows that are not trained on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from llmlora.core.errors import Stopped
from llmlora.engine.batch import Rows, laid_out
from llmlora.engine.loss import LossPath, attention_for, summed_loss
from llmlora.engine.ranks import ALONE, Ranks

MICRO_BATCH_TOKENS = 2048


@dataclass(frozen=True)
class LossReport:
    """Mean cross-entropy per label token, in nats, and the label tokens it was taken over."""

    loss: float
    num_tokens: int

    @property
    def perplexity(self) -> float:
        """exp(loss); infinite rather than an error when the loss is huge."""
        return math.exp(self.loss) if self.loss < 700 else math.inf

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"loss": self.loss, "perplexity": self.perplexity, "num_tokens": self.num_tokens}


def dataset_loss(model: nn.Module, rows: Rows, path: LossPath, stop: Any = False, ranks: Ranks = ALONE) -> LossReport:
    """Return the loss over all label tokens of some rows, dropout off, memory bounded by `MICRO_BATCH_TOKENS`.

    Several ranks share the rows out among them and get the same report.

    Raises:
        Stopped: `stop` became true on a rank; the model is as it was.
    """
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), attention_for(model, path.packing):
            sums = _sums(model, rows, path, stop, ranks)
    finally:
        model.train(was_training)
    if ranks.agree(sums is None) or sums is None:
        raise Stopped("interrupted")
    loss, num_tokens = ranks.sum(*sums)
    return LossReport(loss / max(1, num_tokens), int(num_tokens))


def _sums(model: nn.Module, rows: Rows, path: LossPath, stop: Any, ranks: Ranks) -> tuple[float, int] | None:
    """Return the summed loss and the label tokens of this rank's share of the rows, None after a stop."""
    device = next(model.parameters()).device
    total, num_tokens = 0.0, 0
    for indices in ranks.own(list(_groups_by_tokens(rows, path.packing))):
        if stop:
            return None
        batch = laid_out([rows.row(index) for index in indices], path.packing).to(device)
        if batch.num_label_tokens:
            total += float(summed_loss(model, batch, path.own_head))
            num_tokens += batch.num_label_tokens
    return total, num_tokens


def _groups_by_tokens(rows: Rows, packing: bool) -> Iterator[list[int]]:
    """Group rows whose micro-batch, padding counted, has at most `MICRO_BATCH_TOKENS`, or one longer row."""
    group: list[int] = []
    total = longest = 0
    for index in range(len(rows)):
        length = len(rows.row(index)[0])
        total, longest = total + length, max(longest, length)
        size = total if packing else longest * (len(group) + 1)
        if group and size > MICRO_BATCH_TOKENS:
            yield group
            group, total, longest = [], length, length
        group.append(index)
    if group:
        yield group
