"""The data of a training job by what a user names: a file, else a dataset that the workspace keeps."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from llmlora.core.errors import NotFound
from llmlora.core.layout import home_dir
from llmlora.services.find import find_dataset
from llmlora.services.kept_datasets import data_file, get_dataset, not_trainable
from llmlora.services.workspace import open_workspace
from llmlora.store import datasets
from llmlora.store.datasets import DatasetRow
from llmlora.store.glance import glance


@dataclass(frozen=True)
class NamedData:
    """A data file; `row` of a dataset that the workspace keeps."""

    path: Path
    row: DatasetRow | None = None


def named_data(word: Path) -> NamedData:
    """Return the data that a word names: a file of that name wins, and what names nothing is taken for a file.

    Raises:
        ConfigError: `dataset_ambiguous`. DatasetError: `kept_dataset_has_errors`. Those of `open_workspace`.
    """
    if os.path.lexists(word) or not glance(home_dir(), datasets.names):
        return NamedData(word)
    with open_workspace() as queue:
        try:
            row = get_dataset(queue.database, find_dataset(queue, str(word)))
        except NotFound:
            return NamedData(word)
        if not row.is_ok:
            raise not_trainable(row)
        return NamedData(data_file(queue.database, row), row)
