"""What a run's own numbers say, at its end or so far: each finding with its evidence and its likely cause.

The words stand under `cli.finding.<code>`. What to do about it is one piece of advice for the whole run,
`params["advice"]` of the gravest finding, chosen where the advice after an evaluation is chosen, too. `settings` of a
finding are those that can be tried next, whether or not there is advice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, median
from typing import Any

from llmlora.core.job import JobConfig
from llmlora.core.next_run import longer, lower_rate
from llmlora.evaluation.advising.advice import (
    DIVERGING,
    LONGER,
    MOST_EPOCHS,
    NOT_LEARNING,
    advise_run,
    back_to_learning,
)

Record = dict[str, Any]

MIN_STEPS = 8  # fewer steps say nothing about a trend
MIN_STAGES = 4
FLAT_SHARE = 0.9  # at the end still nine tenths of the first loss
RISEN_SHARE = 1.2
HIGH_LOSS = 2.0
LOW_LOSS = 0.3  # at most this much on trained rows: they are nearly known by heart
EARLY_SHARE = 0.75
NOTABLE_LOSS = 0.5
STILL_FALLING_SHARE = 0.95
NOTABLE_RISE = 0.1
UNSTEADY_SHARE = 1 / 3
EXPLODING_NORM = 100.0
EXPLODING_FACTOR = 20.0
OVERFIT_SHARE = 1.1
UNCHANGED_SIZE = 1e-5
TOLD_FROM = 0.1  # of the steps; before, a run that goes on has shown nothing yet
FALLS_BY = 1 / 3  # of the steps; by then a loss that falls at all has begun to
FEW_EPOCHS = 3
RECENT_STEPS = 16
SLOWER_FACTOR = 2.0
BEST_ONLY = {"load_best_model_at_end": True, "early_stopping_patience": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `step` is where it shows, None when it is about the whole run.

    `settings` are changes for another run (None as a value: back to what is recommended), None where none are known.
    """

    code: str
    step: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """The loss of a run in stages: its epochs when there are enough of them, else equal parts of its steps."""

    stages: tuple[float, ...]
    ends: tuple[float, ...]  # the epoch at which each stage ends

    @property
    def first(self) -> float:
        """The loss of the first stage."""
        return self.stages[0]

    @property
    def last(self) -> float:
        """The loss of the last stage."""
        return self.stages[-1]


def curve_of(steps: Sequence[Record], final_loss: float | None = None) -> Curve | None:
    """Return the staged loss of a run, None when there are too few steps to speak of a trend.

    `final_loss`, the mean over the last epoch's tokens that the summary shows, stands for that epoch's mean of steps.
    """
    measured = [record for record in steps if record.get("loss") is not None]
    if len(measured) < MIN_STEPS:
        return None
    groups: dict[int, list[Record]] = {}
    for record in measured:
        groups.setdefault(math.ceil(record.get("epoch") or 0), []).append(record)
    parts = [groups[number] for number in sorted(groups)]
    is_by_epoch = len(parts) >= MIN_STAGES
    if not is_by_epoch:
        size = math.ceil(len(measured) / MIN_STAGES)
        parts = [measured[start : start + size] for start in range(0, len(measured), size)]
    means = [fmean(record["loss"] for record in part) for part in parts]
    if is_by_epoch and final_loss is not None:
        means[-1] = final_loss
    return Curve(tuple(means), tuple(float(part[-1].get("epoch") or 0) for part in parts))


def find_in_run(
    job: JobConfig,
    steps: Sequence[Record],
    evaluations: Sequence[Record],
    adapter_size: float | None = None,
    final_loss: float | None = None,
) -> list[Finding]:
    """Return what the numbers of a finished run say, the gravest first; a healthy run says that it is one.

    `steps` and `evaluations` are records as in events.jsonl; `adapter_size` is the largest number that training put
    into an adapter that started at zero, None when there is no such adapter.
    """
    curve = curve_of(steps, final_loss)
    found = [
        _unchanged(adapter_size),
        None if curve is None else _trend(curve) or _memorised(curve, curve.ends[-1], evaluations),
        _exploding(steps),
        None if curve is None else _unsteady(curve),
        _overfitted(evaluations),
    ]
    findings = [finding for finding in found if finding is not None]
    if not findings and curve is not None:
        findings.append(Finding("healthy", params=_fall(curve)))
    piece = advise_run(job, (finding.code for finding in findings))
    if piece is not None:
        findings[0].params["advice"] = piece
    return [replace(finding, settings=next_settings(job, finding.code)) for finding in findings]


def find_so_far(
    job: JobConfig, steps: Sequence[Record], evaluations: Sequence[Record], total_steps: int
) -> list[Finding]:
    """Return what is wrong with a run that goes on; what only its end can tell is left out.

    Only the end tells that an adapter is unchanged, that the loss was still falling, and that nothing was wrong.
    """
    if len(steps) < 2 * MIN_STEPS or steps[-1]["step"] < TOLD_FROM * total_steps:
        return []
    epoch = steps[-1]["epoch"]
    curve = curve_of([record for record in steps if epoch <= MIN_STAGES - 1 or record["epoch"] <= math.floor(epoch)])
    is_late = steps[-1]["step"] >= FALLS_BY * total_steps or epoch >= FEW_EPOCHS
    planned_epochs = epoch * total_steps / steps[-1]["step"]
    trend = None if curve is None else _trend_so_far(curve, is_late) or _memorised(curve, planned_epochs, evaluations)
    found = [trend, _exploding(steps), None if curve is None else _unsteady(curve), _overfitted(evaluations)]
    found.append(_slower(steps))
    findings = [finding for finding in found if finding is not None]
    return [replace(finding, settings=next_settings(job, finding.code)) for finding in findings]


