"""Training jobs that lie outside of the workspace and read its datasets: the index does not know them.

A note in a dataset's folder says where such a job lies, and no more. Whether the dataset is held is looked up there:
the job's own folder tells what it reads and how it ended, so that nothing has to be taken back, whoever dies or moves.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from llmlora.core.errors import LlmloraError
from llmlora.core.job import JobConfig
from llmlora.core.layout import CONFIG_FILE, datasets_dir, home_dir, jobs_dir, run_numbers
from llmlora.core.publish import read_json, write_json
from llmlora.store.rebuild import final_words
from llmlora.store.records import datasets_read

_NOTE: Final = "reader-"  # begins the names of the notes in a dataset's folder


def note_reader(job: JobConfig, folder: Path) -> None:
    """Leave a note with each dataset that a job reads, unless its folder is one in which the index looks itself.

    In a workspace that cannot be written no note is left, and no dataset is deleted either.
    """
    if folder == jobs_dir().absolute() / job.id:
        return
    for use in datasets_read(home_dir(), job.to_json()):
        with suppress(OSError, LlmloraError):
            write_json(_dataset_dir(home_dir(), use.dataset_id) / f"{_NOTE}{job.id}.json", {"folder": str(folder)})


def outside_readers(home: Path, dataset_id: str) -> list[Path]:
    """Return the folders of the jobs outside of a workspace that read a dataset and have not ended."""
    notes = sorted(_dataset_dir(home, dataset_id).glob(f"{_NOTE}*.json"))
    return [folder for note in notes if (folder := _reader(home, dataset_id, note)) is not None]


def _dataset_dir(home: Path, dataset_id: str) -> Path:
    return datasets_dir(home) / dataset_id


def _reader(home: Path, dataset_id: str, note: Path) -> Path | None:
    """Return the folder that a note names while its job is there, reads the dataset and has not ended."""
    try:
        folder = Path(read_json(note)["folder"])
        config = read_json(folder / CONFIG_FILE)
        is_of_job = config["id"] == note.stem.removeprefix(_NOTE)
        reads = dataset_id in {use.dataset_id for use in datasets_read(home, config)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # moved, deleted, or no job any more
    runs = run_numbers(folder)
    has_ended = bool(runs) and final_words(folder, runs[-1]) is not None
    return folder if is_of_job and reads and not has_ended else None
