"""Whether the Ollama of this machine answers somebody right now, told by the processor time that it uses."""

from __future__ import annotations

import time
from typing import Final

import psutil

NAME: Final = "ollama"  # of its server, and of the process in which a model runs
LOOK_SECONDS: Final = 1.0  # between two looks at its processes
LEAST_SHARE: Final = 0.1  # of one processor; one that only waits uses next to nothing
QUIET_SECONDS: Final = 60.0  # after an answer, in which the next question may come


class OllamaActivity:
    """What its processes have used up to the last look."""

    def __init__(self) -> None:
        self._used: dict[tuple[int, float], float] = {}  # by process: seconds
        self._looked: float | None = None
        self._answered: float | None = None

    def is_answering(self) -> bool:
        """Tell whether it has worked since the last look, or not long before; the first look only begins to measure."""
        moment = time.monotonic()
        if self._looked is None or moment - self._looked >= LOOK_SECONDS:
            self._look(moment)
        return self._answered is not None and moment - self._answered < QUIET_SECONDS

    def _look(self, moment: float) -> None:
        used = _processor_seconds()
        if self._looked is not None:
            spent = sum(seconds - self._used.get(process, 0.0) for process, seconds in used.items())
            if spent > LEAST_SHARE * (moment - self._looked):
                self._answered = moment
        self._used, self._looked = used, moment


def _processor_seconds() -> dict[tuple[int, float], float]:
    found = {}
    for process in psutil.process_iter(["name", "create_time", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None and str(process.info["name"]).startswith(NAME):
            found[process.pid, process.info["create_time"]] = times.user + times.system
    return found
