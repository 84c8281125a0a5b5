"""The files of an export side by side on the terminal: a table, then the same questions asked of every file."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

from llmlora.cli.output import folding_table, out, say, visible
from llmlora.core.compared_files import COLUMNS
from llmlora.core.locale import translate
from llmlora.core.sizes import size_words


def print_files(result: dict[str, Any]) -> None:
    """Print a row for each file, and the answers that are not all the same."""
    table = folding_table(*(translate(f"export.table.{name}") for name in COLUMNS))
    table.columns[0].no_wrap = True
    for entry in result["files"]:
        table.add_row(*(escape(cell) for cell in _cells(entry)))
    out.print(table, soft_wrap=False)
    say("export.kl_hint")
    say("export.speed_hint")
    for item in result["answers"]:
        _print_answers(item)


def _cells(entry: dict[str, Any]) -> list[str]:
    size, speed, kl, top1 = (entry[name] for name in ("size_bytes", "tokens_per_second", "kl", "top1_agreement"))
    return [
        entry["file"],
        "-" if size is None else size_words(size),
        "-" if speed is None else f"{speed:.0f}",
        "-" if kl is None else f"{kl:.1e}",
        "-" if top1 is None else f"{top1:.0%}",
        f"{entry['num_kept']}/{entry['num_known']}" if entry["num_known"] else "-",
    ]


def _print_answers(item: dict[str, Any]) -> None:
    """Print a question with the trained model's answer; a file that gives the same text takes one word."""
    out.print(f"\n[bold]{escape(visible(item['question']))}[/bold]")
    out.print(f"  {translate('export.answers.trained')}: {escape(visible(item['trained']))}")
    for file, text in item["files"].items():
        same = text == item["trained"]
        shown = f"[dim]{translate('export.answers.same')}[/dim]" if same else escape(visible(text))
        out.print(f"  {escape(file)}: {shown}")
