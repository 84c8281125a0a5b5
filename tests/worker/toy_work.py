"""Work kinds for the frame's tests; run as `python toy_work.py KIND FOLDER` in a process of its own."""

import contextlib
import ctypes
import errno
import os
import resource
import signal
import sys
import time
from pathlib import Path

from llmlora.core.errors import NonFiniteLoss, Stopped
from llmlora.worker import frame


def run(folder, config, events, stop):
    kind = config["do"]
    print("something a library prints")
    if kind == "succeed":
        return {"answer": 42, "loss": float("nan")}
    if kind == "fail":
        raise NonFiniteLoss("nonfinite_loss", step=3)
    if kind == "crash":
        raise ZeroDivisionError("unexpected")
    if kind == "memory":
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
    if kind == "disk":
        raise OSError(errno.ENOSPC, "No space left on device")
    if kind == "die":
        os._exit(9)
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "segfault":
        ctypes.string_at(0)
    if kind == "hog":
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        return {"hog": len(b"x" * (2 << 30))}
    events.emit("phase", name="working")
    if kind == "count":
        end = time.monotonic() + config["seconds"]
        while time.monotonic() < end and not stop:
            events.emit("phase", name="working")
            time.sleep(0.01)
        return {"was_stopped": bool(stop)}
    while not stop:
        time.sleep(0.01)
    raise Stopped("stopped", step=1, total_steps=2, folder=str(folder), has_checkpoint=config.get("saved", True))


if os.environ.get("TOY_SLOW_IMPORT") and __name__ != "__main__":  # a library that takes long, and swallows everything
    Path(os.environ["TOY_SLOW_IMPORT"]).touch()
    with contextlib.suppress(Exception):
        time.sleep(30)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    frame.KINDS["toy"] = "toy_work"
    sys.exit(frame.run_kind(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])))
