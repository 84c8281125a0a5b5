"""What a job's own numbers say about it, and the settings to try next: worded, with the codes for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llmlora.core.errors import InputError, NotFound, error_from_dict
from llmlora.core.job import JobConfig, read_job
from llmlora.core.locale import advice_words, error_texts, remark_text
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

    `settings` are changes for a clone (null: back to what is recommended), None where none are known.

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
    if not isinstance(advice, dict):
        return {**known, "text": text, "advice": None, "settings": None}
    return {**known, "text": text, "advice": advice_words(advice), "settings": advice["params"].get("settings")}


def _failure(queue: Queue, job: JobRow) -> dict[str, Any] | None:
    if job.error is None:
        return None
    texts = error_texts(error_from_dict(dict(job.error)))
    return {
        "type": "error",
        "code": job.error.get("code"),
        "step": (job.progress or {}).get("step"),
        "params": job.error.get("params") or {},
        "text": f"{texts['what']} {texts['why']}",
        "advice": texts["hint"],
        "settings": _settings_after(queue, job),
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
