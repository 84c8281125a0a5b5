"""Uploads: files that arrive in pieces. How much has arrived is the size of the file, nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select, update

from llmlora.core.errors import NotFound
from llmlora.store.tables import uploads
from llmlora.store.times import utc_now


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An upload as the index has it."""

    id: str
    name: str
    description: str
    format: str | None
    file_name: str  # as the sender calls it: words for people, never a path
    num_bytes: int  # that are to come in all
    created_at: str
    ended_at: str | None = None
    sha256: str | None = None  # announced by the sender


def insert(connection: Connection, upload: UploadRow) -> None:
    """Add an upload."""
    connection.execute(uploads.insert(), asdict(upload))


def get(connection: Connection, upload_id: str) -> UploadRow:
    """Return an upload.

    Raises:
        NotFound: `upload_not_found`.
    """
    row = connection.execute(select(uploads).where(uploads.c.id == upload_id)).first()
    if row is None:
        raise NotFound("upload_not_found", id=upload_id)
    return UploadRow(**row._mapping)


def open_ones(connection: Connection) -> list[UploadRow]:
    """Return the uploads that have not ended, the oldest first."""
    query = select(uploads).where(uploads.c.ended_at.is_(None)).order_by(uploads.c.id)
    return [UploadRow(**row._mapping) for row in connection.execute(query)]


def begun_before(connection: Connection, time: str) -> list[UploadRow]:
    """Return the uploads that began before a time, ended or not."""
    return [UploadRow(**row._mapping) for row in connection.execute(select(uploads).where(uploads.c.created_at < time))]


def end(connection: Connection, upload_id: str) -> bool:
    """Say that all has arrived and was taken; False when it was said before."""
    query = update(uploads).where(uploads.c.id == upload_id, uploads.c.ended_at.is_(None))
    return connection.execute(query.values(ended_at=utc_now())).rowcount == 1


def remove(connection: Connection, upload_id: str) -> None:
    """Forget an upload."""
    connection.execute(uploads.delete().where(uploads.c.id == upload_id))
