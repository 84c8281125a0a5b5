"""What a job's own numbers say about it, and the settings to try next: worded, with the codes for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llmlora.core.actions import action_of, change_of
from llmlora.core.errors import InputError, NotFound, error_from_dict
from llmlora.core.job import JobConfig, read_job
from llmlora.core.locale import advice_words, remark_text, spoken_error
from llmlora.core.next_run import lower_rate
from llmlora.services.queue import Queue
from llmlora.services.queue_rules import less_memory
from llmlora.store.jobs import JobRow

TYPES: Final = ("finding", "warning")
OUT_OF_MEMORY: Final = ("OutOfMemory",)
DIVERGED: Final = ("NonFiniteLoss",)
DIVERGED_CODES: Final = ("nonfinite_weights", "weights_diverged")


def diagnosis(queue: Queue, job_id: str) -> list[dict[str, Any]]:
    """Return what is known of a job, the gravest first: why it failed, findings of its numbers, warnings of its run.

    `settings` are changes for a clone (null: back to what is recommended), None where none are known; `action` is the
    next step as data.

    Raises:
        NotFound: the job.
    """
    job = queue.get(job_id)
    events = queue.events_after(0, job_id=job_id, types=TYPES, limit=1000)
    newest = {(event.type, event.data.get("code")): event for event in events}  # of later runs, the same again
    found = [_remark({"type": event.type, **event.data}) for event in newest.values()]
    found.sort(key=lambda item: TYPES.index(item["type"]))
    error = _failure(queue, job)
    return [error, *found] if error else found


def _remark(remark: Mapping[str, Any]) -> dict[str, Any]:
    params = dict(remark.get("params") or {})
    advice = params.pop("advice", None)
    known = {"type": remark["type"], "code": remark["code"], "step": remark.get("step"), "params": params}
    text = remark_text({**remark, "params": params}) or str(remark["code"])
    has_advice = isinstance(advice, dict)
    settings = advice["params"].get("settings") if has_advice else None
    action = change_of(settings) or action_of(remark["code"], params)
    words = advice_words(advice) if has_advice else None
    return {**known, "text": text, "advice": words, "settings": settings, "action": action}


def _failure(queue: Queue, job: JobRow) -> dict[str, Any] | None:
    if job.error is None:
        return None
    spoken, settings = spoken_error(error_from_dict(dict(job.error))), _settings_after(queue, job)
    return {
        "type": "error",
        "code": spoken["code"],
        "step": (job.progress or {}).get("step"),
        "params": spoken["params"],
        "text": spoken["detail"],
        "advice": spoken["hint"],
        "settings": settings,
        "action": change_of(settings) or spoken["action"],
    }


def _settings_after(queue: Queue, job: JobRow) -> dict[str, Any] | None:
    """Return what to change after a failure that other settings can mend."""
    name, code = (job.error or {}).get("error"), (job.error or {}).get("code")
    is_diverged = name in DIVERGED or code in DIVERGED_CODES
    config = _config(queue, job) if is_diverged or name in OUT_OF_MEMORY else None
    if config is None:
        return None
    return lower_rate(config) if is_diverged else less_memory(config.train)


def _config(queue: Queue, job: JobRow) -> JobConfig | None:
    try:
        return read_job(queue.folder_of(job))
    except (InputError, NotFound):  # another kind of work, or its folder is gone
        return None
