"""The page of a finished training job: result, curve, findings, settings, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmlora.core.locale import has_text, remark_text, shell_word, translate
from llmlora.evaluation.pages.curves import curves_of
from llmlora.evaluation.pages.template import render
from llmlora.evaluation.pages.words import DASH, advice_of, note_text, number, seconds_text, size_text, t

COMMANDS = (
    "llmlora evaluate {folder}",
    "llmlora chat {folder}",
    "llmlora export {folder} -o {folder}-gguf --quant F16,Q4_K_M",
)


def training_page(report: dict[str, Any], steps: Sequence[dict[str, Any]], folder: Path) -> str:
    """Return the HTML page of a report of schema llmlora.training/1; `folder` stands in the commands it proposes."""
    job, summary = report["job"], report["summary"]
    place = shell_word(folder)
    chosen, defaults = _settings(job)
    return render(
        "training.html",
        job=job,
        made_at=report["made_at"],
        figures=_figures(summary),
        held_out=_held_out(summary),
        findings=[_finding(finding) for finding in report["findings"]],
        notes=[note_text(note) for note in report["notes"]],
        curves=curves_of(steps, report["evaluations"]),
        chosen=chosen,
        defaults=defaults,
        commands=[command.format(folder=place) for command in COMMANDS],
    )


def _figures(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return label and value of what was measured; what was not takes no room."""
    parameters = summary.get("parameters") or {}
    shown = [
        (t("final_loss"), number(summary.get("final_loss"))),
        (t("eval_loss"), number(summary.get("eval_loss"))),
        (t("perplexity"), number(summary.get("perplexity"), 1)),
        (t("speed"), number(summary.get("tokens_per_second"), 0)),
        (t("tokens"), number(summary.get("num_tokens"), 0)),
        (t("steps"), number(summary.get("num_steps"), 0)),
        (t("published_step"), number(_chosen_step(summary), 0)),
        (t("time"), seconds_text(summary.get("seconds"))),
        (t("memory"), size_text(summary.get("peak_memory_bytes"))),
        (t("trainable"), number(parameters.get("trainable"), 0)),
    ]
    return [(label, value) for label, value in shown if value != DASH]


def _chosen_step(summary: dict[str, Any]) -> int | None:
    """Return the step whose weights were published, where evaluations could choose one."""
    return summary.get("published_step") if summary.get("eval_loss") is not None else None


def _held_out(summary: dict[str, Any]) -> str | None:
    before, after = summary.get("eval_loss_before"), summary.get("eval_loss")
    if before is None or after is None:
        return None
    key = "held_out_better" if after < before else "held_out_worse"
    return t(key, before=number(before), after=number(after))


def _finding(finding: dict[str, Any]) -> dict[str, Any]:
    params = dict(finding.get("params") or {})
    piece = params.pop("advice", None)
    text = remark_text({**finding, "params": params}) or str(finding["code"])
    return {"text": text, "advice": None if piece is None else advice_of(piece)}


def _settings(job: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the settings that somebody or something chose, and the untouched ones, which the page folds away."""
    rows: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for name, value in job["train"].items():
        if value in (None, [], ""):
            continue
        origin = job["reasons"].get(name, "default")
        key = f"cli.origin.{origin}"
        row = {
            "name_parts": re.split(r"(?<=_)", name),  # a name may go on in the next line behind each underscore
            "explanation": translate(f"config.{name}"),
            "value": _value(value),
            "origin": translate(key) if has_text(key) else str(origin),
        }
        rows[origin == "default"].append(row)
    return rows


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
