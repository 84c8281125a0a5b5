"""Death at a chosen system call, in process: what kill -9 leaves on the disk, without starting a process each time."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest


class Killed(BaseException):
    """Stands for kill -9: no handler catches it, and nothing is tidied up after it."""


class Calls:
    """Counts the calls that change the disk; at number `fatal` (1-based) the process dies, before or within it."""

    def __init__(self, fatal=None):
        self.count, self.fatal, self.is_dead = 0, fatal, False

    def pass_or_die(self):
        self.count += 1
        if self.count == self.fatal:
            self.is_dead = True
            raise Killed


@contextmanager
def dying_at(fatal=None):
    """Yield the counter; every fsync, rename, removal, safetensors file and event line inside the block is a call."""
    calls, patch = Calls(fatal), pytest.MonkeyPatch()

    def mortal(function, torn=None):
        def wrapper(*arguments, **options):
            try:
                calls.pass_or_die()
            except Killed:
                if torn is not None:
                    torn(*arguments, **options)
                raise
            return function(*arguments, **options)

        return wrapper

    def silent_when_dead(function):
        def wrapper(*arguments, **options):
            return None if calls.is_dead else mortal(function)(*arguments, **options)

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
