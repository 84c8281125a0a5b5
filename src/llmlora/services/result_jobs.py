"""What a finished training job is used for, as work of the queue: evaluated, exported, merged; and exports verified."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmlora.core.compared_files import compared_files
from llmlora.core.errors import NotFound
from llmlora.core.layout import MERGED_DIR, META_FILE, REPORT_FILE, VERIFY_FILE, new_id, work_root
from llmlora.core.locale import has_text, translate
from llmlora.core.publish import read_json
from llmlora.ollama.names import FALLBACK, registered_name, slug
from llmlora.services.compare import compare
from llmlora.services.evaluate import plan_evaluation, write_evaluation
from llmlora.services.export import STITCH_TYPE, plan_export, write_export
from llmlora.services.job_page import job_document
from llmlora.services.kept_datasets import data_file, get_dataset
from llmlora.services.merge import plan_merge
from llmlora.services.ollama import OLLAMA_PREFIX
from llmlora.services.outside_readers import datasets_worked_with
from llmlora.services.queue import Queue
from llmlora.services.queue_progress import frozen_config
from llmlora.services.queued_ollama import datasets_of_export, registration_document
from llmlora.services.verify import plan_verification
from llmlora.services.work_folder import write_work
from llmlora.store.jobs import DatasetUse, JobRow

FEWEST_LETTERS = 3  # of a title that a name in Ollama is made of; fewer say nothing


@dataclass(frozen=True)
class EvaluationWish:
    """What is asked for: a finished job, and the questions of a dataset, or without one those of its training data."""

    job_id: str
    name: str | None = None
    dataset_id: str | None = None
    max_questions: int = 20
    rewrite: bool = False
    check_forgetting: bool = True
    check_quality: bool = True
    glossary: Sequence[str] = ()
    ladder: bool = False


@dataclass(frozen=True)
class ExportWish:
    """What is asked for: a finished job, and the files to make of it; without quantizations its base decides."""

    job_id: str
    name: str | None = None
    quantizations: Sequence[str] | None = None
    adapter: bool = False
    keep_merged: bool = False
    stitch_type: str | None = None


def submit_evaluation(queue: Queue, wish: EvaluationWish) -> JobRow:
    """Put an evaluation into the queue; its report lies in the folder of the job that it is about.

    Raises:
        NotFound: no such job or dataset, or the job has not finished. Those of `plan_evaluation`.
    """
    parent = queue.get(wish.job_id)
    data = None if wish.dataset_id is None else get_dataset(queue.database, wish.dataset_id)
    planned = plan_evaluation(
        queue.folder_of(parent),
        None if data is None else data_file(queue.database, data),
        max_questions=wish.max_questions,
        rewrite=wish.rewrite,
        check_forgetting=wish.check_forgetting,
        check_quality=wish.check_quality,
        glossary=wish.glossary,
        ladder=wish.ladder,
    )
    uses = datasets_worked_with(queue.database.home, planned.job_dir, planned.questions)
    return _submitted(queue, planned.kind, write_evaluation(planned), wish.name, parent, new_id(), uses)


def submit_export(queue: Queue, wish: ExportWish) -> JobRow:
    """Put an export into the queue.

    Raises:
        NotFound: no such job, or it has not finished. Those of `plan_export`.
    """
    parent, export_id = queue.get(wish.job_id), new_id()
    planned = plan_export(
        queue.folder_of(parent),
        work_root(queue.database.home, "export") / export_id,
        wish.quantizations,
        adapter=wish.adapter,
        keep_merged=wish.keep_merged,
        stitch_type=wish.stitch_type or STITCH_TYPE,
    )
    uses = datasets_worked_with(queue.database.home, queue.folder_of(parent))
    return _submitted(queue, planned.kind, write_export(planned), wish.name, parent, export_id, uses)


def submit_merge(queue: Queue, job_id: str, name: str | None = None, dtype: str | None = None) -> JobRow:
    """Put the merge of a job with its base into the queue; the model's folder lies in that of the work.

    Raises:
        NotFound: no such job, or it has not finished. Those of `plan_merge`.
    """
    parent, merge_id = queue.get(job_id), new_id()
    folder = work_root(queue.database.home, "merge") / merge_id
    planned = plan_merge(queue.folder_of(parent), folder / MERGED_DIR, dtype=dtype)
    return _submitted(queue, planned.kind, write_work(planned, folder), name, parent, merge_id)


def submit_verification(queue: Queue, export_id: str) -> JobRow:
    """Put the verification of an export into the queue.

    Raises:
        NotFound: no such export. Conflict: somebody works in it. Those of `plan_verification`.
    """
    parent, verify_id = queue.get(export_id), new_id()
    planned = plan_verification(queue.folder_of(parent))
    folder = work_root(queue.database.home, "verify") / verify_id
    uses = datasets_of_export(queue.database.home, planned.output)
    return _submitted(queue, planned.kind, write_work(planned, folder), None, parent, verify_id, uses)


def _submitted(
    queue: Queue,
    kind: str,
    folder: Path,
    name: str | None,
    parent: JobRow,
    job_id: str,
    uses: Sequence[DatasetUse] = (),
) -> JobRow:
    try:
        return queue.submit(kind, folder, name=name or parent.name, parent_id=parent.id, job_id=job_id, datasets=uses)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def evaluation_document(queue: Queue, job: JobRow) -> dict[str, Any]:
    """Return an evaluation as a JSON object, with its report once there is one."""
    report = _document(queue.folder_of(job) / REPORT_FILE)
    return {**job_document(queue, job), "job_id": job.parent_id, "report": report or None}


def export_document(queue: Queue, job: JobRow) -> dict[str, Any]:
    """Return an export as a JSON object: what was asked for, and the files that are there by now."""
    folder = queue.folder_of(job)
    config = frozen_config(folder)
    asked = {name: config.get(name) for name in ("quantizations", "adapter", "keep_merged")}
    return {
        **job_document(queue, job),
        **asked,
        "job_id": job.parent_id,
        "model_file": _document(folder / META_FILE).get("model_file"),
        "files": export_files(folder),
        "ollama_name": proposed_name(job.name, _base_of(queue, job), job.created_at),
        "ollama": registration_document(folder),
    }


def export_comparison(queue: Queue, export_id: str) -> dict[str, Any]:
    """Return the files of an export side by side; empty while they are not verified. Raises NotFound for no export."""
    return compared_files(_document(queue.folder_of(queue.get_of_kind(export_id, "export")) / VERIFY_FILE))


def proposed_name(title: str, base_model: str | None, created_at: str) -> str:
    """Return a name in Ollama for an export: its title's, or where too little of that can be spelled, base and day."""
    name = slug(title)
    if base_model is not None and (name == FALLBACK or len(re.findall(r"[a-z]", name)) < FEWEST_LETTERS):
        name = slug(f"{base_model.removeprefix(OLLAMA_PREFIX)}-{created_at[5:7]}{created_at[8:10]}")
    return registered_name(name)


