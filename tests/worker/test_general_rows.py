"""`general_share`: bundled general rows are trained along, counted before, and never held out."""

import json

import pytest

from llmlora.core.errors import ConfigError
from llmlora.core.events import EventWriter, read_events
from llmlora.core.job import write_job
from llmlora.engine.batch import Joined, Subset
from llmlora.services.plan_training import plan_training
from llmlora.services.train_request import TrainRequest
from llmlora.worker import train as work
from llmlora.worker.frame import StopFlag

CHEAP = {"num_train_epochs": 1, "dtype": "float32", "target_modules": ["q_proj"], "max_length": 512, "r": 1}
ROWS = [{"instruction": f"棚{number}は？", "output": f"本は{number}冊です。"} for number in range(8)]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    return path


def run(place, folder, data, monkeypatch, **settings):
    """Train a planned job; return its plan, its result, the rows trained on and held out, and what was counted."""
    given = []
    fit = work.fit
    monkeypatch.setattr(work, "fit", lambda *words: given.append(words[4]) or fit(*words))
    settings = {**CHEAP, "per_device_train_batch_size": 2, **settings}
    plan = plan_training(TrainRequest(str(place / "base"), data, settings=settings))
    (folder / "runs" / "1").mkdir(parents=True)
    write_job(folder, plan.job)
    events = EventWriter(folder / "runs" / "1", 1)
    result = work.run(folder, plan.job.to_json(), events, StopFlag())
    events.close()
    counts = next(event["params"] for event in read_events(events.path) if event.get("name") == "prepared")
    return plan.plan_dict(), result, given[0], counts


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("split", "own", "general"), [(0.0, 8, 4), (0.25, 6, 3)])
def test_the_rows_and_steps_that_were_said_are_trained(place, tmp_path, data, monkeypatch, split, own, general):
    settings = {"general_share": 0.5, "validation_split": split}
    plan, result, (rows, held_out), counts = run(place, tmp_path / "job", data, monkeypatch, **settings)
    assert len(rows) == own + general
    assert len(held_out or ()) == len(ROWS) - own
    assert plan["num_steps"] == result["num_steps"] == -(-(own + general) // 2)
    assert counts["rows"] == len(ROWS), "what is said of the data is said of the data alone"
    assert len(counts["content"]) == 2, "a resume with other general rows is refused as one with other data is"


@pytest.mark.usefixtures("home")
def test_without_a_share_nothing_is_added(place, tmp_path, data, monkeypatch):
    plan, result, (rows, _), counts = run(place, tmp_path / "job", data, monkeypatch)
    assert len(rows) == len(ROWS)
    assert plan["num_steps"] == result["num_steps"] == 4
    assert len(counts["content"]) == 1


@pytest.mark.usefixtures("home")
def test_general_rows_that_do_not_fit_are_refused_by_their_setting(place, tmp_path, data, monkeypatch):
    with pytest.raises(ConfigError) as caught:
        run(place, tmp_path / "job", data, monkeypatch, general_share=1, max_length=24)
    assert caught.value.code == "general_rows_refused"


def test_joined_rows_lie_one_after_the_other():
    class Numbers:
        def __init__(self, *values):
            self.values = values

        def __len__(self):
            return len(self.values)

        def row(self, index):
            return self.values[index], self.values[index]

    joined = Joined(Subset(Numbers(1, 2, 3), [2, 0]), Numbers(7))
    assert [joined.row(index)[0] for index in range(len(joined))] == [3, 1, 7]
