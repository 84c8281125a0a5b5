"""Show what a model would be trained on, before any training: the rows as the loss sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from llmlora.catalog.base_model import BaseModel
from llmlora.core.config import TrainConfig, invalid_settings
from llmlora.core.recommend import MAX_CONTEXT
from llmlora.data.container import require_file
from llmlora.data.convert import Overlong
from llmlora.data.read import ReadOptions, read_options
from llmlora.data.validate import CheckReport
from llmlora.services.base_models import open_base_model
from llmlora.services.follow import OnEvent
from llmlora.services.launch import scratch_folder
from llmlora.services.supervisor import run_worker

OPTIONS = ("max_length", "assistant_only_loss", "chat_template", "system", "split_long_text", "drop_overlong")
SHORTEST_TRIAL = 32  # tokens: the first of the lengths that a view tries


@dataclass(frozen=True)
class PlannedPreparation:
    """Work with a tokenizer on a data file that can start: file and model are there, the options are known."""

    task: Literal["preview", "view", "count", "overlong", "rows"]
    path: Path
    base: BaseModel
    read: ReadOptions
    options: dict[str, Any]
    kind: ClassVar[str] = "prepare"

    def to_config(self) -> dict[str, Any]:
        """Return the `config.json` of the work folder."""
        return {
            "kind": self.kind,
            "task": self.task,
            "path": str(self.path.absolute()),
            "base_dir": str(self.base.path.absolute()),
            "read": self.read.to_dict(),
            **self.options,
        }

    def run(self, on_event: OnEvent | None) -> dict[str, Any]:
        """Do it in a worker of its own and return what it found."""
        with scratch_folder(self.to_config()) as work:
            return run_worker(self.kind, work, on_event)


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
    planned = plan_preview(path, base_model, n, read_options(format, columns, encoding), settings or {}, on_event)
    result = planned.run(on_event)
    return {"path": str(path), "base_model": planned.base.name, **result}


def plan_preview(
    path: str | Path,
    base_model: str,
    n: int,
    read: ReadOptions,
    settings: Mapping[str, Any],
    on_event: OnEvent | None = None,
) -> PlannedPreparation:
    """Check that rows of a file can be shown as a model would be trained on them; nothing is written.

    Raises:
        NotFound: file or model. ModelFileError, ConfigError: what training would refuse as well.
    """
    require_file(Path(path))
    base = open_base_model(base_model, on_event)
    rows = {**_known(settings), "max_length": _max_length(base, settings.get("max_length"))}
    return PlannedPreparation("preview", Path(path), base, read, {"num_rows": n, "options": rows})


def view_dataset(
    path: Path,
    base_model: str,
    read: ReadOptions,
    settings: Mapping[str, Any],
    query: Mapping[str, Any],
) -> dict[str, Any]:
    """Return training rows as spans of text, counts over the whole file, and what other lengths would cut.

    `query` is that of `prepare/view.py`: start, limit, lengths; without lengths those up to the model's are doubled.

    Raises:
        NotFound: file or model. DatasetError, ModelFileError, ConfigError: what training would refuse as well.
    """
    planned = plan_preview(path, base_model, 0, read, settings)
    lengths = [_max_length(planned.base, length) for length in query["lengths"] or _trials(planned.base.context_length)]
    options = {"options": planned.options["options"], "query": {**query, "lengths": lengths}}
    return replace(planned, task="view", options=options).run(None)


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
    base = open_base_model(base_model, on_event)
    options = {
        "eval_path": str(eval_path.absolute()) if eval_path else None,
        "max_length": _max_length(base, max_length),
        "drop_overlong": drop_overlong,
    }
    report = PlannedPreparation("count", path, base, read, options).run(on_event)
    return CheckReport.from_stored(report).to_dict()


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
    base = open_base_model(base_model, on_event)
    limit = _max_length(base, max_length)
    options = {"max_length": limit, "keeps_chosen": keeps_chosen}
    rows = PlannedPreparation("overlong", path, base, read, options).run(on_event)["rows"]
    return Overlong(limit, base.context_length, dict(rows))


def count_training_rows(path: Path, base: BaseModel, read: ReadOptions, train: TrainConfig) -> dict[str, int]:
    """Return what training will make of a file; the rows are kept in the cache, where training finds them.

    That is `num_rows`, `num_train_rows` (without those held out), `num_tokens`, `num_label_tokens` (learned),
    `num_truncated` (rows cut) and `least_length` (the max_length that leaves something to learn of each row).

    Raises:
        DatasetError, ModelFileError, ConfigError: what training would refuse as well.
    """
    options = {
        "options": {name: getattr(train, name) for name in OPTIONS},
        "validation_split": train.validation_split,
        "seed": train.seed,
    }
    return PlannedPreparation("rows", path, base, read, options).run(None)


def check_template(base: BaseModel, template: str) -> None:
    """Refuse a chat template that cannot be used with a model, found out in a worker process.

    Raises:
        ConfigError: neither a bundled name nor a file, or it needs tokens that the model lacks.
        ModelFileError: the file cannot be read, is not in UTF-8, has a mistake or hides turns.
    """
    config = {"kind": "prepare", "task": "template", "base_dir": str(base.path.absolute()), "template": template}
    with scratch_folder(config) as work:
        run_worker("prepare", work, None)


def _trials(limit: int) -> list[int]:
    return [*(length for length in (SHORTEST_TRIAL << power for power in range(20)) if length < limit), limit]


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
