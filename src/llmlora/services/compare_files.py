"""Put the files of an export side by side, as its verification has measured them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.compared_files import compared_files
from llmlora.core.errors import NotFound
from llmlora.core.job import EXPORT_SCHEMA, folder_schema
from llmlora.core.layout import VERIFY_FILE, verified_file
from llmlora.core.publish import read_document


def is_export(folder: Path) -> bool:
    """Tell whether a folder is an export."""
    return folder_schema(folder) == EXPORT_SCHEMA


def compare_files(folder: Path) -> dict[str, Any]:
    """Return the `files` and `answers` of an export; the document that `compare --json` prints for one.

    Raises:
        NotFound: `export_not_verified`. InputError: its verification is damaged.
    """
    output = folder.absolute()
    found = next((path for path in (verified_file(output), output / VERIFY_FILE) if path.is_file()), None)
    if found is None:
        raise NotFound("export_not_verified", path=str(output))
    return {"folder": str(output), **compared_files(read_document(found))}
