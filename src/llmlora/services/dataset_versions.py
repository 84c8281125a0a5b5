"""Change a kept dataset: every change writes a new version of its file, and those of earlier versions stay.

Whoever changes says which version was looked at; when somebody else was first, nothing happens. Jobs go on with the
file that they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from llmlora.core.errors import ConfigError, Conflict, DatasetError, NotFound
from llmlora.core.layout import DATA_STEM, FINDINGS_STEM, FINDINGS_SUFFIX, version_name
from llmlora.core.publish import disk_errors, fsync_path, link_or_copy
from llmlora.core.temporary import own_temporary
from llmlora.data.edit import RowChange
from llmlora.data.read import ReadOptions
from llmlora.services.dataset_check import checked_values, kept_read, run_on_dataset
from llmlora.services.inspect import plan_data_task
from llmlora.services.kept_datasets import data_file, dataset_options, findings_file, get_dataset
from llmlora.services.models import require_known_model
from llmlora.services.outside_readers import outside_readers
from llmlora.services.preview import find_overlong
from llmlora.services.room import require_room
from llmlora.store import datasets, jobs
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow
from llmlora.store.records import (
    absolute_folder,
    remove_version_record,
    version_records,
    write_dataset_record,
    write_version_record,
)
from llmlora.store.statuses import STATUSES
from llmlora.store.times import utc_now

ACTIONS: Final = ("drop_invalid", "deduplicate", "drop_overlong", "keep_chosen")
COUNTS: Final = ("num_read", "num_written", "num_invalid", "num_duplicates", "num_overlong", "num_kept_out")
KEPT_VERSIONS: Final = 20
Written = tuple[Path, ReadOptions]


@dataclass(frozen=True)
class Repair:
    """What to mend: rows to leave out (`actions`), and how the file is to be read; None leaves it as it is."""

    actions: tuple[str, ...] = ()
    columns: Mapping[str, str] | None = None
    encoding: str | None = None
    type: str | None = None
    model: str | None = None
    max_length: int | None = None


def change_row(database: Database, dataset_id: str, version: int, change: RowChange) -> DatasetRow:
    """Change one row, or take it out, and return the next version.

    Raises:
        NotFound: no such dataset. Conflict: `dataset_changed`, this is not its newest version any more.
        DatasetError: those of `data/edit.py`, or nothing would be left.
    """
    row = _newest(database, dataset_id, version)
    path, read = data_file(database, row), kept_read(row)
    action = "edit_row" if change.fields is not None or change.value is not None else "delete_row"

    def write(folder: Path) -> Written:
        output = folder / "edited"
        document = {"row": change.row, "fields": change.fields, "value": change.value}
        options = {"output": str(output), "change": document}
        found = run_on_dataset(path, plan_data_task("edit", path, read, options))
        return output.rename(output.with_suffix(found["suffix"])), replace(read, encoding=None)

    return _next(database, row, write, {"action": action, "row": change.row})


def add_row(database: Database, dataset_id: str, version: int, value: Mapping[str, Any]) -> DatasetRow:
    """Add a row behind the others and return the next version; errors as of `change_row`."""
    row = _newest(database, dataset_id, version)
    path, read = data_file(database, row), kept_read(row)

    def write(folder: Path) -> Written:
        output = folder / "longer"
        found = run_on_dataset(path, plan_data_task("add", path, read, {"output": str(output), "value": dict(value)}))
        return output.rename(output.with_suffix(found["suffix"])), replace(read, encoding=None)

    return _next(database, row, write, {"action": "add_row"})


def repair(database: Database, dataset_id: str, version: int, wish: Repair) -> DatasetRow:
    """Leave rows out or read the file in another way; `change` of the next version tells what it did.

    The rows that stay are kept as they stand; only `keep_chosen` writes all in the canonical form.

    Raises:
        NotFound: dataset or model. Conflict: `dataset_changed`. ConfigError: `unknown_action`, `nothing_to_repair`,
        `drop_overlong_needs_model`, those of `dataset_options`. DatasetError: rows with errors stay, or none is left.
    """
    _check(wish)
    row = _newest(database, dataset_id, version)
    path, read = data_file(database, row), _read_as(row, wish)
    change: dict[str, Any] = {"action": "repair", "actions": list(wish.actions)}
    change |= {"map": dict(read.columns), "encoding": read.encoding, "type": wish.type}
    if not wish.actions:
        return _next(database, row, lambda folder: (_linked(path, folder), read), change)
    overlong = _overlong(path, read, wish)
    choices: dict[str, Any] = {name: name in wish.actions for name in ("drop_invalid", "deduplicate")}
    keeps_chosen = "keep_chosen" in wish.actions
    if keeps_chosen:
        choices["keep"] = "chosen"

    def write(folder: Path) -> Written:
        output = folder / "repaired.jsonl"
        report = rewritten(row, path, read, output, choices, overlong=overlong, is_canonical=keeps_chosen)
        change.update({name: report[name] for name in COUNTS}, dropped=report["dropped"])
        following = ReadOptions() if keeps_chosen else replace(read, encoding=None)
        return output.rename(folder / f"repaired{report['suffix']}"), following

    return _next(database, row, write, change)


def restore(database: Database, dataset_id: str, version: int, wanted: int) -> DatasetRow:
    """Go back to an earlier version; that makes the next one, so going back can be taken back as well.

    Raises:
        NotFound: `dataset_not_found` or `version_not_found`. Conflict: `dataset_changed`.
    """
    row = _newest(database, dataset_id, version)
    record = next((item for item in versions_of(database, dataset_id) if item.version == wanted), None)
    if record is None:
        raise NotFound("version_not_found", version=wanted, id=dataset_id)
    path = data_file(database, record)
    return _next(
        database, row, lambda folder: (_linked(path, folder), kept_read(record)), {"action": "restore", "of": wanted}
    )


def versions_of(database: Database, dataset_id: str) -> list[DatasetRow]:
    """Return the versions of a dataset whose files are kept, the newest first; raise NotFound for no such dataset."""
    row = get_dataset(database, dataset_id)
    older = [item for item in version_records(database.home, row) if item.version < row.version]
    return [row, *sorted(older, key=lambda item: -item.version)]


def rewritten(
    row: DatasetRow,
    path: Path,
    read: ReadOptions,
    output: Path,
    choices: Mapping[str, Any],
    *,
    overlong: Mapping[str, Any] | None = None,
    is_canonical: bool = True,
) -> dict[str, Any]:
    """Write a dataset's file again in a child process, in the canonical form or with its rows as they stand there.

    Errors as of `repair`.
    """
    options = {"output": str(output), "choices": dict(choices), "overlong": overlong}
    try:
        return run_on_dataset(path, plan_data_task("convert" if is_canonical else "choose", path, read, options))
    except DatasetError as error:
        if error.code != "dataset_has_errors":
            raise
        whole = {name: error.params[name] for name in ("count", "is_none_good") if name in error.params}
        raise DatasetError("kept_dataset_has_errors", id=row.id, name=row.name, **whole) from error


def _newest(database: Database, dataset_id: str, version: int) -> DatasetRow:
    row = get_dataset(database, dataset_id)
    if row.version != version:
        raise Conflict("dataset_changed", id=dataset_id, version=row.version, seen=version)
    require_room(database.home, 2 * row.num_bytes)
    return row


def _check(wish: Repair) -> None:
    unknown = next((name for name in wish.actions if name not in ACTIONS), None)
    if unknown is not None:
        raise ConfigError("unknown_action", name=unknown, known=", ".join(ACTIONS))
    if not wish.actions and wish.columns is None and wish.encoding is None and wish.type is None:
        raise ConfigError("nothing_to_repair", known=", ".join(ACTIONS))
    if "drop_overlong" not in wish.actions:
        return
    if wish.model is None:
        raise ConfigError("drop_overlong_needs_model")
    require_known_model(wish.model)


def _read_as(row: DatasetRow, wish: Repair) -> ReadOptions:
    kept = kept_read(row)
    columns = kept.columns if wish.columns is None else wish.columns
    keeps_format = wish.type is None and wish.columns is None
    word = kept.format if keeps_format else wish.type
    return dataset_options(word, columns, wish.encoding or kept.encoding)


def _overlong(path: Path, read: ReadOptions, wish: Repair) -> dict[str, Any] | None:
    if "drop_overlong" not in wish.actions:
        return None
    keeps = "keep_chosen" in wish.actions
    found = find_overlong(path, str(wish.model), read, max_length=wish.max_length, keeps_chosen=keeps)
    return {"max_length": found.max_length, "limit": found.limit, "rows": list(found.num_tokens.items())}


def _linked(path: Path, folder: Path) -> Path:
    """Return a file with the same content in another folder of the same disk."""
    target = folder / f"{DATA_STEM}{path.suffix}"
    link_or_copy(path, target)
    return target


def _next(database: Database, row: DatasetRow, write: Callable[[Path], Written], change: dict[str, Any]) -> DatasetRow:
    """Let `write` make a file, check it, and make it the next version of a dataset."""
    folder = absolute_folder(database.home, row.folder)
    version = row.version + 1
    with disk_errors(folder), own_temporary(folder / "next", is_folder=True) as work:
        written, read = write(work)
        path = written.rename(work / version_name(DATA_STEM, version, written.suffix))
        fsync_path(path)
        values = checked_values(path, read, work / version_name(FINDINGS_STEM, version, FINDINGS_SUFFIX))
        new = replace(row, **values, version=version, change={**change, "at": utc_now(), "from": row.version})
        with database.write() as connection:
            current = datasets.get(connection, row.id)
            if current.version != row.version:
                raise Conflict("dataset_changed", id=row.id, version=current.version, seen=row.version)
            for item in work.iterdir():
                item.replace(folder / item.name)
            write_version_record(database.home, current)
            write_dataset_record(database.home, new)
            datasets.put_version(connection, new)
    _forget_oldest(database, new)
    return new


def _forget_oldest(database: Database, row: DatasetRow) -> None:
    """Keep edits from filling the disk; where jobs have read the dataset, or one elsewhere does, all versions stay."""
    with database.read() as connection:
        if jobs.using_dataset(connection, row.id, STATUSES) or outside_readers(database.home, row.id):
            return
    for old in version_records(database.home, row):
        if old.version <= row.version - KEPT_VERSIONS:
            findings_file(database, old).unlink(missing_ok=True)
            data_file(database, old).unlink(missing_ok=True)
            remove_version_record(database.home, old)
