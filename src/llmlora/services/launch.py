"""Start a worker process on a folder: its run is reserved and handed down, its owner named; nothing heavy is loaded."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from llmlora.core.layout import CONFIG_FILE, TEMPORARY_PREFIX, new_id, next_run, run_dir, scratch_dir
from llmlora.core.locale import current_language
from llmlora.core.publish import disk_errors, write_json
from llmlora.core.temporary import remove_leftovers
from llmlora.core.writable import require_workspace
from llmlora.services.follow import Event, follow, lock_holder
from llmlora.services.packages import require_packages

# Of the server alone: no worker opens the database or answers a request, and model files are programs of strangers.
SERVER_SECRETS = ("LLMLORA_TOKEN", "DATABASE_URL", "POSTGRES_PASSWORD")
# Of others, for the one kind of work that shows them to whom they are for.
SECRETS_OF = {
    "HF_TOKEN": "download",
    "HUGGING_FACE_HUB_TOKEN": "download",
    "WANDB_API_KEY": "train",
    "MLFLOW_TRACKING_USERNAME": "train",
    "MLFLOW_TRACKING_PASSWORD": "train",
    "MLFLOW_TRACKING_TOKEN": "train",
}
# Libraries that a worker loads are told to report nothing home; who wants it otherwise sets the variable.
QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "WANDB_ERROR_REPORTING": "false"}

SCRATCH_SECONDS = 3600.0  # without a change, after which a scratch folder in which nobody works belongs to nobody

LIGHT_KINDS = ("inspect", "inspect_headers")  # need no more than the command line itself


class Worker:
    """One running worker process, the run that it was given, and the events of that run."""

    def __init__(
        self,
        kind: str,
        folder: Path,
        *,
        pipes: bool = False,
        is_owned: bool = True,
        run: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it. An owned worker stops when this process is gone; one that is not goes on by itself.

        `run` is one that `reserve_run` has given; without it the next one is reserved here.
        """
        if kind not in LIGHT_KINDS:
            require_packages()
        self.kind = kind
        self.folder = folder
        self.run = run or reserve_run(folder)
        pipe = subprocess.PIPE if pipes else subprocess.DEVNULL
        self.process = subprocess.Popen(
            [sys.executable, "-m", "llmlora.worker", kind, str(folder), str(self.run)],
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**_environment(kind, is_owned), **(environment or {})},
        )
        self.events: Iterator[Event] = follow(folder, self.run, is_working=lambda: self.process.poll() is None)
        self.was_stopped = False

    def stop(self) -> None:
        """Ask the worker to stop at its next safe point; asked a second time, end it at once."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if self.was_stopped else signal.SIGTERM)
            self.was_stopped = True


def _environment(kind: str, is_owned: bool) -> dict[str, str]:
    others = [name for name, reader in SECRETS_OF.items() if reader != kind]
    kept = {
        name: value for name, value in os.environ.items() if name not in ("LLMLORA_PARENT", *SERVER_SECRETS, *others)
    }
    owner = {"LLMLORA_PARENT": str(os.getpid())} if is_owned else {}
    return {**QUIET, **kept, **owner, "LLMLORA_LANG": current_language()}


def reserve_run(folder: Path) -> int:
    """Make the folder of the next run, which nobody else can make as well, and return its number."""
    while True:
        run = next_run(folder)
        try:
            with disk_errors(folder):
                run_dir(folder, run).mkdir(parents=True)
        except FileExistsError:
            continue
        return run


@contextmanager
def scratch_folder(config: dict[str, Any]) -> Iterator[Path]:
    """Yield a short-lived folder with a `config.json`, for work that leaves nothing behind.

    Raises:
        ResourceError: the workspace cannot be written.
    """
    require_workspace(scratch_dir())
    folder = scratch_dir() / new_id()
    folder.mkdir(parents=True)
    try:
        write_json(folder / CONFIG_FILE, config)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_scratch() -> None:
    """Remove what killed processes left in the scratch folder: what nobody holds, or is old and has no worker."""
    remove_leftovers(scratch_dir())
    for path in scratch_dir().iterdir() if scratch_dir().is_dir() else ():
        with suppress(OSError):  # somebody else was quicker
            changed = max(part.stat().st_mtime for part in (path, *path.rglob("*")))
            is_old = time.time() - changed > SCRATCH_SECONDS
            if is_old and not path.name.startswith(TEMPORARY_PREFIX) and lock_holder(path) is None:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
