"""What happens in a job, line by line, and how to watch it as it happens."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from rich.markup import escape

from llmlora.cli.output import out, say, visible
from llmlora.cli.progress import EventPrinter, held_out_texts, phase_text, step_text
from llmlora.core.errors import Stopped, error_from_dict
from llmlora.core.events import finite
from llmlora.core.locale import error_texts, has_text, remark_text, translate
from llmlora.services.find import short_id
from llmlora.services.follow import Event
from llmlora.services.follow_job import follow_job, require_success
from llmlora.services.queue import Queue
from llmlora.services.workspace import open_workspace
from llmlora.store.statuses import WAITING


def print_events(events: Iterable[Event], *, as_lines_of_json: bool) -> None:
    """Print events on stdout as they come: in words with their time, or each as one line of JSON."""
    for event in events:
        if as_lines_of_json:
            sys.stdout.write(json.dumps(finite(event), ensure_ascii=False) + "\n")
            sys.stdout.flush()
            continue
        text = event_text(event)
        if text is not None:
            out.print(escape(visible(f"{_clock(event)}  {text}")))


def event_text(event: Event) -> str | None:
    """Return an event in words, None for one that has none."""
    wording = WORDINGS.get(event["type"])
    return None if wording is None else wording(event)


def follow_with(printer: EventPrinter, queue: Queue, job_id: str) -> None:
    """Show how a job goes on, as `train` shows its own, until it has ended or nobody looks after it.

    Raises:
        Stopped: `watching_ended`, Ctrl-C; the job goes on.
    """
    with watching(job_id):
        for event in follow_job(queue, job_id):
            if event["type"] == "status" and event["status"] in WAITING:
                say("cli.remark", text=_status(event))
            printer(event)


def follow_queued(job_id: str, printer: EventPrinter) -> dict[str, Any]:
    """Follow a job of the workspace's queue to its end, and return its result.

    Raises:
        LlmloraError: what kept it from succeeding. Stopped: `watching_ended`, Ctrl-C; the job goes on.
    """
    with open_workspace() as queue:
        follow_with(printer, queue, job_id)
        job = queue.get(job_id)
    require_success(job)
    return dict(job.result or {})


@contextmanager
def watching(job_id: str) -> Iterator[None]:
    """Let Ctrl-C end the watching alone, and say how to watch, pause or cancel the job."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Stopped("watching_ended", id=short_id(job_id)) from stop


def status_word(status: str, kind: str = "train") -> str:
    """Return the fixed word of a status; what runs is called learning only where it is."""
    return translate("status.working" if status == "running" and kind != "train" else f"status.{status}")


def reason_text(reason: str | None) -> str | None:
    """Return why a job waits or is paused; None where the status itself says so."""
    key = f"api.reason.{reason}"
    return translate(key) if reason not in (None, "user") and has_text(key) else None


def _clock(event: Event) -> str:
    moment = datetime.fromisoformat(event["time"]) if "time" in event else datetime.now().astimezone()
    return moment.astimezone().strftime("%H:%M:%S")


def _status(event: Event) -> str:
    word = status_word(event["status"])
    if event.get("ahead"):
        return translate("cli.event.ahead", status=word, count=event["ahead"])
    reason = reason_text(event["reason"])
    return f"{word}: {reason}" if reason else word


def _evaluation(event: Event) -> str | None:
    metrics = event["metrics"]
    if "eval_loss" not in metrics:
        return None
    eval_loss, perplexity = held_out_texts(metrics["eval_loss"], metrics.get("perplexity"))
    return translate("cli.evaluation", step=event["step"], eval_loss=eval_loss, perplexity=perplexity)


def _ended(event: Event) -> str:
    if not event.get("error"):
        return status_word(event["status"])
    return f"{status_word(event['status'])}: {error_texts(error_from_dict(event['error']))['what']}"


WORDINGS: Final[dict[str, Callable[[dict[str, Any]], str | None]]] = {
    "status": _status,
    "run_started": lambda event: translate("cli.event.run_started", run=event.get("run")),
    "phase": phase_text,
    "step": step_text,
    "evaluation": _evaluation,
    "checkpoint": lambda event: translate("cli.event.checkpoint", step=event["step"]),
    "warning": lambda event: remark_text(event) or str(event["code"]),
    "finding": lambda event: None if event.get("is_over") else remark_text(event) or str(event["code"]),
    "run_ended": _ended,
}
