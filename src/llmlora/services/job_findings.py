"""What a job's own numbers say about it, and the settings to try next: worded, with the codes for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llmlora.core.actions import action_of, change_of
from llmlora.core.errors import InputError, NotFound, error_from_dict
from llmlora.core.events import is_passing
from llmlora.core.job import JobConfig, read_job
from llmlora.core.locale import advice_words, remark_text, spoken_error
from llmlora.core.next_run import lower_rate, settings_text
from llmlora.services.queue import Queue
from llmlora.services.queue_rules import less_memory
from llmlora.store.events import EventRow
from llmlora.store.jobs import JobRow

TYPES: Final = ("finding", "warning")
OF_QUEUE: Final = ("less_memory", "stalled")  # what the queue itself has to say of a run
OUT_OF_MEMORY: Final = ("OutOfMemory",)
DIVERGED: Final = ("NonFiniteLoss",)
DIVERGED_CODES: Final = ("nonfinite_weights", "weights_diverged")


def diagnosis(queue: Queue, job_id: str) -> list[dict[str, Any]]:
    """Return what is known of a job, the gravest first: why it failed, findings of its numbers, warnings of its run.

    While it runs these are the findings so far; what its end says takes their place.

    `settings` are changes for a clone (null: back to what is recommended), None where none are known; `action` is the
    next step as data.

    Raises:
        NotFound: the job.
    """
    job = queue.get(job_id)
    events = queue.events_after(0, job_id=job_id, types=(*TYPES, *OF_QUEUE), limit=1000)
    remarks = [(event.run, _as_remark(event)) for event in events]
    newest = {
        (remark["type"], remark["code"]): (run, remark) for run, remark in remarks
    }  # of later runs, the same again
    found = [_remark(remark) for run, remark in newest.values() if _still_holds(remark, run, job)]
    found.sort(key=lambda item: TYPES.index(item["type"]))
    error = _failure(queue, job)
    return [error, *found] if error else found


def _as_remark(event: EventRow) -> dict[str, Any]:
    """Return an event as a finding or a warning; those of the queue become warnings."""
    if event.type not in OF_QUEUE:
        return {"type": event.type, **event.data}
    params = {name: settings_text(value) if isinstance(value, dict) else value for name, value in event.data.items()}
    return {"type": "warning", "code": event.type, "params": params}


def _still_holds(remark: Mapping[str, Any], run: int, job: JobRow) -> bool:
    """Tell whether a finding counts: one so far only of the newest run, while or where that did not come to its end."""
    if not is_passing(remark):
        return True
    return not remark.get("is_over") and run == job.run and job.status != "succeeded"


def _remark(remark: Mapping[str, Any]) -> dict[str, Any]:
    params = dict(remark.get("params") or {})
    advice = params.pop("advice", None)
    known = {"type": remark["type"], "code": remark["code"], "step": remark.get("step"), "params": params}
    text = remark_text({**remark, "params": params}) or str(remark["code"])
    has_advice = isinstance(advice, dict)
    settings = advice["params"].get("settings") if has_advice else remark.get("settings")
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
