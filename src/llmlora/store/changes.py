"""A change of a job is told three times, in one transaction: in its row, in its folder, and in the stream of events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from llmlora.core.errors import NotFound
from llmlora.store import events, jobs
from llmlora.store.database import Database
from llmlora.store.records import write_job_record


def tell_change(database: Database, connection: Connection, job_id: str, *fields: str) -> jobs.JobRow:
    """Tell of changed columns of a job, and return it as it is now."""
    return _tell(database, connection, job_id, "changed", {"fields": list(fields)})


def tell_status(database: Database, connection: Connection, job_id: str, action: str) -> jobs.JobRow:
    """Tell of a job's new status, and return it as it is now; `action` is the name of the transition."""
    return _tell(database, connection, job_id, events.STATUS_EVENT, {"action": action})


def _tell(
    database: Database, connection: Connection, job_id: str, event_type: str, data: dict[str, Any]
) -> jobs.JobRow:
    job = jobs.find(connection, job_id)
    if job is None:
        raise NotFound("job_not_found", id=job_id)
    write_job_record(database.home, job)
    told = {**data, "status": job.status, "reason": job.reason, "stop_request": job.stop_request}
    events.add_queue_event(connection, database.dialect, job_id, job.run, event_type, told)
    return job
