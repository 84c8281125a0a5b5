"""Temporary names and claims: who writes now is known by a file lock, which the system gives back when a writer dies.

A lock is an exclusive `flock` on the temporary file or folder itself. It tells threads apart, too, and says nothing
wrong about process ids that were used again or belong to another container. Where a file system has no locks,
temporaries are never taken for leftovers and claims hold nobody back; publishing itself stays whole all the same.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from llmlora.core.errors import Conflict
from llmlora.core.layout import TEMPORARY_PREFIX

LONGEST_NAME_BYTES = 200  # file systems allow 255; prefix and random part need the rest
RANDOM_BYTES = 8
READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def own_temporary(path: Path, *, is_folder: bool = False) -> Iterator[Path]:
    """Yield a new empty file or folder beside `path` that no other writer has; it is deleted afterwards.

    What killed writers of the same `path` have left is deleted first.
    """
    _remove(entry for entry in path.parent.iterdir() if _is_temporary_of(path, entry))
    temporary, descriptor = _made(path, is_folder)
    try:
        yield temporary
    finally:
        _delete(temporary)
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files and folders in `folder` that no living writer holds."""
    _remove(folder.glob(f"{TEMPORARY_PREFIX}*"))


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Hold `path` as the only one who makes it now.

    Raises:
        Conflict: somebody else is making it.
    """
    lock = path.with_name(f"{_beginning(path)}.lock")
    try:
        descriptor = _claim(lock, path)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
        yield  # nobody can write here; who tries has an error of its own
        return
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def _beginning(path: Path) -> str:
    name = path.name
    if len(os.fsencode(name)) > LONGEST_NAME_BYTES:
        name = f"{name[:40]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return f"{TEMPORARY_PREFIX}{name}"


def _is_temporary_of(path: Path, entry: Path) -> bool:
    beginning, digits = f"{_beginning(path)}-", 2 * RANDOM_BYTES
    return entry.name.startswith(beginning) and bool(
        re.fullmatch(rf"[0-9a-f]{{{digits}}}", entry.name.removeprefix(beginning))
    )


def _made(path: Path, is_folder: bool) -> tuple[Path, int]:
    while True:
        temporary = path.with_name(f"{_beginning(path)}-{secrets.token_hex(RANDOM_BYTES)}")
        try:
            if is_folder:
                temporary.mkdir()
            flags = os.O_RDONLY if is_folder else os.O_RDWR | os.O_CREAT | os.O_EXCL
            descriptor = os.open(temporary, flags, 0o666)
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise
            continue  # taken for a leftover in the moment before it was opened
        if _is_locked_by_us(descriptor) is not False and _is_still_there(temporary, descriptor):
            return temporary, descriptor
        os.close(descriptor)  # or in the moment before the lock


def _claim(lock: Path, path: Path) -> int:
    while True:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CREAT, 0o666)
        if _is_locked_by_us(descriptor) is False:
            os.close(descriptor)
            raise Conflict("output_busy", path=str(path))
        if _is_still_there(lock, descriptor):
            return descriptor
        os.close(descriptor)  # its last holder has deleted it in between


def _is_locked_by_us(descriptor: int) -> bool | None:
    """Lock an open file or folder; False when somebody holds it, None when the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove(entries: Iterator[Path]) -> None:
    for entry in list(entries):
        with suppress(OSError):  # gone, or not ours to delete
            _remove_unless_held(entry)


def _remove_unless_held(entry: Path) -> None:
    descriptor = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _is_locked_by_us(descriptor):
            _delete(entry)
    finally:
        os.close(descriptor)


def _delete(entry: Path) -> None:
    if entry.is_dir():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)
