"""Two processes that train together are as one with the same effective batch, stop together, and write once."""

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from safetensors.torch import load_file

from engine.engine_runs import job_for, losses, run_job
from engine.rank_process import EVAL_ROWS, TRAIN_ROWS
from llmlora.core.events import read_job_events
from llmlora.core.job import write_job
from llmlora.core.layout import checkpoint_dirs
from llmlora.core.publish import read_json
from llmlora.engine.ranks import ALONE
from tiny_models import tiny_model

TESTS = Path(__file__).parents[1]
NUM_RANKS = 2
# 13 rows and 4 of them per step: each epoch's last step has one row, so that the second rank has none
SETTINGS = {"num_train_epochs": 2, "learning_rate": 1e-3, "save_steps": 2}
ALONE_SETTINGS = {**SETTINGS, "per_device_train_batch_size": 4}
TOGETHER_SETTINGS = {**SETTINGS, "per_device_train_batch_size": 2}
# float32 sums in another order, as between packed and padded rows (test_invariants.py)
LOSS_TOLERANCE, WEIGHT_TOLERANCE = 2e-5, 1e-3


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_model("llama", tmp_path_factory.mktemp("base") / "base")


@pytest.fixture(scope="module")
def alone(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone") / "job"
    run_job(base, folder, TRAIN_ROWS, eval_rows=EVAL_ROWS, **ALONE_SETTINGS)
    return folder


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return str(place.getsockname()[1])


def together(*arguments, looks=None):
    """Start the ranks as a launcher would, and return each one's exit code and output; `looks` is for the last one."""
    world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": str(NUM_RANKS)}
    started = []
    for rank in range(NUM_RANKS):
        own = [str(looks)] if looks is not None and rank == NUM_RANKS - 1 else []
        environment = {
            **os.environ, **world, "RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(NUM_RANKS),
            "OMP_NUM_THREADS": "1", "LLMLORA_DEVICE": "cpu",
            "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]),
        }  # fmt: skip
        command = [sys.executable, "-m", "engine.rank_process", *map(str, arguments), *own]
        started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    try:
        outputs = [process.communicate(timeout=300)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    return [process.returncode for process in started], outputs


def new_run(base, folder):
    (folder / "runs" / "1").mkdir(parents=True)
    write_job(folder, job_for(base, **TOGETHER_SETTINGS))
    return folder, 1


def last_weights(folder):
    return load_file(checkpoint_dirs(folder)[-1][2] / "weights.safetensors")


def measured(folder):
    return [event["metrics"]["eval_loss"] for event in read_job_events(folder) if event["type"] == "evaluation"]


def assert_same_run(folder, reference):
    assert losses(folder) == pytest.approx(losses(reference), abs=LOSS_TOLERANCE)
    assert measured(folder) == pytest.approx(measured(reference), abs=LOSS_TOLERANCE)
    found, wanted = last_weights(folder), last_weights(reference)
    assert found.keys() == wanted.keys()
    assert all(float((found[name] - wanted[name]).abs().max()) < WEIGHT_TOLERANCE for name in found)


def test_two_processes_are_as_one_with_the_same_effective_batch(base, alone, tmp_path):
    folder, run = new_run(base, tmp_path / "job")
    codes, _ = together(folder, run)
    assert codes == [0, 0]
    assert_same_run(folder, alone)
    assert len(losses(folder)) == 8
    tokens = [[event["metrics"]["num_tokens"] for event in read_job_events(job) if event["type"] == "step"]
              for job in (folder, alone)]  # fmt: skip
    assert tokens[0] == tokens[1]
    events = list(read_job_events(folder))
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), "one process tells"
    assert read_json(folder / "runs" / "1" / "environment.json")["world_size"] == NUM_RANKS
    published = load_file(folder / "adapter" / "adapter_model.safetensors")
    assert len(published) == len(last_weights(folder))


def test_a_signal_to_one_stops_both_and_one_process_goes_on_with_their_batch(base, alone, tmp_path):
    folder, run = new_run(base, tmp_path / "job")
    codes, _ = together(folder, run, looks=6)
    assert codes == [75, 75]
    checkpoints = Counter(event["path"] for event in read_job_events(folder) if event["type"] == "checkpoint")
    assert set(checkpoints.values()) == {1}
    step = len(losses(folder))
    assert 0 < step < 8
    assert [at for at, _, _ in checkpoint_dirs(folder)][-1] == step
    assert not (folder / "adapter").exists()

    run_job(base, folder, TRAIN_ROWS, eval_rows=EVAL_ROWS)
    assert_same_run(folder, alone)
    resumed = [event["params"] for event in read_job_events(folder) if event.get("name") == "resuming"]
    assert [(params["step"], params["exact"]) for params in resumed] == [(step, False)]


def test_what_ranks_tell_each_other():
    codes, outputs = together("talk")
    assert codes == [0, 0]
    first, second = (json.loads(output.splitlines()[-1]) for output in outputs)
    for told in (first, second):
        assert told["sum"] == [0.2, 21]
        assert told["agree"] == [True, False]
        assert told["share"] == {"made_by": 0}
        assert told["gradients"] == [[1.0, 1.0], [3.0, 3.0], None]
    assert (first["own"], second["own"]) == ([0, 2, 4], [1, 3])
    assert (first["is_first"], second["is_first"]) == (True, False)


def test_a_process_alone_is_asked_nothing():
    assert ALONE.sum(0.1, 3) == (0.1, 3)
    assert ALONE.own([1, 2, 3]) == [1, 2, 3]
    assert [ALONE.agree(True), ALONE.agree(None)] == [True, False]
    assert ALONE.share(lambda: "made here") == "made here"
