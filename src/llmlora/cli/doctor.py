"""`llmlora doctor`: what this machine can do, and what to do about what it cannot."""

from __future__ import annotations

import typer
from rich.markup import escape

from llmlora.cli.next_command import after_doctor
from llmlora.cli.output import out, print_json
from llmlora.core.locale import translate
from llmlora.services.doctor import doctor as examine

MARKS = {"ok": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "error": "[red]✗[/red]"}


def doctor(
    as_json: bool = typer.Option(False, "--json", help=translate("doctor.option.json")),
) -> None:
    """Print every check with its answer; a hint follows where something can be done."""
    report = examine()
    if as_json:
        print_json("doctor", report)
        return
    for check in report["checks"]:
        is_optional = check["status"] == "ok" and check["hint"]
        mark = "-" if is_optional else MARKS[check["status"]]
        out.print(f"{mark} {escape(check['message'])}")
        if check["hint"]:
            out.print(f"    {escape(check['hint'])}")
    out.print(escape(translate("doctor.summary.ok" if report["ok"] else "doctor.summary.error")))
    if report["ok"]:
        after_doctor()
