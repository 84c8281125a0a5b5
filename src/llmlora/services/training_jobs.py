"""Training jobs over HTTP: a wish becomes a checked plan, the plan a folder, the folder a job of the queue."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from llmlora.core.bundled_templates import TEMPLATE_NAMES
from llmlora.core.errors import ConfigError, DatasetError, error_from_dict
from llmlora.core.locale import error_texts, has_text, translate, worded_error
from llmlora.services.dataset_check import common_read
from llmlora.services.inspect import inspect_data
from llmlora.services.job_folder import write_training
from llmlora.services.kept_datasets import data_file, get_dataset
from llmlora.services.models import require_known_model
from llmlora.services.plan_training import plan_training
from llmlora.services.queue import Queue
from llmlora.services.queue_progress import frozen_config
from llmlora.services.train_request import training_request
from llmlora.store.datasets import DatasetRow
from llmlora.store.jobs import DatasetUse, JobRow

COUNTED: Final = ("done", "total")  # of a phase that has not said how far it is
FIELDS: Final = ("id", "kind", "name", "status", "reason", "stop_request", "position", "run", "parent_id")
TIMES: Final = ("created_at", "started_at", "ended_at", "deleted_at")


@dataclass(frozen=True)
class TrainingWish:
    """What is asked for: a model by its name, datasets by their ids, presets by name, and single settings."""

    base_model: str
    dataset_id: str
    name: str | None = None
    eval_dataset_id: str | None = None
    preset: str | None = None
    training_preset: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def submit_training(queue: Queue, wish: TrainingWish) -> JobRow:
    """Check a wish, settle every value, and put the job into the queue.

    Raises:
        InputError, NotFound: the model. NotFound: a dataset. DatasetError: `kept_dataset_has_errors`.
        ConfigError: `setting_path_over_http`, or what is wrong with the settings. Those of `plan_training`.
    """
    require_known_model(wish.base_model)
    _refuse_paths(wish.settings)
    data = _trainable(queue, wish.dataset_id)
    held_out = None if wish.eval_dataset_id is None else _trainable(queue, wish.eval_dataset_id)
    request = training_request(
        wish.base_model,
        data_file(queue.database, data),
        eval_data=None if held_out is None else data_file(queue.database, held_out),
        read=common_read(data, held_out),
        preset=wish.preset,
        training_preset=wish.training_preset,
        settings=wish.settings,
    )
    planned = plan_training(request, check=inspect_data)
    uses = [DatasetUse(data.id)] + ([] if held_out is None else [DatasetUse(held_out.id, "eval")])
    folder = write_training(planned)
    try:
        return queue.submit("train", folder, name=wish.name or data.name, datasets=uses, job_id=planned.job.id)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # else the next server would find work that nobody was promised
        raise


def job_document(queue: Queue, job: JobRow) -> dict[str, Any]:
    """Return a job as a JSON object; its error is worded in the current language."""
    config = frozen_config(queue.folder_of(job))
    uses = {use.role: use.dataset_id for use in reversed(job.datasets)}
    return {
        **{name: getattr(job, name) for name in (*FIELDS, *TIMES)},
        "base_model": config.get("base_model"),
        "dataset_id": uses.get("train"),
        "eval_dataset_id": uses.get("eval"),
        "settings": config.get("train") or {},
        "reasons": config.get("reasons") or {},
        "error": worded_error(job.error),
        "result": job.result,
    }


def progress_words(queue: Queue, job_id: str) -> dict[str, Any]:
    """Return how far a job is; `message` says in the current language what it does, or why it does not."""
    found = queue.progress(job_id)
    return {**found, "message": _message(found["message"])}


def _message(message: Mapping[str, Any] | None) -> str | None:
    if message is None or not message["code"]:
        return None
    code, params = message["code"], message["params"]
    if has_text(f"error.{code}.what"):
        texts = error_texts(error_from_dict({"code": code, "params": params}))
        return f"{texts['what']} {texts['why']}"
    keys = (f"cli.phase.{code}", f"api.reason.{code}")
    key = next((key for key in keys if has_text(key)), None)
    return str(code) if key is None else translate(key, **{**dict.fromkeys(COUNTED, "?"), **params})


def _trainable(queue: Queue, dataset_id: str) -> DatasetRow:
    row = get_dataset(queue.database, dataset_id)
    if not row.is_ok:
        count = sum(problem["level"] == "error" for problem in row.problems)
        raise DatasetError("kept_dataset_has_errors", id=row.id, name=row.name, count=count)
    return row


def _refuse_paths(settings: Mapping[str, Any]) -> None:
    """Refuse settings that name files of this machine: a request does not choose what the server reads."""
    template = settings.get("chat_template")
    is_file = template is not None and template not in TEMPLATE_NAMES
    wrong = ["chat_template"] * is_file + ["init_adapter"] * (settings.get("init_adapter") is not None)
    if wrong:
        raise ConfigError("setting_path_over_http", name=wrong[0])
