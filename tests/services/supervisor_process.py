"""A supervisor in a process of its own that can be killed; forked from a server that has everything imported."""

import multiprocessing
import time
from pathlib import Path

from llmlora.services import queue_rules
from llmlora.services.queue_supervisor import QueueSupervisor, Timing
from llmlora.store.opening import open_store
from services.fake_launcher import FakeLauncher

TIMING = Timing(tick=0.02, heartbeat=0.3, lease=3.0, stop_grace=20.0)


def supervise_for_ever(home, url, real):
    queue_rules.RETRY_SECONDS = (0.05, 0.1)
    from llmlora.services.launcher import LocalLauncher

    supervisor = QueueSupervisor(open_store(Path(home), url), LocalLauncher() if real else FakeLauncher(), TIMING)
    supervisor.start()
    while True:
        time.sleep(60)


def start_supervisor(home, url, *, real=False):
    """Start one and return its process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["services.supervisor_process"])
    process = context.Process(target=supervise_for_ever, args=(str(home), url, real), daemon=True)
    process.start()
    return process
