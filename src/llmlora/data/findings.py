"""The findings of a check in a file, one JSON object a line: far more of them than a report holds, errors first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from llmlora.data.problems import Problem

LISTED_PER_CODE = 10_000


class FindingWriter:
    """Collects findings, of each code the first 10,000, and writes them down in the order in which they are read."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lines: list[tuple[bool, int, int, str]] = []

    def add(self, problem: Problem) -> None:
        """Take one finding."""
        self._counts[problem.code] += 1
        if self._counts[problem.code] <= LISTED_PER_CODE:
            text = json.dumps(problem.stored(), ensure_ascii=False)
            self._lines.append((problem.level != "error", problem.line or 0, len(self._lines), text))

    def write(self, path: Path) -> None:
        """Write errors, then warnings, each by line."""
        with path.open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
            stream.writelines(f"{text}\n" for *_, text in sorted(self._lines))


def read_findings(path: Path, is_wanted: Callable[[Problem], bool] = lambda _: True) -> Iterator[tuple[int, Problem]]:
    """Yield (line of the file, finding) for those that are wanted, in the order of the file."""
    with path.open(encoding="utf-8", newline="\n") as stream:
        for number, text in enumerate(stream, 1):
            problem = Problem(**json.loads(text))
            if is_wanted(problem):
                yield number, problem
