"""Fetch a model of the Hub into the Hub's own cache on this machine, with Hugging Face's client.

A connection that breaks goes on where it stopped, and files that are whole are not fetched again. Until all are there
the cache names no revision, so nobody takes half a model for a whole one. `HF_HOME`, `HF_TOKEN`, `HF_ENDPOINT` and
`HF_HUB_OFFLINE` mean what they mean to every program that uses the client. The client waits without end for what a Hub
says of a model; here nothing is waited for longer than for a piece of a file (`HF_HUB_DOWNLOAD_TIMEOUT`, seconds).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, constants, get_session, hf_hub_download, set_client_factory, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from llmlora.catalog.hub_cache import hub_cache_dir
from llmlora.core.addresses import texts_without_credentials
from llmlora.core.errors import DependencyError, DiskFull, HubAccessDenied, LlmloraError, ModelFileError, NotFound
from llmlora.core.machine import disk_room
from llmlora.core.publish import existing_parent, is_disk_full

FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt", "README.md", "LICENSE*")
OnBytes = Callable[[int, int], None]


def download_model(name: str, on_bytes: OnBytes) -> Path:
    """Fetch `org/name` or `org/name@revision` and return its folder; `on_bytes` gets bytes done and their total.

    Raises:
        NotFound: `hub_not_found`, `hub_revision_not_found`. HubAccessDenied: `hub_gated`, `hub_token_refused`.
        DependencyError: `hub_offline`, `hub_unreachable`, `hub_silent`, `hub_failed`. DiskFull.
        ModelFileError: `hub_no_weights`.
    """
    repo, _, revision = name.partition("@")
    _never_wait_without_end()
    with _typed_errors(name):
        info = HfApi().model_info(repo, revision=revision or None, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or () if _is_wanted(file.rfilename)}
        if not any(file.endswith(".safetensors") for file in sizes):
            raise ModelFileError("hub_no_weights", name=name)
        _check_room(sum(sizes.values()))
        progress = _Progress(sum(sizes.values()), on_bytes)
        for file, size in sizes.items():
            hf_hub_download(repo, file, revision=str(info.sha), tqdm_class=progress.bar())
            progress.file_done(size)
        # All is there: this only looks, and writes down which commit the revision is.
        return Path(snapshot_download(repo, revision=revision or None, allow_patterns=list(FILES)))


def _never_wait_without_end() -> None:
    """Give the client's connections a limit where its calls name none, or one of minutes."""
    own = get_session().event_hooks
    hooks = {**own, "request": [*(hook for hook in own["request"] if hook is not _limit_waiting), _limit_waiting]}
    set_client_factory(lambda: httpx2.Client(event_hooks=hooks, follow_redirects=True, timeout=None))


def _longest_wait() -> float:
    return float(max(constants.HF_HUB_DOWNLOAD_TIMEOUT, constants.HF_HUB_ETAG_TIMEOUT))


def _limit_waiting(request: httpx2.Request) -> None:
    asked, limit = request.extensions.get("timeout") or {}, _longest_wait()
    waits = {name: asked.get(name) for name in ("connect", "read", "write", "pool")}
    request.extensions["timeout"] = {name: limit if wait is None else min(wait, limit) for name, wait in waits.items()}


def _is_wanted(file: str) -> bool:
    return "/" not in file and any(fnmatch(file, pattern) for pattern in FILES)


def _check_room(needed: int) -> None:
    place = existing_parent(hub_cache_dir())
    free, reserve = disk_room(place)
    if needed + reserve > free:
        numbers = {"needed_bytes": needed, "reserve_bytes": reserve, "free_bytes": free}
        raise DiskFull("disk_would_fill", path=str(place), **numbers)


class _Progress:
    """Bytes of all files; a bar of the client's tells of those of the file that is being fetched."""

    def __init__(self, total: int, on_bytes: OnBytes) -> None:
        self._total = total
        self._on_bytes = on_bytes
        self._done = 0

    def file_done(self, size: int) -> None:
        """Count a whole file."""
        self._done += size
        self._on_bytes(self._done, self._total)

    def bar(self) -> type[_Bar]:
        """Return the class of the bar that the client tells of its bytes; it takes any with a bar's methods."""

        class Bar(_Bar):
            progress = self

        return Bar

    def tell(self, seen: int) -> None:
        """Tell of bytes of the file that is being fetched."""
        self._on_bytes(min(self._done + seen, self._total), self._total)


class _Bar:
    """A progress bar, as far as the client uses one: it shows nothing and hands bytes on."""

    progress: _Progress

    def __init__(self, *_: Any, initial: int = 0, **__: Any) -> None:
        self._seen = int(initial)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def close(self) -> None:
        """Do nothing."""

    def update(self, n: float | None = 1) -> None:
        """Count bytes."""
        self._seen += int(n or 0)
        self.progress.tell(self._seen)


@contextmanager
def _typed_errors(name: str) -> Iterator[None]:
    """Turn what the client raises into errors with a next step."""
    try:
        yield
    except LlmloraError:
        raise
    except (OSError, ValueError, httpx2.HTTPError) as error:
        raise _typed(name, error) from error


def _typed(name: str, error: Exception) -> LlmloraError:
    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        return _typed(name, error.__cause__)  # what became of asking for the file; that it is not here is no news
    detail = texts_without_credentials((str(error).strip() or type(error).__name__).splitlines()[0])[:300]
    if isinstance(error, GatedRepoError):
        return HubAccessDenied("hub_gated", name=name, repo=name.partition("@")[0])
    if isinstance(error, RevisionNotFoundError):
        return NotFound("hub_revision_not_found", name=name)
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return NotFound("hub_not_found", name=name)
    if isinstance(error, OfflineModeIsEnabled):
        return DependencyError("hub_offline", name=name)
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            return HubAccessDenied("hub_token_refused", name=name, status=status)
        return DependencyError("hub_failed", name=name, status=status)
    if is_disk_full(error):
        return DiskFull(
            "disk_full", path=str(hub_cache_dir()), free_bytes=disk_room(existing_parent(hub_cache_dir()))[0]
        )
    if isinstance(error, httpx2.TimeoutException):
        return DependencyError("hub_silent", name=name, seconds=_longest_wait())
    return DependencyError("hub_unreachable", name=name, detail=detail)
