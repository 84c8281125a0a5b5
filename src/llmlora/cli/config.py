"""`llmlora config show | path`: how this installation is set up, and where everything lies."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.markup import escape

from llmlora.cli.help_page import HelpfulCommand, HelpfulGroup
from llmlora.cli.output import folding_table, out, print_json, visible
from llmlora.core.errors import ConfigError
from llmlora.core.locale import translate
from llmlora.services.configuration import PLACES, configuration, places

Json = Annotated[bool, typer.Option("--json", help=translate("data.option.json"))]
Origin = Annotated[bool, typer.Option("--origin", help=translate("settings.option.origin"))]
Place = Annotated[
    str | None, typer.Argument(metavar="PLACE", help=translate("settings.option.place", known=", ".join(PLACES)))
]


def show(with_origin: Origin = False, as_json: Json = False) -> None:
    """Show every setting outside a training run."""
    found = configuration()
    if as_json:
        print_json("config", {"settings": found})
        return
    table = folding_table("", "", "", show_header=False, box=None, pad_edge=False)
    for setting in found:
        value = "-" if setting["value"] in (None, []) else str(setting["value"])
        origin = translate("settings.default") if setting["origin"] == "default" else setting["origin"]
        table.add_row(setting["name"], escape(visible(value)), escape(origin) if with_origin else "")
    out.print(table, soft_wrap=False)


def path(place: Place = None, as_json: Json = False) -> None:
    """Print where one thing lies, or everything."""
    if place is not None and place not in PLACES:
        raise ConfigError("unknown_place", word=place, known=", ".join(PLACES))
    found = places()
    if as_json:
        print_json("config_paths", {"paths": found})
    elif place is not None:
        sys.stdout.write(f"{found[place]}\n")
    else:
        for name, where in found.items():
            out.print(escape(f"{name:<10} {visible(where)}"))


app = typer.Typer(cls=HelpfulGroup, no_args_is_help=True, rich_markup_mode=None)
app.command("show", cls=HelpfulCommand, help=translate("settings.show.help"))(show)
app.command("path", cls=HelpfulCommand, help=translate("settings.path.help"))(path)
