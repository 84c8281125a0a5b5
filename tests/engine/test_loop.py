"""The loop's other promises: schedules, evaluation, early stopping, broken numbers, checkpoints kept."""

import math

import pytest
import torch

from engine.engine_runs import MemoryRows, losses, run_job, tiny_llama, trained_weights
from llmlora.core.config import TrainConfig
from llmlora.core.errors import ConfigError, ModelFileError, NonFiniteLoss
from llmlora.core.events import read_job_events
from llmlora.engine import loop
from llmlora.engine.batch import StepPlan, Subset
from llmlora.engine.checkpoint import TrainState
from llmlora.engine.schedule import learning_rate_at, total_steps


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_llama(tmp_path_factory.mktemp("engine"))


def rates(config, steps_per_epoch=5):
    total = total_steps(config, steps_per_epoch)
    return [learning_rate_at(step, total, steps_per_epoch, config) for step in range(total)]


def test_linear_schedule_warms_up_and_ends_near_zero():
    found = rates(TrainConfig(learning_rate=1.0, num_train_epochs=2, warmup_steps=4))
    assert found[:4] == [0.25, 0.5, 0.75, 1.0]
    assert found[4] == 1.0
    assert found[-1] == pytest.approx(1 / 6)


def test_cosine_constant_and_restarts():
    assert rates(TrainConfig(learning_rate=1.0, max_steps=4, lr_scheduler_type="constant")) == [1.0] * 4
    assert rates(TrainConfig(learning_rate=1.0, max_steps=4, lr_scheduler_type="cosine"))[2] == pytest.approx(0.5)
    twice = rates(TrainConfig(learning_rate=1.0, max_steps=8, lr_scheduler_type="cosine_with_restarts", num_cycles=2))
    assert twice[0] == twice[4] == 1.0
    assert twice[:4] == twice[4:]


def test_staged_schedule_holds_each_rate_for_its_epochs():
    stages = [
        {"learning_rate": 1e-4, "epochs": 2},
        {"learning_rate": 5e-5, "epochs": 2},
        {"learning_rate": 1e-5, "epochs": 1},
    ]
    found = rates(TrainConfig(lr_scheduler_type="staged", stages=stages))
    assert found == [1e-4] * 10 + [5e-5] * 10 + [1e-5] * 5


