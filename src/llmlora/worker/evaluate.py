"""Worker kind `evaluate`: compare a finished job with its base model and write the report into the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.errors import Stopped
from llmlora.core.events import EventWriter
from llmlora.core.locale import set_language
from llmlora.evaluation.measuring.evaluate import Evaluation, EvaluationOptions
from llmlora.evaluation.report import write_evaluation_report
from llmlora.inference.trained_job import find_trained
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Evaluate the job that `config.json` names; the result says where the report is and what it counts."""
    set_language(config.get("language"))

    def on_progress(phase: str, num_done: int, total: int) -> None:
        if stop:
            raise Stopped("interrupted")
        params = {"params": {"done": num_done, "total": total}} if total > 1 else {}
        events.emit("phase", name=phase, **params)

    job_dir = Path(config["job_dir"])
    questions = config.get("questions")
    options = EvaluationOptions(
        questions=Path(questions) if questions else None,
        max_questions=int(config["max_questions"]),
        max_new_tokens=config.get("max_new_tokens"),
        rewrite=bool(config.get("rewrite")),
        check_forgetting=bool(config.get("check_forgetting", True)),
        check_quality=bool(config.get("check_quality", True)),
        glossary=tuple(config.get("glossary") or ()),
        ladder=bool(config.get("ladder")),
    )
    moved_to = Path(config["model"]) if config.get("model") else None
    body = Evaluation(find_trained(job_dir, moved_to), options, on_progress).run()
    report = write_evaluation_report(folder, job_dir, body)
    return {"folder": str(folder), "facts": report["facts"], "seconds": report["seconds"]}
