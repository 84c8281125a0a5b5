"""A worker of kind `inspect` whose reader does what a hostile file could make it do; run as KIND FOLDER RUN."""

import ctypes
import json
import re
import sys
from pathlib import Path

from llmlora.worker import data_tasks, frame


def harm(path, *_, **__):
    what = json.loads(path.read_text())["harm"]
    if what == "hog":
        return [bytes(1 << 20) for _ in range(1 << 20)]
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


if __name__ == "__main__":
    data_tasks.check_dataset = harm
    sys.exit(frame.run_kind(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
