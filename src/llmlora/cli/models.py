"""`llmlora models`: the base models of this machine, where they come from, and what can be done with them here."""

from __future__ import annotations

from typing import Any

import typer
from rich.markup import escape

from llmlora.cli.next_command import after_models
from llmlora.cli.output import folding_table, out, print_json, say
from llmlora.core.locale import translate
from llmlora.services.models import list_models, list_starting_points

COLUMNS = ("name", "source", "architecture", "parameters", "context", "quantization", "license", "size", "usable")


def models(
    catalogue: bool = typer.Option(False, "--catalogue", help=translate("catalog.option.catalogue")),
    as_json: bool = typer.Option(False, "--json", help=translate("catalog.option.json")),
) -> None:
    """List the models of this machine; any Hugging Face folder or GGUF file can be given by its path as well."""
    if catalogue:
        _show_catalogue(as_json)
        return
    found = list_models()
    if as_json:
        print_json("models", {"models": found})
        return
    table = folding_table(*(translate(f"catalog.column.{column}") for column in COLUMNS), box=None, pad_edge=False)
    table.columns[0].no_wrap = True  # it is what has to be typed
    for model in found:
        table.add_row(*(escape(cell) for cell in _row(model)))
    out.print(table)
    for model in found:
        if model["why_not"] is not None:
            say("catalog.why_not", name=model["name"], why=model["why_not"])
        if model["install"] is not None:
            say("catalog.install", name=model["name"], command=model["install"])
    say("catalog.folders_too")
    after_models()


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


def _row(model: dict[str, Any]) -> tuple[str, ...]:
    parameters, size = model["num_parameters"], model["num_bytes"]
    return (
        model["name"],
        translate(f"catalog.source.{model['kind']}"),
        model["model_type"] or model["architecture"] or "-",
        "-" if parameters is None else translate("catalog.millions", count=f"{parameters / 1e6:.1f}"),
        str(model["context_length"] or "-"),
        model["dtype"] or "-",
        model["license"] or "-",
        "-" if size is None else translate("catalog.megabytes", count=f"{size / 1e6:.0f}"),
        translate(f"catalog.usable.{_usable(model)}"),
    )


def _usable(model: dict[str, Any]) -> str:
    if model["install"] is not None:
        return "install"
    if not model["can_train"]:
        return "no"
    return "both" if model["can_export"] else "train"
