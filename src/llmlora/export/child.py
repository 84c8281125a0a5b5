"""Call a function in a process of its own: native code that aborts or hangs on a file ends that process only."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from llmlora.core.errors import LlmloraError, RunError, error_from_dict
from llmlora.core.publish import disk_errors

OnWait = Callable[[], None]
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Apart:
    """A call that runs in a process of its own."""

    _process: Any
    _receiver: Connection
    _log: Path

    def result(self, seconds: float, on_wait: OnWait | None = None) -> Any:
        """Wait for what the function returns; `on_wait` is called every second, what it raises ends the process.

        Raises:
            LlmloraError: what the function raised.
            RunError: `native_abort` when the process died, `native_timeout` when `seconds` from now were not enough.
        """
        try:
            reply = _received(self._receiver, seconds, on_wait)
        except EOFError:
            self._process.join()
            how = _ending(self._process.exitcode or 0)
            raise RunError("native_abort", how=how, detail=_last_words(self._log)) from None
        if "error" in reply:
            raise error_from_dict(reply["error"])
        return reply["result"]


@contextmanager
def apart(function: Callable[..., Any], *arguments: Any) -> Iterator[Apart]:
    """Call `function(*arguments)` in a fresh process, which ends with the block; both must be picklable.

    The death of this process ends it too.
    The work lies in a file: written into the pipe to a process that died at its start, it would block for ever.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "stderr.txt"
        work = Path(folder) / "work.pickle"
        with disk_errors(Path(folder)), work.open("wb") as stream:
            pickle.dump((function, arguments), stream, pickle.HIGHEST_PROTOCOL)
        process = context.Process(target=_answer, args=(sender, log, work), daemon=True)
        process.start()
        sender.close()
        try:
            yield Apart(process, receiver, log)
        finally:
            process.kill()
            process.join()
            receiver.close()


def run_apart(function: Callable[..., Any], *arguments: Any, seconds: float, on_wait: OnWait | None = None) -> Any:
    """Call a function apart and wait for its result; errors as in `Apart.result`."""
    with apart(function, *arguments) as call:
        return call.result(seconds, on_wait)


def _received(receiver: Connection, seconds: float, on_wait: OnWait | None) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while not receiver.poll(min(POLL_SECONDS, seconds)):
        if time.monotonic() > deadline:
            raise RunError("native_timeout", seconds=round(seconds))
        if on_wait is not None:
            on_wait()
    return dict(receiver.recv())


def _answer(sender: Connection, log: Path, work: Path) -> None:
    """Do the work that lies in a file: stderr goes to `log`, the answer into the pipe."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    descriptor = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 2)
    function, arguments = pickle.loads(work.read_bytes())
    try:
        reply = {"result": function(*arguments)}
    except LlmloraError as error:
        reply = {"error": error.to_dict()}
    sender.send(reply)
    sys.stderr.flush()
    os._exit(0)  # without the destructors of native code, which have nothing left to do


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _ending(exit_code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(-exit_code).name
    return f"exit {exit_code}"


def _last_words(log: Path) -> str:
    """Return the line in which native code, or Python, says why the process ended; empty when it said nothing."""
    with suppress(OSError):
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
        spoken = [line for line in lines if line]
        return next((line for line in spoken if "ASSERT" in line), spoken[-1] if spoken else "")[:300]
    return ""
