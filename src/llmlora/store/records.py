"""What folders tell of the index: `queue.json` of each piece of work, `meta.json` of each dataset.

They are written before the row they are about is committed, so that folders are never behind the database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Set
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from llmlora.core.job import files_read
from llmlora.core.layout import META_FILE, QUEUE_FILE, VERSION_PREFIX, datasets_dir, work_root
from llmlora.core.publish import read_json, write_json
from llmlora.store.datasets import DatasetRow
from llmlora.store.jobs import KINDS, DatasetUse, JobRow

JOB_SCHEMA: Final = "llmlora.queue/1"
DATASET_SCHEMA: Final = "llmlora.dataset/1"
# Of a job's row: what only the index has to know, and what the events tell.
NOT_RECORDED: Final = ("result", "progress", "retry", "purge")


def record_dir(home: Path, kind: str, job_id: str) -> Path:
    """Return the folder of a job's record; the work itself may lie somewhere else."""
    return work_root(home, kind) / job_id


def absolute_folder(home: Path, folder: str) -> Path:
    """Return the folder that a row names."""
    return home / folder


def stored_folder(home: Path, folder: Path) -> str:
    """Return how a row names a folder: relative where it lies in the workspace, which may be moved."""
    absolute = folder.absolute()
    return str(absolute.relative_to(home)) if absolute.is_relative_to(home) else str(absolute)


def datasets_read(home: Path, config: Mapping[str, Any]) -> tuple[DatasetUse, ...]:
    """Return which datasets of the workspace a job reads, by the files that its `config.json` names."""
    root, found = os.path.realpath(datasets_dir(home)), []
    for role, file in files_read(config).items():
        path = Path(os.path.realpath(file))
        if Path(root) in path.parents:
            found.append(DatasetUse(path.relative_to(root).parts[0], role))
    return tuple(found)


def data_name(home: Path, config: Mapping[str, Any]) -> str:
    """Return what the data of a job is called: its dataset, else its file without the ending."""
    kept = next((use.dataset_id for use in datasets_read(home, config) if use.role == "train"), None)
    record = None if kept is None else _read(datasets_dir(home) / kept / META_FILE, DATASET_SCHEMA)
    return str((record or {}).get("name") or Path(files_read(config).get("train", "")).stem)


def write_job_record(home: Path, job: JobRow) -> None:
    """Write what is to outlive the database."""
    values = {name: value for name, value in asdict(job).items() if name not in NOT_RECORDED}
    folder = record_dir(home, job.kind, job.id)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / QUEUE_FILE, {"schema": JOB_SCHEMA, **values})


def write_dataset_record(home: Path, dataset: DatasetRow) -> None:
    """Write a dataset's `meta.json` into its folder."""
    values = {name: value for name, value in asdict(dataset).items() if name != "folder"}
    write_json(absolute_folder(home, dataset.folder) / META_FILE, {"schema": DATASET_SCHEMA, **values})


def write_version_record(home: Path, dataset: DatasetRow) -> None:
    """Write what is known of a version of a dataset that is not the newest any more into its folder."""
    write_json(_version_record(home, dataset), {"schema": DATASET_SCHEMA, **asdict(dataset)})


def version_records(home: Path, dataset: DatasetRow) -> list[DatasetRow]:
    """Return what is known of the earlier versions of a dataset."""
    names = {item.name for item in fields(DatasetRow)}
    paths = absolute_folder(home, dataset.folder).glob(f"{VERSION_PREFIX}*.json")
    found = (_read(path, DATASET_SCHEMA) for path in paths)
    return [DatasetRow(**{name: record[name] for name in names & set(record)}) for record in found if record]


def remove_version_record(home: Path, dataset: DatasetRow) -> None:
    """Forget an earlier version."""
    _version_record(home, dataset).unlink(missing_ok=True)


def _version_record(home: Path, dataset: DatasetRow) -> Path:
    return absolute_folder(home, dataset.folder) / f"{VERSION_PREFIX}{dataset.version}.json"


def job_records(home: Path, known: Set[str] = frozenset()) -> Iterator[dict[str, Any]]:
    """Yield what the folders of a workspace tell of its jobs, the oldest first, but for those that are known."""
    roots = sorted({work_root(home, kind) for kind in KINDS})
    folders = [folder for root in roots for folder in work_folders(root) if folder.name not in known]
    for folder in sorted(folders, key=lambda folder: folder.name):
        record = _read(folder / QUEUE_FILE, JOB_SCHEMA)
        if record is not None:
            yield record


def dataset_records(home: Path, known: Set[str] = frozenset()) -> Iterator[dict[str, Any]]:
    """Yield what the folders of a workspace tell of its datasets, the oldest first, but for those that are known."""
    for folder in sorted(work_folders(datasets_dir(home))):
        record = _read(folder / META_FILE, DATASET_SCHEMA) if folder.name not in known else None
        if record is not None:
            yield {**record, "folder": stored_folder(home, folder)}


def work_folders(root: Path) -> list[Path]:
    """Return what lies in a folder of the workspace; nothing where there is none."""
    return list(root.iterdir()) if root.is_dir() else []


def _read(path: Path, schema: str) -> dict[str, Any] | None:
    """Return a record; None for a file that is none, or that somebody has damaged."""
    try:
        record = read_json(path)
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or record.pop("schema", None) != schema or record.get("id") != path.parent.name:
        return None
    return record
