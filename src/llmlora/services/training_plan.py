"""The pre-flight of a training job: what it would do and need, everything that is wrong with it, and what would fit.

Time and memory are arithmetic over the counted tokens' sizes, and nothing is written; with a probe a few real steps are
taken and measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from llmlora.core.errors import Conflict
from llmlora.core.locale import remark_text
from llmlora.core.next_run import settings_text
from llmlora.core.recommend import Facts, Resolved, resolve_config
from llmlora.services.fitting import Trial, cheapest_change, trial_of
from llmlora.services.models import require_known_model
from llmlora.services.plan_training import PlannedJob, SettledRequest, plan_training, settle_request
from llmlora.services.preview import OPTIONS, count_training_rows
from llmlora.services.probe import FASTER, SLOWER, measure_steps
from llmlora.services.queue import Queue
from llmlora.services.replay import MixingPlace
from llmlora.services.train_request import TrainRequest
from llmlora.services.training_jobs import TrainingWish, check_kept, refuse_paths, request_of, trainable
from llmlora.services.wish_problems import WishProblems
from llmlora.store.datasets import DatasetRow

COUNTS: Final = {
    "rows": "num_rows",
    "train_rows": "num_train_rows",
    "rows_truncated": "num_truncated",
    "tokens": "num_tokens",
    "learned_tokens": "num_label_tokens",
}
ENOUGH, MOST_CONTEXT = 1_000_000, 1 << 20
NOT_KNOWN: Final = (
    *COUNTS,
    *("steps", "steps_per_epoch", "effective_batch", "minutes", "memory", "disk", "license", "change", "probe"),
)


def training_plan(queue: Queue, wish: TrainingWish, is_probed: bool = False) -> dict[str, Any]:
    """Return the plan of a job, its `problems`, and for one that does not `fit` the cheapest `change` of settings.

    Nothing is raised for what is wrong with the wish: all of it is in `problems`, with its field. No job is made, and
    nothing is kept but in the caches. `is_probed` measures a job that fits; raises Conflict: `probe_beside_work`, a job
    runs whose load would be measured as well, and those of `measure_steps`.
    """
    with MixingPlace() as place:
        return _planned(queue, wish, place, is_probed)


def _planned(queue: Queue, wish: TrainingWish, place: MixingPlace, is_probed: bool) -> dict[str, Any]:
    problems = WishProblems()
    problems.attempt("base_model", lambda: require_known_model(wish.base_model))
    problems.attempt("settings", lambda: refuse_paths(wish.settings))
    data = problems.attempt("dataset_id", lambda: trainable(queue, wish.dataset_id or ""))
    held_out = problems.attempt("eval_dataset_id", lambda: _held_out(queue, wish))
    if problems.items or data is None:
        problems.attempt("settings", lambda: _settle_alone(wish))
        return _unknown(problems)
    request = problems.attempt("replay", lambda: request_of(queue, wish, data, held_out, place))
    if request is None:
        return _unknown(problems)
    settled = problems.attempt("settings", lambda: settle_request(request, check_kept(queue)))
    counts = problems.attempt("dataset_id", lambda: _counts(request, data, settled)) if settled is not None else None
    if settled is None or counts is None:
        return _unknown(problems)
    found = _document(problems, trial_of(request, settled), counts)
    if not is_probed or not found["fits"]:
        return found
    if queue.num_tasks()["running"]:
        raise Conflict("probe_beside_work")
    return _with_probe(found, counts, plan_training(request, check_kept(queue)))


def request_plan(request: TrainRequest, is_probed: bool = False) -> dict[str, Any]:
    """Return the plan of a request as `training_plan` does; what is wrong with it but that it does not fit is raised.

    Raises:
        NotFound, ModelFileError, DatasetError, ConfigError: those of `plan_training`; those of `measure_steps`.
    """
    settled = settle_request(request)
    counts = count_training_rows(request.data, settled.base, request.read, settled.resolved.config)
    found = _document(WishProblems(), trial_of(request, settled), counts)
    return _with_probe(found, counts, plan_training(request)) if is_probed and found["fits"] else found


def _with_probe(found: dict[str, Any], counts: Mapping[str, int], planned: PlannedJob) -> dict[str, Any]:
    """Return a plan with the time and memory that a few real steps of it have taken."""
    measured, plan = measure_steps(planned), planned.resolved.plan
    passes = plan.num_steps / plan.steps_per_epoch * plan.num_train_rows
    num_tokens = passes * counts["num_tokens"] / max(1, counts["num_rows"])
    seconds = measured.seconds(planned.job.train, plan.num_steps, plan.steps_per_epoch, num_tokens)
    minutes = {"low": round(seconds * FASTER / 60, 2), "high": round(seconds * SLOWER / 60, 2)}
    memory = {"needed_bytes": measured.memory_bytes, "free_bytes": (found["memory"] or {}).get("free_bytes")}
    probe = {
        "seconds": round(seconds, 1),
        "seconds_per_step": round(measured.seconds_per_token * num_tokens / plan.num_steps, 4),
        "memory_bytes": measured.memory_bytes,
    }
    return {**found, "minutes": minutes, "memory": memory if found["memory"] else None, "probe": probe}


def _held_out(queue: Queue, wish: TrainingWish) -> DatasetRow | None:
    return None if wish.eval_dataset_id is None else trainable(queue, wish.eval_dataset_id)


def _settle_alone(wish: TrainingWish) -> Resolved:
    """Settle the values for a model and rows that take every good one, to find those that no model takes."""
    facts = Facts(ENOUGH, ENOUGH, MOST_CONTEXT, {}, has_eval_data=wish.eval_dataset_id is not None)
    return resolve_config(facts, preset=wish.preset, training_preset=wish.training_preset, overrides=wish.settings)


def _unknown(problems: WishProblems) -> dict[str, Any]:
    known: dict[str, Any] = {"fits": False, "problems": problems.items, "warnings": [], "settings": {}, "reasons": {}}
    return {**dict.fromkeys(NOT_KNOWN), **known, "recommended": {}}


def _document(problems: WishProblems, trial: Trial, counts: Mapping[str, int]) -> dict[str, Any]:
    resolved, seconds, memory = trial.settled.resolved, trial.seconds, trial.memory_bytes
    refusals = trial.refusals()
    for error in refusals:
        problems.add("settings", error)
    return {
        "fits": not refusals,
        "problems": problems.items,
        **{name: counts[key] for name, key in COUNTS.items()},
        "steps": resolved.plan.num_steps,
        "steps_per_epoch": resolved.plan.steps_per_epoch,
        "effective_batch": resolved.config.effective_batch_size,
        "minutes": seconds and {"low": round(seconds[0] / 60, 2), "high": round(seconds[1] / 60, 2)},
        "memory": memory and {"needed_bytes": memory, "free_bytes": trial.room.memory_free},
        "disk": {
            "needed_bytes": trial.disk_bytes,
            "reserve_bytes": trial.room.disk_reserve,
            "free_bytes": trial.room.disk_free,
        },
        "license": trial.settled.base.license,
        "warnings": [_worded(warning) for warning in resolved.plan.warnings()],
        "settings": resolved.config.model_dump(mode="json"),
        "reasons": resolved.origins,
        "recommended": resolved.recommended,
        "change": cheapest_change(trial, counts["least_length"]) if refusals else None,
        "probe": None,
    }


def _worded(warning: Mapping[str, Any]) -> dict[str, Any]:
    settings = dict(warning["params"]["settings"])
    shown = {**warning["params"], "settings": settings_text(settings)}
    text = remark_text({"type": "warning", "code": warning["code"], "params": shown})
    params = {name: value for name, value in warning["params"].items() if name != "settings"}
    return {"code": warning["code"], "params": params, "text": text, "settings": settings}


@dataclass(frozen=True)
class _Question:
    """What the tokens of a file depend on; equal questions have equal answers."""

    sha256: str
    digest: str
    options: str
    ask: Callable[[], dict[str, int]] = field(compare=False)


@lru_cache(maxsize=64)
def _answer(question: _Question) -> dict[str, int]:
    return question.ask()


def _counts(request: TrainRequest, data: DatasetRow, settled: SettledRequest) -> dict[str, int]:
    """Return the tokens of the rows to train on, counted once in a worker for the settings that they depend on."""
    config, base = settled.resolved.config, settled.base
    names = (*OPTIONS, "validation_split", "seed")
    options = repr([getattr(config, name) for name in names]) + repr(request.read)
    digest = data.sha256 if request.replay is None else request.data.stem

    def ask() -> dict[str, int]:
        return count_training_rows(request.data, base, request.read, config)

    return _answer(_Question(digest, base.digest, options, ask))
