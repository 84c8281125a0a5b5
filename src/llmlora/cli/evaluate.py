"""`llmlora evaluate` and `llmlora compare`: before against after, and job against job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from llmlora.cli.output import options, out, print_json
from llmlora.cli.progress import EventPrinter
from llmlora.core.locale import translate
from llmlora.services.compare import compare as compare_jobs
from llmlora.services.evaluate import MAX_QUESTIONS
from llmlora.services.evaluate import evaluate as evaluate_job

SYMBOLS = {"broken": "✗", "not_learned": "−", "surface": "~", "learned": "✓", "known": "="}
STYLES = {"broken": "red", "not_learned": "yellow", "surface": "yellow", "learned": "green", "known": "dim"}
LIGHTS = {"green": "green", "yellow": "yellow", "red": "red"}
SCORES = ("chrf", "rouge_l", "exact_match", "stop_rate")
MAX_CELL = 160


def evaluate(
    job_dir: Annotated[Path, typer.Argument(metavar="DIR", help=translate("evaluation.cli.dir"))],
    questions: Annotated[Path | None, typer.Option("--questions", help=translate("evaluation.cli.questions"))] = None,
    max_questions: Annotated[
        int, typer.Option("--max-questions", help=translate("evaluation.cli.max_questions"))
    ] = MAX_QUESTIONS,
    max_new_tokens: Annotated[
        int | None, typer.Option("--max-new-tokens", help=translate("evaluation.cli.max_new_tokens"))
    ] = None,
    rewrite: Annotated[bool, typer.Option("--rewrite", help=translate("evaluation.cli.rewrite"))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=translate("evaluation.cli.json"))] = False,
) -> int:
    """Ask base and trained model the same questions and report what was learned and what was lost."""
    with EventPrinter() as printer:
        report = evaluate_job(
            job_dir,
            questions,
            printer,
            max_questions=max_questions,
            max_new_tokens=max_new_tokens,
            rewrite=rewrite,
        )
    if as_json:
        print_json("evaluation", report)
    else:
        print_evaluation(report)
    return 0


def compare(
    job_dirs: Annotated[list[Path], typer.Argument(metavar="DIR DIR…", help=translate("evaluation.cli.dirs"))],
    as_json: Annotated[bool, typer.Option("--json", help=translate("evaluation.cli.json"))] = False,
) -> int:
    """Compare training jobs: differing settings, losses, time, memory, facts."""
    result = compare_jobs(job_dirs)
    if as_json:
        print_json("compare", result)
    else:
        print_comparison(result)
    return 0


def print_evaluation(report: dict[str, Any]) -> None:
    """Print an evaluation on one screen: the summary first, failures before successes."""
    facts = report["facts"]
    if facts["total"]:
        text = translate(
            "evaluation.cli.summary",
            remembered=facts["remembered"],
            total=facts["total"],
            before=facts["remembered_before"],
        )
        out.print(f"[bold]{escape(text)}[/bold]  {_verdict_counts(facts)}")
    else:
        out.print(escape(translate("evaluation.cli.no_facts")))
    out.print(_answers_table(report["items"]), soft_wrap=False)
    for name in SCORES:
        base, tuned = report["base"][name], report["tuned"][name]
        label = translate(f"evaluation.report.metric_{name}")
        out.print(escape(translate("evaluation.cli.scores", name=label, base=_short(base), tuned=_short(tuned))))
    for name in ("held_out", "trained"):
        pair = report["loss"][name]
        if pair is not None:
            label = translate(f"evaluation.report.metric_perplexity_{name}")
            before, after = (f"{pair[side]['perplexity']:,.1f}" for side in ("base", "tuned"))
            out.print(escape(translate("evaluation.cli.scores", name=label, base=before, tuned=after)))
    _print_forgetting(report["forgetting"])
    if not options.quiet:
        for note in report["notes"]:
            out.print(f"[dim]· {escape(translate('evaluation.note.' + note['code'], **note['params']))}[/dim]")
    out.print(escape(translate("evaluation.cli.report", path=report["report_page"])))


def _verdict_counts(facts: dict[str, int]) -> str:
    words = []
    for verdict, symbol in SYMBOLS.items():
        if facts[verdict]:
            text = f"{symbol} {translate(f'evaluation.report.verdict_{verdict}')} {facts[verdict]}"
            words.append(f"[{STYLES[verdict]}]{escape(text)}[/{STYLES[verdict]}]")
    return "  ".join(words)


def _answers_table(items: list[dict[str, Any]]) -> Table:
    table = Table(show_lines=True, expand=False)
    table.add_column(translate("evaluation.cli.column_question"), ratio=2)
    table.add_column(translate("evaluation.report.base"), ratio=3)
    table.add_column(translate("evaluation.report.tuned"), ratio=3)
    table.add_column(translate("evaluation.cli.column_facts"), ratio=2)
    worst_first = sorted(
        items, key=lambda item: list(SYMBOLS).index(item["verdict"]) if item["verdict"] else len(SYMBOLS)
    )
    for item in worst_first:
        cells = (item["question"], item["base"]["text"], item["tuned"]["text"])
        table.add_row(*(escape(_clipped(text)) for text in cells), _fact_lines(item["facts"]))
    return table


def _fact_lines(facts: list[dict[str, Any]]) -> str:
    lines = []
    for fact in sorted(facts, key=lambda entry: list(SYMBOLS).index(entry["verdict"])):
        style = STYLES[fact["verdict"]]
        lines.append(f"[{style}]{SYMBOLS[fact['verdict']]} {escape(fact['text'])}[/{style}]")
    return "\n".join(lines)


def _print_forgetting(check: dict[str, Any] | None) -> None:
    if check is None:
        return
    light = check["light"]
    text = translate(
        "evaluation.cli.forgetting",
        light=translate(f"evaluation.report.light_{light}"),
        change=f"{100 * check['loss_change']:+.1f}",
    )
    out.print(f"[{LIGHTS[light]}]{escape(text)}[/{LIGHTS[light]}]")


def _clipped(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_CELL else flat[: MAX_CELL - 1] + "…"


def _short(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def print_comparison(result: dict[str, Any]) -> None:
    """Print jobs as columns; the best value of a row carries a mark."""
    table = Table()
    table.add_column(translate("evaluation.cli.compare_job"))
    for job in result["jobs"]:
        finished = "" if job["status"] else f" ({translate('evaluation.cli.not_finished')})"
        table.add_column(escape(job["name"] + finished), justify="right")
    for difference in result["differences"]:
        table.add_row(escape(difference["field"]), *(escape(_setting(value)) for value in difference["values"]))
    table.add_section()
    for metric in result["metrics"]:
        if any(value is not None for value in metric["values"]):
            label = translate(f"evaluation.compare.{metric['name']}")
            table.add_row(escape(label), *_metric_cells(metric))
    out.print(table, soft_wrap=False)
    if not result["differences"]:
        out.print(escape(translate("evaluation.cli.compare_same")))
    for note in result["notes"]:
        key = f"evaluation.compare.note_{note['code']}"
        out.print(f"[dim]· {escape(translate(key, **note['params']))}[/dim]")


def _metric_cells(metric: dict[str, Any]) -> list[str]:
    best = translate("evaluation.cli.best")
    return [
        f"[bold green]{text} ★ {escape(best)}[/bold green]" if index in metric["best"] else text
        for index, text in enumerate(_measured(metric["name"], value) for value in metric["values"])
    ]


def _measured(name: str, value: Any) -> str:
    if value is None:
        return "–"
    return f"{value / 1e9:.2f}" if name == "peak_memory_bytes" else f"{value:,.4g}"


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) < 40 else text[:12] + "…"
