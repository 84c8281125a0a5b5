"""Models fetched to this machine and taken away again, each by whoever keeps it: Ollama, or the Hub's cache."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from llmlora.catalog.base_model import bundled_models, known_names, resolve_base_model
from llmlora.catalog.hub_cache import cached_snapshot, repo_folder
from llmlora.catalog.installable import INSTALLABLE, installed_path, removal_command, require_installed
from llmlora.catalog.ollama_name import PREFIX as OLLAMA
from llmlora.catalog.ollama_name import OllamaName
from llmlora.core.errors import ConfigError, Conflict, LlmloraError, NotFound
from llmlora.core.near_names import near_names
from llmlora.ollama.client import OllamaClient
from llmlora.services.base_models import fetch_from_hub
from llmlora.services.follow import OnEvent
from llmlora.services.hub_record import fetched_names, forget_fetched
from llmlora.services.ollama import OnPull, pull_model
from llmlora.services.queue import Queue
from llmlora.services.queue_progress import frozen_config
from llmlora.services.queued_ollama import is_hub_name
from llmlora.store.jobs import JobRow
from llmlora.store.statuses import ACTIVE, ENDED, WAITING

PAGE = 100


@dataclass(frozen=True)
class FetchedModel:
    """A model that can be deleted: whose it is, its bytes, and the ended jobs that were trained on it."""

    name: str
    source: Literal["ollama", "hub"]
    num_bytes: int
    jobs: tuple[str, ...]


def fetch_model(
    name: str, on_event: OnEvent | None = None, on_bytes: OnPull | None = None, url: str | None = None
) -> dict[str, Any]:
    """Fetch a model where it is not here yet and return `name`, `source` and `path` (null: Ollama keeps it).

    A name of the Hub goes into the Hub's cache; every other is one of Ollama, whose server at `url` downloads it.

    Raises:
        ConfigError: `model_is_path`. NotFound: `model_installable`, and those of the Hub. DependencyError: the Hub or
        Ollama cannot be reached. DiskFull.
    """
    if name in bundled_models():
        return {"name": name, "source": "bundled", "path": str(bundled_models()[name])}
    if name in INSTALLABLE:
        return {"name": name, "source": "package", "path": str(require_installed(name))}
    _refuse_path(name, "pull")
    if not is_hub_name(name):
        found = pull_model(name.removeprefix(OLLAMA), on_bytes or (lambda *_: None), url)
        return {"name": f"{OLLAMA}{found['name']}", "source": "ollama", "path": None}
    fetch_from_hub(name, on_event)
    return {"name": name, "source": "hub", "path": str(resolve_base_model(name).path)}


def find_fetched(queue: Queue, name: str, url: str | None = None) -> FetchedModel:
    """Return a model that may be deleted: of the Hub's cache, or of the Ollama server at `url`.

    Raises:
        ConfigError: `model_is_path`, `bundled_model_stays`, `package_model_stays`, `hub_model_of_others`, not fetched
            by this program, `hub_delete_whole`, one revision of it. NotFound: `model_to_delete_unknown`,
            `ollama_no_model`. Conflict: `model_in_use`, a job that has not ended reads it. Those of Ollama.
    """
    if name in bundled_models():
        raise ConfigError("bundled_model_stays", name=name)
    if name in INSTALLABLE and installed_path(name) is not None:
        raise ConfigError("package_model_stays", name=name, command=removal_command(name))
    _refuse_path(name, "delete")
    found = _of_hub(name) if is_hub_name(name) else _of_ollama(name, url)
    users = list(_users(queue, found.name))
    waiting = [job.id for job in users if job.status not in ENDED]
    if waiting:
        raise Conflict("model_in_use", name=found.name, users=", ".join(waiting), first=waiting[0])
    return FetchedModel(found.name, found.source, found.num_bytes, tuple(job.name for job in users))


def delete_fetched(found: FetchedModel, url: str | None = None) -> dict[str, Any]:
    """Delete a model for good and return its `name`, `source` and bytes; raises what Ollama says, or OSError."""
    if found.source == "ollama":
        with OllamaClient(url) as client:
            client.delete(found.name.removeprefix(OLLAMA))
    else:
        shutil.rmtree(repo_folder(found.name))
        forget_fetched(found.name)
    return {"name": found.name, "source": found.source, "num_bytes": found.num_bytes}


def _of_hub(name: str) -> FetchedModel:
    repo, _, revision = name.partition("@")
    if cached_snapshot(name) is None:
        raise _unknown(name)
    if revision:
        raise ConfigError("hub_delete_whole", name=name, repo=repo)
    if repo not in fetched_names():
        raise ConfigError("hub_model_of_others", name=name)
    folder = repo_folder(repo)
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return FetchedModel(repo, "hub", sum(path.stat().st_size for path in files), ())


def _of_ollama(name: str, url: str | None) -> FetchedModel:
    wanted = OllamaName.parse(name)
    with OllamaClient(url) as client:
        tags = client.tags()
    for tag in tags:
        try:
            is_wanted = OllamaName.parse(str(tag.get("name"))).key == wanted.key
        except LlmloraError:
            continue
        if is_wanted:
            return FetchedModel(f"{OLLAMA}{tag['name']}", "ollama", int(tag.get("size") or 0), ())
    if not name.startswith(OLLAMA):
        raise _unknown(name)
    raise NotFound("ollama_no_model", url=client.url, name=str(wanted))


def _unknown(name: str) -> NotFound:
    return NotFound("model_to_delete_unknown", name=name[:200], near=near_names(name, known_names()))


def _refuse_path(name: str, verb: str) -> None:
    """Refuse what names a folder or a file: it is the user's own, and no model that anybody fetched."""
    if name.startswith((".", "/", "~")) or "\\" in name or "\0" in name or os.path.lexists(os.path.expanduser(name)):
        raise ConfigError("model_is_path", path=name[:200], verb=verb)


def _users(queue: Queue, name: str) -> Iterator[JobRow]:
    """Yield the training jobs on a model that are still to be done or are done and there, the newest first."""
    before = None
    while True:
        page = queue.page(kinds=("train",), statuses=(*WAITING, *ACTIVE, "succeeded"), before=before, limit=PAGE)
        for row in page.items:
            config = frozen_config(queue.folder_of(row))
            if _is_on(config, name):
                yield row
        before = page.next_cursor
        if before is None:
            return


def _is_on(config: dict[str, Any], name: str) -> bool:
    base = str(config.get("base_model", ""))
    if name.startswith(OLLAMA) and base.startswith(OLLAMA):
        try:
            return OllamaName.parse(base).key == OllamaName.parse(name).key
        except LlmloraError:
            return False
    folder = Path(str(config.get("base_dir", "")))
    return base.partition("@")[0] == name or (is_hub_name(name) and folder.is_relative_to(repo_folder(name)))
