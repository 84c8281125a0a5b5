"""`llmlora models [list] | pull | delete`: the base models of this machine, fetched and taken away again."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.markup import escape

from llmlora.cli.completion import fetched_model_words
from llmlora.cli.groups import ListingGroup
from llmlora.cli.help_page import HelpfulCommand
from llmlora.cli.next_command import after_models, say_next
from llmlora.cli.ollama import Host, byte_bar
from llmlora.cli.output import console, options, out, print_json, say, warn
from llmlora.cli.progress import EventPrinter
from llmlora.core.errors import ConfigError, Stopped
from llmlora.core.locale import translate
from llmlora.core.sizes import size_words
from llmlora.services.fetched_models import FetchedModel, delete_fetched, fetch_model, find_fetched
from llmlora.services.models import list_models, list_starting_points
from llmlora.services.workspace import open_workspace

SHOWN_JOBS = 5

Json = Annotated[bool, typer.Option("--json", help=translate("catalog.option.json"))]
Catalogue = Annotated[bool, typer.Option("--catalogue", help=translate("catalog.option.catalogue"))]
Wanted = Annotated[str, typer.Argument(metavar="NAME", help=translate("catalog.argument.pull"))]
Fetched = Annotated[
    str, typer.Argument(metavar="NAME", help=translate("catalog.argument.delete"), autocompletion=fetched_model_words)
]

app = typer.Typer(cls=ListingGroup, rich_markup_mode=None)


@app.command("list", cls=HelpfulCommand, help=translate("catalog.cli.list"))
def list_(catalogue: Catalogue = False, as_json: Json = False) -> None:
    """List the models of this machine; any Hugging Face folder or GGUF file can be given by its path as well."""
    if catalogue:
        _show_catalogue(as_json)
        return
    found = list_models()
    if as_json:
        print_json("models", {"models": found})
        return
    for model in found:  # no table: nine columns fold into each other on a terminal of 80
        out.print(f"[bold]{escape(model['name'])}[/bold]  {escape(translate(f'catalog.usable.{_usable(model)}'))}")
        out.print(f"    {escape(' · '.join(_details(model)))}")
    for model in found:
        if model["why_not"] is not None:
            say("catalog.why_not", name=model["name"], why=model["why_not"])
        if model["install"] is not None:
            say("catalog.install", name=model["name"], command=model["install"])
    say("catalog.folders_too")
    after_models()


@app.command(cls=HelpfulCommand, help=translate("catalog.cli.pull"))
def pull(name: Wanted, host: Host = None, as_json: Json = False) -> None:
    """Fetch a model: by Ollama, or from the Hub into the cache of Hugging Face's tools."""
    with EventPrinter() as printer:
        found = fetch_model(name, printer, byte_bar(printer), host)
    if as_json:
        print_json("models_pull", found)
        return
    key = "catalog.here" if found["source"] in ("bundled", "package") else "catalog.pulled"
    say(key, name=found["name"])
    after_models(found["name"])


@app.command(cls=HelpfulCommand, help=translate("catalog.cli.delete"))
def delete(name: Fetched, host: Host = None, as_json: Json = False) -> None:
    """Delete a model that was fetched, after a question: it cannot be had back but by fetching it again."""
    with open_workspace() as queue:
        found = find_fetched(queue, name, host)
    _ask(found, as_json)
    deleted = delete_fetched(found, host)
    if as_json:
        print_json("models_delete", deleted)
        return
    say("catalog.deleted", name=found.name, num_bytes=found.num_bytes)
    say_next("models pull {model!q}", model=found.name)


def _ask(found: FetchedModel, as_json: bool) -> None:
    """Ask on a terminal whether to delete; elsewhere -y has to say so.

    Raises:
        ConfigError: `delete_needs_yes`. Stopped: `not_deleted`, the answer was no.
    """
    if options.assume_yes:
        return
    if as_json or not (sys.stdin.isatty() and console.is_terminal):
        raise ConfigError("delete_needs_yes", name=found.name)
    if found.jobs:
        listed = ", ".join(found.jobs[:SHOWN_JOBS]) + (" …" if len(found.jobs) > SHOWN_JOBS else "")
        warn("catalog.needed_by", count=len(found.jobs), jobs=listed)
    if not typer.confirm(translate("catalog.ask_delete", name=found.name, num_bytes=found.num_bytes), err=True):
        raise Stopped("not_deleted", name=found.name)


def _show_catalogue(as_json: bool) -> None:
    """Show the curated list of models to start from; what was not read at its source is marked."""
    entries = list_starting_points()
    if as_json:
        print_json("catalogue", {"models": entries})
        return
    for entry in entries:
        out.print(f"[bold]{escape(entry['id'])}[/bold]{'' if entry['confirmed'] else ' *'}")
        out.print(f"    {escape(_entry_line(entry))}")
    say("catalog.unconfirmed", date=max(entry["date"] for entry in entries))


def _entry_line(entry: dict[str, Any]) -> str:
    options = {"--preset": entry["preset"], "--training-preset": entry["training_preset"]}
    parts = (
        translate("catalog.millions", count=f"{entry['num_parameters'] / 1e6:.0f}"),
        entry["license"],
        translate("catalog.gated") if entry["gated"] else None,
        f"ollama:{entry['ollama']}" if entry["ollama"] else None,
        " ".join(f"{option} {value}" for option, value in options.items() if value),
    )
    return " · ".join(part for part in parts if part)


def _details(model: dict[str, Any]) -> list[str]:
    """Return what is known of a model: where it comes from, kind, size, longest text, number format, licence, bytes."""
    parameters, context, size = model["num_parameters"], model["context_length"], model["num_bytes"]
    known = (
        translate(f"catalog.source.{model['kind']}"),
        model["model_type"] or model["architecture"],
        translate("catalog.millions", count=f"{parameters / 1e6:.1f}") if parameters else None,
        translate("catalog.context", count=f"{context:,}") if context else None,
        model["dtype"],
        model["license"],
        size_words(size) if size else None,
    )
    return [detail for detail in known if detail]


def _usable(model: dict[str, Any]) -> str:
    if model["install"] is not None:
        return "install"
    if not model["can_train"]:
        return "no"
    return "both" if model["can_export"] else "train"
