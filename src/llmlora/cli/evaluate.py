"""`llmlora evaluate` and `llmlora compare`: before against after, and job against job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.markup import escape

from llmlora.cli.compare_files import print_files
from llmlora.cli.evaluation_screen import print_evaluation
from llmlora.cli.next_command import after_advice, after_compare
from llmlora.cli.output import folding_table, out, print_json
from llmlora.cli.progress import EventPrinter
from llmlora.core.locale import translate
from llmlora.core.sizes import size_words
from llmlora.services.compare import compare as compare_jobs
from llmlora.services.compare_files import compare_files, is_export
from llmlora.services.evaluate import MAX_QUESTIONS, read_glossary
from llmlora.services.evaluate import evaluate as evaluate_job


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
    glossary: Annotated[Path | None, typer.Option("--glossary", help=translate("evaluation.cli.glossary"))] = None,
    model: Annotated[Path | None, typer.Option("--model", help=translate("evaluation.cli.model"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=translate("evaluation.cli.json"))] = False,
) -> int:
    """Ask base and trained model the same questions and report what was learned and what was lost."""
    terms = () if glossary is None else read_glossary(glossary)
    with EventPrinter() as printer:
        report = evaluate_job(
            job_dir,
            questions,
            printer,
            max_questions=max_questions,
            max_new_tokens=max_new_tokens,
            rewrite=rewrite,
            glossary=terms,
            model=model,
        )
    if as_json:
        print_json("evaluation", report)
    else:
        print_evaluation(report)
        after_advice(job_dir, model, report["advice"])
    return 0


def compare(
    job_dirs: Annotated[list[Path], typer.Argument(metavar="DIR", help=translate("evaluation.cli.dirs"))],
    as_json: Annotated[bool, typer.Option("--json", help=translate("evaluation.cli.json"))] = False,
) -> int:
    """Compare training jobs (differing settings, losses, time, memory, facts), or the files of one export."""
    if len(job_dirs) == 1 and is_export(job_dirs[0]):
        files = compare_files(job_dirs[0])
        if as_json:
            print_json("compare_files", files)
        else:
            print_files(files)
        return 0
    result = compare_jobs(job_dirs)
    if as_json:
        print_json("compare", result)
    else:
        print_comparison(result)
        after_compare(result)
    return 0


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
    return size_words(value) if name == "peak_memory_bytes" else f"{value:,.4g}"


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) < 40 else text[:12] + "…"
