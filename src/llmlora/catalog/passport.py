"""The passport of a job or an export: what it was made of, how, by whom, and what was measured, signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from llmlora import __version__
from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.passport_page import passport_page
from llmlora.core.errors import LlmloraError, NotFound, VerificationFailed
from llmlora.core.events import finite, read_job_events
from llmlora.core.job import EXPORT_SCHEMA, JobConfig, folder_schema, read_job, trained_dir
from llmlora.core.layout import (
    CONFIG_FILE,
    ENVIRONMENT_FILE,
    MANIFEST_FILE,
    META_FILE,
    MODELFILE,
    PASSPORT_FILE,
    PASSPORT_PAGE,
    REPORT_FILE,
    RESULT_FILE,
    VERIFY_FILE,
    newest_evaluation_dir,
    run_dir,
    run_numbers,
)
from llmlora.core.publish import read_document, read_json, sha256_file, write_json, write_text
from llmlora.core.signing import SIGNED, is_signed, own_public_key, signed

SCHEMA: Final = "llmlora.passport/1"
RESULTS: Final = ("final_loss", "eval_loss", "perplexity", "num_tokens", "num_steps", "published_step", "seconds")

QUALITIES: Final = ("term_accuracy", "consistency", "safety")
FORGETTING: Final = ("light", "lights", "loss_change")


def write_passport(folder: Path) -> dict[str, Any]:
    """Write `passport.json` and its page into a finished job's or an export's folder, and return it.

    One that still says the same is left as it is.

    Raises:
        NotFound: neither a finished job nor an export, or the job of an export is gone.
    """
    body = passport_body(folder)
    try:
        before = read_passport(folder)
        if is_signed(before) and _said(before) == _said(body):
            return before
    except LlmloraError:
        pass  # none yet, or a damaged one
    passport = signed({**body, "made_at": datetime.now(UTC).isoformat(timespec="seconds")})
    write_json(folder / PASSPORT_FILE, passport)
    write_text(folder / PASSPORT_PAGE, passport_page(passport))
    return passport


def _said(passport: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in passport.items() if name not in (*SIGNED, "made_at")}


def read_passport(folder: Path) -> dict[str, Any]:
    """Return the passport of a folder, checked or not.

    Raises:
        NotFound: `passport_missing`. VerificationFailed: `passport_broken`, it is no JSON object.
    """
    try:
        found = read_json(folder / PASSPORT_FILE)
    except OSError as error:
        raise NotFound("passport_missing", path=str(folder)) from error
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise VerificationFailed("passport_broken", path=str(folder), names=PASSPORT_FILE)
    return found


def passport_problems(folder: Path) -> list[str]:
    """Return what is not as the passport of a folder says: itself, or names of files that changed or are gone.

    Raises: those of `read_passport`.
    """
    passport = read_passport(folder)
    if not is_signed(passport):
        return [PASSPORT_FILE]
    return [name for name, digest in passport["files"].items() if _digest(folder / name) != digest]


def check_passport(folder: Path) -> dict[str, Any]:
    """Return a passport that holds: its `public_key`, whether that `is_own` to this workspace, and `num_files`.

    Raises:
        NotFound: `passport_missing`. VerificationFailed: `passport_broken`, with the names of what changed.
    """
    problems = passport_problems(folder)
    if problems:
        raise VerificationFailed("passport_broken", path=str(folder), names=", ".join(problems))
    passport = read_passport(folder)
    key = passport["public_key"]
    return {"public_key": key, "is_own": key == own_public_key(), "num_files": len(passport["files"])}


def passport_body(folder: Path) -> dict[str, Any]:
    """Return what a passport says, without time and signature."""
    is_export = folder_schema(folder) == EXPORT_SCHEMA
    job_dir = Path(str(read_json(folder / CONFIG_FILE)["job_dir"])) if is_export else folder
    job = read_job(job_dir)
    result_dir = trained_dir(job_dir)
    environment, result = _last(job_dir, ENVIRONMENT_FILE), _last(job_dir, RESULT_FILE)
    times = [event["time"] for event in read_job_events(job_dir) if "time" in event]
    body = {
        "schema": SCHEMA,
        "llmlora_version": __version__,
        "kind": "export" if is_export else "job",
        "job": {"id": job.id, "name": job_dir.name, "llmlora_version": job.llmlora_version},
        "base": {"name": job.base_model, "kind": job.base_kind, "digest": job.base_digest},
        "data": _data(job),
        "training": {
            "method": job.method,
            "seed": job.train.seed,
            "settings": _settings(job),
            "combination": _combination(job),
            "started_at": times[0] if times else None,
            "ended_at": times[-1] if times else None,
            **{name: result.get(name) for name in RESULTS},
        },
        "versions": environment.get("versions", {}),
        "hardware": {"platform": environment.get("platform"), **environment.get("plan", {})},
        "scores": {**_scores(job_dir), "verification": _verdicts(folder) if is_export else None},
        "licenses": _licenses(job),
        "files": dict(_export_files(folder) if is_export else _job_files(folder, result_dir)),
    }
    return dict(finite(body))


def _settings(job: JobConfig) -> dict[str, Any]:
    """Return the settings; a passport goes to others, whom the folders of this machine are no business of."""
    settings = dict(job.to_json()["train"])
    files = {name: Path(settings[name]).name for name in ("chat_template", "init_adapter") if settings[name]}
    return {**settings, **files}


def _combination(job: JobConfig) -> dict[str, Any] | None:
    return (
        None
        if job.combination is None
        else job.combination.model_dump(mode="json", exclude={"members": {"__all__": {"folder"}}})
    )


def _data(job: JobConfig) -> dict[str, Any]:
    held_out = (
        None if job.eval_data is None else {"sha256": job.eval_data.sha256, "name": Path(job.eval_data.path).name}
    )
    source = {"name": Path(job.data.path).name, "sha256": job.data.sha256}
    return {**source, "num_rows": job.num_rows, "held_out": held_out, "other_inputs": sorted(job.inputs.values())}


def _licenses(job: JobConfig) -> list[dict[str, str | None]]:
    """Return the chain of licences: the base's as its files say, the data's as nobody but its owner knows."""
    try:
        base = resolve_base_model(job.base_dir).license
    except LlmloraError:
        base = None
    return [
        {"part": "base", "name": job.base_model, "license": base},
        {"part": "data", "name": Path(job.data.path).name, "license": None},
        {"part": "llmlora", "name": f"llmlora {__version__}", "license": "MIT"},
    ]


def _last(job_dir: Path, name: str) -> dict[str, Any]:
    for run in reversed(run_numbers(job_dir)):
        path = run_dir(job_dir, run) / name
        if path.is_file():
            return read_document(path)
    return {}


def _scores(job_dir: Path) -> dict[str, Any]:
    """Return what the newest evaluation has counted; None of each where there is none."""
    folder = newest_evaluation_dir(job_dir)
    report = {} if folder is None else read_document(folder / REPORT_FILE)
    forgetting, quality = report.get("forgetting"), report.get("quality")
    measured = ("term_accuracy", "consistency", "safety")
    return {
        "evaluation": {"made_at": report["made_at"], **report["facts"]} if report else None,
        "quality": {name: quality[name]["tuned"] for name in measured} if quality else None,
        "forgetting": {name: forgetting.get(name) for name in ("light", "lights", "loss_change")}
        if forgetting
        else None,
    }


def _verdicts(folder: Path) -> list[dict[str, Any]]:
    names = ("file", "verdict", "sha256")
    return [{name: item.get(name) for name in names} for item in read_document(folder / VERIFY_FILE)["files"]]


def _export_files(folder: Path) -> Iterator[tuple[str, str]]:
    for name, entry in read_document(folder / META_FILE)["files"].items():
        if (folder / name).is_file():
            yield name, entry["sha256"]
    for name in (MODELFILE, "README.md"):
        if (folder / name).is_file():
            yield name, sha256_file(folder / name)


def _job_files(folder: Path, result_dir: Path) -> Iterator[tuple[str, str]]:
    yield CONFIG_FILE, sha256_file(folder / CONFIG_FILE)
    for path in sorted(result_dir.iterdir()):
        if path.is_file() and path.name != MANIFEST_FILE:
            yield f"{result_dir.name}/{path.name}", sha256_file(path)


def _digest(path: Path) -> str | None:
    try:
        return sha256_file(path)
    except OSError:
        return None
