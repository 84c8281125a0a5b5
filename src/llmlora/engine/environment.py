"""What decides the bits of a job besides its settings: frozen at its first start, recorded by each of its runs."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from torch import nn

from llmlora.core.config import TrainConfig
from llmlora.core.events import EventWriter
from llmlora.core.layout import ENVIRONMENT_FILE, checkpoint_dirs, run_dir, run_numbers
from llmlora.core.machine import threads_asked_for
from llmlora.core.publish import read_json, write_json
from llmlora.engine.batch import Rows
from llmlora.engine.device import DevicePlan, pick_device, plan_device
from llmlora.engine.loss import LossPath
from llmlora.engine.ranks import Ranks
from llmlora.engine.trial import tried_threads

REPLACED_FLOAT16 = ("float16_slow", "float16_cuda_only")  # last words of a plan's reason, and codes of the warning
PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers", "numpy")


@dataclass(frozen=True)
class Environment:
    """One run of a job in `folder`, with what the runs before it have recorded; the first rank records, all read."""

    folder: Path
    run: int
    config: TrainConfig
    ranks: Ranks
    events: EventWriter

    def planned(self, num_parameters: int) -> DevicePlan:
        """Return the device plan of the run before on a resume, else measure one; either way record it with this run.

        A job that began on a GPU and goes on where there is none is planned anew.
        """
        plan = _usable_plan(self.folder) or self._new_plan(num_parameters)
        code = plan.reason.rpartition(".")[2]
        if code in REPLACED_FLOAT16:
            self.events.emit("warning", code=code, params={"dtype": plan.dtype})
        self._record(plan)
        return plan

    def _new_plan(self, num_parameters: int) -> DevicePlan:
        if self.config.method == "full":  # a 16-bit weight would swallow small updates
            return replace(plan_device("float32", num_parameters), reason="engine.dtype.full_float32")
        return plan_device(self.config.dtype, num_parameters)

    def tried(self, plan: DevicePlan, model: nn.Module, rows: Rows, path: LossPath) -> DevicePlan:
        """Return the plan with the threads that a trial of the model confirms, before a job's first step only.

        The number of threads decides bits: what a job has begun with, a resume goes on with.
        """
        is_begun = bool(checkpoint_dirs(self.folder)) or len(_recorded(self.folder)) > 1
        if is_begun or plan.device != "cpu" or plan.num_threads == 1 or threads_asked_for():
            return plan
        threads = tried_threads(model, rows, path, plan.num_threads)
        if threads != plan.num_threads:
            params = {"planned": plan.num_threads, "threads": threads}
            self.events.emit("finding", code="fewer_threads", params=params)
            plan = replace(plan, num_threads=threads)
            self._record(plan)
        return plan

    def record_path(self, path: LossPath) -> None:
        """Keep how rows reach the loss with the run, and say what is not as usual."""
        if self.ranks.is_first:
            file = self._file
            write_json(file, {**read_json(file), "loss_path": asdict(path)})
        if self.config.packing and not path.packing:
            self.events.emit("warning", code="not_packed", params={})
        if path.own_head:
            self.events.emit("finding", code="own_head", params={})

    @property
    def effective_batch_size(self) -> int:
        """Rows per step over all ranks that the job began with: a resume with more or fewer of them keeps it."""
        return self.config.effective_batch_size * int(_recorded(self.folder)[0]["world_size"])

    @property
    def is_exact(self) -> bool:
        """Whether this run computes as the first one: with its versions, on its device, with as many ranks."""
        recorded = _recorded(self.folder)
        first, newest = recorded[0], recorded[-1]
        return all(first[name] == newest[name] for name in ("versions", "plan", "world_size"))

    @property
    def _file(self) -> Path:
        return run_dir(self.folder, self.run) / ENVIRONMENT_FILE

    def _record(self, plan: DevicePlan) -> None:
        environment = {
            "versions": package_versions(),
            "platform": platform.platform(),
            "plan": plan.to_dict(),
            "world_size": self.ranks.world_size,
            "seed": self.config.seed,
        }
        write_json(self._file, environment)


def device_to_use(folder: Path) -> str:
    """Return the device that a job began on where there still is one of the kind, else the one to use here."""
    plan = _usable_plan(folder)
    return plan.device if plan is not None else pick_device()


def _usable_plan(folder: Path) -> DevicePlan | None:
    """Return the plan of the newest run that recorded one, None when its device is not there."""
    recorded = _recorded(folder)
    plan = DevicePlan(**recorded[-1]["plan"]) if recorded else None
    return plan if plan is not None and plan.device in ("cpu", pick_device()) else None


def _recorded(folder: Path) -> list[dict[str, Any]]:
    """Return what each run recorded of versions and device; one that was killed early has recorded nothing.

    Runs of older versions were one process each, and do not say so.
    """
    paths = (run_dir(folder, run) / ENVIRONMENT_FILE for run in run_numbers(folder))
    return [{"world_size": 1, **read_json(path)} for path in paths if path.is_file()]


def package_versions() -> dict[str, str]:
    """Return the installed versions of the packages that decide a result."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "-"
    return versions
