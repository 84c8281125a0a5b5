"""Which models can be asked over HTTP, and what each of their names stands for.

A name is a bundled model (`nano`), a finished job (`job:<id>`), what that job began with (`job:<id>@base`), or a file
of an export (`export:<id>/Q4_K_M`); bare ids are understood, too. Paths count only inside allowed folders (rule R6).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from llmlora.catalog.base_model import bundled_models
from llmlora.catalog.header_reader import read_ahead
from llmlora.catalog.served_base import served_base
from llmlora.core.errors import Forbidden, LlmloraError, NotFound
from llmlora.core.job import EXPORT_SCHEMA, folder_schema, read_job, trained_dir
from llmlora.core.job import SCHEMA as JOB_SCHEMA
from llmlora.core.layout import ADAPTER_DIR, META_FILE, work_root
from llmlora.core.publish import read_json
from llmlora.services.chat import ModelLocation, locate_model
from llmlora.services.queue import Queue
from llmlora.services.queue_progress import frozen_config
from llmlora.store.jobs import JobRow

Kind = Literal["bundled", "job", "base", "export", "path"]
AT_BASE: Final = "@base"
PAGE: Final = 200


@dataclass(frozen=True)
class Askable:
    """A model that can be asked: its name for programs, what people call it, and `system`, what its job was told."""

    id: str
    name: str
    kind: Kind
    location: ModelLocation
    system: str | None = None
    job_id: str | None = None
    base_model: str | None = None
    created_at: str | None = None

    def conversation(self, messages: Sequence[dict[str, str]], system: str | None = None) -> list[dict[str, str]]:
        """Return messages as this model was trained on them: with its job's system message where none is given."""
        told = system or self.system
        if not told or (messages and messages[0]["role"] == "system"):
            return list(messages)
        return [{"role": "system", "content": told}, *messages]


def find_askable(queue: Queue, name: str) -> Askable:
    """Return the model of a name.

    Raises:
        NotFound: `model_not_askable`, there is none; or the job or export has not finished.
    """
    if name in bundled_models():
        return _bundled(name)
    kind, _, rest = name.rpartition(":")
    identifier, _, file = rest.partition("/")
    wants_base = identifier.endswith(AT_BASE)
    row = _row(queue, identifier.removesuffix(AT_BASE), name)
    if kind not in ("", "job" if row.kind == "train" else "export"):
        raise _unknown(name)
    if row.kind == "train" and not file:
        return _base_of_job(queue, row) if wants_base else _job(queue, row)
    if row.kind == "export" and not wants_base:
        return _exported(queue, row, file)
    raise _unknown(name)


def find_askable_path(queue: Queue, name: str, roots: Sequence[Path]) -> Askable:
    """Return the model of a name, or of a path inside the workspace's jobs and exports or one of `roots`.

    Raises:
        Forbidden: `model_path_outside`. NotFound, ModelFileError: those of `find_askable` and `locate_model`.
    """
    if "/" not in name or name.startswith(("job:", "export:")):
        return find_askable(queue, name)
    home = queue.database.home
    allowed = [root.resolve() for root in (work_root(home, "train"), work_root(home, "export"), *roots)]
    path = Path() if "\0" in name else (home / name).resolve()
    if not any(path.is_relative_to(root) for root in allowed):
        raise Forbidden("model_path_outside")
    location = locate_model(str(path))
    return Askable(str(path), path.name, "path", location, _system_beside(location))


def list_askable(queue: Queue) -> list[Askable]:
    """Return what can be asked now: bundled models, then finished jobs, their bases and exports, the newest first."""
    found, rows = [_bundled(name) for name in bundled_models()], list(_finished(queue))
    read_ahead([("adapter", queue.folder_of(row) / ADAPTER_DIR) for row in rows if _is_on_file(queue, row)])
    for row in rows:
        try:
            found += [_job(queue, row), _base_of_job(queue, row)] if row.kind == "train" else _all_exported(queue, row)
        except LlmloraError:
            continue  # its folder is gone or damaged; who asks for it by name is told
    return found


