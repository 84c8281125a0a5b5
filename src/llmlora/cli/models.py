"""`llmlora models`: the base models that can be named without a path."""

from __future__ import annotations

import typer
from rich.table import Table

from llmlora.cli.next_command import after_models
from llmlora.cli.output import out, print_json, say
from llmlora.core.locale import translate
from llmlora.services.models import list_models

COLUMNS = ("name", "architecture", "parameters", "context", "license")


def models(
    as_json: bool = typer.Option(False, "--json", help=translate("catalog.option.json")),
) -> None:
    """List the bundled models; any Hugging Face folder can be given by its path as well."""
    found = list_models()
    if as_json:
        print_json("models", {"models": found})
        return
    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(translate(f"catalog.column.{column}"))
    for model in found:
        size = translate("catalog.millions", count=f"{model['num_parameters'] / 1e6:.1f}")
        row = (model["name"], model["architecture"], size, str(model["context_length"]), model["license"] or "-")
        table.add_row(*row)
    out.print(table)
    say("catalog.folders_too")
    after_models()
