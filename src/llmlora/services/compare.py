"""Put several training jobs side by side: what differed in their settings, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from llmlora.core.errors import ConfigError
from llmlora.core.job import JobConfig, read_job
from llmlora.core.layout import RESULT_FILE, run_dir, run_numbers
from llmlora.core.publish import read_document
from llmlora.services.evaluate import newest_evaluation
from llmlora.services.status import Status, job_status

Direction = Literal["lower", "higher"]


@dataclass(frozen=True)
class Compared:
    """One job with its result and its newest evaluation, where they exist."""

    folder: Path
    job: JobConfig
    status: Status
    result: dict[str, Any] | None
    evaluation: dict[str, Any] | None


def _result(name: str) -> Callable[[Compared], Any]:
    return lambda item: (item.result or {}).get(name)


def _training_seconds(item: Compared) -> float | None:
    """Return the seconds of all steps, over every run; older jobs know only how long their last run took."""
    result = item.result or {}
    seconds: float | None = result.get("training_seconds", result.get("seconds"))
    return seconds


def _share_remembered(item: Compared) -> float | None:
    facts = (item.evaluation or {}).get("facts") or {}
    return round(facts["remembered"] / facts["total"], 4) if facts.get("total") else None


def _share_in_other_words(item: Compared) -> float | None:
    facts = (item.evaluation or {}).get("facts") or {}
    asked = facts.get("asked_in_other_words")
    return round(facts["in_other_words"] / asked, 4) if asked else None


def _facts_broken(item: Compared) -> int | None:
    return None if item.evaluation is None else int(item.evaluation["facts"]["broken"])


def _chrf(item: Compared) -> float | None:
    return None if item.evaluation is None else item.evaluation["tuned"]["chrf"]


def _quality(name: str) -> Callable[[Compared], float | None]:
    def read(item: Compared) -> float | None:
        found = ((item.evaluation or {}).get("quality") or {}).get(name) or {}
        return found["tuned"]["share"] if found.get("tuned") else None

    return read


def _forgetting(item: Compared) -> float | None:
    check = (item.evaluation or {}).get("forgetting")
    groups = [] if check is None else check["groups"]
    losses = [(group["base_loss"], group["tuned_loss"]) for group in groups if group["num_tokens"]]
    if not losses or any(None in pair for pair in losses):
        return None
    return round(max(float(after - before) for before, after in losses), 4)


METRICS: dict[str, tuple[Direction, Callable[[Compared], Any]]] = {
    "final_loss": ("lower", _result("final_loss")),
    "eval_loss": ("lower", _result("eval_loss")),
    "perplexity": ("lower", _result("perplexity")),
    "facts_in_other_words": ("higher", _share_in_other_words),
    "facts_remembered": ("higher", _share_remembered),
    "facts_broken": ("lower", _facts_broken),
    "chrf": ("higher", _chrf),
    "term_accuracy": ("higher", _quality("term_accuracy")),
    "consistency": ("higher", _quality("consistency")),
    "safety": ("higher", _quality("safety")),
    "forgetting_loss_rise": ("lower", _forgetting),
    "seconds": ("lower", _training_seconds),
    "tokens_per_second": ("higher", _result("tokens_per_second")),
    "peak_memory_bytes": ("lower", _result("peak_memory_bytes")),
}


# What a note says about numbers, and the metrics of which then none is the best.
INCOMPARABLE = {
    "different_data": ("final_loss", "eval_loss", "perplexity"),
    "different_questions": (
        "facts_in_other_words",
        "facts_remembered",
        "facts_broken",
        "chrf",
        "term_accuracy",
        "consistency",
    ),
}


@dataclass(frozen=True)
class Comparison:
    """Jobs that were read and can be put side by side; it needs no worker and writes nothing."""

    items: tuple[Compared, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the document that `compare --json` prints."""
        notes = _notes(self.items)
        apart = {name for note in notes for name in INCOMPARABLE.get(note["code"], ())}
        return {
            "jobs": [_job(item) for item in self.items],
            "differences": _differences(self.items),
            "metrics": [_metric(name, self.items, name not in apart) for name in METRICS],
            "notes": notes,
        }


