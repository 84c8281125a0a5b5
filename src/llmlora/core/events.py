"""The append-only `events.jsonl` of a run: one JSON object per line, written by one process, read by anyone."""

from __future__ import annotations

import errno
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from llmlora.core.layout import EVENTS_FILE, run_dir, run_numbers

EventType = Literal[
    "run_started", "phase", "step", "evaluation", "sample", "checkpoint", "finding", "warning", "run_ended"
]


def finite(value: Any) -> Any:
    """Return a JSON value in which NaN and infinities are null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


class EventWriter:
    """Append events to the file of one run; each line is flushed, so that a reader sees it at once."""

    def __init__(self, folder: Path, run: int) -> None:
        self.run = run
        self.path = folder / EVENTS_FILE
        self._seq = 0
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def emit(self, event_type: EventType, **fields: Any) -> None:
        """Append one event; non-finite metrics become null and are named in `nonfinite`."""
        event: dict[str, Any] = {
            "seq": self._seq + 1,
            "run": self.run,
            "type": event_type,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "mono": round(time.monotonic(), 3),
            **finite(fields),
        }
        broken = {
            name: str(value) for name, value in (fields.get("metrics") or {}).items() if finite(value) is not value
        }
        if broken:
            event["nonfinite"] = broken
        line = json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n"
        self._append(line.encode("utf-8", "replace"))
        self._seq += 1

    def _append(self, line: bytes) -> None:
        """Write a line whole or not at all: what a filling disk took of it is cut off again before the error."""
        end = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):
                written += os.write(self._descriptor, line[written:])
            if written < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.ftruncate(self._descriptor, end)
            raise

    def close(self) -> None:
        """Flush the file to the disk and close it."""
        try:
            os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)


class SilentEvents(EventWriter):
    """What a process writes to that is not the one to tell: nothing."""

    def __init__(self) -> None:
        """Open no file."""

    def emit(self, event_type: EventType, **fields: Any) -> None:
        """Drop the event."""

    def close(self) -> None:
        """Close nothing."""


def events_after(path: Path, offset: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (end offset, event) for each whole line after byte `offset`.

    An unfinished last line waits; a line that a power cut has left as rubbish is passed over.
    """
    if not path.is_file():
        return
    with path.open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            event = _parsed(line)
            if event is not None:
                yield offset, event


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "type" in event else None


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield all events of one file."""
    for _, event in events_after(path, 0):
        yield event


def read_job_events(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of all runs of a job folder in order."""
    for run in run_numbers(folder):
        yield from read_events(run_dir(folder, run) / EVENTS_FILE)


def rows_cut(folder: Path) -> int:
    """Return how many rows of a job's data were cut at `max_length`; 0 also where no run of it got so far."""
    phases = (event for event in read_job_events(folder) if event["type"] == "phase")
    counts = [event["params"].get("truncated") for event in phases if event.get("name") == "prepared"]
    return int(counts[-1] or 0) if counts else 0


def is_passing(event: Mapping[str, Any]) -> bool:
    """Tell whether a finding is of a run that goes on, or says that such a one is over: the end has the last word."""
    return bool(event.get("so_far") or event.get("is_over"))


def step_history(folder: Path) -> list[dict[str, Any]]:
    """Return one record per optimizer step, ascending; of a step logged twice the higher run counts."""
    steps: dict[int, dict[str, Any]] = {}
    for event in read_job_events(folder):
        if event["type"] == "step":
            steps[event["step"]] = {"step": event["step"], "run": event["run"], **event["metrics"]}
    return [steps[step] for step in sorted(steps)]
