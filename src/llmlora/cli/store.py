"""`llmlora store rebuild`: make the index of the workspace again from its folders."""

from __future__ import annotations

from typing import Annotated

import typer

from llmlora.cli.help_page import HelpfulCommand, HelpfulGroup
from llmlora.cli.next_command import say_next
from llmlora.cli.output import print_json, say
from llmlora.core.locale import translate
from llmlora.services.workspace import rebuild_index


def rebuild(
    as_json: Annotated[bool, typer.Option("--json", help=translate("data.option.json"))] = False,
) -> None:
    """Forget all jobs and datasets of the index, and read them anew from the folders."""
    found = rebuild_index()
    if as_json:
        print_json("store_rebuild", found)
        return
    say("store.rebuilt", jobs=found["num_jobs"], datasets=found["num_datasets"], place=found["database"])
    say_next("jobs")


app = typer.Typer(cls=HelpfulGroup, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Hold one verb as a verb: typer would make it the command itself."""


app.command("rebuild", cls=HelpfulCommand, help=translate("store.rebuild.help"))(rebuild)
