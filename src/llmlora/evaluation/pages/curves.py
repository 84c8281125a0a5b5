"""The curves of a run: loss with the same numbers as a table, and learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llmlora.evaluation.pages.chart import Point, Series, line_chart, smoothed
from llmlora.evaluation.pages.words import number, t

Record = dict[str, Any]


def curves_of(steps: Sequence[Record], evaluations: Sequence[Record]) -> dict[str, Any] | None:
    """Return `loss` and `rate` as charts and `rows` as a table; None when there is nothing to draw."""
    raw, held_out = _points(steps, "loss"), _points(evaluations, "eval_loss")
    average = smoothed(raw)
    series = [
        Series(t("curve_loss"), raw, "loss faint" if average else "loss"),
        Series(t("curve_smoothed"), average, "loss"),
        Series(t("curve_eval_loss"), held_out, "held-out", has_markers=True),
    ]
    loss = line_chart(series, t("axis_step"), t("axis_loss"), _epoch_ends(steps))
    rate = line_chart(
        [Series(t("curve_learning_rate"), _points(steps, "learning_rate"), "rate")],
        t("axis_step"),
        t("axis_learning_rate"),
    )
    if loss is None and rate is None:
        return None
    return {"loss": loss, "rate": rate, "rows": _rows(raw, held_out)}


def _points(records: Sequence[Record], name: str) -> tuple[Point, ...]:
    return tuple((float(record["step"]), float(record[name])) for record in records if record.get(name) is not None)


def _epoch_ends(steps: Sequence[Record]) -> list[tuple[float, str]]:
    """Return the last step of each whole epoch with its number; nothing where the steps do not tell their epoch."""
    ends: dict[int, float] = {}
    for record in steps:
        epoch = record.get("epoch")
        if epoch is not None and epoch >= 1 - 1e-6:
            ends.setdefault(math.floor(epoch + 1e-6), float(record["step"]))
    return [(step, str(epoch)) for epoch, step in sorted(ends.items())]


def _rows(raw: Sequence[Point], held_out: Sequence[Point]) -> list[tuple[str, str, str]]:
    """Return at most some twenty steps of the curve in figures, for readers who cannot see it."""
    every = max(1, len(raw) // 20)
    shown = [point for index, point in enumerate(raw) if index % every == 0 or index == len(raw) - 1]
    by_step, losses = dict(held_out), dict(raw)
    steps = sorted({step for step, _ in shown} | set(by_step))
    return [(f"{step:,.0f}", number(losses.get(step)), number(by_step.get(step))) for step in steps]