def plan_comparison(job_dirs: Sequence[str | Path]) -> Comparison:
    """Read two jobs or more.

    Raises:
        ConfigError: fewer than two jobs. NotFound: a folder is not a job. InputError: a report is damaged.
    """
    if len(job_dirs) < 2:
        raise ConfigError("compare_needs_two", count=len(job_dirs))
    return Comparison(tuple(_read(Path(folder).absolute()) for folder in job_dirs))


def compare(job_dirs: Sequence[str | Path]) -> dict[str, Any]:
    """Compare two jobs or more; returns the document that `compare --json` prints.

    `differences` lists only the settings that differ; each metric carries one value per job (null where it was not
    measured) and the positions of the best ones.

    Raises:
        ConfigError: fewer than two jobs. NotFound: a folder is not a job. InputError: a report is damaged.
    """
    return plan_comparison(job_dirs).to_dict()


def _read(folder: Path) -> Compared:
    return Compared(folder, read_job(folder), job_status(folder), _newest_result(folder), newest_evaluation(folder))


def _newest_result(folder: Path) -> dict[str, Any] | None:
    for run in reversed(run_numbers(folder)):
        path = run_dir(folder, run) / RESULT_FILE
        if path.is_file():
            return read_document(path)
    return None


def _job(item: Compared) -> dict[str, Any]:
    return {
        "folder": str(item.folder),
        "name": item.folder.name,
        "id": item.job.id,
        "base_model": item.job.base_model,
        "method": item.job.method,
        "data": Path(item.job.data.path).name,
        "status": item.status,
        "is_evaluated": item.evaluation is not None,
    }


def _settings(item: Compared) -> dict[str, Any]:
    data = item.job.to_json()
    sources = {"data": data["data"]["sha256"], "eval_data": (data["eval_data"] or {}).get("sha256")}
    return {"base_model": data["base_model"], "base_digest": data["base_digest"], **sources, **data["train"]}


def _differences(items: Sequence[Compared]) -> list[dict[str, Any]]:
    settings = [_settings(item) for item in items]
    fields = dict.fromkeys(name for values in settings for name in values)
    return [
        {"field": name, "values": [values.get(name) for values in settings]}
        for name in fields
        if len({json.dumps(values.get(name), sort_keys=True) for values in settings}) > 1
    ]


def _metric(name: str, items: Sequence[Compared], is_comparable: bool) -> dict[str, Any]:
    direction, read = METRICS[name]
    values = [read(item) for item in items]
    measured = [value for value in values if value is not None]
    best = (min if direction == "lower" else max)(measured, default=None)
    is_decided = is_comparable and len(measured) > 1 and min(measured) < max(measured)
    return {
        "name": name,
        "better": direction,
        "values": values,
        "best": [index for index, value in enumerate(values) if value == best] if is_decided else [],
    }


def _notes(items: Sequence[Compared]) -> list[dict[str, Any]]:
    """Return what makes numbers here incomparable or missing."""
    evaluated = [item for item in items if item.evaluation is not None]
    questions = {_asked(item.evaluation) for item in evaluated if item.evaluation is not None}
    missing = [item.folder.name for item in items if item.result is not None and item.evaluation is None]
    unfinished = [item.folder.name for item in items if item.result is None]
    folders = [item.folder.resolve() for item in items]
    twice = dict.fromkeys(folder.name for folder in folders if folders.count(folder) > 1)
    conditions: list[tuple[bool, str, dict[str, Any]]] = [
        (bool(twice), "same_job", {"jobs": ", ".join(twice)}),
        (len({item.job.data.sha256 for item in items}) > 1, "different_data", {}),
        (len(questions) > 1, "different_questions", {}),
        (bool(missing), "not_evaluated", {"jobs": ", ".join(missing)}),
        (bool(unfinished), "not_finished", {"jobs": ", ".join(unfinished)}),
    ]
    return [{"code": code, "params": params} for holds, code, params in conditions if holds]


def _asked(evaluation: dict[str, Any]) -> str:
    return json.dumps([[item["question"], item["reference"]] for item in evaluation["items"]], ensure_ascii=False)
