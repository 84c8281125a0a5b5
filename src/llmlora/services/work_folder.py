"""The folder of a piece of work whose result lies elsewhere: made from a plan, for whoever runs it, now or later."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from llmlora.core.errors import Conflict
from llmlora.core.layout import CONFIG_FILE
from llmlora.core.publish import create_json, disk_errors


class Planned(Protocol):
    """What a `plan_…` returns: work that can start, everything checked, nothing written yet."""

    @property
    def kind(self) -> str:
        """The kind of worker that does it."""

    def to_config(self) -> dict[str, Any]:
        """Return the `config.json` of its folder."""


def write_work(planned: Planned, folder: Path) -> Path:
    """Make a new folder with the `config.json` of planned work, and return it; nothing runs.

    Raises:
        Conflict: there is other work in the folder. DiskFull: its disk is full.
    """
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            create_json(folder / CONFIG_FILE, planned.to_config())
    except FileExistsError as error:
        raise Conflict("folder_not_empty", path=str(folder)) from error
    return folder
