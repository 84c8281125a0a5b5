"""Whether a training job can start: data, model, settings, disk and memory are checked, every value is settled."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmlora import __version__
from llmlora.catalog.base_model import BaseModel
from llmlora.catalog.job_inputs import record_inputs
from llmlora.catalog.trained_size import TrainedSize, trained_size
from llmlora.core.config import TrainConfig
from llmlora.core.errors import Conflict, DatasetError, PackageMissing
from llmlora.core.job import RULES, JobConfig
from llmlora.core.layout import jobs_dir, new_id, prepared_dir
from llmlora.core.recommend import Resolved
from llmlora.core.writable import require_output, require_workspace
from llmlora.data.read import ReadOptions
from llmlora.data.validate import CheckReport, check_dataset
from llmlora.services.base_models import open_base_model, require_ollamas_template
from llmlora.services.capacity import check_capacity
from llmlora.services.estimate import estimate
from llmlora.services.follow import OnEvent
from llmlora.services.method_check import require_trainable
from llmlora.services.packages import require_packages
from llmlora.services.preview import check_template
from llmlora.services.settle_training import settle
from llmlora.services.train_request import TrainRequest

CheckData = Callable[[Path, ReadOptions, Path | None], CheckReport]
TRACKER_PACKAGES = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}


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


def plan_training(request: TrainRequest, check: CheckData | None = None, on_event: OnEvent | None = None) -> PlannedJob:
    """Check folder, model, data, settings, disk and memory, and settle every value; no job is written.

    `check` reads the data files; a server gives one that does so in a child process. `on_event` hears of a GGUF file
    that is opened for the first time.

    Raises:
        ResourceError: the workspace or the folder `out` cannot be written. Conflict: the folder `out` is not free.
        NotFound, ModelFileError: the base model; DatasetError: the data cannot be trained on; ConfigError: settings.
        DiskFull, OutOfMemory: this machine cannot hold the run.
    """
    folder = request.out or jobs_dir()
    if request.out is not None:
        check_free(request.out)
    require_workspace(prepared_dir(), *([] if request.out else [jobs_dir()]))
    settled = settle_request(request, check, on_event)
    base, resolved, size, num_rows = settled.base, settled.resolved, settled.size, settled.num_rows
    config = resolved.config
    check_capacity(base, config, size, request.data, folder)
    job = JobConfig(
        schema="llmlora.job/1",
        id=new_id(),
        base_model=base.name,
        base_dir=str(base.path.absolute()),
        base_digest=base.digest,
        base_kind=base.kind,
        **record_inputs(request.data, request.eval_data, request.read.to_dict(), config),
        replay=request.replay,
        train=config,
        reasons=resolved.origins,
        recommended=resolved.recommended,
        has_room=resolved.plan.needs.has_room,
        presets=_presets(request),
        num_rows=num_rows,
        rules=RULES,
        llmlora_version=__version__,
    )
    estimated = estimate(base, config, size, resolved.plan, settled.row_bytes)
    return PlannedJob(job, base, settled.report, resolved, estimated)


@dataclass(frozen=True)
class SettledRequest:
    """A request whose model, data and settings are good, before disk and memory are looked at."""

    base: BaseModel
    report: CheckReport
    resolved: Resolved
    num_rows: int
    size: TrainedSize

    @property
    def row_bytes(self) -> float:
        """The mean size of a row's texts in UTF-8."""
        return float(self.report.stats["num_bytes"]) / max(1, self.num_rows)


def settle_request(
    request: TrainRequest, check: CheckData | None = None, on_event: OnEvent | None = None
) -> SettledRequest:
    """Check model, data and settings, and settle every value; raises what `plan_training` does about them."""
    base = open_base_model(request.base_model, on_event)
    report = _checked(request, request.data, check or check_dataset)
    if request.eval_data is not None:
        _checked(request, request.eval_data, check or check_dataset)
    resolved, num_rows = settle(request, base, report)
    _check_packages(resolved.config)
    require_trainable(base, resolved.config, resolved.plan.num_train_rows)
    if resolved.config.chat_template is not None:
        check_template(base, resolved.config.chat_template)
    elif base.kind == "ollama":
        require_ollamas_template(base)
    return SettledRequest(base, report, resolved, num_rows, trained_size(base.tensors, resolved.config))


def _presets(request: TrainRequest) -> dict[str, str]:
    asked = {"preset": request.preset, "training_preset": request.training_preset}
    return {kind: name for kind, name in asked.items() if name is not None}


def check_free(folder: Path) -> None:
    """Refuse a folder for a job that holds something, or that cannot be written.

    Raises:
        Conflict: `folder_not_empty`. ResourceError: `output_not_writable`.
    """
    require_output(folder, "--out")
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise Conflict("folder_not_empty", path=str(folder))


def _checked(request: TrainRequest, path: Path, check: CheckData) -> CheckReport:
    report = check(path, request.read, request.eval_data if path == request.data else None)
    if not report.ok:
        errors = [problem for problem in report.problems if problem.level == "error"]
        first = errors[0].to_dict() if errors else {}
        none_good = {} if report.num_examples else {"is_none_good": True}
        raise DatasetError(
            "dataset_not_trainable",
            path=str(path),
            count=sum(report.counts[code] for code in {problem.code for problem in errors}),
            first=first.get("message", ""),
            first_hint=first.get("hint", ""),
            line=first.get("line") or "-",
            **none_good,
        )
    return report


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
