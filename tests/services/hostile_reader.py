"""A worker that reads, and whose reader does what a hostile file could make it do; run as KIND FOLDER RUN."""

import ctypes
import json
import re
import sys
import time
from pathlib import Path

from llmlora.worker import data_tasks, frame, inspect_headers

KEPT = []


def harm(path, *_, **__):
    what = json.loads(path.read_text())["harm"]
    if what == "hog":
        return [bytes(1 << 20) for _ in range(1 << 20)]
    if what == "keep":  # as much as is harmless alone, and too much together
        return KEPT.append(bytearray(250 << 20))
    if what == "slow":
        return time.sleep(1.7)
    if what == "loop":
        while True:
            pass
    if what == "native loop":  # holds every lock that the interpreter has, for hours
        re.match(r"(a+)+$", "a" * 60 + "b")
    if what == "files":
        with (path.parent / "endless").open("wb") as stream:
            while True:
                stream.write(bytes(1 << 20))
    ctypes.string_at(0)
    return None


def gguf(path, read=inspect_headers.READERS["gguf"]):
    """Read a file as it is read else, unless it is one that does harm."""
    return read(path) if path.read_bytes()[:1] != b"{" else {"harm": harm(path)}


if __name__ == "__main__":
    data_tasks.check_dataset = harm
    inspect_headers.READERS["gguf"] = gguf
    sys.exit(frame.run_kind(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
