"""Progress: one line per tenth without a terminal, nothing when quiet, remarks worded, durations readable."""

import pytest

from llmlora.cli.output import options
from llmlora.cli.progress import EventPrinter, duration


def step(number, total=100):
    metrics = {"loss": 1.5, "tokens_per_second": 1234.0, "eta_seconds": 75.0}
    return {"type": "step", "step": number, "total_steps": total, "metrics": metrics}


def test_without_a_terminal_every_tenth_is_a_line(capsys):
    with EventPrinter() as printer:
        for number in range(1, 101):
            printer(step(number))
    lines = capsys.readouterr().err.strip().splitlines()
    assert 10 <= len(lines) <= 12
    assert "100%" in lines[-1]
    assert "1,234 tokens/s" in lines[-1]
    assert "1:15" in lines[-1]


@pytest.mark.parametrize("name", ["quiet", "no progress"])
def test_no_bar_when_not_wanted(name, capsys):
    options.quiet = name == "quiet"
    options.show_progress = False
    with EventPrinter() as printer:
        printer(step(50))
    assert capsys.readouterr().err == ""


def test_a_broken_loss_is_shown_as_such(capsys):
    event = step(100)
    event["metrics"]["loss"] = None
    with EventPrinter() as printer:
        printer(event)
    assert "NaN" in capsys.readouterr().err


def test_warnings_and_findings_are_worded(capsys):
    with EventPrinter() as printer:
        printer({"type": "warning", "code": "nonfinite_step", "step": 7, "params": {"cause": "loss", "in_a_row": 2}})
        printer({"type": "finding", "code": "early_stopping", "step": 9, "params": {"patience": 2, "best": 1.0}})
    text = capsys.readouterr().err
    assert "Step 7" in text
    assert "Stopped early at step 9" in text


def test_phases_say_what_happens(capsys):
    with EventPrinter() as printer:
        printer({"type": "phase", "name": "resuming", "params": {"step": 120}})
        printer({"type": "phase", "name": "no such phase", "params": {}})
    assert capsys.readouterr().err.strip() == "Resumed from the checkpoint of step 120."


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (42.4, "0:42"), (75, "1:15"), (3723, "1:02:03"), (None, "0:00"), (-5, "0:00")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
