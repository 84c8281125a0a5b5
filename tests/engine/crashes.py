"""Death, or a full disk, at a chosen call, in process: what kill -9 and ENOSPC leave without a process each time."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest


class Killed(BaseException):
    """Stands for kill -9: no handler catches it, and nothing is tidied up after it."""


class Calls:
    """Counts the calls that change the disk; at number `fatal` (1-based) the process dies, before or within it.

    With an `error` it does not die: that call fails with it, and handlers and tidying go on.
    """

    def __init__(self, fatal=None, error=None):
        self.count, self.fatal, self.error, self.is_dead = 0, fatal, error, False

    def pass_or_die(self):
        self.count += 1
        if self.count == self.fatal:
            self.is_dead = self.error is None
            raise self.error or Killed()


@contextmanager
def dying_at(fatal=None, error=None):
    """Yield the counter; every fsync, rename, safetensors file and event line inside the block is a call."""
    calls, patch = Calls(fatal, error), pytest.MonkeyPatch()

    def mortal(function, torn=None):
        def wrapper(*arguments, **options):
            try:
                calls.pass_or_die()
            except (Killed, OSError):
                if torn is not None:
                    torn(*arguments, **options)
                raise
            return function(*arguments, **options)

        return wrapper

    def silent_when_dead(function):
        def wrapper(*arguments, **options):
            return None if calls.is_dead else function(*arguments, **options)

        return wrapper

    write = os.write

    def write_line(descriptor, data):
        if not data.startswith(b'{"seq"'):
            return write(descriptor, data)
        return mortal(write, lambda target, line: write(target, line[: len(line) // 2]))(descriptor, data)

    def half_file(tensors, path, **_):
        Path(path).write_bytes(b"\x10" * 100)

    from llmlora.engine import checkpoint

    patch.setattr(os, "fsync", mortal(os.fsync))
    patch.setattr(os, "write", write_line)
    patch.setattr(Path, "rename", mortal(Path.rename))
    patch.setattr(Path, "replace", mortal(Path.replace))
    patch.setattr(Path, "unlink", silent_when_dead(Path.unlink))
    patch.setattr(shutil, "rmtree", silent_when_dead(shutil.rmtree))
    patch.setattr(checkpoint, "save_file", mortal(checkpoint.save_file, half_file))
    try:
        yield calls
    finally:
        patch.undo()
