"""Progress: one line per tenth without a terminal, nothing when quiet, remarks worded, durations readable."""

import pytest

from llmlora.cli import progress
from llmlora.cli.output import options
from llmlora.cli.progress import EventPrinter, duration
from llmlora.core.locale import LANGUAGES, set_language, translate


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


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        ({"eval_loss": 701.5, "perplexity": None}, "701.500"),
        ({"eval_loss": 701.5, "perplexity": None}, "∞"),
        ({"eval_loss": None, "perplexity": None}, "NaN"),
        ({"eval_loss": None}, "NaN"),
    ],
)
def test_an_infinite_perplexity_and_a_broken_loss_are_shown_as_such(capsys, metrics, text):
    with EventPrinter() as printer:
        printer({"type": "evaluation", "step": 3, "metrics": metrics, "nonfinite": {"perplexity": "inf"}})
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["loss", "learning_rate", "grad_norm", "tokens_per_second", "eta_seconds"])
def test_a_step_without_one_of_its_numbers_is_shown(capsys, missing):
    event = step(100)
    event["metrics"][missing] = None
    with EventPrinter() as printer:
        printer(event)
    err = capsys.readouterr().err
    assert "100%" in err
    assert "cannot be shown" not in err


def test_what_cannot_be_shown_is_said_once_and_stops_nothing(capsys):
    with EventPrinter() as printer:
        printer({"type": "step", "metrics": {}})
        printer({"type": "step", "metrics": {}})
        printer({"type": "run_ended"})
    err = capsys.readouterr().err
    assert err.count("Progress cannot be shown any more") == 1


def test_warnings_and_findings_are_worded(capsys):
    with EventPrinter() as printer:
        printer({"type": "warning", "code": "nonfinite_step", "step": 7, "params": {"cause": "loss", "in_a_row": 2}})
        printer({"type": "finding", "code": "early_stopping", "step": 9, "params": {"patience": 2, "best": 1.0}})
    text = capsys.readouterr().err
    assert "Step 7" in text
    assert "Stopped early at step 9" in text


def test_a_finding_of_a_run_that_goes_on_is_said_once_and_its_end_says_what_is_new(capsys):
    told = {"type": "finding", "code": "loss_rising", "step": None, "params": {"first": "1.0", "last": "2.0"}}
    advice = {"code": "rate_chosen", "params": {"changes": "learning_rate 1 → 0.002", "command": "train"}}
    with EventPrinter() as printer:
        printer({**told, "so_far": True})
        printer({**told, "params": {}, "is_over": True})
        printer(told)
        assert capsys.readouterr().err.count("The loss rises") == 1
        printer({**told, "params": {**told["params"], "advice": advice}})
    assert "learning_rate 1" in capsys.readouterr().err


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


class Terminal:
    """A live display that remembers what it was told."""

    def __init__(self, *columns, console, transient):
        self.shown, self.is_running = [], False

    def start(self):
        self.is_running = True

    def stop(self):
        self.is_running = False

    def add_task(self, text, total):
        return 1

    def update(self, task, completed, total, description):
        assert self.is_running
        self.shown.append((completed, total, description))


@pytest.fixture
def terminal(monkeypatch):
    """Pretend that stderr is a terminal; returns the list of live displays."""
    made = []
    monkeypatch.setattr(
        progress, "Progress", lambda *columns, **settings: made.append(Terminal(*columns, **settings)) or made[-1]
    )
    monkeypatch.setattr(type(progress.console), "is_terminal", property(lambda _: True))
    return made


def test_on_a_terminal_there_is_one_live_line(terminal, capsys):
    with EventPrinter() as printer:
        for number in (1, 2, 3):
            printer(step(number))
        assert terminal[0].is_running
    (live,) = terminal
    assert [shown[:2] for shown in live.shown] == [(1, 100), (2, 100), (3, 100)]
    assert not live.is_running
    assert capsys.readouterr().err == ""


def test_the_live_line_ends_with_its_phase_and_the_next_gets_its_own(terminal, capsys):
    with EventPrinter() as printer:
        printer(step(100))
        printer({"type": "phase", "name": "saving", "params": {}})
        assert not terminal[0].is_running
        printer({"type": "phase", "name": "verify", "done": 1, "total": 2})
    assert len(terminal) == 2
    assert "Saving" in capsys.readouterr().err


def test_an_error_while_following_closes_the_live_line(terminal):
    with pytest.raises(ZeroDivisionError), EventPrinter() as printer:
        printer(step(1))
        raise ZeroDivisionError
    assert not terminal[0].is_running


def test_the_end_of_a_run_closes_the_live_line(terminal):
    with EventPrinter() as printer:
        printer(step(1))
        printer({"type": "run_ended", "status": "succeeded"})
        assert not terminal[0].is_running


def test_an_evaluation_is_a_line_unless_a_bar_is_live(terminal, capsys):
    event = {"type": "evaluation", "step": 4, "metrics": {"eval_loss": 1.5, "perplexity": 4.48}}
    with EventPrinter() as printer:
        printer(event)
        assert "1.500" in capsys.readouterr().err
        printer(step(5))
        printer(event)
    assert capsys.readouterr().err == ""


def test_a_slow_run_says_something_every_half_minute(monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with EventPrinter() as printer:
        for number in range(1, 7):  # 0.1 % each, 20 s apart
            clock[0] = 100.0 + 20 * number
            printer(step(number, total=1000))
    assert len(capsys.readouterr().err.strip().splitlines()) == 3


def test_a_second_bar_starts_again_from_its_own_beginning(capsys):
    """Two evaluations after each other: the share falls, which is a new bar and not silence."""
    with EventPrinter() as printer:
        for done in (1, 2):
            printer({"type": "phase", "name": "verify", "done": done, "total": 2})
        printer({"type": "phase", "name": "verify", "done": 0, "total": 2})
    assert len(capsys.readouterr().err.strip().splitlines()) == 3


def test_unknown_kinds_of_events_are_passed_over(capsys):
    with EventPrinter() as printer:
        for kind in ("sample", "checkpoint", "run_started", "from the future"):
            printer({"type": kind, "step": 1, "path": "x"})
    assert capsys.readouterr().err == ""


def test_quiet_still_warns(capsys):
    options.quiet = True
    with EventPrinter() as printer:
        printer({"type": "warning", "code": "inexact_resume", "params": {}})
        printer({"type": "finding", "code": "early_stopping", "step": 1, "params": {"patience": 2}})
        printer({"type": "phase", "name": "saving", "params": {}})
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("!")


def test_markup_in_names_is_shown_and_not_obeyed(capsys):
    with EventPrinter() as printer:
        params = {"tracker": "[red]wandb[/red]", "detail": "[link=http://x]y[/link]"}
        printer({"type": "warning", "code": "tracker_failed", "step": 1, "params": params})
    text = capsys.readouterr().err
    assert "[red]wandb[/red]" in text
    assert "[link=http://x]" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reason_of_the_number_format_is_a_sentence_without_an_unexplained_unit(capsys, language):
    set_language(language)
    params = {
        "dtype": "bfloat16", "device": "cpu", "reason": "engine.dtype.cpu_bfloat16",
        "gflops": {"bfloat16": 217.6, "float32": 98.9},
    }  # fmt: skip
    with EventPrinter() as printer:
        printer({"type": "phase", "name": "loading", "params": params})
    text = capsys.readouterr().err
    assert translate("engine.dtype.cpu_bfloat16") in text
    assert "FLOP" not in text and "217.6" not in text
