"""Files made of a kept dataset, and datasets made of files that come with llmlora: split, export, samples."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from llmlora.core.assets import asset_path
from llmlora.core.errors import NotFound
from llmlora.core.layout import DATA_STEM, new_id, scratch_dir
from llmlora.core.locale import current_language, translate
from llmlora.core.publish import read_json
from llmlora.core.writable import require_workspace
from llmlora.data.convert import eval_path
from llmlora.services.dataset_check import kept_read
from llmlora.services.dataset_versions import rewritten
from llmlora.services.kept_datasets import NewDataset, data_file, get_dataset, keep_file
from llmlora.services.room import require_room
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow

# The first three are for the first click: questions and answers, conversations, code.
SAMPLES: Final = (
    "level1_basic_qa.json", "sample_chat_data.jsonl", "sample_code_data.jsonl", "sample_training_data.jsonl",
    "customer_support.jsonl", "level2_practical_knowledge.json", "level3_advanced_medical.json",
)  # fmt: skip
ExportFormat = Literal["jsonl", "csv", "source"]


def split(
    database: Database, dataset_id: str, share: float, seed: int = 0, drop_invalid: bool = False
) -> tuple[DatasetRow, DatasetRow]:
    """Make two datasets of one, to train on and to evaluate with; equal rows and seeds give the same two.

    Equal rows never fall on both sides. The dataset itself stays.

    Raises:
        NotFound: no such dataset. ConfigError: `invalid_fraction`. DatasetError: `kept_dataset_has_errors`.
    """
    row = get_dataset(database, dataset_id)
    require_room(database.home, 4 * row.num_bytes)
    choices = {"split": share, "seed": seed, "drop_invalid": drop_invalid}
    with _scratch() as folder:
        output = folder / f"{DATA_STEM}.jsonl"
        rewritten(row, data_file(database, row), kept_read(row), output, choices)
        train, held_out = (
            _keep(database, path, translate(f"api.split_name.{side}", name=row.name), row)
            for side, path in (("train", output), ("eval", eval_path(output)))
        )
    return train, held_out


@contextmanager
def exported(
    database: Database, dataset_id: str, file_format: ExportFormat, drop_invalid: bool = False, raw: bool = False
) -> Iterator[tuple[Path, str]]:
    """Yield a file of a dataset and a name for it: its newest version as it is, or in the canonical form.

    Raises:
        NotFound: no such dataset. DatasetError: `kept_dataset_has_errors`, or `not_tabular` for CSV.
    """
    row = get_dataset(database, dataset_id)
    path = data_file(database, row)
    label = "".join(letter for letter in row.name if letter.isprintable() and letter not in '/\\:*?"<>|')[:80]
    if file_format == "source":
        yield path, f"{label or DATA_STEM}{path.suffix}"
        return
    require_room(database.home, 2 * row.num_bytes)
    with _scratch() as folder:
        output = folder / f"{DATA_STEM}.{file_format}"
        rewritten(row, path, kept_read(row), output, {"drop_invalid": drop_invalid, "raw": raw})
        yield output, f"{label or DATA_STEM}.{file_format}"


def list_samples() -> list[dict[str, Any]]:
    """Return name, title, description, number of rows and type of each bundled sample."""
    return [_sample(file_name) for file_name in SAMPLES]


def keep_sample(database: Database, name: str) -> DatasetRow:
    """Make a dataset of a bundled sample; raise NotFound: `sample_not_found`."""
    file_name = next((file_name for file_name in SAMPLES if Path(file_name).stem == name), None)
    if file_name is None:
        raise NotFound("sample_not_found", name=name, known=", ".join(Path(item).stem for item in SAMPLES))
    sample = _sample(file_name)
    new = NewDataset(sample["title"], sample["description"], sample["type"], file_name)
    with asset_path("datasets", file_name).open("rb") as stream:
        return keep_file(database, new, stream)


def _sample(file_name: str) -> dict[str, Any]:
    path = asset_path("datasets", file_name)
    text = path.read_text(encoding="utf-8")
    rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    type_name = next(
        (name for field, name in (("messages", "chat"), ("text", "text")) if field in rows[0]), "instruction"
    )
    facts = path.with_suffix(".meta.json")
    words = read_json(facts)["disclaimer"][current_language()] if facts.is_file() else ""
    title = translate(f"api.sample.{path.stem}")
    return {"name": path.stem, "title": title, "description": words, "num_examples": len(rows), "type": type_name}


def _keep(database: Database, path: Path, name: str, origin: DatasetRow) -> DatasetRow:
    with path.open("rb") as stream:
        return keep_file(database, NewDataset(name[:200], origin.description, None, path.name), stream)


@contextmanager
def _scratch() -> Iterator[Path]:
    require_workspace(scratch_dir())
    folder = scratch_dir() / new_id()
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
