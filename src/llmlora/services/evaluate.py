"""Compare a finished job with its base model: same questions, same rows, before and after."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from llmlora.core.errors import ConfigError, Conflict, InputError, NotFound, Stopped
from llmlora.core.job import read_job, trained_dir
from llmlora.core.layout import (
    CONFIG_FILE,
    REPORT_FILE,
    REPORT_PAGE,
    evaluation_dir,
    evaluation_numbers,
    newest_evaluation_dir,
)
from llmlora.core.locale import current_language
from llmlora.core.publish import read_document, write_json
from llmlora.core.writable import require_job_folder
from llmlora.data.container import require_file
from llmlora.data.text_file import read_utf8
from llmlora.services.follow import OnEvent
from llmlora.services.outside_readers import datasets_held
from llmlora.services.packages import require_packages
from llmlora.services.supervisor import run_worker

SCHEMA = "llmlora.evaluation_job/1"
MAX_QUESTIONS = 20


@dataclass(frozen=True)
class PlannedEvaluation:
    """An evaluation that can start: a finished job whose folder can be written, and a file of questions or none."""

    job_dir: Path
    questions: Path | None
    max_questions: int
    max_new_tokens: int | None
    rewrite: bool
    check_forgetting: bool
    check_quality: bool
    glossary: tuple[str, ...]
    model: Path | None
    ladder: bool
    kind: ClassVar[str] = "evaluate"

    def to_config(self) -> dict[str, Any]:
        """Return the `config.json` of the evaluation folder; its report is worded in the language of now."""
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "job_dir": str(self.job_dir),
            "questions": str(self.questions) if self.questions else None,
            "max_questions": self.max_questions,
            "max_new_tokens": self.max_new_tokens,
            "rewrite": self.rewrite,
            "check_forgetting": self.check_forgetting,
            "check_quality": self.check_quality,
            "glossary": list(self.glossary),
            "model": str(self.model) if self.model else None,
            "ladder": self.ladder,
            "language": current_language(),
        }


def plan_evaluation(
    job_dir: str | Path,
    questions: str | Path | None = None,
    *,
    max_questions: int = MAX_QUESTIONS,
    max_new_tokens: int | None = None,
    rewrite: bool = False,
    check_forgetting: bool = True,
    check_quality: bool = True,
    glossary: Sequence[str] = (),
    model: str | Path | None = None,
    ladder: bool = False,
) -> PlannedEvaluation:
    """Check that a job can be evaluated; nothing is written.

    Raises:
        NotFound: no job, not finished, or the questions are gone. ConfigError: an option.
        ResourceError: the job's folder cannot be written.
    """
    folder = Path(job_dir).absolute()
    read_job(folder)
    trained_dir(folder)
    file = None if questions is None else Path(questions).absolute()
    if file is not None:
        require_file(file)
    _check_at_least_one("max_questions", max_questions)
    _check_at_least_one("max_new_tokens", max_new_tokens)
    require_packages()
    require_job_folder(folder)
    base = Path(model).absolute() if model else None
    return PlannedEvaluation(
        job_dir=folder,
        questions=file,
        max_questions=max_questions,
        max_new_tokens=max_new_tokens,
        rewrite=rewrite,
        check_forgetting=check_forgetting,
        check_quality=check_quality,
        glossary=tuple(glossary),
        model=base,
        ladder=ladder,
    )


def write_evaluation(planned: PlannedEvaluation) -> Path:
    """Make the next evaluation folder of the job and return it; nothing runs."""
    folder = _new_folder(planned.job_dir)
    write_json(folder / CONFIG_FILE, planned.to_config())
    return folder


def evaluate(
    job_dir: str | Path,
    questions: str | Path | None = None,
    on_event: OnEvent | None = None,
    *,
    max_questions: int = MAX_QUESTIONS,
    max_new_tokens: int | None = None,
    rewrite: bool = False,
    check_forgetting: bool = True,
    check_quality: bool = True,
    glossary: Sequence[str] = (),
    model: str | Path | None = None,
) -> dict[str, Any]:
    """Evaluate a finished job and return its report (schema llmlora.evaluation/1) with the paths of its files.

    Without `questions` the bundled questions of a bundled data set are asked, else rows of the training data.
    `max_new_tokens` is fitted to the reference answers when it is not given; `rewrite` asks in other words, too;
    `check_quality` measures terms (names, and those of `glossary`), consistency, safety and fluency; `model` is the
    folder of the base model when it was moved.

    Raises:
        NotFound: no job, not finished, or a file is gone. DatasetError: the questions. ModelFileError: the models.
        ConfigError: an option. ResourceError: the job's folder cannot be written.
    """
    planned = plan_evaluation(
        job_dir,
        questions,
        max_questions=max_questions,
        max_new_tokens=max_new_tokens,
        rewrite=rewrite,
        check_forgetting=check_forgetting,
        check_quality=check_quality,
        glossary=glossary,
        model=model,
    )
    return _evaluated(planned, on_event)


def ladder(
    job_dir: str | Path,
    questions: str | Path | None = None,
    on_event: OnEvent | None = None,
    *,
    max_questions: int = MAX_QUESTIONS,
    max_new_tokens: int | None = None,
    model: str | Path | None = None,
) -> dict[str, Any]:
    """Evaluate a finished job and find out whether tuning was needed: could a prompt, or examples, do as well?

    The report is that of `evaluate`; its `ladder` compares the base, the base with a system message, the base with
    rows of the training data as examples, and the tuned model. Raises what `evaluate` raises.
    """
    planned = plan_evaluation(
        job_dir, questions, max_questions=max_questions, max_new_tokens=max_new_tokens, model=model, ladder=True
    )
    return _evaluated(planned, on_event)


def _evaluated(planned: PlannedEvaluation, on_event: OnEvent | None) -> dict[str, Any]:
    folder = write_evaluation(planned)
    try:
        with datasets_held(planned.job_dir, folder, planned.questions):
            run_worker(planned.kind, folder, on_event)
    except (InputError, NotFound, Conflict, Stopped):
        shutil.rmtree(folder, ignore_errors=True)  # nothing was measured, so there is nothing to keep
        raise
    report = read_document(folder / REPORT_FILE)
    return {**report, "folder": str(folder), "report_page": str(folder / REPORT_PAGE)}


def newest_evaluation(job_dir: Path) -> dict[str, Any] | None:
    """Return the report of a job's newest finished evaluation, None when there is none."""
    folder = newest_evaluation_dir(job_dir)
    return None if folder is None else read_document(folder / REPORT_FILE)


def read_glossary(path: str | Path) -> list[str]:
    """Return the terms of a text file in UTF-8, one a line.

    Raises:
        NotFound: no such file. ConfigError: `text_not_utf8`.
    """
    file = Path(path)
    require_file(file)
    return [term for line in read_utf8(file).splitlines() if (term := line.strip())]


def _check_at_least_one(name: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise ConfigError("bad_evaluate_option", name=name, option=f"--{name.replace('_', '-')}", value=value)


def _new_folder(job_dir: Path) -> Path:
    """Make the next evaluation folder; another process that takes the same number at once gets the one after."""
    number = (evaluation_numbers(job_dir) or [0])[-1] + 1
    while True:
        folder = evaluation_dir(job_dir, number)
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder
