"""Finished jobs that stand on one and the same GGUF file."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.job import read_job, update_job
from llmlora.core.layout import new_id, work_root
from llmlora.services.queue import Queue
from llmlora.store import jobs
from llmlora.store.opening import open_store
from reference_model import export
from tiny_jobs import tiny_job


def served_jobs(folder: Path, base: Path | None = None) -> tuple[Path, Path]:
    """Write two jobs whose adapters differ, trained on a GGUF file: `folder/base.gguf`, or a copy of it at `base`."""
    first = tiny_job("llama", folder / "first", {"lora_alpha": 24})
    second = tiny_job("llama", folder / "second", {"lora_alpha": -24, "use_rslora": True})
    file = export(Path(read_job(first).base_dir), folder / "base.gguf", "F16")
    if base is not None:
        base.parent.mkdir(parents=True, exist_ok=True)
        file = Path(shutil.move(file, base))
    digest = resolve_base_model(str(file)).digest
    for job in (first, second):
        update_job(job, id=new_id(), base_model=str(file), base_dir=str(file), base_digest=digest, base_kind="gguf")
    return first, second


def keep_finished(home: Path, job: Path, name: str) -> Path:
    """Move a finished job into a workspace and its index; returns its folder there."""
    identifier = read_job(job).id
    place = work_root(home, "train") / identifier
    with closing(open_store(home)) as database:  # a new index takes in what lies there, by a name of its own
        place.parent.mkdir(parents=True, exist_ok=True)
        job.rename(place)
        Queue(database).submit("train", place, name=name, job_id=identifier)
        with database.write() as connection:
            jobs.change_status(connection, identifier, "claim")
            run = jobs.get(connection, identifier).run
            assert jobs.change_status(connection, identifier, "succeed", run=run)
    return place
