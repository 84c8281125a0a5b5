"""The headers of models, read for a server: in a child under hard limits, once for each state of a file (rule R9).

A list of many models starts one child. One that ends at its first file says what that file does to its reader; at a
later one, that file is the first of the next child, so that nothing is blamed for memory that others have used up.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from llmlora.catalog.header_reader import Form, Wanted, answer_file
from llmlora.core.errors import LlmloraError, ModelFileError, error_from_dict
from llmlora.services.inspect import READER_MEMORY_BYTES, PlannedInspection
from llmlora.services.launch import scratch_folder
from llmlora.services.supervisor import run_worker

SECONDS: Final = 60.0  # for each file: a vocabulary of 260,000 tokens takes one, and a busy machine longer
ANSWER_BYTES: Final = 16 << 20  # of 100,000 tensors, the most that a model of today has
KEPT_BYTES: Final = 64 << 20


@dataclass(frozen=True)
class _Look:
    """A file or a folder as it lies there now."""

    form: Form
    path: Path
    state: tuple[object, ...] | None

    @classmethod
    def at(cls, form: Form, path: Path) -> _Look:
        absolute = path.absolute()
        return cls(form, absolute, _state(absolute))

    @property
    def place(self) -> Wanted:
        return self.form, self.path


def _state(path: Path) -> tuple[object, ...] | None:
    """Return what changes with the bytes of a file, or with any file of a folder; None for what is not to be seen."""
    try:
        if not path.is_dir():
            return _of_file(path.stat())
        with os.scandir(path) as entries:
            return tuple(sorted((entry.name, *_of_entry(entry)) for entry in entries))
    except OSError:
        return None


def _of_entry(entry: os.DirEntry[str]) -> tuple[int, ...]:
    try:
        return _of_file(entry.stat())
    except OSError:  # a link to nothing
        return ()


def _of_file(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class LimitedHeaders:
    """A `HeaderReader` that has children read, one at a time, and keeps what they said in memory."""

    def __init__(self) -> None:
        self._kept: dict[Wanted, tuple[_Look, bytes]] = {}
        self._asking = threading.Lock()

    def read(self, form: Form, path: Path) -> dict[str, Any]:
        """Return the JSON form of a header.

        Raises:
            LlmloraError: what its reader raises for it. ModelFileError: `inspection_memory`, `inspection_deadline`,
                `inspection_crashed`. ResourceError, Stopped: it could not be read now.
        """
        look = _Look.at(form, path)
        while (answer := self._answer(look)) is None:
            self._read([look])
        found: dict[str, Any] = json.loads(answer)
        if "error" in found:
            raise error_from_dict(found["error"])
        return dict(found["found"])

    def read_ahead(self, wanted: Sequence[Wanted]) -> None:
        """Have one child read all that is not known yet; what goes wrong is told who asks for it."""
        with suppress(LlmloraError):
            self._read([_Look.at(form, path) for form, path in wanted])

    def _answer(self, look: _Look) -> bytes | None:
        kept = self._kept.get(look.place)
        return kept[1] if kept is not None and kept[0] == look else None

    def _unknown(self, looks: Iterable[_Look]) -> list[_Look]:
        return [look for look in looks if self._answer(look) is None]

    def _read(self, looks: Sequence[_Look]) -> None:
        if not self._unknown(looks):
            return
        with self._asking:  # whoever has waited finds most of it known
            left = self._unknown(dict.fromkeys(looks))
            while left:
                number = 0
                for number, answer in enumerate(_read_in_child(left), 1):
                    self._keep(left[number - 1], answer)
                left = left[number:]

    def _keep(self, look: _Look, answer: bytes) -> None:
        self._kept.pop(look.place, None)  # the newest one stands last
        self._kept[look.place] = look, answer
        while sum(len(kept) for _, kept in self._kept.values()) > KEPT_BYTES:
            del self._kept[next(iter(self._kept))]


def _read_in_child(looks: Sequence[_Look]) -> Iterator[bytes]:
    """Yield what a child says of the first files, one at least; raises LlmloraError for what is not about a file."""
    wanted = {"wanted": [[look.form, str(look.path)] for look in looks]}
    planned = PlannedInspection(
        "inspect_headers", "headers", looks[0].path, wanted, READER_MEMORY_BYTES, SECONDS, ANSWER_BYTES
    )
    with scratch_folder(planned.to_config()) as work:
        failure = _failure(planned.kind, work)
        answers = [path for number in range(len(looks)) if (path := answer_file(work, number)).is_file()]
        yield from (path.read_bytes() for path in answers)
    if failure is None or len(answers) == len(looks):
        return
    refusal = replace(planned, path=looks[len(answers)].path).refusal(failure)
    if not isinstance(refusal, ModelFileError):
        raise refusal
    if not answers or refusal.code == "inspection_deadline":  # its time is its own, whatever the others took
        yield json.dumps({"error": refusal.to_dict()}).encode()


def _failure(kind: str, work: Path) -> LlmloraError | None:
    try:
        run_worker(kind, work)
    except LlmloraError as error:
        return error
    return None
