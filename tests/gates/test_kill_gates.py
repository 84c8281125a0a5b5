"""Kill -9 at random moments, over and over: the job always goes on and ends with the uninterrupted result."""

import contextlib
import json
import os
import random
import signal
import time

import pytest

from cli.command_line import run, start, write_data
from llmlora.core.events import read_job_events, step_history
from llmlora.core.publish import sha256_file
from tiny_models import tiny_model

NUM_KILLS = 60
SETTINGS = (
    "--set",
    "num_train_epochs=60",
    "--set",
    "dtype=float32",
    "--set",
    "lora_dropout=0.1",
    "--set",
    "save_steps=3",
)


def kill_everything(process, job):
    """Kill the command and, most of the time, its worker too; an orphaned worker stops by itself with a checkpoint."""
    pids = [event["pid"] for event in read_job_events(job) if event["type"] == "run_started"] if job.exists() else []
    process.kill()
    if pids and random.random() < 0.7:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pids[-1], signal.SIGKILL)
    process.communicate()


@pytest.mark.gate
def test_killed_again_and_again_ends_like_never_killed(tmp_path):
    random.seed(20261121)
    tiny_model("llama", tmp_path / "base")
    data = write_data(tmp_path)
    call = ("train", "--model", tmp_path / "base", "--data", data, *SETTINGS)
    assert run(*call, "--out", tmp_path / "whole").code == 0

    job, kills = tmp_path / "job", 0
    process = start(*call, "--out", job)
    while kills < NUM_KILLS:
        time.sleep(random.uniform(0.5, 6.0))
        if process.poll() is not None and process.returncode == 0:
            process.communicate()
            job = tmp_path / f"job-{kills}"
            process = start(*call, "--out", job)
            continue
        kill_everything(process, job)
        kills += 1
        process = start("train", "--resume", job) if (job / "config.json").is_file() else start(*call, "--out", job)
    _, stderr = process.communicate(timeout=600)
    assert process.returncode == 0, stderr
    names = ("adapter_model.safetensors", "adapter_config.json")
    assert [sha256_file(job / "adapter" / name) for name in names] == [
        sha256_file(tmp_path / "whole" / "adapter" / name) for name in names
    ]
    whole = {entry["step"]: entry["loss"] for entry in step_history(tmp_path / "whole")}
    assert {entry["step"]: entry["loss"] for entry in step_history(job)} == whole
    print(json.dumps({"kills": kills, "steps": len(whole)}))
