"""Show what a model would be trained on, before any training: the rows as the loss sees them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmlora.catalog.base_model import BaseModel, resolve_base_model
from llmlora.core.config import TrainConfig, invalid_settings
from llmlora.core.recommend import MAX_CONTEXT
from llmlora.data.container import require_file
from llmlora.data.convert import Overlong
from llmlora.data.problems import Problem
from llmlora.data.read import ReadOptions, read_options
from llmlora.services.follow import OnEvent
from llmlora.services.launch import scratch_folder
from llmlora.services.supervisor import run_worker

OPTIONS = ("max_length", "assistant_only_loss", "chat_template", "system", "split_long_text", "drop_overlong")


def preview_dataset(
    path: str | Path,
    base_model: str,
    n: int = 3,
    *,
    format: str | None = None,  # noqa: A002 - the name of the option
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    settings: Mapping[str, Any] | None = None,
    on_event: OnEvent | None = None,
) -> dict[str, Any]:
    """Return the first `n` training rows with each token's state, and counts over the whole file.

    `settings` may hold the settings named in OPTIONS, as in training. The rows are read
    from the same arrays that training uses.

    Raises:
        NotFound: file or model. DatasetError, ModelFileError, ConfigError: what training would refuse as well.
    """
    read = read_options(format, columns, encoding)
    require_file(Path(path))
    base = resolve_base_model(base_model)
    config = {
        "task": "preview",
        "num_rows": n,
        "options": {**_known(settings or {}), "max_length": _max_length(base, (settings or {}).get("max_length"))},
        **_common(Path(path), base, read),
    }
    with scratch_folder(config) as work:
        result = run_worker("prepare", work, on_event)
    return {"path": str(path), "base_model": base.name, **result}


def check_with_model(
    path: Path,
    base_model: str,
    read: ReadOptions,
    *,
    eval_path: Path | None = None,
    max_length: int | None = None,
    drop_overlong: bool = False,
    on_event: OnEvent | None = None,
) -> dict[str, Any]:
    """Return the document of `dataset check` with token lengths and unknown tokens counted for a model."""
    base = resolve_base_model(base_model)
    config = {
        "task": "count",
        "eval_path": str(eval_path.absolute()) if eval_path else None,
        "max_length": _max_length(base, max_length),
        "drop_overlong": drop_overlong,
        **_common(path, base, read),
    }
    with scratch_folder(config) as work:
        report = run_worker("prepare", work, on_event)
    return {**report, "problems": [Problem(**problem).to_dict() for problem in report["problems"]]}


def find_overlong(
    path: Path,
    base_model: str,
    read: ReadOptions,
    *,
    max_length: int | None = None,
    keeps_chosen: bool = False,
    on_event: OnEvent | None = None,
) -> Overlong:
    """Return the rows of a data file that training with `drop_overlong` would leave out."""
    base = resolve_base_model(base_model)
    limit = _max_length(base, max_length)
    config = {"task": "overlong", "max_length": limit, "keeps_chosen": keeps_chosen, **_common(path, base, read)}
    with scratch_folder(config) as work:
        return Overlong(limit, base.context_length, dict(run_worker("prepare", work, on_event)["rows"]))


def count_training_rows(path: Path, base: BaseModel, read: ReadOptions, train: TrainConfig) -> dict[str, int]:
    """Return `num_rows` and `num_train_rows` (without those held out) that training will make of a file.

    The rows are kept in the cache, where training finds them.

    Raises:
        DatasetError, ModelFileError, ConfigError: what training would refuse as well.
    """
    config = {
        "task": "rows",
        "options": {name: getattr(train, name) for name in OPTIONS},
        "validation_split": train.validation_split,
        "seed": train.seed,
        **_common(path, base, read),
    }
    with scratch_folder(config) as work:
        return run_worker("prepare", work, None)


def _common(path: Path, base: BaseModel, read: ReadOptions) -> dict[str, Any]:
    return {
        "path": str(path.absolute()),
        "base_dir": str(base.path.absolute()),
        "read": {"format": read.format, "columns": dict(read.columns), "encoding": read.encoding},
    }


def _max_length(base: BaseModel, wanted: int | None) -> int:
    """Return the tokens per row: what is wanted, if training takes it with this model, else the model's own limit."""
    if wanted is not None:
        if wanted > base.context_length:
            problem = {"field": "max_length", "code": "over_context", "value": wanted, "limit": base.context_length}
            raise invalid_settings([problem])
        return wanted
    recommended = base.recommended.get("max_length")
    return recommended if isinstance(recommended, int) else min(base.context_length, MAX_CONTEXT)


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name in OPTIONS and value is not None}
