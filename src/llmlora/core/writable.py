"""Whether a place takes files, asked before anything is spent on what would be written there; it leaves nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from llmlora.core.errors import DiskFull, LlmloraError, ResourceError
from llmlora.core.layout import home_dir
from llmlora.core.publish import free_bytes, is_disk_full

PROBE_BYTES = 4096  # a full disk still takes empty files


def write_refusal(folder: Path) -> OSError | None:
    """Return what the system says against files in `folder`, or, before it exists, in its nearest parent; else None."""
    try:
        existing = _nearest(folder.absolute())
        with tempfile.TemporaryFile(dir=existing) as stream:
            stream.write(bytes(PROBE_BYTES))
            stream.flush()
        os.listdir(existing)
    except OSError as error:
        return error
    return None


def _nearest(folder: Path) -> Path:
    """Return the folder or its nearest existing parent; unlike Path.exists it raises for what cannot be looked at."""
    while True:
        try:
            os.stat(folder)
        except FileNotFoundError:
            folder = folder.parent
        else:
            return folder


def require_workspace(*folders: Path) -> None:
    """Refuse a workspace in which the named folders of it cannot be written.

    Raises:
        ResourceError: `workspace_not_writable`, with a place that can be used. DiskFull: its disk is full.
    """
    for folder in folders:
        refusal = write_refusal(folder)
        if refusal is not None:
            raise _error("workspace_not_writable", home_dir(), refusal, other=str(_other_place("llmlora")))


def require_output(folder: Path, option: str) -> None:
    """Refuse a folder, named by `option`, that cannot be written; that a file has its name is for the caller to say.

    Raises:
        ResourceError: `output_not_writable`, with a place that can be used. DiskFull: its disk is full.
    """
    refusal = None if os.path.isfile(folder) else write_refusal(folder)
    if refusal is not None:
        other = _other_place(folder.name[:40] or "output")
        raise _error("output_not_writable", folder, refusal, option=option, other=str(other))


def require_job_folder(folder: Path) -> None:
    """Refuse work whose result lies in the folder of its job, when that cannot be written.

    Raises:
        ResourceError: `job_not_writable`, with a place for a copy. DiskFull: its disk is full.
    """
    refusal = write_refusal(folder)
    if refusal is not None:
        raise _error("job_not_writable", folder, refusal, other=str(_other_place(folder.name)))


def _error(code: str, folder: Path, refusal: OSError, **params: str) -> LlmloraError:
    if is_disk_full(refusal):
        return DiskFull("disk_full", path=str(folder), free_bytes=free_bytes(folder))
    return ResourceError(code, path=str(folder), detail=refusal.strerror or str(refusal), **params)


def _other_place(name: str) -> Path:
    """Return a place of that name that does not exist yet and can be written."""
    for parent in (Path.cwd(), Path.home(), Path("/tmp"), Path("/var/tmp")):
        if not os.path.lexists(parent / name) and write_refusal(parent) is None:
            return parent / name
    return Path.home() / f"{name}-2"
