"""Who reads datasets of the workspace without the index knowing: training jobs that lie elsewhere, and commands.

A note in a dataset's folder says where such work lies, and no more. Whether the dataset is held is looked up there:
a job's own folder tells what it reads and how it ended, so that nothing has to be taken back, whoever dies or moves;
what works with a finished job (an evaluation, an export) does not go on once it is ended, and holds while it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from llmlora.core.errors import LlmloraError
from llmlora.core.job import JobConfig
from llmlora.core.layout import CONFIG_FILE, datasets_dir, home_dir, jobs_dir, new_id, run_numbers
from llmlora.core.publish import read_json, write_json
from llmlora.services.follow import lock_holder
from llmlora.store.jobs import DatasetUse
from llmlora.store.rebuild import final_words
from llmlora.store.records import datasets_read

_NOTE: Final = "reader-"  # begins the names of the notes in a dataset's folder
_TRAINED: Final = "trained"  # the role of a dataset that the job was trained on which somebody works with


@dataclass(frozen=True, slots=True)
class OutsideReader:
    """The folder of work that reads a dataset; a training job goes on after it was stopped, other work does not."""

    folder: Path
    is_training: bool


def note_reader(job: JobConfig, folder: Path) -> None:
    """Leave a note with each dataset that a job reads, unless its folder is one in which the index looks itself.

    In a workspace that cannot be written no note is left, and no dataset is deleted either.
    """
    if folder == jobs_dir().absolute() / job.id:
        return
    for use in datasets_read(home_dir(), job.to_json()):
        with suppress(OSError, LlmloraError):
            write_json(_dataset_dir(home_dir(), use.dataset_id) / f"{_NOTE}{job.id}.json", {"folder": str(folder)})


def datasets_worked_with(home: Path, job_dir: Path, questions: Path | None = None) -> tuple[DatasetUse, ...]:
    """Return the datasets that work with a finished job reads: what it was trained on, and that of the questions."""
    config = read_json(job_dir / CONFIG_FILE)
    asked = {} if questions is None else {"data": {"path": str(questions)}}
    uses = [replace(use, role=_TRAINED, share=None) for use in datasets_read(home, config)]
    uses += [replace(use, role="eval") for use in datasets_read(home, asked)]
    return tuple(dict.fromkeys(uses))


@contextmanager
def datasets_held(job_dir: Path, folder: Path, questions: Path | None = None) -> Iterator[None]:
    """Let nobody delete the datasets of a finished job while a command works with it in a folder."""
    notes = []
    for use in datasets_worked_with(home_dir(), job_dir, questions):
        with suppress(OSError, LlmloraError):
            note = _dataset_dir(home_dir(), use.dataset_id) / f"{_NOTE}{new_id()}.json"
            write_json(note, {"folder": str(folder), "is_training": False})
            notes.append(note)
    try:
        yield
    finally:
        for note in notes:
            with suppress(OSError):
                note.unlink(missing_ok=True)


def outside_readers(home: Path, dataset_id: str) -> list[OutsideReader]:
    """Return who reads a dataset without the index knowing, and has not ended."""
    notes = sorted(_dataset_dir(home, dataset_id).glob(f"{_NOTE}*.json"))
    return [reader for note in notes if (reader := _reader(home, dataset_id, note)) is not None]


def _dataset_dir(home: Path, dataset_id: str) -> Path:
    return datasets_dir(home) / dataset_id


def _reader(home: Path, dataset_id: str, note: Path) -> OutsideReader | None:
    """Return who left a note, while that still counts."""
    try:
        found = read_json(note)
        reader = OutsideReader(Path(found["folder"]), bool(found.get("is_training", True)))
        config = read_json(reader.folder / CONFIG_FILE)
        if not reader.is_training:
            return reader if _is_at_work(reader.folder) else None
        return reader if _is_unended(home, dataset_id, note, reader.folder, config) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # moved, deleted, or no job any more


def _is_at_work(folder: Path) -> bool:
    """Tell whether somebody works in a folder, or is about to."""
    return lock_holder(folder) is not None or not run_numbers(folder)


def _is_unended(home: Path, dataset_id: str, note: Path, folder: Path, config: dict[str, Any]) -> bool:
    """Tell whether the training job of a note is there, reads the dataset and has not ended."""
    is_of_job = config["id"] == note.stem.removeprefix(_NOTE)
    reads = dataset_id in {use.dataset_id for use in datasets_read(home, config)}
    runs = run_numbers(folder)
    has_ended = bool(runs) and final_words(folder, runs[-1]) is not None
    return is_of_job and reads and not has_ended
