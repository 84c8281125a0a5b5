"""Datasets that the workspace keeps: checked when they come, one folder each, gone ten seconds after they are deleted.

A file with bad rows is kept, so that a repair needs no second upload. What is no dataset at all is refused, and nothing
of it stays.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from llmlora.core.boot_clock import now
from llmlora.core.errors import Conflict, DatasetError, NotFound
from llmlora.core.examples import FORMATS
from llmlora.core.layout import DATA_STEM, FINDINGS_STEM, FINDINGS_SUFFIX, datasets_dir, new_id, version_name
from llmlora.core.locale import LANGUAGES, catalogue
from llmlora.core.publish import disk_errors, fsync_path, link_or_copy
from llmlora.core.temporary import own_temporary
from llmlora.data.problems import Problem
from llmlora.data.read import ReadOptions, read_options
from llmlora.services.dataset_check import checked_values
from llmlora.services.outside_readers import outside_readers
from llmlora.store import datasets, jobs
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow
from llmlora.store.rebuild import UNDO_SECONDS
from llmlora.store.records import absolute_folder, stored_folder, write_dataset_record
from llmlora.store.statuses import ACTIVE, WAITING
from llmlora.store.times import utc_now


@dataclass(frozen=True)
class NewDataset:
    """What is said of a dataset that comes: a name, what it is for, its file's name, and how it is to be read.

    Of type, encoding and columns (field -> column) what is not said is found out.
    """

    name: str
    description: str = ""
    type: str | None = None
    file_name: str = "data.jsonl"
    encoding: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetPage:
    """Some datasets, and what `before` is for those that follow; None behind the last."""

    items: list[DatasetRow]
    next_cursor: str | None


def not_trainable(row: DatasetRow) -> DatasetError:
    """Return the error of a dataset whose rows have errors; where no row is left beside them, it says so."""
    count = sum(problem["level"] == "error" for problem in row.problems)
    none_good = {} if row.num_examples else {"is_none_good": True}
    return DatasetError("kept_dataset_has_errors", id=row.id, name=row.name, count=count, **none_good)


def dataset_options(
    word: str | None, columns: Mapping[str, str] | None = None, encoding: str | None = None
) -> ReadOptions:
    """Return how a dataset of a type is read; the words of a type are understood in every language.

    Raises:
        ConfigError: `unknown_format`, or a field or encoding that does not exist.
    """
    words = {catalogue(language)[f"api.dataset_type.{name}"]: name for language in LANGUAGES for name in FORMATS}
    return read_options(words.get(word, word) if word else None, columns, encoding)


def keep_examples(database: Database, new: NewDataset, examples: Iterable[Mapping[str, Any]]) -> DatasetRow:
    """Keep rows that came as JSON; errors as of `keep_file`."""

    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in examples)

    return _keep(database, new, write)


def keep_file(database: Database, new: NewDataset, source: IO[bytes]) -> DatasetRow:
    """Keep the content of a file, checked in a child process with limits.

    Raises:
        ConfigError: as of `dataset_options`. DatasetError: no dataset at all, or what the file did to its reader.
        DiskFull: there is no room for it.
    """

    def write(path: Path) -> None:
        with path.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)

    return _keep(database, new, write)


def keep_path(database: Database, new: NewDataset, source: Path, dataset_id: str | None = None) -> DatasetRow:
    """Keep a file of the workspace, which nobody may change any more; errors as of `keep_file`."""
    return _keep(database, new, lambda path: link_or_copy(source, path), dataset_id)


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
        NotFound: `dataset_not_found`. Conflict: `dataset_in_use`, a job that has not ended reads it, or
            `dataset_read_outside`, one that lies elsewhere, or `dataset_worked_with`, a command does at the moment.
    """
    with database.write() as connection:
        row = datasets.get(connection, dataset_id)
        users = jobs.using_dataset(connection, dataset_id, (*WAITING, *ACTIVE))
        if users:
            raise Conflict("dataset_in_use", id=dataset_id, users=", ".join(users), first=users[0])
        elsewhere = outside_readers(database.home, dataset_id)
        if elsewhere and elsewhere[0].is_training:
            raise Conflict("dataset_read_outside", id=dataset_id, path=str(elsewhere[0].folder))
        if elsewhere:
            raise Conflict("dataset_worked_with", id=dataset_id, path=str(elsewhere[0].folder))
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


def findings_file(database: Database, row: DatasetRow) -> Path:
    """Return where everything stands that the check of a dataset has found; older datasets have no such file."""
    name = version_name(FINDINGS_STEM, row.version, FINDINGS_SUFFIX)
    return absolute_folder(database.home, row.folder) / name


def dataset_document(row: DatasetRow) -> dict[str, Any]:
    """Return a dataset as a JSON object, its problems worded in the current language."""
    kept = {name: value for name, value in asdict(row).items() if name not in ("folder", "deleted_at", "is_ok")}
    problems = [Problem(**problem).to_dict() for problem in row.problems]
    stats = {name: value for name, value in row.stats.items() if name != "doubts"}
    doubts = row.stats.get("doubts")
    return {**kept, "type": row.format, "ok": row.is_ok, "problems": problems, "stats": stats, "doubts": doubts}


def _keep(
    database: Database, new: NewDataset, write: Callable[[Path], None], dataset_id: str | None = None
) -> DatasetRow:
    read = dataset_options(new.type, new.columns, new.encoding)
    identifier = dataset_id or new_id()
    final = datasets_dir(database.home) / identifier
    with disk_errors(final.parent), _temporary_of(final) as folder:
        path = folder / version_name(DATA_STEM, 1, _suffix(new.file_name))
        write(path)
        fsync_path(path)
        values = checked_values(path, read, folder / version_name(FINDINGS_STEM, 1, FINDINGS_SUFFIX))
        said: dict[str, Any] = {
            "id": identifier,
            "name": new.name,
            "description": new.description,
            "created_at": utc_now(),
        }
        row = DatasetRow(**said, folder=stored_folder(database.home, final), **values)
        # the record goes into the folder before that has its name: a crash leaves a whole dataset, or none
        write_dataset_record(database.home, replace(row, folder=stored_folder(database.home, folder)))
        folder.rename(final)
        try:
            fsync_path(final.parent)
            _insert(database, row)
        except BaseException:
            final.rename(folder)  # whoever is told that it was not kept does not find it later
            raise
    return row


def _insert(database: Database, row: DatasetRow) -> None:
    with database.write() as connection:
        if datasets.find(connection, row.id) is None:
            datasets.insert(connection, row)


@contextmanager
def _temporary_of(final: Path) -> Iterator[Path]:
    final.parent.mkdir(parents=True, exist_ok=True)
    with own_temporary(final, is_folder=True) as folder:
        yield folder


def _suffix(file_name: str) -> str:
    """Return the ending of a name that came with a request, if it is an ordinary one: reading goes by it."""
    found = re.search(r"\.[A-Za-z0-9]{1,8}\Z", file_name)
    return found[0].lower() if found else ""
