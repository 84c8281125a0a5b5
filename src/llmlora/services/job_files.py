"""What lies in the folder of a job: its files, checkpoints and log, and nothing that lies outside of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from llmlora.core.errors import NotFound
from llmlora.core.layout import (
    LOCK_FILE,
    LOG_FILE,
    MANIFEST_FILE,
    QUEUE_FILE,
    RESERVE_FILE,
    TEMPORARY_PREFIX,
    checkpoint_dirs,
    run_dir,
    run_numbers,
)
from llmlora.core.publish import read_json
from llmlora.services.server_log import read_piece

MOST_FILES: Final = 2000
HIDDEN: Final = (LOCK_FILE, QUEUE_FILE, RESERVE_FILE)


def list_files(folder: Path) -> list[dict[str, Any]]:
    """Return the first 2,000 files of a job by name: `name`, `num_bytes`, `changed_at`, and `sha256` where recorded."""
    found: list[dict[str, Any]] = []
    recorded: dict[Path, dict[str, Any]] = {}
    for directory, folders, names in os.walk(folder):
        place = Path(directory)
        folders[:] = sorted(name for name in folders if _is_shown(name))
        recorded |= {place / name: entry for name, entry in _manifest(place).items()}
        for name in sorted(filter(_is_shown, names)):
            status = (place / name).lstat()
            if stat.S_ISREG(status.st_mode):
                entry = recorded.get(place / name, {})
                is_unchanged = entry.get("size") == status.st_size
                found.append(
                    {
                        "name": (place / name).relative_to(folder).as_posix(),
                        "num_bytes": status.st_size,
                        "changed_at": _time(status.st_mtime),
                        "sha256": entry.get("sha256") if is_unchanged else None,
                    }
                )
        if len(found) >= MOST_FILES:
            break
    return found[:MOST_FILES]


def open_file(folder: Path, name: str) -> int:
    """Open a file of a job to read it and return its descriptor; a link on the way is no part of the job.

    Raises:
        NotFound: `job_file_not_found`, for names that lead out of the folder as for those of nothing.
    """
    parts = PurePosixPath(name).parts
    is_inside = not any(part in ("/", "..") for part in parts) and not {"\0", "\\"} & set(name)
    if not is_inside or not parts or not all(map(_is_shown, parts)):
        raise NotFound("job_file_not_found", name=name[:200])
    try:
        descriptor = _opened(folder, parts)
    except (OSError, ValueError) as error:  # also a name that no file can have
        raise NotFound("job_file_not_found", name=name[:200]) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotFound("job_file_not_found", name=name[:200])
    return descriptor


def _opened(folder: Path, parts: Sequence[str]) -> int:
    """Open what lies below a folder step by step, so that no step can become a link meanwhile."""
    found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for number, part in enumerate(parts, 1):
        kind = os.O_NONBLOCK if number == len(parts) else os.O_DIRECTORY
        try:
            below = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | kind, dir_fd=found)
        finally:
            os.close(found)
        found = below
    return found


def list_checkpoints(folder: Path) -> list[dict[str, Any]]:
    """Return the checkpoints of a job, the newest step first; `is_whole` says that its manifest names files there."""
    found = []
    for step, run, path in reversed(checkpoint_dirs(folder)):
        files = _manifest(path)
        sizes = [_size(path / name) for name in files]
        is_whole = bool(files) and sizes == [item.get("size") for item in files.values()]
        name = path.relative_to(folder).as_posix()
        found.append(
            {
                "step": step,
                "run": run,
                "name": name,
                "num_bytes": sum(size or 0 for size in sizes),
                "created_at": _time(path.stat().st_mtime),
                "is_whole": is_whole,
            }
        )
    return found


def read_log(folder: Path, run: int | None, after: int | None, tail: int) -> dict[str, Any]:
    """Return a piece of the log of a run, the newest when none is named, as `read_piece` does, with all `runs`."""
    runs = run_numbers(folder)
    number = run if run in runs else (runs or [0])[-1] if run is None else 0
    return {"run": number, "runs": runs, **read_piece(run_dir(folder, number) / LOG_FILE, after, tail)}


def folder_bytes(folder: Path) -> int | None:
    """Return the size of all files in a folder, None when there is no such folder."""
    if not folder.is_dir():
        return None
    return sum(_size(Path(directory) / name) or 0 for directory, _, names in os.walk(folder) for name in names)


def _manifest(folder: Path) -> dict[str, Any]:
    """Return what a published folder's manifest tells of each file, by its name below the folder."""
    try:
        files = read_json(folder / MANIFEST_FILE)["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return files if isinstance(files, dict) else {}


def _is_shown(name: str) -> bool:
    return not name.startswith((".", TEMPORARY_PREFIX)) and name not in HIDDEN


def _size(path: Path) -> int | None:
    try:
        return path.lstat().st_size
    except OSError:
        return None


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
