"""Kill -9, or a full disk, at a chosen moment: before, or in the middle of, what a piece of work writes."""

from __future__ import annotations

import errno
import os
import shutil
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from itertools import count

import pytest

from llmlora.store.database import Database

KILLED, FAILED = 9, 1
CALLS = ("fsync", "rename", "replace", "unlink", "link", "mkdir")


class Moments:
    """Counts moments; at number `fatal` (from 0) the process is gone, and no handler hears of it."""

    def __init__(self, fatal: int) -> None:
        self.fatal, self.passed = fatal, count()

    def is_last(self) -> bool:
        return next(self.passed) == self.fatal

    def pass_or_die(self) -> None:
        if self.is_last():
            os._exit(KILLED)


def _install(moments: Moments) -> None:
    """Make every call that changes the disk, every commit, and every half of a piece that is written, a moment."""

    def mortal(call):
        def wrapper(*arguments, **options):
            moments.pass_or_die()
            return call(*arguments, **options)

        return wrapper

    for name in CALLS:
        setattr(os, name, mortal(getattr(os, name)))
    write_piece, copy, write = os.write, shutil.copyfileobj, Database.write

    def half_piece(descriptor, piece):
        if len(piece) > 8 and moments.is_last():
            write_piece(descriptor, piece[: len(piece) // 2])
            os._exit(KILLED)
        return write_piece(descriptor, piece)

    def half_copy(source, target, *options):
        if moments.is_last():
            target.write(source.read(50))
            target.flush()
            os._exit(KILLED)
        copy(source, target, *options)

    @contextmanager
    def transaction(self):
        with write(self) as connection:
            yield connection
            moments.pass_or_die()  # written, and not committed
        moments.pass_or_die()

    os.write, shutil.copyfileobj, Database.write = half_piece, half_copy, transaction


def killed(fatal: int, work: Callable[[], object], install: Callable[[Moments], None] = _install) -> bool:
    """Do `work` in a fork that is killed at a moment; False when the work was done before there was such a moment."""
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            install(Moments(fatal))
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - the edge of a process
            traceback.print_exc()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED), "the work failed"
    return code == KILLED


class Full(Moments):
    """At the chosen moment the disk is full; what was done before stays, and whoever tidies up may."""

    def pass_or_fail(self) -> None:
        if self.is_last():
            raise OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def full_disk(fatal: int):
    """Let the disk be full at a moment inside of the block; yields what tells whether it came to that."""
    moments, patch = Full(fatal), pytest.MonkeyPatch()

    def failing(call):
        def wrapper(*arguments, **options):
            moments.pass_or_fail()
            return call(*arguments, **options)

        return wrapper

    for name in ("fsync", "rename", "replace", "link", "mkdir", "write"):
        patch.setattr(os, name, failing(getattr(os, name)))
    copy = shutil.copyfileobj

    def half_copy(source, target, *options):
        if moments.is_last():
            target.write(source.read(50))
            raise OSError(errno.ENOSPC, "No space left on device")
        copy(source, target, *options)

    patch.setattr(shutil, "copyfileobj", half_copy)
    try:
        yield lambda: next(moments.passed) > fatal
    finally:
        patch.undo()
