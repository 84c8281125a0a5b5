"""Datasets that the workspace keeps: checked when they come, one folder each, gone ten seconds after they are deleted.

A file with bad rows is kept, so that a repair needs no second upload. What is no dataset at all is refused, and nothing
of it stays.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

from llmlora.core.boot_clock import now
from llmlora.core.errors import Conflict, DatasetError, NotFound
from llmlora.core.examples import FORMATS
from llmlora.core.layout import datasets_dir, new_id
from llmlora.core.locale import LANGUAGES, catalogue
from llmlora.core.publish import disk_errors, fsync_path, sha256_file
from llmlora.core.temporary import own_temporary
from llmlora.data.problems import Problem
from llmlora.data.read import ReadOptions, read_options
from llmlora.services.inspect import inspect_data
from llmlora.store import datasets, jobs
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow
from llmlora.store.rebuild import UNDO_SECONDS
from llmlora.store.records import absolute_folder, stored_folder, write_dataset_record
from llmlora.store.statuses import ACTIVE, WAITING
from llmlora.store.times import utc_now

NO_DATASET: Final = frozenset(
    {"no_records", "html_file", "not_json", "compressed_file", "spreadsheet_file", "binary_file", "lfs_pointer"}
)
FILE_STEM: Final = "data"  # names that came with a request never reach the disk


@dataclass(frozen=True)
class NewDataset:
    """What is said of a dataset that comes: a name, what it is for, its type (None: find out), its file's name."""

    name: str
    description: str = ""
    type: str | None = None
    file_name: str = "data.jsonl"


@dataclass(frozen=True)
class DatasetPage:
    """Some datasets, and what `before` is for those that follow; None behind the last."""

    items: list[DatasetRow]
    next_cursor: str | None


def dataset_options(word: str | None) -> ReadOptions:
    """Return how a dataset of a type is read; the words of a type are understood in every language.

    Raises:
        ConfigError: `unknown_format`.
    """
    words = {catalogue(language)[f"api.dataset_type.{name}"]: name for language in LANGUAGES for name in FORMATS}
    return read_options(words.get(word, word) if word else None)


def keep_examples(database: Database, new: NewDataset, examples: Iterable[Mapping[str, Any]]) -> DatasetRow:
    """Keep rows that came as JSON; errors as of `keep_file`."""

    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in examples)

    return _keep(database, new, write)


def keep_file(database: Database, new: NewDataset, source: IO[bytes]) -> DatasetRow:
    """Keep the content of a file, checked in a child process with limits.

    Raises:
        ConfigError: `unknown_format`. DatasetError: no dataset at all, or what the file did to its reader.
        DiskFull: there is no room for it.
    """

    def write(path: Path) -> None:
        with path.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)

    return _keep(database, new, write)


def get_dataset(database: Database, dataset_id: str) -> DatasetRow:
    """Return a dataset; raise NotFound when there is none, or it was deleted."""
    with database.read() as connection:
        return datasets.get(connection, dataset_id)


def page_of_datasets(database: Database, before: str | None, limit: int) -> DatasetPage:
    """Return datasets, the newest first; `before` is the `next_cursor` of the page before."""
    with database.read() as connection:
        items = datasets.page(connection, before=before, limit=limit + 1)
    return DatasetPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


def delete_dataset(database: Database, dataset_id: str) -> DatasetRow:
    """Hide a dataset; after 10 s its folder goes, too.

    Raises:
        NotFound: `dataset_not_found`. Conflict: `dataset_in_use`, a job that has not ended reads it.
    """
    with database.write() as connection:
        row = datasets.get(connection, dataset_id)
        users = jobs.using_dataset(connection, dataset_id, (*WAITING, *ACTIVE))
        if users:
            raise Conflict("dataset_in_use", id=dataset_id, users=", ".join(users))
        hidden = replace(row, deleted_at=utc_now())
        write_dataset_record(database.home, hidden)
        datasets.mark_deleted(connection, dataset_id, now().after(UNDO_SECONDS))
    return hidden


def undo_delete_dataset(database: Database, dataset_id: str) -> DatasetRow:
    """Have a deleted dataset back; raise NotFound when it is too late."""
    with database.write() as connection:
        row = datasets.find(connection, dataset_id)
        if row is None or not data_file(database, row).is_file():
            raise NotFound("dataset_not_found", id=dataset_id)
        shown = replace(row, deleted_at=None)
        write_dataset_record(database.home, shown)
        datasets.undo_delete(connection, dataset_id)
    return shown


def data_file(database: Database, row: DatasetRow) -> Path:
    """Return where the rows of a dataset lie."""
    return absolute_folder(database.home, row.folder) / row.file_name


def dataset_document(row: DatasetRow) -> dict[str, Any]:
    """Return a dataset as a JSON object, its problems worded in the current language."""
    kept = {name: value for name, value in asdict(row).items() if name not in ("folder", "deleted_at", "is_ok")}
    problems = [Problem(**problem).to_dict() for problem in row.problems]
    return {**kept, "type": row.format, "ok": row.is_ok, "problems": problems}


def _keep(database: Database, new: NewDataset, write: Callable[[Path], None]) -> DatasetRow:
    options = dataset_options(new.type)
    identifier = new_id()
    final = datasets_dir(database.home) / identifier
    final.parent.mkdir(parents=True, exist_ok=True)
    with disk_errors(final.parent), own_temporary(final, is_folder=True) as folder:
        path = folder / f"{FILE_STEM}{_suffix(new.file_name)}"
        write(path)
        fsync_path(path)
        row = _checked(database, replace(new, file_name=path.name), path, options, final)
        # the record goes into the folder before that has its name: a crash leaves a whole dataset, or none
        write_dataset_record(database.home, replace(row, folder=stored_folder(database.home, folder)))
        folder.rename(final)
        fsync_path(final.parent)
    with database.write() as connection:
        if datasets.find(connection, identifier) is None:
            datasets.insert(connection, row)
    return row


def _checked(database: Database, new: NewDataset, path: Path, options: ReadOptions, final: Path) -> DatasetRow:
    """Return the row of a file that was looked at; raise DatasetError for one that is no dataset at all."""
    try:
        report = inspect_data(path, options)
    except DatasetError as error:
        raise type(error)(error.code, **_placed(error.params, path)) from error
    problems = [{**found.stored(), "params": _placed(found.params, path)} for found in report.problems]
    refusal = next((found for found in problems if found["level"] == "error" and found["code"] in NO_DATASET), None)
    if refusal is not None:
        place = {name: refusal[name] for name in ("line", "row", "column", "field") if refusal[name] is not None}
        raise DatasetError(refusal["code"], **{**place, **refusal["params"]})
    return DatasetRow(
        id=final.name,
        name=new.name,
        description=new.description,
        folder=stored_folder(database.home, final),
        file_name=new.file_name,
        format=report.format,
        encoding=report.encoding,
        num_examples=report.num_examples,
        num_bytes=path.stat().st_size,
        sha256=sha256_file(path),
        is_ok=report.ok,
        problems=problems,
        stats=report.stats,
        created_at=utc_now(),
    )


def _placed(params: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the parameters of an error with the file's name where its place of a moment stood."""
    return {
        name: value.replace(str(path), path.name).replace(str(path.parent), ".") if isinstance(value, str) else value
        for name, value in params.items()
    }


def _suffix(file_name: str) -> str:
    """Return the ending of a name that came with a request, if it is an ordinary one: reading goes by it."""
    found = re.search(r"\.[A-Za-z0-9]{1,8}\Z", file_name)
    return found[0].lower() if found else ""
