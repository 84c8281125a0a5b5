"""The eight statuses of a job and every change between them, as data; nothing else changes a status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Status = Literal["queued", "preparing", "running", "paused", "interrupted", "succeeded", "failed", "canceled"]
StopRequest = Literal["cancel", "pause"]

ACTIVE: Final = ("preparing", "running")
WAITING: Final = ("queued", "paused", "interrupted")
ENDED: Final = ("succeeded", "failed", "canceled")
STATUSES: Final = (*WAITING, *ACTIVE, *ENDED)


@dataclass(frozen=True, slots=True)
class Transition:
    """One way from some statuses to another; `is_fenced` ones are a run's and count only while it is the job's run."""

    sources: tuple[str, ...]
    target: Status
    is_fenced: bool = False


TRANSITIONS: Final[dict[str, Transition]] = {
    # of the queue
    "claim": Transition(("queued",), "preparing"),
    "requeue": Transition(("interrupted",), "queued"),
    "adopt": Transition(STATUSES, "running"),  # somebody works in its folder: the folder is the truth
    # of users
    "pause": Transition(("queued", "interrupted"), "paused"),
    "resume": Transition(("paused",), "queued"),
    "cancel": Transition(WAITING, "canceled"),
    "retry": Transition(("failed", "canceled"), "queued"),
    # of a run that goes on or has ended
    "begin": Transition(("preparing",), "running", is_fenced=True),
    "succeed": Transition(ACTIVE, "succeeded", is_fenced=True),
    "fail": Transition(ACTIVE, "failed", is_fenced=True),
    "interrupt": Transition(ACTIVE, "interrupted", is_fenced=True),
    "stop_paused": Transition(ACTIVE, "paused", is_fenced=True),
    "stop_canceled": Transition(ACTIVE, "canceled", is_fenced=True),
}
