"""Write report.json and the self-contained report.html of an evaluation or a finished job, and that of an export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmlora import __version__
from llmlora.core.events import finite, is_passing, read_job_events, step_history
from llmlora.core.job import JobConfig, read_job
from llmlora.core.layout import ANSWERS_FILE, REPORT_FILE, REPORT_PAGE, VERIFY_FILE
from llmlora.core.publish import read_json, write_json, write_text
from llmlora.core.temporary import READ_ONLY
from llmlora.evaluation.pages.evaluation_page import evaluation_page
from llmlora.evaluation.pages.files_page import files_page
from llmlora.evaluation.pages.training_page import training_page

EVALUATION_SCHEMA = "llmlora.evaluation/1"
TRAINING_SCHEMA = "llmlora.training/1"
FEW_ROWS = 50


def write_evaluation_report(folder: Path, job_dir: Path, body: dict[str, Any]) -> dict[str, Any]:
    """Write answers.jsonl, report.json and report.html of an evaluation into its folder; returns the report."""
    report = {"schema": EVALUATION_SCHEMA, "version": __version__, "made_at": _now(), **finite(body)}
    lines = [json.dumps(item, ensure_ascii=False) + "\n" for item in report["items"]]
    write_text(folder / ANSWERS_FILE, "".join(lines))
    page = evaluation_page(report, step_history(job_dir), evaluation_history(job_dir))
    write_text(folder / REPORT_PAGE, page)
    write_json(folder / REPORT_FILE, report)
    return report


def write_training_report(folder: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """Write report.json and report.html of a finished training job into its folder; returns the report.

    `summary` is the document that `train --json` prints; curve, evaluations and findings come from the events.
    """
    job = read_job(folder)
    evaluations = evaluation_history(folder)
    report = {
        "schema": TRAINING_SCHEMA,
        "version": __version__,
        "made_at": _now(),
        "job": {
            "id": job.id,
            "folder": folder.absolute().name,
            "base_model": job.base_model,
            "base_digest": job.base_digest,
            "method": job.method,
            "data": Path(job.data.path).name,
            "data_sha256": job.data.sha256,
            "train": job.to_json()["train"],
            "reasons": dict(job.reasons),
        },
        "summary": finite(summary),
        "evaluations": finite(evaluations),
        "findings": list(_findings(folder)),
        "notes": [*_training_notes(folder, evaluations), *_base_notes(job, summary)],
    }
    write_text(folder / REPORT_PAGE, training_page(report, step_history(folder), folder.absolute()))
    write_json(folder / REPORT_FILE, report)
    return report


def write_files_report(folder: Path) -> None:
    """Write report.html of an export from its `verify.json`: nothing without one, or where nothing may be written."""
    try:
        report = dict(read_json(folder / VERIFY_FILE))
        write_text(folder / REPORT_PAGE, files_page(report, folder.absolute().name, _now()))
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise


def evaluation_history(job_dir: Path) -> list[dict[str, Any]]:
    """Return the losses on held-out rows, one record per evaluated step; of a step evaluated twice the later counts."""
    records: dict[int, dict[str, Any]] = {}
    for event in read_job_events(job_dir):
        if event["type"] == "evaluation":
            records[event["step"]] = {"step": event["step"], **event["metrics"]}
    return [records[step] for step in sorted(records)]


def _findings(job_dir: Path) -> Iterator[dict[str, Any]]:
    for event in read_job_events(job_dir):
        if event["type"] in ("finding", "warning") and not is_passing(event):
            yield {name: event[name] for name in ("type", "code", "step", "params") if name in event}


def _training_notes(folder: Path, evaluations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what limits the numbers of a training report."""
    has_held_out = any(record.get("eval_loss") is not None for record in evaluations)
    rows = _num_rows(folder)
    conditions: list[tuple[bool, str, dict[str, Any]]] = [
        (rows is not None and rows < FEW_ROWS, "training_few_rows", {"count": rows, "advised": FEW_ROWS}),
        (not has_held_out, "training_without_held_out", {}),
    ]
    return [{"code": code, "params": params} for holds, code, params in conditions if holds]


def _base_notes(job: JobConfig, summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is to be known of a base that was trained in blocks: which numbers the trained model stands on."""
    if not summary.get("base_types"):
        return []
    code = "base_of_file" if Path(job.base_dir).is_file() else "base_quantized"
    if "NF4" in summary["base_types"]:
        code = "base_nf4" if job.train.quantization == "nf4" else "base_on_gpu"
    return [{"code": code, "params": {"types": ", ".join(summary["base_types"])}}]


def _num_rows(folder: Path) -> int | None:
    """Return how many rows the last run prepared, None when it did not say."""
    counts = [
        event["params"]["rows"]
        for event in read_job_events(folder)
        if event["type"] == "phase" and event.get("name") == "prepared"
    ]
    return int(counts[-1]) if counts else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
