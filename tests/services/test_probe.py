"""The probe of a plan: a few real steps in a folder that goes again, and what is made of their numbers."""

import json
from dataclasses import replace

import pytest

from llmlora.core.config import TrainConfig
from llmlora.core.errors import Conflict, ResourceError
from llmlora.core.layout import scratch_dir
from llmlora.services import probe
from llmlora.services.plan_training import plan_training
from llmlora.services.probe import FASTER, NUM_STEPS, SLOWER, Measured, measure_steps, measured
from llmlora.services.train_request import training_request
from llmlora.services.training_plan import request_plan

ONE = Measured(5.0, 0.01, 2.0, 0.5, 1)


def events():
    """Return the events of a short run: an evaluation, steps of 1, 2, 3 and 4 s for 100 tokens each, saving."""
    found = [{"type": "phase", "mono": 0.0}, {"type": "phase", "mono": 10.0}, {"type": "evaluation", "mono": 12.0}]
    for step, mono in enumerate((13.0, 15.0, 18.0, 22.0), 1):
        found.append({"type": "step", "mono": mono, "step": step, "metrics": {"num_tokens": 100 * step}})
    return [*found, {"type": "evaluation", "mono": 23.0}, {"type": "checkpoint", "mono": 23.5}]


def test_everything_that_takes_time_is_told_apart_and_the_first_step_is_left_out():
    found = measured(events(), 30.0, {"peak_memory_bytes": 7})
    assert found == Measured(30.0 - 13.5, 9 / 300, 2.0, 0.5, 7)
    assert measured(events(), 30.0, {"peak_memory_bytes": 7, "peak_gpu_memory_bytes": 9}).memory_bytes == 9


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 5 + 10 + 11 * 2 + 10 * 0.5),  # held-out rows before the first step and after each epoch
        ({"eval_steps": 20}, 5 + 10 + 6 * 2 + 10 * 0.5),
        ({"save_steps": 50}, 5 + 10 + 11 * 2 + 12 * 0.5),
    ],
)
def test_steps_evaluations_and_checkpoints_are_multiplied(settings, expected):
    config = TrainConfig(**settings)
    assert ONE.seconds(config, num_steps=100, steps_per_epoch=10, num_tokens=1000) == expected


@pytest.fixture
def request_of(place):
    def make(**settings):
        return training_request(str(place / "base"), place / "data.jsonl", settings={"dtype": "float32", **settings})

    return make


STAGED = {"lr_scheduler_type": "staged", "stages": [{"learning_rate": 1e-3, "epochs": 3}]}


def test_a_plan_with_a_probe_says_what_was_measured_and_leaves_nothing(home, request_of):
    found = request_plan(request_of(warmup_steps=2, **STAGED), is_probed=True)
    seconds = found["probe"]["seconds"]
    ends = {"low": FASTER * seconds / 60, "high": SLOWER * seconds / 60}
    assert found["minutes"] == pytest.approx(ends, abs=0.0065), "rounded: minutes to 0.01, seconds to 0.1"
    assert 0 < found["probe"]["seconds_per_step"] < seconds
    assert found["memory"]["needed_bytes"] == found["probe"]["memory_bytes"] > 50_000_000
    assert not list(scratch_dir().iterdir())
    assert not (home / "jobs").exists() or not list((home / "jobs").iterdir())


def test_the_steps_are_those_of_the_job(request_of):
    planned = plan_training(request_of(save_steps=1, warmup_steps=3))
    shortened = probe._shortened(planned).job
    assert shortened.train == planned.job.train.model_copy(
        update={"max_steps": NUM_STEPS, "save_steps": None, "warmup_steps": 0, "logging_steps": 1}
    )
    assert shortened.id != planned.job.id
    TrainConfig.model_validate_json(json.dumps(shortened.train.model_dump(mode="json")))


def test_one_is_measured_at_a_time(request_of):
    with probe._one_at_a_time, pytest.raises(Conflict, match="probe_running"):
        measure_steps(plan_training(request_of()))


def test_steps_that_take_too_long_are_stopped(request_of, monkeypatch):
    monkeypatch.setattr(probe, "LIMIT_SECONDS", 0.0)
    with pytest.raises(ResourceError, match="probe_too_slow"):
        measure_steps(plan_training(request_of()))
    assert not list(scratch_dir().iterdir())
    assert not probe._one_at_a_time.locked()


def test_a_job_that_cannot_run_says_so_itself(request_of, place):
    planned = plan_training(request_of())
    gone = replace(planned, job=planned.job.model_copy(update={"base_dir": str(place / "gone")}))
    with pytest.raises(Exception, match=r"base_missing|not_found|job_base_gone"):
        measure_steps(gone)
