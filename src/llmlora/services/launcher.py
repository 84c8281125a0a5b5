"""Where work runs, behind a small port: start a worker, or take over one that lives already. Today: processes here."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from llmlora.services.follow import lock_holder, stop_work
from llmlora.services.launch import Worker
from llmlora.services.model_memory import training_bytes
from llmlora.services.processes import Process, end_first


@dataclass(frozen=True, slots=True)
class Resources:
    """What a worker may use, besides its folder: processor threads (None: as it likes)."""

    num_threads: int | None = None


class Handle(Protocol):
    """A worker that was started or taken over."""

    @property
    def process(self) -> Process | None:
        """Its process, where it is one of this machine."""

    def is_alive(self) -> bool:
        """Tell whether it still works."""

    def exit_code(self) -> int | None:
        """Return how it ended, negative for a signal; None while it lives, and for one that was taken over."""

    def stop(self) -> None:
        """Ask it to save and go."""

    def kill(self) -> None:
        """End it at once, with everything that it has started."""


class Launcher(Protocol):
    """Start workers; each holds `worker.lock` of its folder, appends events there, and needs nobody else."""

    def launch(self, kind: str, folder: Path, run: int, resources: Resources) -> Handle:
        """Start a worker on a reserved run."""

    def adopt(self, folder: Path) -> Handle | None:
        """Return whoever works in a folder, None when nobody does."""


class LocalLauncher:
    """Workers are processes of this machine that outlive the process that started them.

    `before_training` is told how many bytes of memory a training job is about to need, so that others can give way.
    """

    def __init__(self, before_training: Callable[[int], None] = lambda _: None) -> None:
        self._before_training = before_training

    def launch(self, kind: str, folder: Path, run: int, resources: Resources) -> Handle:
        """Start `python -m llmlora.worker` on a reserved run.

        Raises:
            PackageMissing: training is not installed here.
        """
        threads = {} if resources.num_threads is None else {"OMP_NUM_THREADS": str(resources.num_threads)}
        if kind == "train":
            self._before_training(training_bytes(folder))
        return StartedProcess(Worker(kind, folder, is_owned=False, run=run, environment=threads))

    def adopt(self, folder: Path) -> Handle | None:
        """Return the process that holds a folder's lock."""
        holder = lock_holder(folder)
        return None if holder is None else LockHolder(folder, int(holder) if holder.isdigit() else None)


class StartedProcess:
    """A worker that this process has started."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.process = Process.of(worker.process.pid)
        end_first(worker.process.pid)

    def is_alive(self) -> bool:
        """Tell whether it still works."""
        return self._worker.process.poll() is None

    def exit_code(self) -> int | None:
        """Return how it ended; None while it lives."""
        return self._worker.process.poll()

    def stop(self) -> None:
        """Ask it to save and go."""
        if self.is_alive():
            self._worker.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, with everything that it has started: it leads a process group of its own."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(self._worker.process.pid, signal.SIGKILL)


class LockHolder:
    """A worker that somebody else has started: what is known of it is that it holds the lock of its folder."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        self._folder = folder
        self.process = None if pid is None else Process.of(pid)

    def is_alive(self) -> bool:
        """Tell whether the lock is held."""
        return lock_holder(self._folder) is not None

    def exit_code(self) -> int | None:
        """Return None: only its parent hears how it ended."""
        return None

    def stop(self) -> None:
        """Ask it to save and go."""
        stop_work(self._folder)

    def kill(self) -> None:
        """End it at once, with everything that it has started."""
        if self.process is None or not self.process.is_alive() or not self.is_alive():
            return
        with suppress(ProcessLookupError):
            if os.getpgid(self.process.pid) == self.process.pid:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:  # somebody's shell has it in a group with other programs
                os.kill(self.process.pid, signal.SIGKILL)
