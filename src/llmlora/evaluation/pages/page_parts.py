"""Parts that both report pages share: headings, figures, tables, curves, numbers as people read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from llmlora.core.locale import advice_command, advice_words, current_language, translate
from llmlora.evaluation.pages.chart import Point, Series, line_chart, smoothed
from llmlora.evaluation.pages.markup import Child, Markup, document, element, joined

DASH = "\N{EN DASH}"


def word(name: str, **params: Any) -> str:
    """Return a text of the report pages in the current language."""
    return translate(f"evaluation.report.{name}", **params)


def page(title: str, subtitle: str, parts: Iterable[Child], made_at: str) -> str:
    """Return a whole report page."""
    header = element("header", element("h1", title), element("p", subtitle, class_="subtitle"))
    footer = element("footer", word("footer", time=date_time(made_at)))
    return document(title, current_language(), header, *parts, footer)


def date_time(moment: str) -> str:
    """Return an ISO time in the local zone as people write it."""
    try:
        local = datetime.fromisoformat(moment).astimezone()
    except ValueError:
        return moment
    return word("date_time", year=local.year, month=local.month, day=local.day, clock=f"{local:%H:%M}")


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with grouping, a dash when there is none."""
    return DASH if value is None else f"{value:,.{digits}f}"


def percent(share: float | None) -> str:
    """Return a share of 1 in percent."""
    return DASH if share is None else f"{100 * share:.0f} %"


def gigabytes(size: float | None) -> str:
    """Return bytes in GB."""
    return DASH if size is None else f"{size / 1e9:.2f} GB"


def seconds_text(seconds: float | None) -> str:
    """Return a duration as people read it."""
    if seconds is None:
        return DASH
    if seconds < 90:
        return word("seconds", count=f"{seconds:.1f}")
    return word("minutes", count=f"{seconds / 60:.1f}")


def card(*children: Child, kind: str = "") -> Markup:
    """Return a framed part of the page."""
    return element("section", *children, class_=f"card {kind}".strip())


def figures(entries: Sequence[tuple[str, str]]) -> Markup:
    """Return a row of single numbers, each with its label."""
    boxes = [element("div", element("b", value), element("span", label), class_="figure") for label, value in entries]
    return element("div", *boxes, class_="figures")


def table(head: Sequence[str], rows: Iterable[Sequence[Child]], number_columns: Iterable[int] = ()) -> Markup:
    """Return a table; the columns in `number_columns` are aligned to the right."""
    aligned = set(number_columns)

    def style(column: int) -> str | None:
        return "number" if column in aligned else None

    heads = [element("th", name, scope="col", class_=style(index)) for index, name in enumerate(head)]
    body = [
        element("tr", *[element("td", cell, class_=style(index)) for index, cell in enumerate(row)]) for row in rows
    ]
    inner = element("table", element("thead", element("tr", *heads)), element("tbody", *body))
    return element("div", inner, class_="scroll")


def notes_card(notes: Sequence[dict[str, Any]]) -> Markup | None:
    """Return what a reader must know before believing the numbers."""
    if not notes:
        return None
    texts = [translate(f"evaluation.note.{note['code']}", **note["params"]) for note in notes]
    lines = [element("li", with_code(text)) for text in texts]
    return card(element("h3", word("notes")), element("ul", *lines), kind="notes")


def with_code(text: str) -> Markup:
    """Return a text in which options and commands are set as code: --questions, --set r=16, llmlora evaluate DIR."""
    command = r"llmlora (?:dataset )?[a-z]+(?: (?:--[a-z-]+|[A-Z]+\b))*"
    pieces = re.split(rf"(--set [\w.=\[\]-]*[\w\]]|--[a-z][a-z-]*|{command})", text)
    return joined(*[element("code", piece) if index % 2 else piece for index, piece in enumerate(pieces)])


def advice_lines(piece: Mapping[str, Any]) -> Markup:
    """Return a piece of advice as a paragraph with its command in a line of its own."""
    command = advice_command(piece)
    lines = [element("p", with_code(advice_words(piece)))]
    if command is not None:
        lines.append(element("p", element("code", command), class_="command"))
    return joined(*lines)


def loss_curve(steps: Sequence[dict[str, Any]], evaluations: Sequence[dict[str, Any]]) -> Markup | None:
    """Return the curve of the training loss with the loss on held-out rows, and the same numbers as a table."""
    raw = _points(steps, "loss")
    average = smoothed(raw)
    held_out = _points(evaluations, "eval_loss")
    series = [
        Series(word("curve_loss"), raw, "loss faint" if average else "loss"),
        Series(word("curve_smoothed"), average, "loss"),
        Series(word("curve_eval_loss"), held_out, "held-out", has_markers=True),
    ]
    chart = line_chart(series, word("axis_step"), word("axis_loss"))
    return None if chart is None else card(chart, _curve_table(raw, held_out))


def rate_curve(steps: Sequence[dict[str, Any]]) -> Markup | None:
    """Return the curve of the learning rate."""
    chart = line_chart(
        [Series(word("curve_learning_rate"), _points(steps, "learning_rate"), "rate")],
        word("axis_step"),
        word("axis_learning_rate"),
    )
    return None if chart is None else card(element("details", element("summary", word("learning_rate_title")), chart))


def _points(records: Sequence[dict[str, Any]], name: str) -> tuple[Point, ...]:
    return tuple((float(record["step"]), float(record[name])) for record in records if record.get(name) is not None)


def _curve_table(raw: Sequence[Point], held_out: Sequence[Point]) -> Markup:
    """Return at most some twenty steps of the curve in figures, for readers who cannot see it."""
    every = max(1, len(raw) // 20)
    shown = [point for index, point in enumerate(raw) if index % every == 0 or index == len(raw) - 1]
    by_step = dict(held_out)
    steps = sorted({step for step, _ in shown} | set(by_step))
    losses = dict(raw)
    rows = [(f"{step:,.0f}", number(losses.get(step)), number(by_step.get(step))) for step in steps]
    heads = (word("axis_step"), word("curve_loss"), word("curve_eval_loss"))
    return element("details", element("summary", word("curve_table")), table(heads, rows, (0, 1, 2)))
