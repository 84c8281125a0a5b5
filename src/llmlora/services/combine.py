"""Combine the adapters of several jobs on one base: the result is a job like any other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from llmlora import __version__
from llmlora.catalog.adapter_folder import read_adapter_folder
from llmlora.core.errors import ConfigError, Conflict
from llmlora.core.job import COMBINE_METHODS, Combination, JobConfig, Member, read_job, trained_dir
from llmlora.core.layout import ADAPTER_DIR, ADAPTER_WEIGHTS, TEMPLATE_FILE, new_id
from llmlora.core.publish import sha256_file
from llmlora.core.writable import require_output
from llmlora.services.follow import OnEvent
from llmlora.services.job_folder import write_job_folder
from llmlora.services.packages import require_packages
from llmlora.services.queue import Queue
from llmlora.services.queue_training import queue_job
from llmlora.services.supervisor import run_worker
from llmlora.store.jobs import JobRow

ANY_RANK = ("svd", "cat")  # the others add matrix to matrix
DROPPING = ("ties", "dare_linear", "dare_ties")
DENSITY = 0.5
MOST_RANK = 512


@dataclass(frozen=True)
class _Adapter:
    """A finished job with what its adapter says of itself."""

    folder: Path
    job: JobConfig
    path: Path
    config: dict[str, Any]

    @property
    def rank(self) -> int:
        return max(map(int, (self.config["r"], *(self.config.get("rank_pattern") or {}).values())))


def plan_combination(
    job_dirs: Sequence[str | Path],
    *,
    weights: Sequence[float] | None = None,
    method: str = "svd",
    density: float | None = None,
) -> JobConfig:
    """Return the job that combines the adapters of finished jobs; nothing is written.

    Without `weights` all count alike and sum to one. `density` is the share of numbers that ties and the dare methods
    keep.

    Raises:
        ConfigError: fewer than two jobs, weights, method or density; adapters that this method cannot combine.
        Conflict: jobs of different bases or chat templates. NotFound: a folder is no finished job.
    """
    if len(job_dirs) < 2:
        raise ConfigError("combine_needs_two", count=len(job_dirs))
    if method not in COMBINE_METHODS:
        raise ConfigError("unknown_combine_method", method=method, known=", ".join(COMBINE_METHODS))
    require_packages()
    members = [_read(Path(folder).absolute()) for folder in job_dirs]
    _check_alike(members)
    _check_ranks(members, method)
    combination = Combination(
        method=method,  # type: ignore[arg-type]
        weights=_weights(weights, len(members)),
        density=_density(density, method),
        members=tuple(
            Member(job_id=member.job.id, folder=str(member.folder), sha256=sha256_file(member.path / ADAPTER_WEIGHTS))
            for member in members
        ),
    )
    return _job(members, combination)


def combine(
    job_dirs: Sequence[str | Path],
    output: str | Path,
    *,
    weights: Sequence[float] | None = None,
    method: str = "svd",
    density: float | None = None,
    on_event: OnEvent | None = None,
) -> dict[str, Any]:
    """Combine the adapters of finished jobs into a new job folder, which all other functions take; returns its result.

    `method` is PEFT's svd, cat, linear, ties, dare_linear or dare_ties. Returns `method`, `r`, `distance_from_sum` (how
    far it is from the weighted sum, as a share of it), `seconds` and `adapter_dir`.

    Raises:
        What `plan_combination` raises. ResourceError: `output` cannot be written. Conflict: it is not empty.
    """
    job = plan_combination(job_dirs, weights=weights, method=method, density=density)
    require_output(Path(output).absolute(), "-o")
    return run_worker("train", write_job_folder(job, Path(output)), on_event)


def submit_combination(queue: Queue, job_ids: Sequence[str], name: str | None, **choices: Any) -> JobRow:
    """Put the combination of finished jobs into the queue, as a training job; `choices` are those of `combine`.

    Raises:
        NotFound: no such job, or it has not finished. What `plan_combination` raises.
    """
    rows = [queue.get(job_id) for job_id in job_ids]
    job = plan_combination([queue.folder_of(row) for row in rows], **choices)
    return queue_job(queue, job, name=name or " + ".join(row.name for row in rows)[:200], datasets=rows[0].datasets)


def _read(folder: Path) -> _Adapter:
    job, path = read_job(folder), trained_dir(folder)
    if job.method == "full":
        raise ConfigError("combine_full", path=str(folder))
    config = read_adapter_folder(path).config
    for setting in ("use_dora", "modules_to_save", "trainable_token_indices"):
        if config.get(setting):
            raise ConfigError("combine_setting", path=str(folder), setting=setting)
    return _Adapter(folder, job, path, config)


def _check_alike(members: Sequence[_Adapter]) -> None:
    first = members[0]
    for other in members[1:]:
        pair = {"first": str(first.folder), "path": str(other.folder)}
        if other.job.base_digest != first.job.base_digest:
            raise Conflict("combine_other_base", base=first.job.base_model, other=other.job.base_model, **pair)
        if _template(other) != _template(first):
            raise Conflict("combine_other_template", **pair)


def _template(member: _Adapter) -> bytes | None:
    path = member.path / TEMPLATE_FILE
    return path.read_bytes() if path.is_file() else None


def _check_ranks(members: Sequence[_Adapter], method: str) -> None:
    ranks = [member.rank for member in members]
    if method not in ANY_RANK and len(set(ranks)) > 1:
        raise ConfigError(
            "combine_ranks", method=method, ranks=", ".join(map(str, ranks)), possible=", ".join(ANY_RANK)
        )
    if method == "cat" and sum(ranks) > MOST_RANK:
        raise ConfigError("combine_rank_too_large", rank=sum(ranks), limit=MOST_RANK)


def _weights(weights: Sequence[float] | None, count: int) -> tuple[float, ...]:
    if weights is None:
        return (1 / count,) * count
    if len(weights) != count or not all(math.isfinite(weight) for weight in weights) or not any(weights):
        raise ConfigError("combine_weights", count=count, given=len(weights))
    return tuple(float(weight) for weight in weights)


def _density(density: float | None, method: str) -> float | None:
    if density is None:
        return DENSITY if method in DROPPING else None
    if method not in DROPPING or not 0 < density <= 1:
        raise ConfigError("combine_density", density=density, methods=", ".join(DROPPING))
    return density


def _modules(members: Sequence[_Adapter]) -> tuple[str, ...] | Literal["all-linear"]:
    named = [member.job.train.target_modules for member in members]
    if "all-linear" in named:
        return "all-linear"
    return tuple(dict.fromkeys(name for modules in named for name in modules))


def _job(members: Sequence[_Adapter], combination: Combination) -> JobConfig:
    """Return the job of the first member with the shape of the result; its own questions and data are kept."""
    first = members[0].job
    together: Callable[[list[int]], int] = sum if combination.method == "cat" else max
    rank = together([member.rank for member in members])
    shape = {
        "r": rank,
        "lora_alpha": rank,
        "use_rslora": False,
        "target_modules": _modules(members),
        "init_adapter": None,
    }
    return first.model_copy(
        update={
            "id": new_id(),
            "train": first.train.model_copy(update=shape),
            "combination": combination,
            "inputs": {
                str(Path(item.folder) / ADAPTER_DIR / ADAPTER_WEIGHTS): item.sha256 for item in combination.members
            },
            "places": {},
            "reasons": {},
            "recommended": {},
            "presets": {},
            "changes": (),
            "llmlora_version": __version__,
        }
    )
