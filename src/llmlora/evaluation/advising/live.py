"""The diagnosis of a run while it goes on: findings as events, each when it first shows, and a word when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from llmlora.core.events import EventType, EventWriter, finite
from llmlora.core.job import JobConfig
from llmlora.evaluation.advising.findings import MIN_STEPS, Finding, find_in_run, find_so_far

LOOKS: Final = 50  # at the numbers of a run, at most

Record = dict[str, Any]


class DiagnosedEvents(EventWriter):
    """Passes the events of a run on to its writer, and adds what its numbers say.

    `steps` and `evaluations` are those of earlier attempts. A finding of a run that goes on has `so_far`; one that does
    not hold any more is told once more with `is_over`.
    """

    def __init__(
        self, events: EventWriter, job: JobConfig, steps: Sequence[Record] = (), evaluations: Sequence[Record] = ()
    ) -> None:
        """Write to `events`; no file is opened."""
        self._events, self._job = events, job
        self._steps = {record["step"]: record for record in steps}
        self._evaluations = {record["step"]: record for record in evaluations}
        self._told: set[str] = set()
        self._next_look = 0

    def emit(self, event_type: EventType, **fields: Any) -> None:
        """Pass one event on; after some steps look at the numbers."""
        self._events.emit(event_type, **fields)
        records = {"step": self._steps, "evaluation": self._evaluations}.get(event_type)
        if records is not None:
            records[fields["step"]] = {"step": fields["step"], **finite(fields["metrics"])}
        if event_type == "step" and self._next_look <= fields["step"] < fields["total_steps"]:
            self._next_look = fields["step"] + max(MIN_STEPS, fields["total_steps"] // LOOKS)
            found = find_so_far(self._job, *self._curves(), fields["total_steps"])
            self._tell([finding for finding in found if finding.code not in self._told], so_far=True)
            self._withdraw(found)

    def conclude(self, adapter_size: float | None, final_loss: float | None) -> None:
        """Tell what the numbers of the whole run say."""
        found = find_in_run(self._job, *self._curves(), adapter_size, final_loss)
        self._withdraw(found)
        self._tell(found)

    def close(self) -> None:
        """Leave the file to its writer."""

    def _curves(self) -> tuple[list[Record], list[Record]]:
        ordered = ([records[step] for step in sorted(records)] for records in (self._steps, self._evaluations))
        steps, evaluations = ordered
        return steps, evaluations

    def _tell(self, findings: Iterable[Finding], **more: bool) -> None:
        for finding in findings:
            settings = {} if finding.settings is None else {"settings": finding.settings}
            params = {"code": finding.code, "step": finding.step, "params": finding.params}
            self._events.emit("finding", **params, **settings, **more)
            self._told.add(finding.code)

    def _withdraw(self, findings: Iterable[Finding]) -> None:
        for code in sorted(self._told - {finding.code for finding in findings}):
            self._events.emit("finding", code=code, step=None, params={}, is_over=True)
            self._told.discard(code)
