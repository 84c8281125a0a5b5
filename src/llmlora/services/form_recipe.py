"""A recipe as the form of a new job takes and gives it: names and ids of this workspace instead of paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from llmlora.core.config import canonical_name
from llmlora.core.errors import ConfigError, LlmloraError, NotFound
from llmlora.core.job import SCHEMA
from llmlora.services.find import find_job
from llmlora.services.job_recipe import recipe_of_job, recipe_yaml
from llmlora.services.models import list_models
from llmlora.services.plan_training import settle_request
from llmlora.services.queue import Queue
from llmlora.services.recipe import DEFAULT_SHARE, FILE_KEYS, ReplayWish, parse_mapping
from llmlora.services.replay import LARGEST_SHARE, MixingPlace
from llmlora.services.train_request import TrainRequest
from llmlora.services.training_jobs import TrainingWish, check_kept, plan_wish, request_of, trainable
from llmlora.store import datasets

MOST_VALUES: Final = 10_000
MOST_WHOLE: Final = 2**63


def written_recipe(queue: Queue, wish: TrainingWish) -> str:
    """Return the recipe of a job that is not started yet, as YAML; raises what `plan_wish` does.

    Earlier data is named, to be mixed in by whoever trains from the recipe; nothing is kept for it.
    """
    with MixingPlace() as place:
        recipe = recipe_of_job(plan_wish(queue, wish, place).job.job)
        if wish.replay is None:
            return recipe_yaml(recipe)
        alone = recipe_of_job(plan_wish(queue, replace(wish, replay=None), place).job.job)
    files = {name: alone[name] for name in FILE_KEYS if name in alone}
    settings = {name: value for name, value in recipe.items() if name not in FILE_KEYS}
    return recipe_yaml({**files, "replay": wish.replay.source, "replay_share": wish.replay.share, **settings})


def wish_of_recipe(queue: Queue, text: str, name: str) -> dict[str, Any]:
    """Return what a recipe asks for: `base_model`, `dataset_id`, `eval_dataset_id`, `replay`, and changed settings.

    Model and data are looked for among those of the workspace, by the name, the folder or the file that the recipe
    tells; what is not found is None, and `missing` holds the recipe's words for it. Settings that have the value they
    would have anyway are left out.

    Raises:
        ConfigError: `recipe_unreadable`; `recipe_values` for what no setting takes, or too much of it; `replay_share`.
    """
    content = parse_mapping(text, name)
    if not _is_plain(content):
        raise ConfigError("recipe_values", path=name, limit=MOST_VALUES)
    is_job = content.get("schema") == SCHEMA
    train = content.get("train") if is_job else content
    settings = {canonical_name(key): value for key, value in _mapping(train).items() if key not in FILE_KEYS}
    told = {key: _path(content.get(key)) for key in ("base_model", "data", "eval_data")}
    earlier = None if is_job else content.get("replay")  # of a job it is the record of what its data holds already
    told["replay"] = earlier if isinstance(earlier, str) and earlier else None
    base_model = _model(told["base_model"], _path(content.get("base_dir")))
    data, held_out = _dataset(queue, told["data"]), _dataset(queue, told["eval_data"])
    replay = _replay(queue, told["replay"], content.get("replay_share"))
    found = (base_model, data, held_out, replay)
    wish = TrainingWish(base_model or "", data, eval_dataset_id=held_out, settings=settings, replay=replay)
    return {
        "base_model": base_model,
        "dataset_id": data,
        "eval_dataset_id": held_out,
        "replay": replay and asdict(replay),
        "settings": _changes(queue, wish),
        "missing": {key: word for (key, word), at in zip(told.items(), found, strict=True) if word and not at},
    }


def _changes(queue: Queue, wish: TrainingWish) -> dict[str, Any]:
    """Return the settings of a wish without those that are recommended anyway; all where that is not known."""
    try:
        data = trainable(queue, wish.dataset_id or "")
        held_out = None if wish.eval_dataset_id is None else trainable(queue, wish.eval_dataset_id)
        with MixingPlace() as place:
            return _kept_changes(queue, wish, lambda wish: request_of(queue, wish, data, held_out, place))
    except LlmloraError:  # the plan names each wrong value
        return dict(wish.settings)


def _kept_changes(queue: Queue, wish: TrainingWish, request: Callable[[TrainingWish], TrainRequest]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    while True:  # a value that is kept can change what is recommended for others; each turn keeps one more
        settled = settle_request(request(replace(wish, settings=kept)), check_kept(queue)).resolved.config
        values = settled.model_dump(mode="json")
        others = {name: value for name, value in wish.settings.items() if values.get(name) != value}
        if all(name in kept for name in others):
            return kept
        kept = {**kept, **others}


def _model(told: str | None, folder: str | None) -> str | None:
    """Return the name of the listed model that a recipe names, or whose folder it names."""
    wanted = {told, folder} - {None}
    return next((model["name"] for model in list_models() if {model["name"], model["path"]} & wanted), None)


def _dataset(queue: Queue, path: str | None) -> str | None:
    """Return the dataset whose id or file a recipe names, else the newest one that has the file's name."""
    if path is None:
        return None
    with queue.database.read() as connection:
        known = datasets.names(connection)
    file = Path(path)
    if path in known or file.parent.name in known:
        return path if path in known else file.parent.name
    return next((dataset_id for dataset_id, name in known.items() if name in (file.name, file.stem)), None)


def _replay(queue: Queue, told: str | None, share: Any) -> ReplayWish | None:
    """Return the dataset or the training job that a recipe mixes in, by its id, and the share."""
    if told is None:
        return None
    share = DEFAULT_SHARE if share is None else share
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= LARGEST_SHARE:
        raise ConfigError("replay_share", share=str(share)[:50], largest=LARGEST_SHARE)
    source = _dataset(queue, told) or _training_job(queue, told)
    return None if source is None else ReplayWish(source, share)


def _training_job(queue: Queue, word: str) -> str | None:
    """Return the training job that a word means: its name, its id, or the beginning of that."""
    try:
        return queue.get_of_kind(find_job(queue, word), "train").id
    except (ConfigError, NotFound):
        return None


def _path(value: Any) -> str | None:
    """Return a name or path of a recipe; a job's config.json holds it together with the file's hash."""
    found = value.get("path") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) and found else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_plain(content: Any) -> bool:
    """Tell whether a text holds only what JSON can say, and not too much: references can repeat parts endlessly."""
    for number, value in enumerate(_values(content)):
        is_known = value is None or isinstance(value, str | int | float | list | dict)
        if not is_known or number >= MOST_VALUES or (isinstance(value, int) and abs(value) >= MOST_WHOLE):
            return False
    return True


def _values(content: Any) -> Iterator[Any]:
    waiting = [content]
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, list | dict):
            waiting.extend(value.values() if isinstance(value, dict) else value)
