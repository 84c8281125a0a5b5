"""A trial of the loaded model before its first step: whether several threads pay, with what else runs just now."""

from __future__ import annotations

import time
from statistics import median

import torch
from torch import nn

from llmlora.engine.batch import Rows, packed_batch, padded_batch
from llmlora.engine.loss import LossPath, attention_for, summed_loss

TRIAL_TOKENS = 64
ROUNDS = 3
GAIN = 1.1  # several threads have to be this much faster than one


def tried_threads(model: nn.Module, rows: Rows, path: LossPath, planned: int) -> int:
    """Return `planned`, or one when the first tokens of the first row are computed as fast by one thread.

    No weight changes: the gradients are dropped, and every step draws its own random numbers.
    """
    ids = rows.row(0)[0][:TRIAL_TOKENS]
    batch = (packed_batch if path.packing else padded_batch)([(ids, ids)])
    seconds: dict[int, list[float]] = {planned: [], 1: []}
    with attention_for(model, path.packing):
        for _ in range(ROUNDS + 1):
            for threads, found in seconds.items():
                torch.set_num_threads(threads)
                started = time.perf_counter()
                summed_loss(model, batch, path.own_head).backward()
                found.append(time.perf_counter() - started)
    model.zero_grad()
    several, one = (median(found[1:]) for found in seconds.values())  # the first round compiles
    chosen = planned if several * GAIN <= one else 1
    torch.set_num_threads(chosen)
    return chosen