def _trend_so_far(curve: Curve, is_late: bool) -> Finding | None:
    """Judge where the loss goes, where that can be told before the end: one that is high may still fall."""
    trend = _trend(curve)
    if trend is None or trend.code == "still_falling":
        return None
    before = max(curve.stages[-3:-1])  # steps of few rows differ by more than a falling loss falls in one stage
    may_fall = not is_late or curve.last < STILL_FALLING_SHARE * before
    return None if trend.code == "loss_not_falling" and may_fall else trend


def next_settings(job: JobConfig, code: str) -> dict[str, Any] | None:
    """Return the settings to try next after a finding, None where there are none that help.

    Back to the recommended values where these were left; else a lower rate for a run that diverges, a longer one for a
    run that does not learn enough, and the weights that were best where held-out rows got worse.
    """
    if code == "overfitting":
        return None if job.train.load_best_model_at_end else BEST_ONLY
    if code not in DIVERGING | NOT_LEARNING:
        return None
    back = back_to_learning(job)
    if back is not None:
        return dict(back["params"]["settings"])
    return lower_rate(job) if code in DIVERGING else longer(job, LONGER, MOST_EPOCHS) or None


def _slower(steps: Sequence[Record]) -> Finding | None:
    """Compare the speed of the last steps with that of all before."""
    speeds = [record["tokens_per_second"] for record in steps if record.get("tokens_per_second")]
    if len(speeds) < 2 * RECENT_STEPS:
        return None
    before, now = median(speeds[:-RECENT_STEPS]), median(speeds[-RECENT_STEPS:])
    if now * SLOWER_FACTOR > before:
        return None
    return Finding("slower", params={"before": f"{before:,.0f}", "now": f"{now:,.0f}"})


def _trend(curve: Curve) -> Finding | None:
    """Judge where the loss went: up, nowhere, or still down when the run ended; not where it went to nothing."""
    first, last = curve.first, curve.last
    if last <= LOW_LOSS:
        return None
    if last > RISEN_SHARE * first:
        return Finding("loss_rising", params=_fall(curve))
    if last > max(FLAT_SHARE * first, NOTABLE_LOSS) or (last >= HIGH_LOSS and curve.ends[-1] >= 3):
        return Finding("loss_not_falling", params=_fall(curve))
    if last > NOTABLE_LOSS and last < STILL_FALLING_SHARE * curve.stages[-2]:
        return Finding("still_falling", params=_fall(curve))
    return None


def _memorised(curve: Curve, num_epochs: float, evaluations: Sequence[Record]) -> Finding | None:
    """Say that the rows are known by heart: long before the end of the run's epochs, or while held-out rows got worse.

    To stop there is no advice: other wordings are learned after the rows are, and such runs lost half of the facts.
    """
    if curve.last > LOW_LOSS:
        return None
    epoch = next(end for loss, end in zip(curve.stages, curve.ends, strict=True) if loss <= LOW_LOSS)
    is_early = 0 < epoch <= EARLY_SHARE * num_epochs
    if not is_early and _overfitted(evaluations) is None:
        return None
    return Finding("memorised", params={"final": f"{curve.last:.3f}", "epoch": f"{epoch:.2g}", "limit": LOW_LOSS})


def _unsteady(curve: Curve) -> Finding | None:
    pairs = list(zip(curve.stages, curve.stages[1:], strict=False))
    rises = sum(after > 1.2 * before and after - before > NOTABLE_RISE for before, after in pairs)
    if len(pairs) < MIN_STAGES - 1 or rises < max(2, UNSTEADY_SHARE * len(pairs)):
        return None
    return Finding("unsteady", params={"rises": rises, "total": len(pairs)})


def _exploding(steps: Sequence[Record]) -> Finding | None:
    norms = [(record["grad_norm"], record["step"]) for record in steps if record.get("grad_norm") is not None]
    if not norms:
        return None
    largest, step = max(norms)
    if largest < EXPLODING_NORM or largest < EXPLODING_FACTOR * median(norm for norm, _ in norms):
        return None
    return Finding("gradient_explosion", step, {"largest": f"{largest:,.0f}"})


def _overfitted(evaluations: Sequence[Record]) -> Finding | None:
    """Compare the last loss on held-out rows with the best one before it."""
    losses = [(record["eval_loss"], record["step"]) for record in evaluations if record.get("eval_loss") is not None]
    if len(losses) < 2 or losses[-1][0] <= OVERFIT_SHARE * min(losses)[0]:
        return None
    best, step = min(losses)
    return Finding("overfitting", step, {"last": f"{losses[-1][0]:.3f}", "best": f"{best:.3f}"})


def _unchanged(adapter_size: float | None) -> Finding | None:
    if adapter_size is None or adapter_size >= UNCHANGED_SIZE:
        return None
    return Finding("adapter_unchanged", params={"size": f"{adapter_size:.0e}"})


def _fall(curve: Curve) -> dict[str, Any]:
    return {"first": f"{curve.first:.3f}", "last": f"{curve.last:.3f}"}
