"""The way from a job back to recommended values: which settings held it back, and what the next command leaves out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from llmlora.core.job import JobConfig
from llmlora.core.next_run import Departure, departure, length_departures, rate_departure, steps_of

ROOM: Final = ("r", "lora_alpha", "lora_dropout", "target_modules", "layers")


@dataclass(frozen=True, slots=True)
class WayBack:
    """Settings to leave out of the next command, other values for it, and both as `name value → value, …`."""

    names: set[str]
    changes: dict[str, Any]
    words: str


def way_back(job: JobConfig, found: list[Departure]) -> WayBack:
    """Return the way back from departures.

    Stages decide rate and length together and go as a whole; a small micro-batch with accumulation stays small, since
    it was chosen for the memory.
    """
    names = {item.name for item in found}
    if job.train.stages and names & {"learning_rate", "stages"}:
        names |= {"learning_rate", "stages", "lr_scheduler_type"}
    changes: dict[str, Any] = {}
    wanted = job.recommended.get("per_device_train_batch_size", 1)
    if job.train.gradient_accumulation_steps > 1 and job.train.per_device_train_batch_size < wanted:
        names.discard("per_device_train_batch_size")
        if "gradient_accumulation_steps" in names and wanted // job.train.per_device_train_batch_size > 1:
            changes["gradient_accumulation_steps"] = wanted // job.train.per_device_train_batch_size
            names.discard("gradient_accumulation_steps")
    words = [item.words for item in found if item.name in names]
    words += [f"{name} {getattr(job.train, name)} → {value}" for name, value in changes.items()]
    return WayBack(names, changes, ", ".join(words))


def way_to_learn_more(job: JobConfig) -> WayBack:
    """Return the way back to recommended values from all that holds a run back, for one that has more to learn."""
    return way_back(job, [*slower(job), *narrower(job)])


def slower(job: JobConfig) -> list[Departure]:
    """Return what keeps a run from learning as much as the recommended one: its rate, length and warm-up."""
    found = (rate_departure(job), *shorter(job), departure(job, "warmup_steps"))
    return [item for item in found if item is not None]


def shorter(job: JobConfig) -> list[Departure]:
    """Return what makes a run shorter than the recommended one."""
    steps = steps_of(job)
    return length_departures(job) if steps is None or steps[0] < steps[1] else []


def narrower(job: JobConfig) -> list[Departure]:
    """Return what leaves a run less room than the recommended rank, target modules and dropout."""
    found = {name: item for name in ROOM if (item := departure(job, name)) is not None and _is_narrower(item)}
    if {"r", "lora_alpha"} <= found.keys():  # an alpha that is not chosen follows the rank, which returns as well
        found["lora_alpha"] = replace(found["lora_alpha"], recommended=2 * found["r"].recommended)
    return list(found.values())


def _is_narrower(item: Departure) -> bool:
    if item.name == "lora_dropout":
        return bool(item.value > (item.recommended or 0))
    return item.name in ("target_modules", "layers") or bool(item.value < item.recommended)
