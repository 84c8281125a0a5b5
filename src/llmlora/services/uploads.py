"""Files that arrive in pieces, over breaks and restarts of the server: what has arrived is the size of a file."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from llmlora.core.errors import BodyTooLarge, Conflict, InputError, NotFound, TooManyRequests
from llmlora.core.layout import new_id, uploads_dir
from llmlora.core.publish import disk_errors, sha256_file
from llmlora.services.kept_datasets import NewDataset, keep_path
from llmlora.services.room import require_room
from llmlora.store import datasets, uploads
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow
from llmlora.store.times import utc_now
from llmlora.store.uploads import UploadRow

MAX_BYTES: Final = 2 << 30  # of one file
MAX_OPEN: Final = 20
MAX_OPEN_BYTES: Final = 8 << 30  # announced by all that have not ended
KEPT_HOURS: Final = 24


def create_upload(database: Database, file_name: str, num_bytes: int, sha256: str | None = None) -> UploadRow:
    """Begin an upload of a file of so many bytes; nothing of it has arrived yet.

    Raises:
        BodyTooLarge: more than 2 GiB. TooManyRequests: `too_many_uploads`. DiskFull: `no_room_for_data`.
    """
    if num_bytes > MAX_BYTES:
        raise BodyTooLarge("body_too_large", limit_bytes=MAX_BYTES)
    folder = uploads_dir(database.home)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with database.read() as connection:
        others = uploads.open_ones(connection)
    announced = sum(other.num_bytes for other in others)
    if len(others) >= MAX_OPEN or announced + num_bytes > MAX_OPEN_BYTES:
        raise TooManyRequests("too_many_uploads", count=len(others), limit=MAX_OPEN, limit_bytes=MAX_OPEN_BYTES)
    require_room(folder, num_bytes)
    row = UploadRow(new_id(), "", "", None, file_name, num_bytes, utc_now(), sha256=sha256)
    with disk_errors(folder):
        (folder / row.id).touch(mode=0o600)
    with database.write() as connection:
        uploads.insert(connection, row)
    return row


def upload_document(database: Database, upload_id: str) -> dict[str, Any]:
    """Return an upload with its `offset`, the bytes that have arrived; raise NotFound when it has ended."""
    row = _open(database, upload_id)
    return {
        "id": row.id,
        "file_name": row.file_name,
        "num_bytes": row.num_bytes,
        "offset": _size(database, row),
        "sha256": row.sha256,
        "created_at": row.created_at,
    }


class Receiver:
    """Appends what arrives to the file of an upload; nobody else does at the same time."""

    def __init__(self, database: Database, upload_id: str, offset: int) -> None:
        """Begin behind what has arrived.

        Raises:
            NotFound: `upload_not_found`. Conflict: `upload_offset_wrong`, which names the right one, or `upload_busy`.
            DiskFull: the rest has no room.
        """
        self._row = _open(database, upload_id)
        self._path = _path(database, self._row)
        require_room(self._path.parent, self._row.num_bytes - _size(database, self._row))
        self._descriptor = _locked(self._path, self._row)
        self._size = os.fstat(self._descriptor).st_size
        if offset != self._size:
            self.close()
            raise Conflict("upload_offset_wrong", id=upload_id, offset=self._size, sent=offset)

    def write(self, piece: bytes) -> None:
        """Append a piece.

        Raises:
            BodyTooLarge: `upload_too_long`, more than was announced; what belongs to the file is kept. DiskFull.
        """
        taken = memoryview(piece)[: self._row.num_bytes - self._size]
        is_too_long = len(taken) < len(piece)
        with disk_errors(self._path.parent):
            while taken:
                written = os.write(self._descriptor, taken)
                self._size += written
                taken = taken[written:]
        if is_too_long:
            raise BodyTooLarge("upload_too_long", id=self._row.id, limit_bytes=self._row.num_bytes)

    def close(self) -> None:
        """Flush what has arrived to the disk and let others go on."""
        try:
            with disk_errors(self._path.parent):
                os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)


def keep_upload(database: Database, upload_id: str, new: NewDataset) -> DatasetRow:
    """Make a dataset of an upload that has arrived; one that cannot be read stays, for another try.

    Raises:
        NotFound: `upload_not_found`. Conflict: `upload_unfinished` or `upload_busy`. InputError: `upload_damaged`.
        Those of `keep_file`.
    """
    row = _open(database, upload_id)
    path = _path(database, row)
    with _holding(path, row):
        size = path.stat().st_size
        if size != row.num_bytes:
            raise Conflict("upload_unfinished", id=upload_id, offset=size, num_bytes=row.num_bytes)
        if row.sha256 is not None and sha256_file(path) != row.sha256:
            raise InputError("upload_damaged", id=upload_id)
        kept = _kept_once(database, replace(new, file_name=row.file_name), path, upload_id)
        with database.write() as connection:
            uploads.end(connection, upload_id)
        path.unlink(missing_ok=True)
    return kept


def _kept_once(database: Database, new: NewDataset, path: Path, upload_id: str) -> DatasetRow:
    """Make the dataset, which has the id of its upload: one that a killed server has made is not made again."""
    with database.read() as connection:
        made = datasets.find(connection, upload_id)
    if made is not None and made.deleted_at is None:
        return made
    return keep_path(database, new, path, upload_id if made is None else new_id())


def give_up(database: Database, upload_id: str) -> UploadRow:
    """Forget an upload and what has arrived of it; raise NotFound when it has ended, Conflict while it arrives."""
    row = _open(database, upload_id)
    with _holding(_path(database, row), row):
        _forget(database, row)
    return row


def expire_uploads(database: Database) -> int:
    """Forget what began more than 24 hours ago, and files that belong to no upload; returns how many uploads went."""
    oldest = (datetime.now(UTC) - timedelta(hours=KEPT_HOURS)).isoformat()
    with database.read() as connection:
        old = uploads.begun_before(connection, oldest)
        known = {row.id for row in uploads.open_ones(connection)}
    for row in old:
        with suppress(Conflict), _holding(_path(database, row), row):
            _forget(database, row)
    folder = uploads_dir(database.home)
    for path in folder.iterdir() if folder.is_dir() else ():
        age = datetime.now(UTC).timestamp() - path.stat().st_mtime
        if path.name not in known and age > KEPT_HOURS * 3600:
            path.unlink(missing_ok=True)
    return len(old)


def _forget(database: Database, row: UploadRow) -> None:
    _path(database, row).unlink(missing_ok=True)
    with database.write() as connection:
        uploads.remove(connection, row.id)


def _open(database: Database, upload_id: str) -> UploadRow:
    with database.read() as connection:
        row = uploads.get(connection, upload_id)
    if row.ended_at is not None or not _path(database, row).is_file():
        raise NotFound("upload_not_found", id=upload_id)
    return row


def _path(database: Database, row: UploadRow) -> Path:
    return uploads_dir(database.home) / row.id


def _size(database: Database, row: UploadRow) -> int:
    return _path(database, row).stat().st_size


def _locked(path: Path, row: UploadRow) -> int:
    """Open the file of an upload as the only one who does."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP):  # gone, or somebody has put a link in its place
            raise
        raise NotFound("upload_not_found", id=row.id) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Conflict("upload_busy", id=row.id) from None
    return descriptor


@contextmanager
def _holding(path: Path, row: UploadRow) -> Iterator[None]:
    if not path.exists():  # of an upload that has ended
        yield
        return
    descriptor = _locked(path, row)
    try:
        yield
    finally:
        os.close(descriptor)
