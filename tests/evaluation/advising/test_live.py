"""The diagnosis while a run goes on: each finding once, a word when it is over, and the end has the last word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluation.advising.test_findings import PLANTED, run_of
from evaluation.fake_reports import planned_job
from llmlora.core.events import EventWriter, is_passing, read_events
from llmlora.evaluation.advising.live import DiagnosedEvents


@pytest.fixture
def writer(tmp_path: Path) -> EventWriter:
    return EventWriter(tmp_path, 1)


def emit_steps(diagnosed: DiagnosedEvents, records: list[dict[str, Any]], total: int = 80) -> None:
    for record in records:
        metrics = {name: value for name, value in record.items() if name != "step"}
        diagnosed.emit("step", step=record["step"], total_steps=total, metrics=metrics)


def findings(writer: EventWriter) -> list[tuple[str, str]]:
    """Return (code, when) of the finding events."""
    found = [event for event in read_events(writer.path) if event["type"] == "finding"]
    when = ("is_over", "so_far")
    return [(event["code"], next((name for name in when if event.get(name)), "end")) for event in found]


@pytest.mark.parametrize("code", ["loss_rising", "loss_not_falling", "memorised", "gradient_explosion"])
def test_a_finding_comes_once_while_the_run_goes_on_and_once_at_its_end(writer: EventWriter, code: str) -> None:
    loss, fields = PLANTED[code]
    diagnosed = DiagnosedEvents(writer, planned_job())
    emit_steps(diagnosed, run_of(loss, **fields))
    assert findings(writer) == [(code, "so_far")]
    told = [event for event in read_events(writer.path) if event["type"] == "finding"]
    steps_before = [event["step"] for event in read_events(writer.path) if event["seq"] < told[0]["seq"]]
    assert max(steps_before) < 70
    assert told[0]["params"], "its evidence"
    assert (told[0].get("settings") is not None) == (code != "memorised")
    diagnosed.conclude(0.1, None)
    assert findings(writer) == [(code, "so_far"), (code, "end")]


def test_a_finding_that_does_not_hold_any_more_is_over(writer: EventWriter) -> None:
    diagnosed = DiagnosedEvents(writer, planned_job())
    speed = [{"tokens_per_second": 900.0 if not 40 <= step < 60 else 200.0} for step in range(1, 81)]
    records = [{**record, **speed[record["step"] - 1]} for record in run_of(PLANTED["healthy"][0])]
    emit_steps(diagnosed, records)
    assert findings(writer) == [("slower", "so_far"), ("slower", "is_over")]
    diagnosed.conclude(0.1, None)
    assert findings(writer)[2:] == [("healthy", "end")]


def test_what_only_showed_meanwhile_is_over_at_the_end(writer: EventWriter) -> None:
    diagnosed = DiagnosedEvents(writer, planned_job())
    emit_steps(diagnosed, run_of(PLANTED["loss_rising"][0])[:60])
    emit_steps(diagnosed, [{**record, "loss": 0.2} for record in run_of(PLANTED["healthy"][0])[60:]])
    diagnosed.conclude(0.1, None)
    assert findings(writer)[0] == ("loss_rising", "so_far")
    assert ("loss_rising", "is_over") in findings(writer)
    assert ("loss_rising", "end") not in findings(writer)


def test_the_steps_of_earlier_attempts_count(writer: EventWriter) -> None:
    records = run_of(PLANTED["loss_rising"][0])
    diagnosed = DiagnosedEvents(writer, planned_job(), records[:70])
    emit_steps(diagnosed, records[70:72])
    assert findings(writer) == [("loss_rising", "so_far")]


def test_everything_else_passes_through_unchanged(writer: EventWriter) -> None:
    diagnosed = DiagnosedEvents(writer, planned_job())
    diagnosed.emit("phase", name="training", params={})
    diagnosed.emit("step", step=1, total_steps=2, metrics={"loss": float("nan"), "epoch": 0.5})
    diagnosed.close()
    writer.emit("phase", name="saving", params={})
    first, step, last = read_events(writer.path)
    assert (first["name"], step["nonfinite"], last["name"]) == ("training", {"loss": "nan"}, "saving")
    assert not any(map(is_passing, (first, step, last)))
