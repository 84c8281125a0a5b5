"""On a float16 base the loss is scaled: no gradient is lost below its range, and what overflows is computed again."""

import pytest
import torch

from engine.engine_runs import MemoryRows, StopAfter, losses, run_job
from llmlora.core.errors import Stopped
from llmlora.core.events import read_job_events
from llmlora.core.layout import checkpoint_dirs
from llmlora.core.publish import read_json
from llmlora.engine import environment, loop, train
from llmlora.engine.device import DevicePlan

ROWS = MemoryRows(8)


@pytest.fixture
def in_float16(monkeypatch):
    plan = DevicePlan("cpu", "float16", 1, "engine.dtype.requested", {})
    monkeypatch.setattr(environment, "plan_device", lambda *_: plan)


def test_a_float16_base_trains_like_a_float32_one(base, tmp_path, in_float16, monkeypatch):
    short = run_job(base, tmp_path / "short", ROWS)
    assert {weight.dtype for weight in short.model.parameters()} == {torch.float16, torch.float32}
    monkeypatch.undo()
    run_job(base, tmp_path / "whole", ROWS)
    assert losses(tmp_path / "short") == pytest.approx(losses(tmp_path / "whole"), rel=5e-3)


def test_gradients_below_the_range_of_float16_are_not_lost(base, tmp_path, in_float16, monkeypatch):
    """A loss of a hundred-thousandth has gradients that float16 rounds to zero; scaled, it has them all."""
    plain = loop.summed_loss
    monkeypatch.setattr(loop, "summed_loss", lambda *given: plain(*given) * 1e-6)
    run_job(base, tmp_path / "scaled", ROWS, max_steps=1)
    monkeypatch.setattr(train, "loss_scaler", lambda *_: loop.loss_scaler("float32", "cpu"))
    run_job(base, tmp_path / "unscaled", ROWS, max_steps=1)
    scaled, unscaled = (norm_of(tmp_path / name) for name in ("scaled", "unscaled"))
    assert scaled > 1.2 * unscaled


def norm_of(folder):
    return next(event["metrics"]["grad_norm"] for event in read_job_events(folder) if event["type"] == "step")


def test_an_overflow_is_computed_again_with_a_smaller_scale(base, tmp_path, in_float16, monkeypatch):
    plain = loop.summed_loss
    monkeypatch.setattr(loop, "summed_loss", lambda *given: plain(*given) * 300)
    trained = run_job(base, tmp_path / "job", ROWS, max_steps=2)
    assert trained.state.nonfinite_steps == 0
    assert not [event for event in read_job_events(tmp_path / "job") if event.get("code") == "nonfinite_step"]
    assert trained.state.scaler["scale"] < 65536


def test_the_scale_survives_a_stop(base, tmp_path, in_float16):
    run_job(base, tmp_path / "whole", ROWS, lora_dropout=0.1)
    with pytest.raises(Stopped):
        run_job(base, tmp_path / "job", ROWS, lora_dropout=0.1, stop=StopAfter(3))
    run_job(base, tmp_path / "job", ROWS, lora_dropout=0.1)
    assert losses(tmp_path / "job") == losses(tmp_path / "whole")
    scales = [read_json(path / "state.json")["scaler"]["scale"] for _, _, path in checkpoint_dirs(tmp_path / "job")]
    assert scales


def test_other_formats_are_not_scaled(base, tmp_path):
    assert run_job(base, tmp_path / "job", ROWS, max_steps=1).state.scaler == {}