def _base_of(queue: Queue, export: JobRow) -> str | None:
    """Return the name of the model that an export's job was trained on, None when the job is gone."""
    try:
        return frozen_config(queue.folder_of(queue.get(export.parent_id or ""))).get("base_model")
    except NotFound:
        return None


def export_files(folder: Path) -> list[dict[str, Any]]:
    """Return the files of an export with their sizes; the verdict of one that is not verified yet is None."""
    verdicts = {item["file"]: item for item in _document(folder / VERIFY_FILE).get("files", ())}
    is_verified_last = _changed_at(folder / VERIFY_FILE) >= _changed_at(folder / META_FILE)
    found = []
    for name, entry in _document(folder / META_FILE).get("files", {}).items():
        if not (folder / name).is_file():
            continue
        judged = verdicts.get(name, {})
        # A verdict is about bytes; other ones than were written fail when the file was damaged since.
        is_damaged = is_verified_last and judged.get("verdict") == "failed"
        if judged.get("sha256") != entry["sha256"] and not is_damaged:
            judged = {}
        found.append(
            {
                "file": name,
                **{key: entry[key] for key in ("quantization", "size_bytes", "sha256")},
                "verdict": judged.get("verdict"),
                "checks": [_worded(check) for check in judged.get("checks") or ()],
            }
        )
    return found


def _changed_at(path: Path) -> int:
    """Return when a file was last written, 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _worded(check: dict[str, Any]) -> dict[str, Any]:
    """Return a check with the `text` of its cause in the current language, None where it has none."""
    key = f"export.cause.{check.get('cause')}"
    return {**check, "text": translate(key) if has_text(key) else None}


def compare_jobs(queue: Queue, job_ids: Sequence[str]) -> dict[str, Any]:
    """Put training jobs of the queue side by side, under the names and statuses that they have there.

    Raises:
        NotFound: no such job, or it is no training job. Those of `compare`.
    """
    rows = [queue.get(job_id) for job_id in job_ids]
    found = compare([queue.folder_of(row) for row in rows])
    shown = ("id", "base_model", "method", "data", "is_evaluated")
    items = [{name: item[name] for name in shown} for item in found["jobs"]]
    return {
        **found,
        "jobs": [{**item, "name": row.name, "status": row.status} for item, row in zip(items, rows, strict=True)],
    }


def _document(path: Path) -> dict[str, Any]:
    """Return what a worker wrote; empty while it is not there, or when somebody damaged it."""
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
