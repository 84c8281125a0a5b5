"""What a user does to train: check the data, settle every value, make the job folder, run the worker, resume it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from llmlora import __version__
from llmlora.catalog.base_model import BaseModel, resolve_base_model
from llmlora.core.config import TrainConfig, invalid_settings
from llmlora.core.errors import ConfigError, Conflict, DatasetError, NotFound, PackageMissing
from llmlora.core.job import DataSource, JobConfig, read_job, write_job
from llmlora.core.layout import RESULT_FILE, jobs_dir, new_id, run_dir, run_numbers
from llmlora.core.publish import read_json, sha256_file
from llmlora.core.recommend import Facts, Resolved, resolve_config
from llmlora.data.read import ReadOptions
from llmlora.data.validate import CheckReport, check_dataset
from llmlora.services.dataset import read_options
from llmlora.services.packages import require_packages
from llmlora.services.supervisor import OnEvent, run_worker

TRACKER_PACKAGES = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}
RECIPE_KEYS = {"base_model", "data", "eval_data", "format", "columns", "encoding"}


@dataclass(frozen=True)
class TrainRequest:
    """What the user asked for, before anything is settled."""

    base_model: str
    data: Path
    eval_data: Path | None = None
    preset: str | None = None
    training_preset: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    read: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True)
class PlannedJob:
    """A job that can start: everything checked and settled, nothing written yet."""

    job: JobConfig
    base: BaseModel
    report: CheckReport
    resolved: Resolved


def read_recipe(path: Path) -> dict[str, Any]:
    """Read a recipe: base_model and data beside any TrainConfig fields; paths are relative to the recipe file."""
    if not path.is_file():
        raise NotFound("file_not_found", path=str(path))
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError("recipe_unreadable", path=str(path), detail=str(error).splitlines()[0]) from error
    if not isinstance(recipe, dict):
        raise ConfigError("recipe_unreadable", path=str(path), detail=type(recipe).__name__)
    missing = [key for key in ("base_model", "data") if not isinstance(recipe.get(key), str)]
    if missing:
        raise ConfigError("recipe_incomplete", path=str(path), missing=", ".join(missing))
    return {str(key): value for key, value in recipe.items()}


def request_from_recipe(path: Path) -> TrainRequest:
    """Return the request that a recipe file describes."""
    recipe = read_recipe(path)
    base = str(recipe["base_model"])
    folder = path.parent / base
    read = read_options(recipe.get("format"), recipe.get("columns"), recipe.get("encoding"))
    return TrainRequest(
        base_model=str(folder) if "/" in base and folder.is_dir() else base,
        data=path.parent / recipe["data"],
        eval_data=path.parent / recipe["eval_data"] if recipe.get("eval_data") else None,
        recipe={key: value for key, value in recipe.items() if key not in RECIPE_KEYS},
        read=read,
    )


def plan_training(request: TrainRequest) -> PlannedJob:
    """Check model, data and settings, and settle every value; nothing is written.

    Raises:
        NotFound, ModelFileError: the base model; DatasetError: the data cannot be trained on; ConfigError: settings.
    """
    base = resolve_base_model(request.base_model)
    report = _checked(request.data, request)
    if request.eval_data is not None:
        _checked(request.eval_data, request)
    facts = Facts(report.num_examples, base.num_parameters, base.context_length, base.recommended)
    resolved = resolve_config(
        facts,
        recipe=request.recipe,
        training_preset=request.training_preset,
        preset=request.preset,
        overrides=request.settings,
    )
    _check_files_and_packages(resolved.config, base, request)
    job = JobConfig(
        schema="llmlora.job/1",
        id=new_id(),
        base_model=base.name,
        base_dir=str(base.path.absolute()),
        base_digest=base.digest,
        data=_source(request.data, request.read),
        eval_data=_source(request.eval_data, request.read) if request.eval_data else None,
        train=resolved.config,
        reasons=resolved.origins,
        llmlora_version=__version__,
    )
    return PlannedJob(job, base, report, resolved)


def _checked(path: Path, request: TrainRequest) -> CheckReport:
    if not path.is_file():
        raise NotFound("file_not_found", path=str(path))
    report = check_dataset(path, request.read, eval_path=request.eval_data if path == request.data else None)
    if not report.ok:
        errors = [problem for problem in report.problems if problem.level == "error"]
        first = errors[0].to_dict() if errors else {}
        raise DatasetError(
            "dataset_not_trainable",
            path=str(path),
            count=sum(report.counts[code] for code in {problem.code for problem in errors}),
            first=first.get("message", ""),
            line=first.get("line") or "-",
        )
    return report


def _check_files_and_packages(config: TrainConfig, base: BaseModel, request: TrainRequest) -> None:
    require_packages()
    for tracker in config.report_to:
        if importlib.util.find_spec(TRACKER_PACKAGES[tracker]) is None:
            raise PackageMissing(
                "package_missing",
                package=TRACKER_PACKAGES[tracker],
                extra="trackers",
                reason=f"--set report_to={tracker}",
            )
    if config.init_adapter is not None and not (Path(config.init_adapter) / "adapter_config.json").is_file():
        raise NotFound("adapter_not_found", path=config.init_adapter)
    if config.max_length > base.context_length:
        problem = {
            "field": "max_length",
            "code": "over_context",
            "value": config.max_length,
            "limit": base.context_length,
        }
        raise invalid_settings([problem])


def _source(path: Path, read: ReadOptions) -> DataSource:
    return DataSource(
        path=str(path.absolute()),
        sha256=sha256_file(path),
        format=read.format,
        columns=dict(read.columns),
        encoding=read.encoding,
    )


def start_training(planned: PlannedJob, out: Path | None = None, on_event: OnEvent | None = None) -> dict[str, Any]:
    """Make the job folder and train in it; returns the summary that `train --json` prints.

    Raises:
        Conflict: the folder exists and is not empty.
        Stopped: stopped with a checkpoint; `resume_training` goes on.
    """
    folder = (out or jobs_dir() / planned.job.id).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict("folder_not_empty", path=str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    write_job(folder, planned.job)
    return run_worker("train", folder, on_event)


def resume_training(folder: Path, on_event: OnEvent | None = None) -> dict[str, Any]:
    """Go on with a stopped or killed job from its newest whole checkpoint; a finished job returns its summary.

    Raises:
        NotFound: not a job folder, or base model or data are gone.
        Conflict: the data or the base model changed since the job was made.
    """
    if not folder.is_dir():
        raise NotFound("file_not_found", path=str(folder))
    job = read_job(folder)
    finished = _finished_result(folder)
    if finished is not None:
        return finished
    for source in filter(None, (job.data, job.eval_data)):
        if not Path(source.path).is_file():
            raise NotFound("file_not_found", path=source.path)
        if sha256_file(Path(source.path)) != source.sha256:
            raise Conflict("data_changed", path=source.path)
    if resolve_base_model(job.base_model).digest != job.base_digest:
        raise Conflict("base_changed", name=job.base_model)
    return run_worker("train", folder, on_event)


def _finished_result(folder: Path) -> dict[str, Any] | None:
    for run in reversed(run_numbers(folder)):
        path = run_dir(folder, run) / RESULT_FILE
        if path.is_file():
            return dict(read_json(path))
    return None


def train(
    base_model: str,
    data: str | Path,
    *,
    out: str | Path | None = None,
    eval_data: str | Path | None = None,
    preset: str | None = None,
    training_preset: str | None = None,
    on_event: OnEvent | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Fine-tune a base model on a data file and return the summary of the run.

    `settings` are fields of `TrainConfig`; what is not given is recommended. Raises the errors of `plan_training` and
    `start_training`.
    """
    request = TrainRequest(
        base_model=base_model,
        data=Path(data),
        eval_data=Path(eval_data) if eval_data else None,
        preset=preset,
        training_preset=training_preset,
        settings=settings,
    )
    return start_training(plan_training(request), Path(out) if out else None, on_event)
