"""`llmlora models`: the base models of this machine, where they come from, and what can be done with them here."""

from __future__ import annotations

from typing import Any

import typer
from rich.markup import escape

from llmlora.cli.next_command import after_models
from llmlora.cli.output import out, print_json, say
from llmlora.core.locale import translate
from llmlora.core.sizes import size_words
from llmlora.services.models import list_models, list_starting_points


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
