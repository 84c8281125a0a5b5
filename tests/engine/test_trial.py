"""Before the first step the model itself tells how many threads pay; what was chosen is kept by every resume."""

import pytest
import torch

from engine.engine_runs import MemoryRows, StopAfter, losses, run_job
from llmlora.core.errors import Stopped
from llmlora.core.events import read_job_events
from llmlora.core.publish import read_json
from llmlora.engine import environment, trial
from llmlora.engine.device import DevicePlan
from llmlora.engine.load import empty_model, load_base
from llmlora.engine.loss import LossPath
from llmlora.weights.base import open_folder

ROWS = MemoryRows(8)


@pytest.fixture
def busy(monkeypatch):
    """A machine whose probe promised two threads, of which the trial finds one enough."""
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    monkeypatch.setattr(
        environment, "plan_device", lambda *_: DevicePlan("cpu", "float32", 2, "engine.dtype.requested", {})
    )
    monkeypatch.setattr(environment, "tried_threads", lambda *_: 1)


def recorded(folder, run=1):
    return read_json(folder / "runs" / str(run) / "environment.json")["plan"]["num_threads"]


def test_what_the_trial_finds_is_said_and_frozen(base, tmp_path, busy, monkeypatch):
    with pytest.raises(Stopped):
        run_job(base, tmp_path / "job", ROWS, stop=StopAfter(3))
    findings = [event for event in read_job_events(tmp_path / "job") if event.get("code") == "fewer_threads"]
    assert [event["params"] for event in findings] == [{"planned": 2, "threads": 1}]
    assert recorded(tmp_path / "job") == 1
    monkeypatch.setattr(environment, "tried_threads", lambda *_: pytest.fail("a begun job is not tried again"))
    monkeypatch.setattr(environment, "plan_device", lambda *_: pytest.fail("a begun job is not planned again"))
    run_job(base, tmp_path / "job", ROWS)
    assert recorded(tmp_path / "job", 2) == 1


def test_the_users_number_is_not_tried(base, tmp_path, busy, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    run_job(base, tmp_path / "job", ROWS, max_steps=1)
    assert recorded(tmp_path / "job") == 2


@pytest.mark.parametrize(("one", "chosen"), [(1.0, 1), (1.9, 2), (1.05, 1), (0.3, 1)])
def test_several_threads_have_to_be_faster(base, monkeypatch, one, chosen):
    threads, clock = [2], [0.0]

    def computed(model, batch, own_head):
        clock[0] += 1.0 if threads[-1] == 2 else one
        return torch.zeros((), requires_grad=True)

    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    monkeypatch.setattr(trial, "summed_loss", computed)
    monkeypatch.setattr(trial.time, "perf_counter", lambda: clock[0])
    assert trial.tried_threads(empty_model(open_folder(base)), ROWS, LossPath(packing=True), 2) == chosen
    assert threads[-1] == chosen


@pytest.mark.parametrize("packing", [True, False])
def test_the_trial_changes_no_bit_of_the_run(base, tmp_path, monkeypatch, packing):
    plain = run_job(base, tmp_path / "plain", ROWS, lora_dropout=0.1, packing=packing, max_steps=3)
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    plan = DevicePlan("cpu", "float32", 2, "engine.dtype.requested", {})
    monkeypatch.setattr(environment, "plan_device", lambda *_: plan)
    tried = []
    real = trial.tried_threads
    monkeypatch.setattr(environment, "tried_threads", lambda *given: tried.append(real(*given)) or 1)
    run_job(base, tmp_path / "tried", ROWS, lora_dropout=0.1, packing=packing, max_steps=3)
    assert tried
    assert losses(tmp_path / "tried") == losses(tmp_path / "plain")
    assert all(weight.grad is None for weight in load_base(open_folder(base), "float32").parameters())
    assert plain.plan.num_threads == 1