def test_every_epoch_visits_every_row_once_in_another_order():
    plan = StepPlan(num_rows=10, effective_batch_size=4, seed=1)
    epochs = [[row for step in range(3) for row in plan.rows_of(3 * epoch + step)] for epoch in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert epochs[0] != epochs[1]
    assert StepPlan(10, 4, seed=1).rows_of(4) == plan.rows_of(4)
    assert StepPlan(10, 4, seed=2).rows_of(0) != plan.rows_of(0)


def test_loss_falls_and_the_result_is_reported(base, tmp_path):
    rows = MemoryRows(8)
    trained = run_job(base, tmp_path / "job", rows, num_train_epochs=20, method="full", learning_rate=3e-2)
    found = losses(tmp_path / "job")
    assert found[-1] < found[0] - 1
    summary = trained.summary()
    assert summary["final_loss"] == pytest.approx(sum(found[-2:]) / 2, rel=0.2)
    assert summary["num_tokens"] == 20 * sum(len(ids) for ids, _ in rows.rows)
    assert summary["eval_loss"] is None


def test_held_out_rows_are_measured_before_and_after_each_epoch(base, tmp_path):
    rows = MemoryRows(12)
    trained = run_job(base, tmp_path / "job", Subset(rows, range(8)), eval_rows=Subset(rows, range(8, 12)))
    evaluations = [event for event in read_job_events(tmp_path / "job") if event["type"] == "evaluation"]
    assert [event["step"] for event in evaluations] == [0, 2, 4, 6]
    summary = trained.summary()
    assert summary["perplexity"] == pytest.approx(math.exp(summary["eval_loss"]))
    assert summary["eval_loss_before"] == pytest.approx(math.log(200), abs=0.3)


def test_early_stopping_stops_when_nothing_improves(base, tmp_path):
    rows = MemoryRows(12)
    trained = run_job(
        base, tmp_path / "job", Subset(rows, range(8)), eval_rows=Subset(rows, range(8, 12)),
        num_train_epochs=50, early_stopping_patience=2, early_stopping_min_delta=0.05,
    )  # fmt: skip
    assert trained.state.step < 100
    assert [event["code"] for event in read_job_events(tmp_path / "job") if event["type"] == "finding"] == [
        "early_stopping"
    ]


def test_a_non_finite_loss_never_reaches_the_weights(base, tmp_path, monkeypatch):
    rows = MemoryRows(8)
    clean = run_job(base, tmp_path / "clean", rows, max_steps=1)
    original = loop.summed_loss
    calls = []

    def broken(model, batch, own_head):
        calls.append(1)
        loss = original(model, batch, own_head)
        return loss * float("nan") if len(calls) > 1 else loss

    monkeypatch.setattr(loop, "summed_loss", broken)
    with pytest.raises(NonFiniteLoss) as caught:
        run_job(base, tmp_path / "job", rows, max_steps=9)
    assert caught.value.params["in_a_row"] == 3
    saved = sorted((tmp_path / "job" / "runs" / "1" / "checkpoints").iterdir())[-1]
    weights = loop.Path(saved / "weights.safetensors")
    from safetensors.torch import load_file

    for name, weight in load_file(weights).items():
        assert torch.isfinite(weight).all(), name
    assert clean.state.step == 1
    assert losses(tmp_path / "job")[1:] == [None, None]


def test_one_bad_step_is_skipped_and_training_goes_on(base, tmp_path, monkeypatch):
    original = loop.summed_loss
    calls = []

    def broken_once(model, batch, own_head):
        calls.append(1)
        return original(model, batch, own_head) * (float("inf") if len(calls) == 3 else 1)

    monkeypatch.setattr(loop, "summed_loss", broken_once)
    trained = run_job(base, tmp_path / "job", MemoryRows(8), max_steps=6)
    assert trained.state.step == 6
    assert all(torch.isfinite(weight).all() for weight in trained_weights(trained).values())


def test_only_the_newest_checkpoints_are_kept(base, tmp_path):
    run_job(base, tmp_path / "job", MemoryRows(8), save_steps=1, save_total_limit=3)
    kept = sorted(entry.name for entry in (tmp_path / "job" / "runs" / "1" / "checkpoints").iterdir())
    assert kept == ["step-00000004", "step-00000005", "step-00000006"]


def test_wrong_target_modules_are_named_before_weights_are_loaded(base, tmp_path, monkeypatch):
    monkeypatch.setattr("llmlora.engine.train.load_base", lambda *_: pytest.fail("weights were loaded"))
    with pytest.raises(ConfigError) as caught:
        run_job(base, tmp_path / "job", MemoryRows(4), target_modules=["q_proj", "wrong"])
    assert caught.value.params["names"] == "wrong"
    assert "gate_proj" in caught.value.params["known"]


def test_missing_weights_are_named(base, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(base, tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelFileError) as caught:
        run_job(copy, tmp_path / "job", MemoryRows(4))
    assert "model.norm.weight" in caught.value.params["tensors"]


def test_training_goes_on_from_an_adapter(base, tmp_path):
    rows = MemoryRows(8)
    first = run_job(base, tmp_path / "first", rows, num_train_epochs=10)
    first.model.save_pretrained(tmp_path / "adapter")
    run_job(base, tmp_path / "second", rows, init_adapter=str(tmp_path / "adapter"), num_train_epochs=1)
    assert losses(tmp_path / "second")[0] < losses(tmp_path / "first")[0] - 0.2


def test_tensorboard_gets_the_logged_metrics(base, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run_job(base, tmp_path / "job", MemoryRows(8), max_steps=4, report_to=["tensorboard"])
    logs = EventAccumulator(str(tmp_path / "job" / "runs" / "1" / "trackers" / "llmlora")).Reload()
    found = [event.value for event in logs.Scalars("loss")]
    assert found == pytest.approx(losses(tmp_path / "job"), rel=1e-6)


def test_a_measurement_that_is_no_number_is_no_gain_and_hides_no_later_one():
    from types import SimpleNamespace

    training = SimpleNamespace(config=TrainConfig(early_stopping_patience=3))
    state = TrainState()
    for score in (math.nan, 2.0, math.inf, 1.0):
        loop._judge(training, state, score, events=None)
    assert state.best_score == 1.0
    assert state.evaluations_without_gain == 0
