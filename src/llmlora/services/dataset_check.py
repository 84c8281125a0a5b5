"""What is known of a dataset's file: found out in a child process with limits, written down beside the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from llmlora.core.errors import DatasetError
from llmlora.core.publish import sha256_file
from llmlora.data.problems import placed
from llmlora.data.read import ReadOptions, read_options
from llmlora.services.inspect import PlannedInspection, inspect_new_data, run_inspection
from llmlora.store.datasets import DatasetRow

NO_DATASET: Final = frozenset(
    {"no_records", "html_file", "not_json", "compressed_file", "spreadsheet_file", "binary_file", "lfs_pointer"}
)
UTF8: Final = ("utf-8", "utf-8-sig")


def checked_values(path: Path, read: ReadOptions, findings: Path) -> dict[str, Any]:
    """Return what a `DatasetRow` says of a file, by its field names; `findings` is written.

    Raises:
        DatasetError: no dataset at all, or what the file did to its reader.
    """
    with placing_errors(path):
        report, doubts = inspect_new_data(path, read, findings)
    problems = [{**found.stored(), "params": placed(found.params, path)} for found in report.problems]
    refusal = next((found for found in problems if found["level"] == "error" and found["code"] in NO_DATASET), None)
    if refusal is not None:
        place = {name: refusal[name] for name in ("line", "row", "column", "field") if refusal[name] is not None}
        raise DatasetError(refusal["code"], **{**place, **refusal["params"]})
    return {
        "file_name": path.name,
        "format": report.format,
        "encoding": report.encoding,
        "num_examples": report.num_examples,
        "num_bytes": path.stat().st_size,
        "sha256": sha256_file(path),
        "is_ok": report.ok,
        "problems": problems,
        "stats": {**report.stats, "counts": report.counts, "columns": report.columns, "doubts": doubts},
        "columns": dict(read.columns),
    }


@contextmanager
def placing_errors(path: Path) -> Iterator[None]:
    """Let errors about a kept file name the file, and not the place where it lies."""
    try:
        yield
    except DatasetError as error:
        raise type(error)(error.code, **placed(error.params, path)) from error


def run_on_dataset(path: Path, planned: PlannedInspection) -> dict[str, Any]:
    """Do something with a kept file in a child process and return what it found; errors name the file only."""
    with placing_errors(path):
        return run_inspection(planned)


def kept_read(row: DatasetRow) -> ReadOptions:
    """Return how a dataset's file is read: as its check has found out, or was told."""
    return read_options(row.format, row.columns, None if row.encoding in UTF8 else row.encoding)


def common_read(row: DatasetRow, other: DatasetRow | None) -> ReadOptions:
    """Return how two datasets are read together; what differs between their files is found out for each."""
    read = kept_read(row)
    beside = read if other is None else kept_read(other)
    columns = read.columns if read.columns == beside.columns else {}
    return read_options(read.format, columns, read.encoding if read.encoding == beside.encoding else None)