def _finished(queue: Queue) -> Iterator[JobRow]:
    before = None
    while True:
        page = queue.page(kinds=("train", "export"), statuses=("succeeded",), before=before, limit=PAGE)
        yield from page.items
        before = page.next_cursor
        if before is None:
            return


def _is_on_file(queue: Queue, row: JobRow) -> bool:
    """Tell whether `served_base` is going to look at a job's adapter."""
    return row.kind == "train" and os.path.isfile(str(frozen_config(queue.folder_of(row)).get("base_dir", "")))


def _row(queue: Queue, identifier: str, name: str) -> JobRow:
    try:
        return queue.get(identifier)
    except NotFound as error:
        raise _unknown(name) from error


def _unknown(name: str) -> NotFound:
    return NotFound("model_not_askable", name=name[:200], bundled=", ".join(bundled_models()))


def _bundled(name: str) -> Askable:
    return Askable(name, name, "bundled", locate_model(name))


def _job(queue: Queue, row: JobRow) -> Askable:
    location = _location(queue.folder_of(row), has_adapter=True)
    return Askable(f"job:{row.id}", row.name, "job", location, **_of_job(queue, row))


def _base_of_job(queue: Queue, row: JobRow) -> Askable:
    location = _location(queue.folder_of(row), has_adapter=False)
    return Askable(f"job:{row.id}{AT_BASE}", row.name, "base", location, **_of_job(queue, row))


def _location(folder: Path, has_adapter: bool) -> ModelLocation:
    """Return how a finished job is run: its adapter beside the base's own GGUF file, or loaded as it was trained."""
    trained_dir(folder)
    base = served_base(read_job(folder), folder)
    if base is not None:
        return ModelLocation("served", base, folder, has_adapter)
    return ModelLocation("job" if has_adapter else "job_base", folder)


def _of_job(queue: Queue, row: JobRow) -> dict[str, Any]:
    config = frozen_config(queue.folder_of(row))
    return {
        "system": _system(config),
        "job_id": row.id,
        "base_model": config.get("base_model"),
        "created_at": row.created_at,
    }


def _system(config: dict[str, Any]) -> str | None:
    train = config.get("train")
    found = train.get("system") if isinstance(train, dict) else None
    return found if isinstance(found, str) and found else None


def _exported(queue: Queue, row: JobRow, quantization: str) -> Askable:
    """Return a file of an export; without a quantization the one that its verification chose."""
    folder = queue.folder_of(row)
    wanted = quantization or _chosen(folder)
    found = next((askable for askable in _all_exported(queue, row) if askable.id.endswith(f"/{wanted}")), None)
    if found is None:
        raise _unknown(f"export:{row.id}/{wanted}")
    return found


def _all_exported(queue: Queue, row: JobRow) -> list[Askable]:
    folder = queue.folder_of(row)
    meta = _meta(folder)
    job_dir = Path(str(meta.get("job_dir", "")))
    return [
        Askable(
            id=f"export:{row.id}/{entry['quantization']}",
            name=row.name,
            kind="export",
            location=ModelLocation("gguf", folder / name),
            system=_system(frozen_config(job_dir)),
            job_id=meta.get("job_id"),
            created_at=row.created_at,
        )
        for name, entry in dict(meta.get("files") or {}).items()
        if name.startswith("model-") and (folder / name).is_file()
    ]


def _chosen(folder: Path) -> str:
    name = str(_meta(folder).get("model_file"))
    return name.removeprefix("model-").removesuffix(".gguf")


def _meta(folder: Path) -> dict[str, Any]:
    """Return what an export folder says of its files.

    Raises:
        NotFound: `export_not_finished`.
    """
    try:
        meta = read_json(folder / META_FILE)
    except (OSError, ValueError) as error:
        raise NotFound("export_not_finished", path=str(folder)) from error
    return meta if isinstance(meta, dict) else {}


def _system_beside(location: ModelLocation) -> str | None:
    """Return the system message of the job that a path belongs to."""
    folder = location.path if location.kind == "job" else location.path.parent
    schema = folder_schema(folder)
    if schema == EXPORT_SCHEMA:
        return _system(frozen_config(Path(str(frozen_config(folder).get("job_dir", "")))))
    return _system(frozen_config(folder)) if schema == JOB_SCHEMA else None
