"""`llmlora ollama list | pull | show | push | rollback | check`: what was trained, in an Ollama server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from llmlora.cli import output
from llmlora.cli.help_page import HelpfulCommand, HelpfulGroup
from llmlora.cli.job_changes import tell_detached
from llmlora.cli.job_events import follow_queued
from llmlora.cli.progress import EventPrinter
from llmlora.core.errors import ConfigError, VerificationFailed
from llmlora.core.locale import translate
from llmlora.core.publish import read_json
from llmlora.core.sizes import size_words
from llmlora.services import ollama as service
from llmlora.services.queued_ollama import queue_push
from llmlora.services.workspace import is_looked_after, open_workspace
from llmlora.store.jobs import JobRow

Name = Annotated[str, typer.Argument(metavar="NAME", help=translate("ollama.cli.name"))]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help=translate("ollama.cli.folder"))]
As = Annotated[str | None, typer.Option("--name", help=translate("ollama.cli.as_name"))]
Quant = Annotated[str | None, typer.Option("--quant", help=translate("ollama.cli.quant"))]
Stitch = Annotated[bool, typer.Option("--stitch", help=translate("ollama.cli.stitch"))]
Merge = Annotated[bool, typer.Option("--merge", help=translate("ollama.cli.merge"))]
AdapterOnly = Annotated[bool, typer.Option("--adapter-only", help=translate("ollama.cli.adapter_only"))]
From = Annotated[str | None, typer.Option("--from", metavar="NAME", help=translate("ollama.cli.from"))]
System = Annotated[str | None, typer.Option("--system", help=translate("ollama.cli.system"))]
Replace = Annotated[bool, typer.Option("--replace", help=translate("ollama.cli.replace"))]
Force = Annotated[bool, typer.Option("--force", help=translate("ollama.cli.force"))]
Detach = Annotated[bool, typer.Option("--detach", help=translate("cli.train.detach"))]
Host = Annotated[str | None, typer.Option("--host", help=translate("ollama.cli.host"))]
Json = Annotated[bool, typer.Option("--json", help=translate("ollama.cli.json"))]

app = typer.Typer(cls=HelpfulGroup, no_args_is_help=True, rich_markup_mode=None)
MARKS = {True: "[green]OK[/green]", False: "[red]✗[/red]", None: "-"}


@app.command("list", cls=HelpfulCommand, help=translate("ollama.cli.list"))
def list_(host: Host = None, as_json: Json = False) -> None:
    """List the models of the server."""
    found = service.list_models(host)
    if as_json:
        output.print_json("ollama_list", found)
        return
    output.say("ollama.server", url=found["url"], version=found["version"])
    table = output.folding_table(*(translate(f"ollama.column.{name}") for name in ("name", "size", "quantization")))
    for model in found["models"]:
        kind = str((model.get("details") or {}).get("quantization_level") or "-")
        table.add_row(escape(str(model["name"])), size_words(int(model.get("size") or 0)), escape(kind))
    output.out.print(table, soft_wrap=False)


@app.command(cls=HelpfulCommand, help=translate("ollama.cli.pull"))
def pull(name: Name, host: Host = None, as_json: Json = False) -> None:
    """Have the server download a model."""
    with EventPrinter() as printer:
        found = service.pull_model(name, byte_bar(printer), host)
    if as_json:
        output.print_json("ollama_pull", found)
        return
    output.say("ollama.pulled", name=found["name"])


def byte_bar(printer: EventPrinter) -> service.OnPull:
    """Return what shows the bytes of a download by Ollama as a bar."""

    def show_bytes(status: str, done: int, total: int) -> None:
        if total:
            printer({"type": "phase", "name": "pull", "done": done, "total": total})

    return show_bytes


@app.command(cls=HelpfulCommand, help=translate("ollama.cli.show"))
def show(name: Name, host: Host = None, as_json: Json = False) -> None:
    """Show what the server says of a model."""
    found = service.show_model(name, host)
    if as_json:
        output.print_json("ollama_show", {"model": found})
        return
    for key in ("details", "parameters", "system", "template", "license"):
        if found.get(key):
            output.out.print(f"[bold]{key}[/bold]\n{escape(str(found[key]).strip())}")


@app.command(cls=HelpfulCommand, help=translate("ollama.cli.push"))
def push(
    folder: Folder,
    name: As = None,
    quant: Quant = None,
    stitch: Stitch = False,
    merge: Merge = False,
    adapter_only: AdapterOnly = False,
    base: From = None,
    system: System = None,
    replace: Replace = False,
    force: Force = False,
    host: Host = None,
    detach: Detach = False,
    as_json: Json = False,
) -> None:
    """Register what a job trained, or an export of it, and ask the server what was taught."""
    ways = [way for way, is_asked in (("stitch", stitch), ("merge", merge), ("adapter", adapter_only)) if is_asked]
    if len(ways) > 1:
        raise ConfigError("ollama_one_way")
    chosen = name or service.proposed_name(folder)
    if not as_json:
        output.say("ollama.will_be", name=chosen)
    planned = service.PlannedPush(
        folder=folder,
        name=chosen,
        way=ways[0] if ways else None,  # type: ignore[arg-type]
        quantizations=tuple(kind.strip().upper() for kind in quant.split(",")) if quant else None,
        system=system,
        base=base,
        replace=replace,
        force=force,
        url=host,
    )
    if detach:
        tell_detached(_queued(planned), as_json)
        return
    try:
        with EventPrinter() as printer:
            is_queued = is_looked_after()
            report = follow_queued(_queued(planned).id, printer) if is_queued else service.push(planned, printer)
    except VerificationFailed as error:
        if error.code == "ollama_gate_failed" and not as_json:
            _print_gate(read_json(Path(str(error.params["path"]))))
        raise
    if as_json:
        output.print_json("ollama_push", report)
        return
    _print_gate(report)
    output.say("ollama.pushed" if report["is_new"] else "ollama.was_there", name=report["name"], file=report["file"])
    if report.get("kept"):
        output.say("ollama.kept", name=report["name"], kept=report["kept"])
    output.say("ollama.run", name=report["name"])


@app.command(cls=HelpfulCommand, help=translate("ollama.cli.rollback"))
def rollback(name: Name, host: Host = None, as_json: Json = False) -> None:
    """Give a name back to what it stood for before the last push."""
    found = service.rollback_model(name, host)
    if as_json:
        output.print_json("ollama_rollback", found)
        return
    output.say("ollama.rolled_back", name=found["name"], kept=found["kept"])


@app.command(cls=HelpfulCommand, help=translate("ollama.cli.check"))
def check(host: Host = None, as_json: Json = False) -> None:
    """Ask a server only what changes nothing, and say what this version can do."""
    found = service.check_server(host)
    if as_json:
        output.print_json("ollama_check", found)
        return
    output.say("ollama.server", url=found["url"], version=found["version"])
    for name in service.ABILITIES:
        output.out.print(
            f"{translate(f'ollama.ability.{name}')}: {translate('ollama.yes' if found[name] else 'ollama.no')}"
        )
    for entry in found["checks"]:
        words = translate(f"ollama.check.{entry['check']}")
        output.out.print(f"{MARKS[entry['ok']]} {words}")


def _queued(planned: service.PlannedPush) -> JobRow:
    with open_workspace() as queue:
        return queue_push(queue, planned)


def _print_gate(report: dict[str, Any]) -> None:
    """Print one line per check of the served model."""
    for entry in report["checks"]:
        measured = entry["measured"]
        facts = f" {measured['num_kept']}/{measured['num_known']}" if "num_known" in measured else ""
        kl = f" KL {measured['kl']:.1e}" if "kl" in measured else ""
        detail = f" ({escape(entry['detail'])})" if entry["ok"] is False else ""
        words = translate(f"ollama.gate.{entry['check']}")
        output.out.print(f"{MARKS[entry['ok']]} {words}{facts}{kl}{detail}")
    if "score" in report:  # a server of an older version at work in the same workspace tells none
        _print_score(report)


def _print_score(report: dict[str, Any]) -> None:
    """Print what the served model answers, beside the other files of its export."""
    score = report["score"]
    if score["num_facts"]:
        numbers = {name: score[name] for name in ("num_served", "num_facts", "num_file", "num_questions")}
        if score["num_trained"] is None:
            output.say("ollama.score_training", **numbers)
        else:
            output.say("ollama.score", num_trained=score["num_trained"], evaluation=score["evaluation"], **numbers)
    columns = ("file", "size", "speed", "kl", "facts")
    table = output.folding_table(*(translate(f"export.table.{name}") for name in columns))
    for entry in report["files"]:
        table.add_row(*_file_row(entry))
        if entry["is_served"]:
            table.add_row(*_served_row(score, report["checks"]))
    output.out.print(table, soft_wrap=False)
    if report["system_left_out"]:
        output.say("ollama.system_left_out")
    if report["not_measured"]:
        missing = report["not_measured"]
        output.say("ollama.not_measured", types=", ".join(missing["quantizations"]), command=missing["command"])


def _file_row(entry: dict[str, Any]) -> list[str]:
    return [
        escape(entry["file"]),
        "-" if entry["size_bytes"] is None else size_words(entry["size_bytes"]),
        _number(entry["tokens_per_second"], ".0f"),
        _number(entry["kl"], ".1e"),
        f"{entry['num_kept']}/{entry['num_known']}" if entry["num_known"] else "-",
    ]


def _served_row(score: dict[str, Any], checks: list[dict[str, Any]]) -> list[str]:
    """Return the line of the same file as the server runs it: its KL is to the file run here."""
    measured = {entry["check"]: entry["measured"] for entry in checks}
    known, kept = (measured["questions"].get(name) for name in ("num_known", "num_kept"))
    facts = f"{kept}/{known}" if known else "-"
    kl = _number(measured["logprobs"].get("kl"), ".1e")
    return [translate("ollama.table_served"), "-", _number(score["tokens_per_second"], ".0f"), kl, facts]


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
