"""Trackers get the metrics, write inside the job folder only, and whatever they raise, training goes on."""

import json
import sys
import types
from typing import ClassVar

import pytest
import torch

from engine.engine_runs import MemoryRows, StopAfter, losses, run_job, tiny_llama
from llmlora.core.config import TrainConfig
from llmlora.core.errors import Stopped
from llmlora.core.events import EventWriter, read_events, read_job_events
from llmlora.engine import trackers
from llmlora.engine.batch import Subset
from llmlora.engine.ranks import Ranks
from llmlora.engine.trackers import Trackers

ROWS = MemoryRows(8)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_llama(tmp_path_factory.mktemp("engine"))


class FakeAccelerator:
    """Stands for Accelerate with one tracker; fails where it is told to."""

    fails: ClassVar[dict[str, Exception]] = {}
    made: ClassVar[list["FakeAccelerator"]] = []

    def __init__(self, log_with, project_dir):
        self.name, self.project_dir, self.calls = log_with[0], project_dir, []
        FakeAccelerator.made.append(self)
        self._pass("make")

    def _pass(self, call, *arguments):
        self.calls.append((call, *arguments))
        if f"{self.name}.{call}" in self.fails:
            raise self.fails[f"{self.name}.{call}"]

    def init_trackers(self, project, config, init_kwargs):
        self._pass("init", config, init_kwargs)

    def log(self, values, step):
        self._pass("log", values, step)

    @property
    def trackers(self):
        return [self]

    def finish(self):
        self._pass("end")


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(trackers, "Accelerator", FakeAccelerator)
    monkeypatch.setattr(FakeAccelerator, "fails", {})
    monkeypatch.setattr(FakeAccelerator, "made", [])
    for name in ("WANDB_DIR", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    return FakeAccelerator


def opened(folder, *names):
    events = EventWriter(folder, 1)
    return Trackers(TrainConfig(report_to=names), folder, events), events


def warnings_of(folder):
    found = [event for event in read_events(folder / "events.jsonl") if event["type"] == "warning"]
    return [(event["params"]["tracker"], event["step"], event["params"]["detail"]) for event in found]


def test_numbers_that_are_missing_are_left_out(fake, tmp_path):
    open_trackers, _ = opened(tmp_path, "tensorboard")
    open_trackers.log({"loss": 1.5, "perplexity": None}, 3)
    open_trackers.close()
    assert fake.made[0].calls[-2:] == [("log", {"loss": 1.5}, 3), ("end",)]


@pytest.mark.parametrize("place", ["make", "init", "log", "end"])
def test_a_failing_tracker_is_one_warning_and_the_others_go_on(fake, tmp_path, place):
    fake.fails = {f"wandb.{place}": ConnectionError("no\nroute to   host")}
    open_trackers, _ = opened(tmp_path, "wandb", "mlflow")
    for step in (1, 2):
        open_trackers.log({"loss": 1.0}, step)
    open_trackers.close()
    open_trackers.close()  # closing twice is harmless
    expected_step = {"make": 0, "init": 0, "log": 1, "end": 2}[place]
    assert warnings_of(tmp_path) == [("wandb", expected_step, "no route to host")]
    mlflow = next(made for made in fake.made if made.name == "mlflow")
    assert [call[0] for call in mlflow.calls] == ["make", "init", "log", "log", "end"]


def test_of_several_ranks_the_first_alone_has_trackers(fake, tmp_path):
    events = EventWriter(tmp_path, 1)
    for rank in (1, 0):
        ranks = Ranks(torch.device("cpu"), rank, world_size=2)
        Trackers(TrainConfig(report_to=("wandb",)), tmp_path, events, ranks)
        assert [made.name for made in fake.made] == ["wandb"] * (rank == 0)


def test_an_error_without_words_is_named_by_its_class(fake, tmp_path):
    fake.fails = {"wandb.init": ValueError()}
    opened(tmp_path, "wandb")
    assert warnings_of(tmp_path) == [("wandb", 0, "ValueError")]


def test_lack_of_memory_is_not_a_trackers_fault(fake, tmp_path):
    fake.fails = {"wandb.log": MemoryError()}
    open_trackers, _ = opened(tmp_path, "wandb")
    with pytest.raises(MemoryError):
        open_trackers.log({"loss": 1.0}, 1)


def test_files_go_into_the_run_folder(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(trackers.os, "environ", environment := {})
    opened(tmp_path, "wandb", "mlflow")
    inside = str(tmp_path / "trackers")
    assert all(made.project_dir == inside for made in fake.made)
    assert environment["WANDB_DIR"] == inside
    assert environment["MLFLOW_TRACKING_URI"] == f"sqlite:///{inside}/mlflow.db"
    assert fake.made[0].calls[1][2] == {"wandb": {"dir": inside}}


def test_a_server_that_the_user_has_named_is_kept(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(trackers.os, "environ", environment := {"MLFLOW_TRACKING_URI": "http://tracker.example"})
    opened(tmp_path, "mlflow")
    assert environment["MLFLOW_TRACKING_URI"] == "http://tracker.example"


def test_settings_are_recorded_as_text(fake, tmp_path):
    opened(tmp_path, "mlflow")
    config = fake.made[0].calls[1][1]
    assert config["learning_rate"] == "0.0002"
    assert all(isinstance(value, str) for value in config.values())


def test_training_survives_trackers_that_fail(fake, base, tmp_path):
    fake.fails = {"wandb.init": RuntimeError("no key"), "mlflow.log": OSError("server gone")}
    trained = run_job(base, tmp_path / "job", ROWS, max_steps=3, report_to=["wandb", "mlflow"])
    assert trained.state.step == 3
    codes = [event["code"] for event in read_job_events(tmp_path / "job") if event["type"] == "warning"]
    assert codes == ["tracker_failed", "tracker_failed"]


def test_measurements_are_handed_on_and_a_stop_closes_the_tracker(fake, base, tmp_path):
    with pytest.raises(Stopped):
        run_job(
            base, tmp_path / "job", Subset(ROWS, range(6)), eval_rows=Subset(ROWS, [6, 7]), stop=StopAfter(8),
            per_device_train_batch_size=1, eval_steps=2, report_to=["mlflow"],
        )  # fmt: skip
    calls = fake.made[0].calls
    assert calls[-1] == ("end",)
    logged = [(call[2], set(call[1])) for call in calls if call[0] == "log"]
    assert logged[0] == (0, {"eval_loss", "perplexity"})
    assert (2, {"eval_loss", "perplexity"}) in logged


def test_wandb_through_accelerate(base, tmp_path, monkeypatch):
    """Accelerate's own wandb tracker on a stand-in for the package: project, settings, metrics by step, end."""
    calls = []

    class Run:
        def log(self, values, step=None):
            calls.append(("log", step, values["loss"]))

        def finish(self):
            calls.append(("finish",))

    package = types.ModuleType("wandb")
    package.init = lambda **settings: calls.append(("init", settings["project"], settings["dir"])) or Run()
    package.config = types.SimpleNamespace(update=lambda values, **_: calls.append(("config", values["r"])))
    package.__spec__ = types.SimpleNamespace(name="wandb")
    monkeypatch.setitem(sys.modules, "wandb", package)
    import accelerate.tracking

    monkeypatch.setattr(accelerate.tracking, "is_wandb_available", lambda: True)
    monkeypatch.setitem(accelerate.tracking.LOGGER_TYPE_TO_CLASS, "wandb", accelerate.tracking.WandBTracker)
    import accelerate.accelerator

    monkeypatch.setattr(accelerate.accelerator, "filter_trackers", lambda names, _: names or [])
    run_job(base, tmp_path / "job", ROWS, max_steps=2, r=3, report_to=["wandb"])
    folder = str(tmp_path / "job" / "runs" / "1" / "trackers")
    assert calls[:2] == [("init", "llmlora", folder), ("config", "3")]
    assert [call[1:] for call in calls if call[0] == "log"] == [
        (number + 1, loss) for number, loss in enumerate(losses(tmp_path / "job"))
    ]
    assert calls[-1] == ("finish",)


def test_events_stay_readable_whatever_a_tracker_says(fake, tmp_path):
    fake.fails = {"wandb.init": RuntimeError('"quotes"\n{braces} \u2028 日本語 ' + "x" * 5000)}
    opened(tmp_path, "wandb")
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").split("\n")
    detail = json.loads(lines[0])["params"]["detail"]
    assert detail.startswith('"quotes" {braces}')
    assert len(detail) == 200
