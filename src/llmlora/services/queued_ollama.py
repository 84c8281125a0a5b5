"""Work of the queue that concerns the Ollama server of this machine: download a model, register what was exported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from llmlora.core.errors import ConfigError, Conflict
from llmlora.core.layout import CONFIG_FILE, new_id, work_root
from llmlora.core.publish import write_json
from llmlora.ollama.names import registered_name
from llmlora.services.ollama import OLLAMA_PREFIX, PlannedPush
from llmlora.services.queue import Queue
from llmlora.store.jobs import JobRow

# As `ollama pull` takes it: name, owner/name or host/owner/name, and a tag.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,2}(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?")


@dataclass(frozen=True)
class RegisterWish:
    """Which export of the queue to register under which name."""

    job_id: str
    name: str
    system: str | None = None
    replace: bool = False


def submit_pull(queue: Queue, name: str) -> JobRow:
    """Put the download of a model into the queue, by the Ollama server that `OLLAMA_HOST` names.

    Raises:
        ConfigError: `hub_not_yet` for a name of the Hugging Face Hub, `ollama_pull_name` for what is no name.
    """
    wanted = name.removeprefix(OLLAMA_PREFIX)
    is_hub = wanted == name and "/" in name and not name.startswith(("hf.co/", "huggingface.co/"))
    if is_hub:
        raise ConfigError("hub_not_yet", name=name)
    if not _NAME.fullmatch(wanted):
        raise ConfigError("ollama_pull_name", name=name)
    return _submitted(queue, "download", wanted, {"source": "ollama", "name": wanted})


def submit_register(queue: Queue, wish: RegisterWish) -> JobRow:
    """Put the registration of a finished export into the queue.

    Raises:
        NotFound: no such job. Conflict: it is no finished export. ConfigError: the name.
    """
    job = queue.get(wish.job_id)
    if job.kind != "export" or job.status != "succeeded":
        raise Conflict("ollama_needs_export", id=job.id, kind=job.kind, status=job.status)
    folder = queue.folder_of(job)
    planned = PlannedPush(folder, registered_name(wish.name), system=wish.system, replace=wish.replace)
    return _submitted(queue, "register", planned.name, planned.to_config(folder), parent_id=job.id)


def _submitted(queue: Queue, kind: str, name: str, config: dict[str, Any], parent_id: str | None = None) -> JobRow:
    job_id = new_id()
    folder = work_root(queue.database.home, kind) / job_id
    folder.mkdir(parents=True)
    write_json(folder / CONFIG_FILE, {"kind": kind, **config})
    return queue.submit(kind, folder, name=name, parent_id=parent_id, job_id=job_id)
