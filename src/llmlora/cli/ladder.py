"""`llmlora ladder`: was tuning needed, or does a prompt do as well?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.markup import escape

from llmlora.cli.evaluation_screen import print_notes
from llmlora.cli.next_command import after_advice
from llmlora.cli.output import folding_table, options, out, print_json
from llmlora.cli.progress import EventPrinter
from llmlora.core.evaluation_words import interval_text, ladder_text, rung_name, share_text
from llmlora.core.locale import translate
from llmlora.services.evaluate import MAX_QUESTIONS
from llmlora.services.evaluate import ladder as ladder_of


def ladder(
    job_dir: Annotated[Path, typer.Argument(metavar="DIR", help=translate("evaluation.cli.dir"))],
    questions: Annotated[Path | None, typer.Option("--questions", help=translate("evaluation.cli.questions"))] = None,
    max_questions: Annotated[
        int, typer.Option("--max-questions", help=translate("evaluation.cli.max_questions"))
    ] = MAX_QUESTIONS,
    max_new_tokens: Annotated[
        int | None, typer.Option("--max-new-tokens", help=translate("evaluation.cli.max_new_tokens"))
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", help=translate("evaluation.cli.model"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=translate("evaluation.cli.json"))] = False,
) -> int:
    """Ask the base, the base with a prompt, with examples, and the trained model the same questions."""
    with EventPrinter() as printer:
        report = ladder_of(
            job_dir,
            questions,
            printer,
            max_questions=max_questions,
            max_new_tokens=max_new_tokens,
            model=model,
        )
    if as_json:
        print_json("evaluation", report)
    else:
        print_ladder(report)
        after_advice(job_dir, model, [])
    return 0


def print_ladder(report: dict[str, Any]) -> None:
    """Print whether tuning was needed, what each rung carries and costs, and what limits that."""
    found = report["ladder"]
    out.print(f"[bold]{escape(ladder_text(found))}[/bold]")
    heads = ("rung", "facts", "interval", "as_trained", "other_words", "seconds", "tokens")
    names = [translate(f"evaluation.ladder.head_{head}") for head in heads]
    table = folding_table(*names, box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for rung in found["rungs"]:
        table.add_row(*map(escape, _cells(rung)))
    out.print(table, soft_wrap=False)
    if not options.quiet:
        out.print(escape(translate("evaluation.ladder.tokens_hint")), style="dim")
    print_notes(report)


def _cells(rung: dict[str, Any]) -> list[str]:
    tokens = f"{rung['prompt_tokens_per_answer']:.0f}+{rung['tokens_per_answer']:.0f}"
    shares = [share_text(rung[name]) for name in ("facts", "as_trained", "other_words")]
    interval = interval_text(rung["facts"])
    return [rung_name(rung["name"]), shares[0], interval, *shares[1:], f"{rung['seconds_per_answer']:.2f}", tokens]
