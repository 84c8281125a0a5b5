"""How long programs take to start here, in processor time, and how slow this machine is at just that.

Budgets of seconds were set on one machine. Another, or the same with all cores busy, is measured beside the program:
with the start of a bare interpreter that loads a part of the standard library.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache

REFERENCE_SECONDS = 0.115  # what STANDARD took on the machine of the budgets, 2026-12-01
STANDARD = "import asyncio, email, http.client, json, sqlite3, typing, unittest, xml.dom.minidom, logging.config"
STARTS = 3


def start_seconds(command: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """Return the processor time of a program that runs and ends, the least of some runs."""
    return min(_seconds(command, environment) for _ in range(STARTS))


@cache
def slowness() -> float:
    """Return how many times slower than the machine of the budgets this one starts programs; at least 1."""
    return max(1.0, start_seconds([sys.executable, "-I", "-S", "-c", STANDARD]) / REFERENCE_SECONDS)


def _seconds(command: Sequence[str], environment: Mapping[str, str] | None) -> float:
    environment = dict(os.environ if environment is None else environment)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # users' programs are compiled once
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
