"""The launcher port with fake workers, and jobs for them."""

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from llmlora.core.layout import new_id, work_root
from llmlora.services.launcher import LocalLauncher, StartedProcess
from llmlora.services.queue import Queue
from llmlora.services.queue_supervisor import QueueSupervisor, Timing

SCRIPT = Path(__file__).with_name("fake_worker.py")
QUICK = Timing(tick=0.01, heartbeat=0.2, lease=2.0, stop_grace=20.0, stall=1800.0)


class FakeLauncher(LocalLauncher):
    """Starts `fake_worker.py`; `adopt` is the real one."""

    def __init__(self):
        self.started = []
        self.resources = []
        self.refusal = None

    def launch(self, kind, folder, run, resources):
        if self.refusal is not None:
            raise self.refusal
        words = [sys.executable, "-I", "-S", str(SCRIPT), str(folder), str(run)]
        process = subprocess.Popen(words, start_new_session=True, stdin=subprocess.DEVNULL)
        self.started.append(process)
        self.resources.append(resources)
        return StartedProcess(SimpleNamespace(process=process))

    def clean_up(self):
        for process in self.started:
            process.kill()
            process.wait()


def write_folder(home, kind="train", **config):
    """Write the folder of a job for the fake worker and return it."""
    folder = work_root(home, kind) / new_id()
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"id": folder.name, "steps": 3, **config}))
    return folder


def submit(database, kind="train", name="job", **config):
    """Put a job for the fake worker into the queue and return its id."""
    folder = write_folder(database.home, kind, **config)
    return Queue(database).submit(kind, folder, name=name, job_id=folder.name).id


def speed_up(database, job_id):
    """Let every later run of a job make its steps without waiting."""
    path = Queue(database).folder_of(Queue(database).get(job_id)) / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "seconds": 0.0}))


def supervise(database, launcher, timing=QUICK):
    """Return a supervisor that has recovered but has no thread: `tick` is called by the test."""
    supervisor = QueueSupervisor(database, launcher, timing)
    supervisor.recover()
    return supervisor


def tick_until(supervisor, condition, seconds=60.0):
    """Let a supervisor look until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        supervisor.tick()
        time.sleep(0.005)
