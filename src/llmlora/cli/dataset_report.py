"""The check of a data file on the screen: what was read, what was found, and whether it can be trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.markup import escape

from llmlora.cli.output import options, out
from llmlora.core.locale import translate

MARKS = {"error": "[red]✗[/red]", "warning": "[yellow]![/yellow]"}
DELIMITERS = {",": "data.delimiter.comma", "\t": "data.delimiter.tab", ";": "data.delimiter.semicolon"}


def print_report(path: Path, report: dict[str, Any]) -> None:
    """Show a check on stdout: what was read, the findings by kind with a hint for each kind, and the verdict."""
    if not options.quiet:
        out.print(escape(translate("data.checked", path=path)))
        _print_summary(report)
    groups: dict[str, list[dict[str, Any]]] = {}
    for problem in report["problems"]:
        groups.setdefault(problem["code"], []).append(problem)
    num_errors = 0
    for code, problems in groups.items():
        _print_group(problems, report["counts"][code])
        num_errors += report["counts"][code] if problems[0]["level"] == "error" else 0
    num_warnings = sum(report["counts"].values()) - num_errors
    if not report["ok"]:
        out.print(f"[red]{escape(translate('data.not_ready', count=num_errors))}[/red]")
    elif num_warnings:
        out.print(f"[yellow]{escape(translate('data.ready_with_warnings', count=num_warnings))}[/yellow]")
    else:
        out.print(f"[green]{escape(translate('data.ready'))}[/green]")


def _print_summary(report: dict[str, Any]) -> None:
    stats, columns = report["stats"], report["columns"]
    shown = {name: report[name] for name in ("num_examples", "format", "encoding")}
    params = {name: "-" if value is None else value for name, value in shown.items()}
    print_line(translate("data.summary", **params))
    if columns.get("mapped"):
        mapped = ", ".join(f"{name} ← {column}" for name, column in columns["mapped"].items())
        print_line(translate("data.columns", mapped=mapped))
    if columns.get("ignored"):
        print_line(translate("data.ignored", names=", ".join(columns["ignored"])))
    if stats.get("delimiter"):
        print_line(translate("data.delimiter", delimiter=translate(DELIMITERS[stats["delimiter"]])))
    if stats.get("characters"):
        print_line(translate("data.lengths", **stats["characters"]))
        print_line(translate(f"data.size.{stats['size_class']}"))
    if stats.get("tokens"):
        print_line(translate("data.tokens", **stats["tokens"]))


def print_line(text: str) -> None:
    """Print a line below a heading."""
    out.print(f"  {escape(text)}")


def _print_group(problems: list[dict[str, Any]], count: int) -> None:
    for problem in problems:
        level = translate(f"data.{problem['level']}")
        out.print(f"{MARKS[problem['level']]} {level} {escape(_place(problem))}: {escape(problem['message'])}")
    for shown in problems[0]["params"].get("preview", []):
        print_line(f"  {translate('data.place', line=shown['line'])}: {shown['text']}")
    print_more(count - len(problems))
    out.print(f"    {escape(translate('cli.hint'))}: {escape(problems[0]['hint'])}")


def _place(problem: dict[str, Any]) -> str:
    if problem["line"] is None:
        return translate("data.whole_file")
    if problem["column"] is None:
        return translate("data.place", line=problem["line"])
    return translate("data.place_column", line=problem["line"], column=problem["column"])


def print_more(count: int) -> None:
    """Say how many there are that were not shown."""
    if count > 0:
        out.print(f"    {escape(translate('data.more', count=count))}")
