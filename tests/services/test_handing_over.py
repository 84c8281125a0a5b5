"""One job, five processes: planned here, started, followed, stopped and resumed by others, by files alone."""

import json
import os
import subprocess
import sys

from llmlora.core.events import read_events
from llmlora.core.layout import run_dir
from llmlora.services.job_folder import write_training
from llmlora.services.outcome import outcome
from llmlora.services.plan_training import plan_training
from llmlora.services.status import job_status
from llmlora.services.train_request import TrainRequest

PRELUDE = "import json, sys, time; from pathlib import Path; folder = Path(sys.argv[1])\n"
START = """
from llmlora.services.launch import Worker
worker = Worker("train", folder, is_owned=False)
print(worker.run, worker.process.pid)
"""
FOLLOW = """
from llmlora.services.follow import follow
while not (folder / "runs" / "1").is_dir():
    time.sleep(0.01)
for event in follow(folder, 1):
    print(json.dumps(event), flush=True)
"""
STOP = """
from llmlora.services.follow import follow, stop_work
while not (folder / "runs" / "1").is_dir():
    time.sleep(0.01)
for event in follow(folder, 1):
    if event["type"] == "step" and event["step"] == 3:
        print(stop_work(folder))
        break
"""
RESUME = """
from llmlora.services.train import resume_training
print(json.dumps(resume_training(folder)))
"""


def python(code, folder):
    return subprocess.Popen([sys.executable, "-c", PRELUDE + code, str(folder)], stdout=subprocess.PIPE, text=True)


def said(process):
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    return output


def steps(events):
    return [event["step"] for event in events if event["type"] == "step"]


def test_a_job_started_here_is_followed_there_stopped_and_resumed_elsewhere(place, tmp_path):
    settings = {"max_steps": 150, "dtype": "float32", "save_steps": 50}
    planned = plan_training(TrainRequest(str(place / "base"), place / "data.jsonl", settings=settings))
    folder = write_training(planned, tmp_path / "job")
    assert job_status(folder) == "queued"
    follower, stopper = python(FOLLOW, folder), python(STOP, folder)
    run, pid = map(int, said(python(START, folder)).split())
    assert run == 1 and pid != os.getpid(), "whoever started it is gone by now"
    assert said(stopper).strip() == "True"
    seen = [json.loads(line) for line in said(follower).splitlines()]
    assert seen == list(read_events(run_dir(folder, 1) / "events.jsonl")), (
        "what another process saw is what was written"
    )
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert (seen[0]["pid"], seen[-1]["status"]) == (pid, "interrupted")
    ended = outcome(folder, 1)
    assert ended.status == job_status(folder) == "interrupted"
    assert ended.error is not None and ended.error.params["has_checkpoint"]
    result = json.loads(said(python(RESUME, folder)))
    second = list(read_events(run_dir(folder, 2) / "events.jsonl"))
    assert [event["seq"] for event in second] == list(range(1, len(second) + 1))
    assert steps([*seen, *second]) == list(range(1, 151)), "no step is missing and none is done twice"
    assert outcome(folder, 2).result == second[-1]["result"] == result
