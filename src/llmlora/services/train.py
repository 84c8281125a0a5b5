"""What a user does to train: check the data, settle every value, make the job folder, run the worker, resume it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmlora import __version__
from llmlora.catalog.base_model import BaseModel, resolve_base_model
from llmlora.catalog.job_inputs import check_job_inputs
from llmlora.catalog.trained_size import linear_layers
from llmlora.core.config import TrainConfig
from llmlora.core.errors import (
    ConfigError,
    Conflict,
    DatasetError,
    ExportError,
    InputError,
    NotFound,
    OutOfMemory,
    PackageMissing,
    Stopped,
    error_from_dict,
)
from llmlora.core.events import read_job_events
from llmlora.core.job import RULES, DataSource, JobConfig, create_job, read_job, stopped_early, update_job
from llmlora.core.layout import (
    ADAPTER_DIR,
    CONFIG_FILE,
    MODEL_DIR,
    RESULT_FILE,
    checkpoint_dirs,
    jobs_dir,
    new_id,
    prepared_dir,
    run_dir,
    run_numbers,
)
from llmlora.core.memory import smaller_settings
from llmlora.core.publish import disk_errors, read_json, sha256_file
from llmlora.core.recommend import Facts, Resolved, resolve_config
from llmlora.core.writable import require_output, require_workspace
from llmlora.data.read import ReadOptions, read_options
from llmlora.data.validate import CheckReport, check_dataset
from llmlora.services.capacity import check_capacity
from llmlora.services.estimate import estimate
from llmlora.services.follow import OnEvent, lock_holder
from llmlora.services.launch import scratch_folder
from llmlora.services.next_step import free_place
from llmlora.services.packages import require_packages
from llmlora.services.preview import count_training_rows
from llmlora.services.recipe import Recipe, adapter_dir, adapter_values
from llmlora.services.resume_places import FILES, STAYED, NewPlaces
from llmlora.services.supervisor import run_worker

TRACKER_PACKAGES = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}
LONGEST_CHARACTER, EXTRA_TOKENS = 4, 3  # no text has more tokens than bytes, besides those that a tokenizer adds


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
    out: Path | None = None


@dataclass(frozen=True)
class PlannedJob:
    """A job that can start: everything checked and settled, nothing written yet."""

    job: JobConfig
    base: BaseModel
    report: CheckReport
    resolved: Resolved
    estimate: dict[str, Any] | None = None

    def plan_dict(self) -> dict[str, Any]:
        """Return the JSON object of what was said before the start: steps, ranges of time and memory, warnings."""
        plan = self.resolved.plan
        return {
            "num_steps": plan.num_steps,
            "rows_per_step": plan.rows_per_step,
            "estimate": self.estimate,
            "warnings": plan.warnings(),
        }


def training_request(
    base_model: str | None,
    data: str | Path | None,
    recipe: str | Path | None = None,
    *,
    eval_data: str | Path | None = None,
    read: ReadOptions | None = None,
    **choices: Any,
) -> TrainRequest:
    """Return what is asked for: model and data by name, or a recipe with what is given on top of it.

    `recipe` is a recipe file or the `config.json` of a job; `choices` are further fields of `TrainRequest`.

    Raises:
        ConfigError: neither, or both, of recipe and model with data; a wrong recipe.
    """
    if recipe is None:
        if base_model is None or data is None:
            missing = "--model" if base_model is None else "--data"
            raise ConfigError("missing_argument", name=missing, command="llmlora train")
        request = TrainRequest(base_model, Path(data), **choices)
    elif base_model is not None or data is not None:
        raise ConfigError("recipe_or_options")
    else:
        found = Recipe.read(Path(recipe))
        request = TrainRequest(
            found.base_model, found.data, found.eval_data, recipe=found.settings, read=found.read_options, **choices
        )
    given = read or ReadOptions()
    merged = ReadOptions(
        format=given.format or request.read.format,
        columns={**request.read.columns, **given.columns},
        encoding=given.encoding or request.read.encoding,
    )
    return replace(request, eval_data=Path(eval_data) if eval_data else request.eval_data, read=merged)


def plan_training(request: TrainRequest) -> PlannedJob:
    """Check folder, model, data, settings, disk and memory, and settle every value; nothing is written.

    Raises:
        ResourceError: the workspace or the folder `out` cannot be written. Conflict: the folder `out` is not free.
        NotFound, ModelFileError: the base model; DatasetError: the data cannot be trained on; ConfigError: settings.
        DiskFull, OutOfMemory: this machine cannot hold the run.
    """
    folder = request.out or jobs_dir()
    if request.out is not None:
        _check_free(request.out)
    require_workspace(prepared_dir(), *([] if request.out else [jobs_dir()]))
    base = resolve_base_model(request.base_model)
    report = _checked(request.data, request)
    if request.eval_data is not None:
        _checked(request.eval_data, request)
    resolved, num_rows = _settled(request, base, report)
    config = resolved.config
    _check_packages(config)
    check_capacity(base, config, request.data, folder)
    job = JobConfig(
        schema="llmlora.job/1",
        id=new_id(),
        base_model=base.name,
        base_dir=str(base.path.absolute()),
        base_digest=base.digest,
        data=_source(request.data, request.read),
        eval_data=_source(request.eval_data, request.read) if request.eval_data else None,
        train=config,
        inputs=_input_hashes(config),
        reasons=resolved.origins,
        recommended=resolved.recommended,
        num_rows=num_rows,
        rules=RULES,
        llmlora_version=__version__,
    )
    row_bytes = report.stats["num_bytes"] / max(1, num_rows)
    return PlannedJob(job, base, report, resolved, estimate(base, config, resolved.plan, row_bytes))


def _checked(path: Path, request: TrainRequest) -> CheckReport:
    report = check_dataset(path, request.read, eval_path=request.eval_data if path == request.data else None)
    if not report.ok:
        errors = [problem for problem in report.problems if problem.level == "error"]
        first = errors[0].to_dict() if errors else {}
        raise DatasetError(
            "dataset_not_trainable",
            path=str(path),
            count=sum(report.counts[code] for code in {problem.code for problem in errors}),
            first=first.get("message", ""),
            first_hint=first.get("hint", ""),
            line=first.get("line") or "-",
        )
    return report


def _settled(request: TrainRequest, base: BaseModel, report: CheckReport) -> tuple[Resolved, int]:
    """Settle every value, and return how many training rows there are.

    Where an example may make several rows, or none, they are counted before the steps are: with what was settled
    without them, and which does not depend on their number.
    """
    first = _resolved(request, base, report, {}, is_estimate=True)
    counted = {}
    if _may_differ(report, first.config):
        counted = count_training_rows(request.data, base, request.read, first.config)
    return _resolved(request, base, report, counted), counted.get("num_rows", report.num_examples)


def _may_differ(report: CheckReport, config: TrainConfig) -> bool:
    """Tell whether there may be other training rows than one of each example, or others held out than their share."""
    stats = report.stats
    if report.format == "text" and config.split_long_text:
        return bool(LONGEST_CHARACTER * stats["characters"]["max"] + EXTRA_TOKENS > config.max_length)
    has_copies = bool(config.validation_split and stats["num_duplicates"])
    return config.drop_overlong or has_copies or stats["answers"]["max"] > 1


def _resolved(
    request: TrainRequest,
    base: BaseModel,
    report: CheckReport,
    counted: Mapping[str, int],
    is_estimate: bool = False,
) -> Resolved:
    """Settle every value; files that settings name become absolute, so that the job can go on from anywhere."""
    recipe, settings = _absolute_files(request.recipe), _absolute_files(request.settings)
    init_adapter = settings.get("init_adapter", recipe.get("init_adapter"))
    facts = Facts(
        num_rows=counted.get("num_rows", report.num_examples),
        num_examples=report.num_examples,
        num_train_rows=counted.get("num_train_rows"),
        is_estimate=is_estimate,
        has_different_rows=report.stats["num_duplicates"] < report.num_examples - 1,
        num_parameters=base.num_parameters,
        context_length=base.context_length,
        own_values=base.recommended,
        has_eval_data=request.eval_data is not None,
        layers=linear_layers(base.path),
    )
    return resolve_config(
        facts,
        recipe=recipe,
        training_preset=request.training_preset,
        preset=request.preset,
        overrides=settings,
        adapter=adapter_values(Path(init_adapter), base) if isinstance(init_adapter, str) else None,
    )


def _absolute_files(settings: Mapping[str, Any]) -> dict[str, Any]:
    absolute = dict(settings)
    adapter, template = settings.get("init_adapter"), settings.get("chat_template")
    if isinstance(adapter, str):
        absolute["init_adapter"] = str(adapter_dir(Path(adapter)).absolute())
    if isinstance(template, str) and ("/" in template or "." in template):  # else the name of a bundled one
        absolute["chat_template"] = str(Path(template).expanduser().absolute())
    return absolute


def _check_packages(config: TrainConfig) -> None:
    require_packages()
    for tracker in config.report_to:
        if importlib.util.find_spec(TRACKER_PACKAGES[tracker]) is None:
            raise PackageMissing(
                "package_missing",
                package=TRACKER_PACKAGES[tracker],
                extra="trackers",
                reason=f"--set report_to={tracker}",
            )


def _source(path: Path, read: ReadOptions) -> DataSource:
    return DataSource(
        path=str(path.absolute()),
        sha256=sha256_file(path),
        format=read.format,
        columns=dict(read.columns),
        encoding=read.encoding,
    )


def _input_hashes(config: TrainConfig) -> dict[str, str]:
    """Return the hashes of the further files a run reads: the template, and the adapter it starts from."""
    files = [Path(config.chat_template)] if config.chat_template is not None else []
    if config.init_adapter is not None:
        files += sorted(Path(config.init_adapter).glob("adapter_*"))
    return {str(path): sha256_file(path) for path in files if path.is_file()}


def export_refusal(planned: PlannedJob) -> ExportError | None:
    """Return why the planned job's model cannot become a GGUF file, found out in a worker process; None when it can."""
    with scratch_folder({"base_dir": planned.job.base_dir}) as work:
        refusal = run_worker("inspect", work, None)["refusal"]
    error = error_from_dict(refusal) if refusal else None
    return error if isinstance(error, ExportError) else None


