"""`llmlora passport`: sign and write what a job or an export was made of, and say whether one still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmlora.catalog.passport import check_passport, write_passport
from llmlora.cli.next_command import say_next
from llmlora.cli.output import print_json, say
from llmlora.core.errors import NotFound
from llmlora.core.layout import PASSPORT_FILE, PASSPORT_PAGE
from llmlora.core.locale import translate


def passport(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=translate("passport.cli.folder"))],
    as_json: Annotated[bool, typer.Option("--json", help=translate("passport.cli.json"))] = False,
) -> None:
    """Sign and write the passport of a job or an export."""
    if not folder.exists():
        raise NotFound("file_not_found", path=str(folder))
    made = write_passport(folder.absolute())
    if as_json:
        print_json("passport", {name: value for name, value in made.items() if name != "schema"})
        return
    say("passport.written", path=str(folder / PASSPORT_FILE), count=len(made["files"]))
    say("passport.page", path=str(folder / PASSPORT_PAGE))
    say_next("verify {folder!q}", folder=folder)


def show_passport(folder: Path) -> None:
    """Say that the passport of a folder holds.

    Raises: those of `check_passport`.
    """
    found = check_passport(folder)
    if found["is_own"]:
        say("passport.valid_own", count=found["num_files"])
    else:
        say("passport.valid_other", count=found["num_files"], signer=found["public_key"])
