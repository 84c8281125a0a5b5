"""The processes that train one model together, and what they tell each other.

Each computes the gradients of its own share of a step's rows; the sums, and what is decided from them, are the same for
all. Built before the model, on Accelerate's process group.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from torch import distributed, nn

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """All processes of a run as one of them sees them; a process alone is a world of one, where nothing is sent.

    Every rank calls the same methods in the same order, else they wait for each other for ever. The numbers that a run
    decides by (loss, gradient norm, eval_loss) come out of `sum`, so that every rank decides alike; what one alone
    notices, a stop signal, is made everybody's by `agree`.
    """

    device: torch.device
    rank: int = 0
    world_size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes: events, checkpoints, trackers, results."""
        return self.rank == 0

    def own(self, items: Sequence[T]) -> Sequence[T]:
        """Return this rank's share, dealt out like cards: the first rank has as many as any other, or one more."""
        return items[self.rank :: self.world_size]

    def sum(self, *numbers: float) -> tuple[float, ...]:
        """Return each number summed over all ranks; every rank gets the same bits."""
        if self.world_size == 1:
            return numbers
        total = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        distributed.all_reduce(total)
        return tuple(total.tolist())

    def agree(self, wish: object) -> bool:
        """Return whether any rank wishes it."""
        return self.sum(float(bool(wish)))[0] > 0

    def wait(self) -> None:
        """Wait until every rank has come so far."""
        self.agree(False)

    def share(self, make: Callable[[], T]) -> T:
        """Return what the first rank makes, on every rank; the others only wait for it."""
        if self.world_size == 1:
            return make()
        box: list[Any] = [make() if self.is_first else None]
        distributed.broadcast_object_list(box, device=self.device)
        made: T = box[0]
        return made

    def sum_gradients(self, weights: Sequence[nn.Parameter]) -> None:
        """Make each weight's gradient its sum over all ranks; a weight that no rank has one for keeps none."""
        if self.world_size == 1:
            return
        present = torch.tensor([weight.grad is not None for weight in weights], dtype=torch.int32, device=self.device)
        distributed.all_reduce(present)
        under_way = []
        for weight, count in zip(weights, present.tolist(), strict=True):
            if not count:
                continue
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            under_way.append(distributed.all_reduce(weight.grad, async_op=True))
        for work in under_way:
            work.wait()


ALONE = Ranks(torch.device("cpu"))


def join_ranks(device: str) -> Ranks:
    """Meet the processes that the environment names (`RANK`, `WORLD_SIZE`, `MASTER_ADDR`, … as torchrun sets them).

    Without them this process is alone. On a GPU each rank takes the one of its `LOCAL_RANK`.
    """
    state = PartialState(cpu=device == "cpu")
    if state.num_processes == 1:
        return Ranks(torch.device(device))
    atexit.register(state.destroy_process_group)  # gloo's threads abort a process that ends with the group open
    return Ranks(state.device, state.process_index, state.num_processes)