def start_training(planned: PlannedJob, out: Path | None = None, on_event: OnEvent | None = None) -> dict[str, Any]:
    """Make the job folder and train in it; returns the summary that `train --json` prints.

    A run that is refused before its first step leaves no folder behind, so that the corrected command can use it.

    Raises:
        Conflict: the folder exists and is not empty. ResourceError: it cannot be written.
        Stopped: stopped with a checkpoint; `resume_training` goes on.
    """
    folder = (out or jobs_dir() / planned.job.id).absolute()
    _check_free(folder)
    existed = folder.is_dir()
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            create_job(folder, planned.job)
    except FileExistsError as error:
        raise Conflict("folder_not_empty", path=str(folder)) from error
    try:
        return {**_run(folder, planned.job, on_event), "plan": planned.plan_dict()}
    except InputError:
        if not checkpoint_dirs(folder):
            _undo(folder, existed)
        raise


def _check_free(folder: Path) -> None:
    """Refuse a folder for a job that holds something, or that cannot be written."""
    require_output(folder, "--out")
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise Conflict("folder_not_empty", path=str(folder))


def _undo(folder: Path, existed: bool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if existed:
        folder.mkdir(exist_ok=True)


def _run(folder: Path, job: JobConfig, on_event: OnEvent | None) -> dict[str, Any]:
    """Run the worker; when memory runs out, say which smaller settings to repeat the job with."""
    try:
        return run_worker("train", folder, on_event)
    except Stopped as error:
        if error.has_checkpoint:
            raise
        raise Stopped("stopped_before_training", folder=str(folder)) from error
    except OutOfMemory as error:
        proposals = smaller_settings(job.train, _least_length(folder))
        if not proposals:
            raise OutOfMemory("train_memory_at_least", folder=str(folder)) from error
        params = {
            "folder": str(folder),
            "config": str(folder / CONFIG_FILE),
            "out": str(free_place(folder)),
            "first": proposals[0],
            "further": " / ".join(proposals[1:]) or "-",
        }
        if error.code == "worker_killed":  # perhaps by the system, perhaps by somebody
            raise OutOfMemory("train_killed", **params) from error
        raise OutOfMemory("train_out_of_memory", detail=error.params.get("detail", ""), **params) from error


def _least_length(folder: Path) -> int | None:
    """Return how short rows may become, if a run of the job has prepared them."""
    recorded = [event.get("params", {}) for event in read_job_events(folder) if event.get("name") == "prepared"]
    return recorded[-1].get("least_length") if recorded else None


def resume_training(folder: Path, on_event: OnEvent | None = None, places: NewPlaces = STAYED) -> dict[str, Any]:
    """Go on with a stopped or killed job from its newest whole checkpoint; a finished job returns its summary.

    `places` says where base model, data, template and first adapter lie now, if they were moved; their bytes must be
    the same.

    Raises:
        NotFound: not a job folder, or base model or data are gone.
        Conflict: the data, the base model or another file of the job changed since it was made.
    """
    if not os.path.exists(folder):  # unlike Path.exists, silent about names that are too long
        raise NotFound("file_not_found", path=str(folder))
    folder = folder.absolute()
    job = read_job(folder)
    finished = _finished_result(folder, job)
    if finished is not None:
        return finished
    try:
        moved, base = places.applied(job, folder)
        check_job_inputs(moved, base)
    except KeyboardInterrupt as error:  # reading large files takes its time
        raise stopped_early(folder) from error
    if moved != job:  # or a bundled model of a newer installation, with the same bytes
        values = moved.to_json()
        update_job(folder, **{name: values[name] for name in ("base_model", "base_dir", "data", "eval_data", "places")})
    holder = lock_holder(folder)
    if holder is not None and on_event is not None:  # it may be just stopping; the worker waits for it a while
        on_event({"type": "warning", "code": "waiting_for_lock", "params": {"pid": holder}})
    return _run(folder, moved, on_event)


def _finished_result(folder: Path, job: JobConfig) -> dict[str, Any] | None:
    """Return the summary of a finished job whose result is still there, wherever the folder lies now."""
    trained = folder / (MODEL_DIR if job.method == "full" else ADAPTER_DIR)
    for run in reversed(run_numbers(folder)):
        path = run_dir(folder, run) / RESULT_FILE
        if path.is_file() and trained.is_dir():
            return {**read_json(path), "adapter_dir": str(trained)}
    return None


def train(
    base_model: str | None = None,
    data: str | Path | None = None,
    *,
    recipe: str | Path | None = None,
    resume: str | Path | None = None,
    out: str | Path | None = None,
    eval_data: str | Path | None = None,
    preset: str | None = None,
    training_preset: str | None = None,
    format: str | None = None,  # noqa: A002 - the name of the option
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    on_event: OnEvent | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Fine-tune a base model on a data file and return the summary of the run.

    Instead of model and data, `recipe` names a recipe file (or the `config.json` of a job), and `resume` a job folder
    that goes on from its newest checkpoint; model, data, eval_data, chat_template and init_adapter then say where they
    lie now, if they were moved.
    `settings` are fields of `TrainConfig`; what is not given is recommended.
    Raises the errors of `training_request`, `plan_training`, `start_training` and `resume_training`.
    """
    read = read_options(format, columns, encoding)
    if resume is not None:
        files = {name: settings.pop(name) for name in FILES if name in settings}
        refuse_with_resume(recipe, out, preset, training_preset, read.given, settings)
        return resume_training(Path(resume), on_event, NewPlaces.of(base_model, data, eval_data, **files))
    folder = Path(out) if out else None
    choices = {"preset": preset, "training_preset": training_preset, "settings": settings, "out": folder}
    request = training_request(base_model, data, recipe, eval_data=eval_data, read=read, **choices)
    return start_training(plan_training(request), folder, on_event)


def refuse_with_resume(*others: Any) -> None:
    """Raise ConfigError when settings are given beside the job to go on with: its own config.json says all."""
    if any(others):
        raise ConfigError("resume_alone")
