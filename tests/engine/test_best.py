"""With load_best_model_at_end the weights with the lowest eval_loss are published, whatever interrupted the run."""

import shutil

import pytest
import torch

from engine.crashes import Killed, dying_at
from engine.engine_runs import MemoryRows, run_job, tiny_llama, trained_weights
from llmlora.core.events import read_job_events
from llmlora.core.layout import checkpoint_dirs
from llmlora.engine.batch import Subset
from llmlora.engine.checkpoint import TrainState

ROWS = MemoryRows(12)
# Random rows teach nothing about each other, so the held-out loss soon rises.
SETTINGS = {
    "num_train_epochs": 12, "learning_rate": 3e-2, "load_best_model_at_end": True,
    "lora_dropout": 0.1, "lr_scheduler_type": "constant",
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_llama(tmp_path_factory.mktemp("best"))


def run(base, folder, stop=False, **settings):
    rows = Subset(ROWS, range(8)), Subset(ROWS, range(8, 12))
    return run_job(base, folder, rows[0], eval_rows=rows[1], stop=stop, **{**SETTINGS, **settings})


@pytest.fixture(scope="module")
def whole(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "job"
    with dying_at() as calls:
        trained = run(base, folder)
    return trained, folder, calls.count


def same_weights(first, second):
    weights = trained_weights(second)
    return all(torch.equal(weight, weights[name]) for name, weight in trained_weights(first).items())


def test_the_weights_of_the_lowest_loss_are_published(base, whole, tmp_path):
    trained, _, _ = whole
    measured = {entry["step"]: entry["eval_loss"] for entry in trained.state.evaluations if entry["step"] > 0}
    best = min(measured, key=measured.get)
    assert 0 < best < trained.state.step  # else this run shows nothing
    summary = trained.summary()
    assert (summary["published_step"], summary["num_steps"]) == (best, 24)
    assert summary["eval_loss"] == measured[best]
    shorter = run(base, tmp_path / "job", max_steps=best)  # the rate is constant, so these are the same steps
    assert shorter.published_step == best
    assert same_weights(trained, shorter)


def test_without_the_setting_the_last_weights_are_published(base, whole, tmp_path):
    trained = run(base, tmp_path / "job", load_best_model_at_end=False)
    assert trained.summary()["published_step"] == 24
    assert trained.summary()["eval_loss"] == trained.state.evaluations[-1]["eval_loss"]
    assert not same_weights(trained, whole[0])


def test_the_best_checkpoint_outlives_those_that_are_kept(whole):
    trained, folder, _ = whole
    steps = [step for step, _, _ in checkpoint_dirs(folder)]
    assert steps == sorted({trained.published_step, 22, 24})


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_killed_run_publishes_the_same(base, whole, tmp_path, share):
    trained, _, num_calls = whole
    with pytest.raises(Killed), dying_at(int(share * num_calls)):
        run(base, tmp_path / "job")
    resumed = run(base, tmp_path / "job")
    assert resumed.published_step == trained.published_step
    assert resumed.summary()["eval_loss"] == trained.summary()["eval_loss"]
    assert same_weights(resumed, trained)


def test_early_stopping_publishes_the_best_and_not_where_it_stopped(base, tmp_path):
    trained = run(base, tmp_path / "job", early_stopping_patience=2, eval_steps=1)
    measured = [(entry["eval_loss"], entry["step"]) for entry in trained.state.evaluations if entry["step"] > 0]
    assert trained.state.step < 24
    assert trained.published_step == min(measured)[1] < trained.state.step


def test_a_lost_best_leaves_the_last_weights_and_says_so(base, tmp_path):
    folder = tmp_path / "job"
    first = run(base, folder)
    for step, _, path in checkpoint_dirs(folder):
        if step == first.published_step:
            shutil.rmtree(path)
    again = run(base, folder)
    assert again.published_step == again.state.step == 24
    lost = [event for event in read_job_events(folder) if event.get("code") == "best_checkpoint_lost"]
    assert [event["params"] for event in lost] == [{"best": first.published_step, "published": 24}]


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ([], None), ([(0, 1.0)], None), ([(0, 1.0), (2, 3.0), (4, 2.0), (6, 2.0)], 4),
        ([(2, float("nan")), (4, 5.0)], 4), ([(2, float("inf"))], None),
    ],
)  # fmt: skip
def test_the_best_step_is_the_earliest_with_the_lowest_finite_loss(losses, best):
    state = TrainState(evaluations=[{"step": step, "eval_loss": loss} for step, loss in losses])
    assert state.best_step == best
