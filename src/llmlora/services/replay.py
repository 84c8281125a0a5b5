"""Teach more without losing what was taught: rows of earlier data are mixed into the new ones, and on record."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final

from llmlora.core.errors import ConfigError, Conflict, NotFound
from llmlora.core.job import SCHEMA, DataSource, Replay, folder_schema, read_job
from llmlora.core.layout import home_dir, scratch_dir
from llmlora.core.publish import sha256_file, sha256_json
from llmlora.core.temporary import own_temporary
from llmlora.core.writable import require_workspace
from llmlora.data.mix import MixSource
from llmlora.data.read import ReadOptions, read_options
from llmlora.data.validate import check_dataset
from llmlora.services.dataset_check import kept_read
from llmlora.services.find import find_job
from llmlora.services.mixed_datasets import SEED, mix_into
from llmlora.services.named_data import named_data
from llmlora.services.plan_training import CheckData
from llmlora.services.recipe import ReplayWish
from llmlora.services.train_request import TrainRequest
from llmlora.services.workspace import open_workspace
from llmlora.store import jobs
from llmlora.store.glance import glance

LARGEST_SHARE: Final = 0.95


@dataclass(frozen=True)
class EarlierData:
    """Earlier data: its file, how it is read, what the record calls it, and its id where it has one."""

    path: Path
    read: ReadOptions
    name: str
    source: str | None = None


class MixingPlace:
    """The folder in which a plan mixes rows: made when rows are mixed, gone at the end of the `with` block.

    What a job has kept by then (`write_job_folder`) is the job's. What a killed process leaves goes with the next one.
    """

    def __init__(self) -> None:
        self._held = ExitStack()
        self._folder: Path | None = None

    def __enter__(self) -> MixingPlace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._folder = None
        self._held.close()

    @property
    def folder(self) -> Path:
        """The folder.

        Raises:
            ResourceError, DiskFull: the workspace cannot be written.
        """
        if self._folder is None:
            require_workspace(scratch_dir())
            scratch_dir().mkdir(parents=True, exist_ok=True)
            self._folder = self._held.enter_context(own_temporary(scratch_dir() / "mixed", is_folder=True))
        return self._folder


def with_replay(request: TrainRequest, wish: ReplayWish | None, place: MixingPlace) -> TrainRequest:
    """Return the request with its rows and the earlier ones in one file in `place`, and with the record of it.

    Without a wish that of the request's recipe counts; where that has none either, nothing changes. The file is named
    by what is in it, so the same wish gives the same file. Where the earlier data has too few rows for the share all of
    them are taken.

    Raises:
        ConfigError: `replay_share`.
        NotFound: no such file or job. Conflict: `replay_data_changed`. DatasetError: either data cannot be read.
    """
    wish = wish or request.earlier
    return request if wish is None else mixed_with(request, _earlier(wish.source), wish.share, place)


def mixed_with(
    request: TrainRequest, earlier: EarlierData, share: float, place: MixingPlace, check: CheckData = check_dataset
) -> TrainRequest:
    """Return what `with_replay` does for earlier data that was found already; `check` reads the data files.

    Held-out data that is read in a way of its own is written anew as well, since the mixed rows are.
    """
    if not 0 < share <= LARGEST_SHARE:
        raise ConfigError("replay_share", share=share, largest=LARGEST_SHARE)
    num_new = check(request.data, request.read, None).num_examples
    num_earlier = check(earlier.path, earlier.read, None).num_examples
    num_rows = min(num_earlier, max(1, round(share / (1 - share) * num_new)))
    old = MixSource(earlier.path, earlier.read, num_rows / max(1, num_earlier))
    output, (_, digest) = _written(place, MixSource(request.data, request.read), old)
    held_out, own = request.eval_data, {"train": request.data}
    if held_out is not None and request.read.given:
        own["eval"] = held_out
        held_out, _ = _written(place, MixSource(held_out, request.read))
    data = DataSource(path=str(earlier.path), sha256=digest, **earlier.read.to_dict())
    before = {} if request.replay is None else request.replay.own_files  # of a job, whose rows are mixed ones already
    record = Replay(
        name=earlier.name,
        data=data,
        share=share,
        num_rows=num_rows,
        source=earlier.source,
        own_files={role: str(path.absolute()) for role, path in own.items()} | before,
    )
    return replace(request, data=output, eval_data=held_out, read=ReadOptions(), replay=record)


def _written(place: MixingPlace, *parts: MixSource) -> tuple[Path, list[str]]:
    """Return a file with rows of some files, named by what is in it, and the digests of those."""
    sources = [{"path": str(part.path.absolute()), "read": part.read.to_dict(), "share": part.share} for part in parts]
    digests = [sha256_file(part.path) for part in parts]
    content = [{**source, "path": digest} for source, digest in zip(sources, digests, strict=True)]
    output = place.folder / f"{sha256_json([content, SEED])}.jsonl"
    if not output.is_file():
        mix_into(output, sources, sum(part.path.stat().st_size for part in parts))
    return output, digests


def _earlier(source: str) -> EarlierData:
    """Return the data that a file, a dataset, a job folder or a job of the workspace means."""
    job_dir = _job_dir(source)
    if job_dir is None:
        named = named_data(Path(source))
        if not os.path.isfile(named.path):  # never raises, whatever the name
            raise NotFound("replay_not_found", source=source)
        return EarlierData(named.path.absolute(), kept_read(named.row) if named.row else ReadOptions(), source)
    return data_of_job(job_dir, source)


def data_of_job(job_dir: Path, name: str) -> EarlierData:
    """Return the data that a job was trained on; raises Conflict(replay_data_changed) when it is another one now."""
    data = read_job(job_dir).data
    path = Path(data.path)
    if not path.is_file() or sha256_file(path) != data.sha256:
        raise Conflict("replay_data_changed", source=name, path=data.path)
    return EarlierData(path, read_options(data.format, data.columns, data.encoding), name)


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
