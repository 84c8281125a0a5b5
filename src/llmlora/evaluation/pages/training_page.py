"""The page of a finished training job: result, curve, findings, settings, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmlora.core.locale import has_text, remark_text, shell_word, translate
from llmlora.evaluation.pages.markup import Child, Markup, element, joined
from llmlora.evaluation.pages.page_parts import (
    DASH,
    advice_lines,
    card,
    figures,
    gigabytes,
    loss_curve,
    notes_card,
    number,
    page,
    rate_curve,
    seconds_text,
    table,
    with_code,
    word,
)

COMMANDS = (
    "llmlora evaluate {folder}",
    "llmlora chat {folder}",
    "llmlora export {folder} -o {folder}-gguf --quant F16,Q4_K_M",
)


def training_page(report: dict[str, Any], steps: Sequence[dict[str, Any]], folder: Path) -> str:
    """Return the HTML page of a report of schema llmlora.training/1; `folder` stands in the commands it proposes."""
    job, summary, evaluations = report["job"], report["summary"], report["evaluations"]
    parts: list[Child] = [
        element("h2", word("result_title")),
        figures(_figures(summary)),
        _held_out(summary),
        _findings(report["findings"]),
        notes_card(report["notes"]),
        element("h2", word("curve_title")),
        loss_curve(steps, evaluations),
        rate_curve(steps),
        element("h2", word("settings_title")),
        _settings(job),
        element("h2", word("next_title")),
        _commands(folder),
    ]
    subtitle = word(
        "training_subtitle", folder=job["folder"], base_model=job["base_model"], data=job["data"], method=job["method"]
    )
    return page(word("training_title"), subtitle, parts, report["made_at"])


def _figures(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return label and value of what was measured; what was not takes no room."""
    parameters = summary.get("parameters") or {}
    shown = [
        (word("final_loss"), number(summary.get("final_loss"))),
        (word("eval_loss"), number(summary.get("eval_loss"))),
        (word("perplexity"), number(summary.get("perplexity"), 1)),
        (word("speed"), number(summary.get("tokens_per_second"), 0)),
        (word("tokens"), number(summary.get("num_tokens"), 0)),
        (word("steps"), number(summary.get("num_steps"), 0)),
        (word("published_step"), number(_chosen_step(summary), 0)),
        (word("time"), seconds_text(summary.get("seconds"))),
        (word("memory"), gigabytes(summary.get("peak_memory_bytes"))),
        (word("trainable"), number(parameters.get("trainable"), 0)),
    ]
    return [(label, value) for label, value in shown if value != DASH]


def _chosen_step(summary: dict[str, Any]) -> int | None:
    """Return the step whose weights were published, where evaluations could choose one."""
    return summary.get("published_step") if summary.get("eval_loss") is not None else None


def _held_out(summary: dict[str, Any]) -> Markup | None:
    before, after = summary.get("eval_loss_before"), summary.get("eval_loss")
    if before is None or after is None:
        return None
    key = "held_out_better" if after < before else "held_out_worse"
    return card(element("p", word(key, before=number(before), after=number(after))))


def _findings(findings: Sequence[dict[str, Any]]) -> Markup | None:
    if not findings:
        return None
    lines = [element("li", _finding(finding)) for finding in findings]
    return card(element("h3", word("findings_title")), element("ul", *lines))


def _finding(finding: dict[str, Any]) -> Markup:
    params = dict(finding.get("params") or {})
    piece = params.pop("advice", None)
    text = with_code(remark_text({**finding, "params": params}) or str(finding["code"]))
    return text if piece is None else joined(text, advice_lines(piece))


def _settings(job: dict[str, Any]) -> Markup:
    """Return the settings that somebody or something chose, and the untouched ones folded away."""
    rows = {
        name: (_explained(name), _value(value), _origin(job["reasons"].get(name)))
        for name, value in job["train"].items()
        if value not in (None, [], "")
    }
    is_chosen = {name: job["reasons"].get(name, "default") != "default" for name in rows}
    heads = (word("column_setting"), word("column_value"), word("column_origin"))
    chosen = table(heads, [row for name, row in rows.items() if is_chosen[name]])
    others = table(heads, [row for name, row in rows.items() if not is_chosen[name]])
    return card(chosen, element("details", element("summary", word("default_settings")), others))


def _explained(name: str) -> Markup:
    """Return a setting's name with the sentence that says what it is."""
    return joined(_breakable(name), element("p", translate(f"config.{name}"), class_="hint"))


def _breakable(name: str) -> Markup:
    """Return a setting's name that may go on in the next line behind each underscore."""
    parts = re.split(r"(?<=_)", name)
    return element("code", parts[0], *[[element("wbr"), part] for part in parts[1:]])


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _origin(origin: str | None) -> str:
    key = f"cli.origin.{origin or 'default'}"
    return translate(key) if has_text(key) else str(origin)


def _commands(folder: Path) -> Markup:
    place = shell_word(folder)
    lines = [element("li", element("code", command.format(folder=place))) for command in COMMANDS]
    return card(element("ul", *lines, class_="commands"))
