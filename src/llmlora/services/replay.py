"""Teach more without losing what was taught: rows of earlier data are mixed into the new ones, and on record."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from llmlora.core.errors import ConfigError, Conflict, NotFound
from llmlora.core.job import SCHEMA, DataSource, Replay, folder_schema, read_job
from llmlora.core.layout import home_dir, replays_dir
from llmlora.core.publish import sha256_file, sha256_json
from llmlora.core.writable import require_workspace
from llmlora.data.read import ReadOptions, read_options
from llmlora.data.validate import check_dataset
from llmlora.services.dataset_check import kept_read
from llmlora.services.find import find_job
from llmlora.services.mixed_datasets import SEED, mix_into
from llmlora.services.named_data import named_data
from llmlora.services.train_request import TrainRequest
from llmlora.services.workspace import open_workspace
from llmlora.store import jobs
from llmlora.store.glance import glance

DEFAULT_SHARE: Final = 0.3
LARGEST_SHARE: Final = 0.95


@dataclass(frozen=True)
class _Earlier:
    """Earlier data: its file, and how it is read."""

    path: Path
    read: ReadOptions


@dataclass(frozen=True)
class ReplayWish:
    """Earlier data to mix in, as a file or a job, and its share of all rows."""

    source: str
    share: float = DEFAULT_SHARE


def with_replay(request: TrainRequest, wish: ReplayWish) -> TrainRequest:
    """Return the request with its rows and the earlier ones in one file of the workspace, and with the record of it.

    The file is named by what is in it, so the same wish gives the same file. Where the earlier data has too few rows
    for the share all of them are taken.

    Raises:
        ConfigError: `replay_share`; `replay_with_columns`, held-out data that is read in a way of its own.
        NotFound: no such file or job. Conflict: `replay_data_changed`. DatasetError: either data cannot be read.
    """
    if not 0 < wish.share <= LARGEST_SHARE:
        raise ConfigError("replay_share", share=wish.share, largest=LARGEST_SHARE)
    if request.eval_data is not None and request.read.given:
        raise ConfigError("replay_with_columns")
    earlier = _earlier(wish.source)
    num_new = check_dataset(request.data, request.read).num_examples
    num_earlier = check_dataset(earlier.path, earlier.read).num_examples
    num_rows = min(num_earlier, max(1, round(wish.share / (1 - wish.share) * num_new)))
    sources = [
        {"path": str(request.data.absolute()), "read": request.read.to_dict(), "share": 1.0},
        {"path": str(earlier.path), "read": earlier.read.to_dict(), "share": num_rows / max(1, num_earlier)},
    ]
    paths = (request.data, earlier.path)
    digests = [sha256_file(path) for path in paths]
    content = [{**source, "path": digest} for source, digest in zip(sources, digests, strict=True)]
    require_workspace(replays_dir())
    output = replays_dir() / f"{sha256_json([content, SEED])}.jsonl"
    if not output.is_file():
        output.parent.mkdir(parents=True, exist_ok=True)
        mix_into(output, sources, sum(path.stat().st_size for path in paths))
    data = DataSource(path=str(earlier.path), sha256=digests[1], **earlier.read.to_dict())
    record = Replay(name=wish.source, data=data, share=wish.share, num_rows=num_rows)
    return replace(request, data=output, read=ReadOptions(), replay=record)


def _earlier(source: str) -> _Earlier:
    """Return the data that a file, a dataset, a job folder or a job of the workspace means."""
    job_dir = _job_dir(source)
    if job_dir is None:
        named = named_data(Path(source))
        if not named.path.is_file():
            raise NotFound("replay_not_found", source=source)
        return _Earlier(named.path.absolute(), kept_read(named.row) if named.row else ReadOptions())
    data = read_job(job_dir).data
    path = Path(data.path)
    if not path.is_file() or sha256_file(path) != data.sha256:
        raise Conflict("replay_data_changed", source=source, path=data.path)
    return _Earlier(path, read_options(data.format, data.columns, data.encoding))


def _job_dir(source: str) -> Path | None:
    path = Path(source)
    if folder_schema(path) == SCHEMA:
        return path.absolute()
    if os.path.lexists(path) or not glance(home_dir(), jobs.names):
        return None
    with open_workspace() as queue:
        try:
            return queue.folder_of(queue.get(find_job(queue, source)))
        except NotFound:
            return None
