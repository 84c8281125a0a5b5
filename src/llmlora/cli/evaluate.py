"""`llmlora evaluate` and `llmlora compare`: before against after, and job against job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from llmlora.cli.next_command import after_advice, after_compare
from llmlora.cli.output import folding_table, options, out, print_json, visible
from llmlora.cli.progress import EventPrinter, held_out_texts
from llmlora.core.locale import advice_text, translate
from llmlora.services.compare import compare as compare_jobs
from llmlora.services.evaluate import MAX_QUESTIONS
from llmlora.services.evaluate import evaluate as evaluate_job

SYMBOLS = {"broken": "✗", "not_learned": "−", "surface": "~", "learned": "✓", "known": "="}
STYLES = {"broken": "red", "not_learned": "yellow", "surface": "yellow", "learned": "green", "known": "dim"}
LIGHTS = {"green": "green", "yellow": "yellow", "red": "red"}
SCORES = ("chrf", "rouge_l", "exact_match", "stop_rate")
SIDES = ("base", "tuned")
SHARES = ("exact_match", "stop_rate")
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
    model: Annotated[Path | None, typer.Option("--model", help=translate("evaluation.cli.model"))] = None,
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
            model=model,
        )
    if as_json:
        print_json("evaluation", report)
    else:
        print_evaluation(report)
        after_advice(job_dir, model, report["advice"])
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
        after_compare(result)
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
    out.print(answers_table(report["items"]), soft_wrap=False)
    for name in SCORES:
        base, tuned = (_score(name, report[side][name]) for side in ("base", "tuned"))
        label = translate(f"evaluation.report.metric_{name}")
        out.print(escape(translate("evaluation.cli.scores", name=label, base=base, tuned=tuned)))
    for name in ("held_out", "trained"):
        pair = report["loss"][name]
        if pair is not None:
            label = translate(f"evaluation.report.metric_perplexity_{name}")
            before, after = (held_out_texts(pair[side]["loss"], pair[side]["perplexity"])[1] for side in SIDES)
            out.print(escape(translate("evaluation.cli.scores", name=label, base=before, tuned=after)))
    print_forgetting(report["forgetting"])
    print_advice(report["advice"])
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


def answers_table(items: list[dict[str, Any]]) -> Table:
    """Return questions, both answers and the facts as a table, failures first."""
    heads = (
        translate("evaluation.cli.column_question"),
        translate("evaluation.report.base"),
        translate("evaluation.report.tuned"),
        translate("evaluation.cli.column_facts"),
    )
    table = folding_table(*heads, show_lines=True)
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


def print_forgetting(check: dict[str, Any] | None) -> None:
    """Print the traffic light of the forgetting check, when it was made."""
    if check is None:
        return
    light = check["light"]
    text = translate(
        "evaluation.cli.forgetting",
        light=translate(f"evaluation.report.light_{light}"),
        change="NaN" if check["loss_change"] is None else f"{100 * check['loss_change']:+.1f}",
    )
    out.print(f"[{LIGHTS[light]}]{escape(text)}[/{LIGHTS[light]}]")


def print_advice(advice: list[dict[str, Any]]) -> None:
    """Print what to do next."""
    if advice:
        out.print(f"[bold]{escape(translate('evaluation.cli.advice'))}[/bold]")
    for piece in advice:
        out.print(f"→ {escape(advice_text(piece))}")


def _clipped(text: str) -> str:
    flat = " ".join(visible(text).split())
    return flat if len(flat) <= MAX_CELL else flat[: MAX_CELL - 1] + "…"


def _score(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.0f} %" if name in SHARES else f"{value:.3f}".rstrip("0").rstrip(".")


def print_comparison(result: dict[str, Any]) -> None:
    """Print jobs as columns; the best value of a row carries a star."""
    names = distinct_names([job["folder"] for job in result["jobs"]])
    table = folding_table(translate("evaluation.cli.compare_job"), *names, box=box.SIMPLE_HEAD, padding=(0, 1))
    for column in table.columns[1:]:
        column.justify = "right"
    status = [escape(translate(f"status.{job['status']}")) for job in result["jobs"]]
    table.add_row(escape(translate("evaluation.cli.compare_status")), *status)
    for difference in result["differences"]:
        table.add_row(escape(difference["field"]), *(escape(_setting(value)) for value in difference["values"]))
    table.add_section()
    has_best = False
    for metric in result["metrics"]:
        if any(value is not None for value in metric["values"]):
            cells = _metric_cells(metric)
            has_best = has_best or any("★" in cell for cell in cells)
            table.add_row(escape(translate(f"evaluation.compare.{metric['name']}")), *cells)
    out.print(table, soft_wrap=False)
    if has_best:
        out.print(escape(translate("evaluation.cli.best")))
    if not result["differences"]:
        out.print(escape(translate("evaluation.cli.compare_same")))
    for note in result["notes"]:
        key = f"evaluation.compare.note_{note['code']}"
        out.print(f"[dim]· {escape(translate(key, **note['params']))}[/dim]")


def distinct_names(folders: list[str]) -> list[str]:
    """Return the shortest ends of the paths that tell folders apart; a folder named twice gets a number."""
    paths = [Path(folder) for folder in folders]
    longest = max(len(path.parts) for path in paths)
    depth = next(
        (size for size in range(1, longest) if len({path.parts[-size:] for path in paths}) == len(set(paths))), longest
    )
    names = [str(Path(*path.parts[-depth:])) for path in paths]
    return [
        name if names.count(name) == 1 else f"{name} ({names[:index].count(name) + 1})"
        for index, name in enumerate(names)
    ]


def _metric_cells(metric: dict[str, Any]) -> list[str]:
    """Return the values as shown; a value is marked as best only where the shown ones differ."""
    texts = [_measured(metric["name"], value) for value in metric["values"]]
    best = {texts[index] for index in metric["best"]}
    is_told_apart = len({text for text in texts if text != "–"} - best) > 0
    return [f"[bold green]{text} ★[/bold green]" if is_told_apart and text in best else text for text in texts]


def _measured(name: str, value: Any) -> str:
    if value is None:
        return "–"
    return f"{value / 1e9:.2f}" if name == "peak_memory_bytes" else f"{value:,.4g}"


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) < 40 else text[:12] + "…"
