"""Whether a run has stopped making steps, by its own pace. Sleep of the machine does not count."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from statistics import median
from typing import Any, Final

WARN_FACTOR: Final = 10.0  # of the median time of a step
HOPELESS_FACTOR: Final = 100.0
LEAST_WARN_SECONDS: Final = 10.0
KEPT: Final = 50
BETWEEN_STEPS: Final = ("step", "evaluation", "checkpoint", "warning", "finding")


class Pace:
    """The pace of one run. It can stall only between its first and its last step: what comes around may take long."""

    def __init__(self, hopeless_seconds: float) -> None:
        self._hopeless = hopeless_seconds
        self._times: deque[float] = deque(maxlen=KEPT)
        self._last_step: float | None = None
        self._is_stepping = False
        self._seen = self._looked = time.monotonic()
        self._has_warned = False

    def see(self, events: Iterable[dict[str, Any]]) -> None:
        """Take a look at the run into account, with the new events that it has found."""
        self._looked = time.monotonic()
        for event in events:
            self._seen, self._has_warned = self._looked, False
            if event["type"] == "step":
                self._see_step(event)
            elif event["type"] not in BETWEEN_STEPS:
                self._is_stepping = False

    def _see_step(self, event: dict[str, Any]) -> None:
        mono = float(event.get("mono", 0.0))
        if self._last_step is not None and mono > self._last_step:
            self._times.append(mono - self._last_step)
        self._last_step = mono
        self._is_stepping = event["step"] < event.get("total_steps", 0)

    def seconds(self) -> float:
        """Return how long nothing had come at the last look."""
        return self._looked - self._seen

    def new_stall(self) -> float | None:
        """Return how long nothing has come, once, when that is unusual for this run; else None."""
        if self._has_warned or not self._is_stepping or not self._times:
            return None
        if self.seconds() < max(LEAST_WARN_SECONDS, WARN_FACTOR * median(self._times)):
            return None
        self._has_warned = True
        return self.seconds()

    def is_hopeless(self) -> bool:
        """Tell whether nothing will come any more."""
        usual = HOPELESS_FACTOR * median(self._times) if self._times else 0.0
        return self._is_stepping and self.seconds() > max(self._hopeless, usual)
