"""Whether a run fits this machine, and the cheapest change of its settings with which it does.

The machine is looked at once; every other setting is tried by arithmetic alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from llmlora.catalog.trained_size import TrainedSize, trained_size
from llmlora.core.config import TrainConfig
from llmlora.core.errors import LlmloraError, OutOfMemory
from llmlora.core.estimate import Speed, Workload, estimated_memory, estimated_seconds
from llmlora.core.layout import jobs_dir
from llmlora.core.memory import least_memory_bytes, smaller_values
from llmlora.core.run_plan import run_plan
from llmlora.services.capacity import Room, disk_needed, disk_refusal, memory_refusal, room_for
from llmlora.services.estimate import computes_on_gpu, machine_speed, workload
from llmlora.services.plan_training import SettledRequest
from llmlora.services.train_request import TrainRequest

MOST_CHANGES: Final = 40


@dataclass(frozen=True)
class Trial:
    """A run with some settings on this machine; `speed` is None where a GPU computes, which is not estimated."""

    request: TrainRequest
    settled: SettledRequest
    config: TrainConfig
    room: Room
    speed: Speed | None

    @property
    def size(self) -> TrainedSize:
        """What is trained."""
        return trained_size(self.settled.base.tensors, self.config)

    @property
    def disk_bytes(self) -> int:
        """About what is written at the peak."""
        return disk_needed(self.config, self.size, self.request.data)

    @property
    def memory_bytes(self) -> int | None:
        """About the memory needed at the peak; None where a GPU has memory of its own."""
        if self.speed is None:
            return None
        base, method = self.settled.base, self.config.method
        least = least_memory_bytes(base.num_parameters, self.size.num_trained, method, base.bytes_in_blocks)
        return max(least, estimated_memory(self._workload, self.config, self.speed))

    @property
    def seconds(self) -> tuple[float, float] | None:
        """From when to when the run probably ends."""
        return None if self.speed is None else estimated_seconds(self._workload, self.config, self.speed)

    @property
    def _workload(self) -> Workload:
        plan = self.settled.resolved.plan
        changed = run_plan(self.config, plan.num_train_rows, plan.needs)
        return workload(self.settled.base, self.config, self.size, changed, self.settled.row_bytes)

    def refusals(self) -> list[LlmloraError]:
        """Return why it does not fit: the disk, the memory."""
        found = disk_refusal(self.config, self.size, self.request.data, jobs_dir(), self.room)
        return [error for error in (found, self._memory_refusal()) if error is not None]

    def _memory_refusal(self) -> LlmloraError | None:
        needed = self.memory_bytes
        if needed is None or self.room.holds(needed):
            return None
        weights = memory_refusal(self.settled.base, self.config, self.size, self.room)
        return weights or OutOfMemory("memory_short_settings", needed_bytes=needed, free_bytes=self.room.memory_free)

    def changed(self, changes: Mapping[str, Any]) -> Trial:
        """Return the same run with other settings."""
        return replace(self, config=TrainConfig.model_validate({**self.config.model_dump(), **changes}))


def trial_of(request: TrainRequest, settled: SettledRequest) -> Trial:
    """Return a run as it was asked for, on this machine as it is now."""
    config = settled.resolved.config
    speed = None if computes_on_gpu() else machine_speed(settled.base.num_parameters, config.dtype)
    return Trial(request, settled, config, room_for(jobs_dir()), speed)


def cheapest_change(trial: Trial, least_length: int) -> dict[str, Any] | None:
    """Return the settings that make a run fit, mildest first and no more than needed; None when none are known.

    `least_length` is the max_length with which the rows can still be trained on.
    """
    changes: dict[str, Any] = {}
    for _ in range(MOST_CHANGES):
        current = trial.changed(changes)
        proposals = list(_proposals(current.config, least_length))
        for proposal in proposals:
            if not current.changed(proposal).refusals():
                return _needed(trial, {**changes, **proposal})
        if not proposals:
            return None
        changes |= proposals[0]
    return None


def _proposals(config: TrainConfig, least_length: int) -> Iterator[dict[str, Any]]:
    """Yield changes that need less, mildest first: what leaves the result as it is comes before what changes it."""
    if config.save_total_limit > 2:
        yield {"save_total_limit": 2}
    yield from smaller_values(config, least_length)
    if config.method == "full":
        yield {"method": "lora"}


def _needed(trial: Trial, changes: dict[str, Any]) -> dict[str, Any]:
    """Return changes without those that are not needed; batch and accumulation belong together."""
    batch = {"per_device_train_batch_size", "gradient_accumulation_steps"}
    for group in (batch, *({name} for name in changes if name not in batch)):
        fewer = {name: value for name, value in changes.items() if name not in group}
        if len(fewer) < len(changes) and not trial.changed(fewer).refusals():
            changes = fewer
    return changes
