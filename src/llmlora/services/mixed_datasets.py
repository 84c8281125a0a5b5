"""Several datasets as one to train on: rows of all of them in a dataset of its own, made in a limited process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmlora.core.errors import ConfigError
from llmlora.core.layout import new_id, scratch_dir
from llmlora.core.writable import require_workspace
from llmlora.services.dataset_check import kept_read
from llmlora.services.inspect import (
    LEAST_SECONDS,
    MOST_SECONDS,
    READER_MEMORY_BYTES,
    SLOWEST_BYTES_PER_SECOND,
    PlannedInspection,
    run_inspection,
)
from llmlora.services.kept_datasets import NewDataset, data_file, keep_file
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow

SEED = 42  # which rows a share takes depends on it and on nothing else


@dataclass(frozen=True)
class Part:
    """A dataset of a mixture, and which share of its rows is taken."""

    dataset: DatasetRow
    share: float


def parts_of(rows: Sequence[DatasetRow], shares: Sequence[float] | None) -> list[Part]:
    """Return the parts of a mixture; without shares all rows of each dataset.

    Raises:
        ConfigError: `shares_do_not_fit`, not one share for each dataset.
    """
    given = [1.0] * len(rows) if shares is None else list(shares)
    if len(given) != len(rows):
        raise ConfigError("shares_do_not_fit", count=len(rows), shares=len(given))
    return [Part(row, share) for row, share in zip(rows, given, strict=True)]


def keep_mixture(database: Database, parts: Sequence[Part]) -> DatasetRow:
    """Make a dataset of the rows of several; the same parts always give the same file.

    Raises:
        DatasetError: `mix_of_formats`, or what reading them did. DiskFull, ResourceError: it cannot be written.
    """
    require_workspace(scratch_dir())
    output = scratch_dir() / f"{new_id()}.jsonl"
    sources = [
        {"path": str(data_file(database, part.dataset)), "read": kept_read(part.dataset).to_dict(), "share": part.share}
        for part in parts
    ]
    try:
        mix_into(output, sources, sum(part.dataset.num_bytes for part in parts))
        name = " + ".join(part.dataset.name for part in parts)[:200]
        with output.open("rb") as stream:
            return keep_file(database, NewDataset(name, _description(parts), None, output.name), stream)
    finally:
        output.unlink(missing_ok=True)


def mix_into(output: Path, sources: Sequence[Mapping[str, Any]], num_bytes: int) -> None:
    """Write rows of several files of that size together as one, in a limited process.

    Each source is a `path`, how it is read (`read`), and the `share` of its rows. Raises what `keep_mixture` raises.
    """
    seconds = min(MOST_SECONDS, LEAST_SECONDS + 2 * num_bytes / SLOWEST_BYTES_PER_SECOND)
    options = {"sources": list(sources), "seed": SEED}
    run_inspection(PlannedInspection("inspect", "mix", output, options, READER_MEMORY_BYTES, seconds))


def _description(parts: Sequence[Part]) -> str:
    return "\n".join(f"{part.dataset.name} ({part.dataset.id}): {part.share:g}" for part in parts)[:2000]
