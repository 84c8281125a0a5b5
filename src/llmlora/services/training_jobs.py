"""Training jobs over HTTP: a wish becomes a checked plan, the plan a folder, the folder a job of the queue."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmlora.core.bundled_templates import TEMPLATE_NAMES
from llmlora.core.errors import ConfigError, NotFound
from llmlora.core.publish import sha256_file
from llmlora.data.problems import Problem
from llmlora.data.read import ReadOptions
from llmlora.data.validate import CheckReport
from llmlora.services.dataset_check import common_read, kept_read
from llmlora.services.inspect import inspect_data
from llmlora.services.job_folder import write_training
from llmlora.services.kept_datasets import data_file, delete_dataset, get_dataset, not_trainable
from llmlora.services.mixed_datasets import Part, keep_mixture, parts_of
from llmlora.services.models import require_known_model
from llmlora.services.plan_training import CheckData, PlannedJob, plan_training
from llmlora.services.queue import Queue
from llmlora.services.recipe import ReplayWish
from llmlora.services.replay import EarlierData, MixingPlace, data_of_job, mixed_with
from llmlora.services.train_request import TrainRequest, training_request
from llmlora.services.workspace_settings import read_settings
from llmlora.store import datasets
from llmlora.store.datasets import DatasetRow
from llmlora.store.jobs import DatasetUse, JobRow
from llmlora.store.records import datasets_read


@dataclass(frozen=True)
class TrainingWish:
    """What is asked for: a model by its name, datasets by their ids, presets by name, and single settings.

    `replay` names earlier data by the id of a dataset or of a job that was trained on it, and its share of all rows.
    """

    base_model: str
    dataset_id: str | None = None
    name: str | None = None
    eval_dataset_id: str | None = None
    preset: str | None = None
    training_preset: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    dataset_ids: Sequence[str] = ()
    shares: Sequence[float] | None = None
    replay: ReplayWish | None = None


@dataclass(frozen=True)
class PlannedWish:
    """A job that can be put into the queue: its plan, its name, the datasets it reads, and the mixture made for it."""

    job: PlannedJob
    name: str
    uses: tuple[DatasetUse, ...]
    mixture_id: str | None = None


def submit_training(queue: Queue, wish: TrainingWish) -> JobRow:
    """Check a wish, settle every value, and put the job into the queue.

    Raises:
        InputError, NotFound: the model. NotFound: a dataset. DatasetError: `kept_dataset_has_errors`.
        ConfigError: `setting_path_over_http`, or what is wrong with the settings. Those of `plan_training`.
    """
    with MixingPlace() as place:
        planned = plan_wish(queue, wish, place)
        try:
            return submit_planned(queue, planned.job, planned.name, planned.uses)
        except BaseException:
            forget_mixture(queue, planned)
            raise


def plan_wish(queue: Queue, wish: TrainingWish, place: MixingPlace) -> PlannedWish:
    """Check a wish and settle every value; of several datasets one is made, earlier rows are mixed in in `place`.

    Raises: those of `submit_training`.
    """
    require_known_model(wish.base_model)
    refuse_paths(wish.settings)
    held_out = None if wish.eval_dataset_id is None else trainable(queue, wish.eval_dataset_id)
    parts = _parts(queue, wish)
    data = keep_mixture(queue.database, parts) if parts else trainable(queue, wish.dataset_id or "")
    mixture_id = data.id if parts else None
    try:
        job = plan_training(request_of(queue, wish, data, held_out, place), check=check_kept(queue))
    except BaseException:
        _forget(queue, mixture_id)
        raise
    uses = datasets_read(queue.database.home, job.job.to_json())
    mixed = tuple(DatasetUse(part.dataset.id, "source", part.share) for part in parts)
    return PlannedWish(job, wish.name or data.name, uses + mixed, mixture_id)


def forget_mixture(queue: Queue, planned: PlannedWish) -> None:
    """Take back the dataset that was made for a job which did not come to be."""
    _forget(queue, planned.mixture_id)


def _forget(queue: Queue, mixture_id: str | None) -> None:
    if mixture_id is not None:
        delete_dataset(queue.database, mixture_id)


def _parts(queue: Queue, wish: TrainingWish) -> list[Part]:
    """Return the parts of the mixture that a wish names; none for one dataset."""
    if bool(wish.dataset_id) == bool(wish.dataset_ids):
        raise ConfigError("one_or_several_datasets")
    if wish.dataset_id:
        return []
    if len(set(wish.dataset_ids)) < len(wish.dataset_ids):
        raise ConfigError("dataset_named_twice")
    return parts_of([trainable(queue, dataset_id) for dataset_id in wish.dataset_ids], wish.shares)


def request_of(
    queue: Queue, wish: TrainingWish, data: DatasetRow, held_out: DatasetRow | None, place: MixingPlace
) -> TrainRequest:
    """Return what is asked for, with the datasets' files; the workspace's defaults stand where nothing is named.

    Earlier rows are mixed in in a file in `place`.

    Raises:
        NotFound: `replay_not_found`. Those of `mixed_with`.
    """
    defaults = read_settings(queue.database)
    request = training_request(
        wish.base_model,
        data_file(queue.database, data),
        eval_data=None if held_out is None else data_file(queue.database, held_out),
        read=common_read(data, held_out),
        preset=wish.preset or defaults.default_preset,
        training_preset=wish.training_preset or defaults.default_training_preset,
        settings=wish.settings,
    )
    kept = defaults.keep_checkpoints
    request = request if kept is None else replace(request, recipe={"save_total_limit": kept})
    if wish.replay is None:
        return request
    return mixed_with(request, _earlier(queue, wish.replay.source), wish.replay.share, place, check_kept(queue))


def _earlier(queue: Queue, source: str) -> EarlierData:
    """Return the data of a dataset, or of a training job, by its id."""
    row = _kept(queue, source)
    if row is not None:
        trainable(queue, source)
        return EarlierData(data_file(queue.database, row), kept_read(row), row.name, source)
    try:
        job = queue.get_of_kind(source, "train")
    except NotFound as error:
        raise NotFound("replay_not_found", source=source) from error
    return replace(data_of_job(queue.folder_of(job), job.name), source=source)


def _kept(queue: Queue, dataset_id: str) -> DatasetRow | None:
    with queue.database.read() as connection:
        return datasets.find(connection, dataset_id)


def submit_planned(queue: Queue, planned: PlannedJob, name: str, uses: Sequence[DatasetUse]) -> JobRow:
    """Write the folder of a planned job and put it into the queue; raise what `write_training` and `submit` do."""
    folder = write_training(planned)
    try:
        return queue.submit("train", folder, name=name, datasets=uses, job_id=planned.job.id)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # else the next server would find work that nobody was promised
        raise


def check_kept(queue: Queue) -> CheckData:
    """Return a check of data files that knows those of datasets already: unchanged ones are not read once more."""

    def check(path: Path, read: ReadOptions, eval_path: Path | None) -> CheckReport:
        with queue.database.read() as connection:
            row = datasets.find(connection, path.parent.name)
        if row is None or data_file(queue.database, row) != path or sha256_file(path) != row.sha256:
            return inspect_data(path, read, eval_path)
        problems = tuple(Problem(**problem) for problem in row.problems)
        return CheckReport(row.is_ok, row.format, row.encoding, row.num_examples, problems, stats=row.stats)

    return check


def trainable(queue: Queue, dataset_id: str) -> DatasetRow:
    """Return a dataset to train on.

    Raises:
        NotFound: `dataset_not_found`. DatasetError: `kept_dataset_has_errors`.
    """
    row = get_dataset(queue.database, dataset_id)
    if not row.is_ok:
        raise not_trainable(row)
    return row


def refuse_paths(settings: Mapping[str, Any]) -> None:
    """Refuse settings that name files of this machine: a request does not choose what the server reads.

    Raises:
        ConfigError: `setting_path_over_http`.
    """
    template = settings.get("chat_template")
    is_file = template is not None and template not in TEMPLATE_NAMES
    wrong = ["chat_template"] * is_file + ["init_adapter"] * (settings.get("init_adapter") is not None)
    if wrong:
        raise ConfigError("setting_path_over_http", name=wrong[0])
