"""Fine-tune: plan, make the job folder, run the worker; or go on with a job that was stopped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmlora.core.errors import InputError
from llmlora.data.read import read_options
from llmlora.services.follow import OnEvent, lock_holder
from llmlora.services.job_folder import remove_refused, write_training
from llmlora.services.plan_training import PlannedJob, plan_training
from llmlora.services.recipe import DEFAULT_SHARE, ReplayWish
from llmlora.services.replay import MixingPlace, with_replay
from llmlora.services.resume import plan_resume, refuse_with_resume, write_resume
from llmlora.services.resume_places import FILES, STAYED, NewPlaces
from llmlora.services.supervisor import run_worker
from llmlora.services.train_request import training_request


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
    replay: str | Path | None = None,
    replay_share: float = DEFAULT_SHARE,
    on_event: OnEvent | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Fine-tune a base model on a data file and return the summary of the run.

    Instead of model and data, `recipe` names a recipe file (or the `config.json` of a job), and `resume` a job folder
    that goes on from its newest checkpoint; model, data, eval_data, chat_template and init_adapter then say where they
    lie now, if they were moved.
    `replay` is earlier data, or a job that was trained on it, whose rows make up `replay_share` of all.
    `settings` are fields of `TrainConfig`; what is not given is recommended.
    Raises the errors of `training_request`, `plan_training`, `start_training` and `resume_training`.
    """
    read = read_options(format, columns, encoding)
    if resume is not None:
        files = {name: settings.pop(name) for name in FILES if name in settings}
        refuse_with_resume(recipe, out, preset, training_preset, read.given, settings, replay)
        return resume_training(Path(resume), on_event, NewPlaces.of(base_model, data, eval_data, **files))
    folder = Path(out) if out else None
    choices = {"preset": preset, "training_preset": training_preset, "settings": settings, "out": folder}
    request = training_request(base_model, data, recipe, eval_data=eval_data, read=read, **choices)
    wish = None if replay is None else ReplayWish(str(replay), replay_share)
    with MixingPlace() as place:
        planned = plan_training(with_replay(request, wish, place), on_event=on_event)
        return start_training(planned, folder, on_event)


def start_training(planned: PlannedJob, out: Path | None = None, on_event: OnEvent | None = None) -> dict[str, Any]:
    """Make the job folder and train in it; returns the summary that `train --json` prints.

    A run that is refused before its first step leaves no folder behind, so that the corrected command can use it.

    Raises:
        Conflict: the folder exists and is not empty. ResourceError: it cannot be written.
        Stopped: stopped with a checkpoint; `resume_training` goes on.
    """
    keeps_folder = out is not None and os.path.isdir(out)  # never raises, whatever the name
    folder = write_training(planned, out)
    try:
        return {**run_worker("train", folder, on_event), "plan": planned.plan_dict()}
    except InputError:
        remove_refused(folder, keeps_folder)
        raise


def resume_training(folder: Path, on_event: OnEvent | None = None, places: NewPlaces = STAYED) -> dict[str, Any]:
    """Go on with a stopped or killed job from its newest whole checkpoint; a finished job returns its summary.

    Raises:
        NotFound, Conflict, Stopped: those of `plan_resume`, and those of `start_training`.
    """
    planned = plan_resume(folder, places)
    if planned.result is not None:
        return planned.result
    holder = lock_holder(planned.folder)
    if holder is not None and on_event is not None:  # it may be just stopping; the worker waits for it a while
        on_event({"type": "warning", "code": "waiting_for_lock", "params": {"pid": holder}})
    return run_worker("train", write_resume(planned), on_event)
