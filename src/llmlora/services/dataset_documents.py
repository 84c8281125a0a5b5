"""What the command line says of a dataset that the workspace keeps, as JSON documents."""

from __future__ import annotations

from typing import Any, Final

from llmlora.services.kept_datasets import data_file, dataset_document
from llmlora.services.queue import Queue
from llmlora.store.datasets import DatasetRow

SUMMARY: Final = (
    "id",
    "name",
    "description",
    "format",
    "encoding",
    "num_examples",
    "num_bytes",
    "sha256",
    "ok",
    "created_at",
)


def dataset_summary(queue: Queue, row: DatasetRow) -> dict[str, Any]:
    """Return what a list says of a dataset; `path` is where its rows lie."""
    document = dataset_document(row)
    return {**{name: document[name] for name in SUMMARY}, "path": str(data_file(queue.database, row))}


def dataset_details(queue: Queue, row: DatasetRow) -> dict[str, Any]:
    """Return everything about a dataset: the problems of its rows, worded, and numbers."""
    document = dataset_document(row)
    return {**dataset_summary(queue, row), "problems": document["problems"], "stats": document["stats"]}
