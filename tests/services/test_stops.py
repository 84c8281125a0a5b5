"""SIGTERM over and over: a worker saves and goes with 75 in time; the result is that of an uninterrupted one (F8)."""

from __future__ import annotations

import json
import random
import signal
import time

import pytest

import pace
from llmlora.core.events import read_events, step_history
from llmlora.core.layout import EVENTS_FILE, TEMPORARY_PREFIX, checkpoint_dirs, run_dir
from llmlora.core.publish import read_manifest, sha256_file
from llmlora.services.job_folder import write_training
from llmlora.services.launch import Worker
from llmlora.services.plan_training import plan_training
from llmlora.services.train import train
from llmlora.services.train_request import training_request

SETTINGS = {"num_train_epochs": 120, "dtype": "float32", "lora_dropout": 0.1, "save_steps": 7}
STOPPED, NOTHING_TO_RESUME = 75, 130
EXIT_SECONDS = 10.0
NUM_STOPS = BURST = 40
PATIENCE = 240.0


def new_job(place):
    return write_training(plan_training(training_request(str(place / "base"), place / "data.jsonl", settings=SETTINGS)))


def steps_of(folder, run):
    events = read_events(run_dir(folder, run) / EVENTS_FILE)
    return [event["step"] for event in events if event["type"] == "step"]


def wait_for_steps(worker, number):
    """Wait until a run has made so many steps of its own; False when it has ended before."""
    deadline = time.monotonic() + PATIENCE
    while len(steps_of(worker.folder, worker.run)) < number:
        assert time.monotonic() < deadline, "it does not get on"
        if worker.process.poll() is not None:
            return False
        time.sleep(0.005)
    return True


def check_saved(folder, run, before):
    """The run has said that it was stopped, and its newest step is in a checkpoint that is whole."""
    events = list(read_events(run_dir(folder, run) / EVENTS_FILE))
    last = events[-1]
    assert (last["type"], last["status"], last["error"]["code"]) == ("run_ended", "interrupted", "stopped")
    made = steps_of(folder, run)
    assert made == list(range(before + 1, before + 1 + len(made))), "a step was lost or made twice"
    newest, *_ = sorted((path for _, _, path in checkpoint_dirs(folder)), key=lambda path: path.name, reverse=True)
    assert newest.name == f"step-{made[-1]:08}"
    assert read_manifest(newest) is not None
    assert not list(folder.rglob(f"{TEMPORARY_PREFIX}*"))
    return made[-1]


@pytest.fixture
def whole(home, place):
    """Return the folder of the same job, never stopped."""
    folder = home.parent / "whole"
    train(str(place / "base"), place / "data.jsonl", out=folder, **SETTINGS)
    return folder


@pytest.mark.gate
def test_stopped_again_and_again(home, place, whole):
    rng, folder, last, slowest = random.Random(20261201), new_job(place), 0, 0.0
    for _ in range(NUM_STOPS):
        worker = Worker("train", folder, is_owned=False)
        assert wait_for_steps(worker, rng.randint(1, 5)), "the job is too short for so many stops"
        time.sleep(rng.uniform(0.0, 0.05))
        began = time.monotonic()
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(EXIT_SECONDS * pace.slowness()) == STOPPED
        slowest = max(slowest, time.monotonic() - began)
        last = check_saved(folder, worker.run, last)
    assert Worker("train", folder, is_owned=False).process.wait(PATIENCE) == 0
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert sha256_file(folder / "adapter" / name) == sha256_file(whole / "adapter" / name)
    assert curve(folder) == curve(whole)
    print(json.dumps({"stops": NUM_STOPS, "slowest_exit_seconds": round(slowest, 2), "steps": len(curve(folder))}))


def curve(folder):
    return [(entry["step"], float(entry["loss"]).hex()) for entry in step_history(folder)]


@pytest.mark.parametrize("pause", [0.0, 0.002, pytest.param(0.02, marks=pytest.mark.gate)])
def test_a_burst_of_signals_is_one_stop(home, place, pause):
    """Whoever asks forty times in a row breaks no checkpoint: the second signal finds it being written."""
    folder = new_job(place)
    worker = Worker("train", folder, is_owned=False)
    assert wait_for_steps(worker, 3)
    for _ in range(BURST):
        worker.process.send_signal(signal.SIGTERM)
        time.sleep(pause)
    assert worker.process.wait(EXIT_SECONDS * pace.slowness()) == STOPPED
    last = check_saved(folder, worker.run, 0)
    again = Worker("train", folder, is_owned=False)
    assert wait_for_steps(again, 1)
    assert steps_of(folder, again.run)[0] == last + 1
    again.stop()
    assert again.process.wait(EXIT_SECONDS * pace.slowness()) == STOPPED


def test_a_burst_while_it_loads_loses_nothing(home, place):
    folder = new_job(place)
    worker = Worker("train", folder, is_owned=False)
    while not (run_dir(folder, worker.run) / EVENTS_FILE).exists():
        time.sleep(0.001)
    for _ in range(BURST):
        worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(EXIT_SECONDS * pace.slowness()) == NOTHING_TO_RESUME
    last = list(read_events(run_dir(folder, worker.run) / EVENTS_FILE))[-1]
    assert (last["type"], last["status"]) == ("run_ended", "interrupted")
    again = Worker("train", folder, is_owned=False)
    assert wait_for_steps(again, 1) and steps_of(folder, again.run)[0] == 1
    again.stop()
    assert again.process.wait(EXIT_SECONDS * pace.slowness()) == STOPPED
