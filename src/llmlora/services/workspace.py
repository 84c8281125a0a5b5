"""The queue of a workspace as a command opens it, beside the server that looks after it or alone.

Both share the database, so a command needs no server to see jobs and to change its mind about them: whoever looks after
the queue finds what others write. Where nobody does, a command brings the index up to date before it believes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from llmlora.core.errors import Conflict
from llmlora.core.layout import home_dir
from llmlora.core.writable import require_workspace
from llmlora.services.launcher import LocalLauncher
from llmlora.services.queue import Queue
from llmlora.services.queue_supervisor import QueueSupervisor
from llmlora.services.workspace_lock import running_server
from llmlora.store import datasets
from llmlora.store.database import Database
from llmlora.store.opening import open_store
from llmlora.store.rebuild import rebuild


@contextmanager
def open_workspace(*, is_anew: bool = False) -> Iterator[Queue]:
    """Yield the queue of the workspace, up to date; `is_anew` as in `open_store`, where no server has it open.

    Raises:
        Conflict: `other_database`, the server of this workspace keeps its index elsewhere.
        ResourceError: the workspace cannot be written. Those of `open_store`.
    """
    require_workspace(home_dir())
    server = running_server()
    with closing(open_store(home_dir(), is_anew=is_anew and server is None)) as database:
        if server is None:
            look_once(database)
        elif server["database"] not in (None, database.dialect.place):
            raise Conflict("other_database", server=server["database"], own=database.dialect.place)
        yield Queue(database)


def look_once(database: Database) -> None:
    """Bring the index up to date with the folders where nobody looks after the queue; nothing is started."""
    supervisor = QueueSupervisor(database, LocalLauncher())
    supervisor.look()
    supervisor.stop()


def is_looked_after() -> bool:
    """Tell whether somebody starts the jobs of this workspace: a server, or `llmlora jobs run`."""
    return running_server() is not None


def rebuild_index() -> dict[str, Any]:
    """Make the index again from the folders, also while jobs run; returns `num_jobs`, `num_datasets` and `database`.

    One whose migration fails is made again as well, where no server has it open.

    Raises:
        Those of `open_workspace`.
    """
    with open_workspace(is_anew=True) as queue:
        found = rebuild(queue.database)
        if not is_looked_after():
            look_once(queue.database)
        with queue.database.read() as connection:
            num_datasets = len(datasets.all_ids(connection))
        return {"num_jobs": len(found), "num_datasets": num_datasets, "database": queue.database.dialect.place}
