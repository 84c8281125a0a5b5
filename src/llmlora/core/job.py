"""The frozen `config.json` of a training job: what was asked, on which model and data, with every value resolved."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llmlora.core.config import TrainConfig, with_older_values
from llmlora.core.errors import InputError, NotFound, Stopped
from llmlora.core.layout import ADAPTER_CONFIG, ADAPTER_DIR, CONFIG_FILE, MODEL_DIR, ROWS_DIR, checkpoint_dirs
from llmlora.core.publish import create_json, read_json, write_json

SCHEMA: Final = "llmlora.job/1"
# How rows are held out and epochs become steps. The first rules split by row number and counted in floating point; jobs
# that were made under them name none, and go on under them.
FIRST_RULES: Final = 1
RULES: Final = 2
EXPORT_SCHEMA: Final = "llmlora.export/1"
NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)
PARTS_DEPTH = 4  # the deepest folder of a job: runs/1/checkpoints/step-00000150


class DataSource(BaseModel):
    """A data file as it was when the job was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(description="Absolute path of the file.")
    sha256: str = Field(description="SHA-256 of its bytes.")
    format: str | None = Field(None, description="Format asked for; detected when empty.")
    columns: dict[str, str] = Field({}, description="Column of each field, where given.")
    encoding: str | None = Field(None, description="Encoding asked for; detected when empty.")


class Replay(BaseModel):
    """Rows of earlier data that were mixed into a job's own, so that it keeps what was taught before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The file or job that was named.")
    data: DataSource = Field(description="The earlier data itself; its facts are asked again.")
    share: float = Field(description="Which share of all rows was asked for.")
    num_rows: int = Field(description="How many of its rows were mixed in.")
    source: str | None = Field(None, description="The id of the dataset or job of the workspace, where one was named.")
    own_files: dict[str, str] = Field(
        {},
        description="The files of the job's own rows, `train` and `eval`, that were written anew beside the earlier.",
    )


MemorySetting = Literal["per_device_train_batch_size", "gradient_accumulation_steps", "gradient_checkpointing"]


class MemoryChange(BaseModel):
    """Settings with which a job goes on after a run for which the memory was too small; the result's meaning stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: int = Field(description="The run that had too little memory.")
    before: dict[MemorySetting, int | bool] = Field(description="The values that it had.")
    after: dict[MemorySetting, int | bool] = Field(description="The values of the runs behind it.")


CombineMethod = Literal["svd", "cat", "linear", "ties", "dare_linear", "dare_ties"]
COMBINE_METHODS: Final[tuple[str, ...]] = get_args(CombineMethod)


class Member(BaseModel):
    """A job whose adapter is part of a combination, as it was then."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: str = Field(description="ULID of the job.")
    folder: str = Field(description="Its folder.")
    sha256: str = Field(description="SHA-256 of its adapter's weights.")


class Combination(BaseModel):
    """How the adapter of a job is made of those of others, instead of by training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: CombineMethod = Field(description="PEFT's name of the arithmetic.")
    weights: tuple[float, ...] = Field(description="How much each member counts.")
    density: float | None = Field(None, description="Share of numbers that ties and the dare methods keep.")
    members: tuple[Member, ...] = Field(description="The jobs, in the order of the weights.")


class JobConfig(BaseModel):
    """Everything a training run needs to start, and to be repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal["llmlora.job/1"] = Field(SCHEMA, alias="schema")
    id: str = Field(description="ULID of the job.")
    kind: Literal["train"] = "train"
    base_model: str = Field(description="The base model as the user named it.")
    base_dir: str = Field(description="Folder, or GGUF file, that it was read from.")
    base_digest: str = Field(description="Digest of those files.")
    base_kind: Literal["bundled", "folder", "gguf", "ollama", "package", "hub"] | None = Field(
        None, description="Where the base model comes from; not told by older jobs."
    )
    data: DataSource
    eval_data: DataSource | None = None
    replay: Replay | None = Field(None, description="What of earlier data is among the rows of `data`.")
    train: TrainConfig
    inputs: dict[str, str] = Field({}, description="Further files it reads, with their SHA-256.")
    places: dict[str, str] = Field(
        default={},
        description="Where chat_template and init_adapter lie now, if they were moved; `train` names their old places.",
    )
    reasons: dict[str, str] = Field(
        {}, description="Where each value came from: recommended, model, recipe, preset or set."
    )
    recommended: dict[str, Any] = Field(
        {}, description="The computed values it would have had if nobody had chosen; empty in older jobs."
    )
    has_room: bool = Field(True, description="Whether the adapter is large enough for the rows; True in older jobs.")
    presets: dict[str, str] = Field({}, description="Presets asked for, by kind; their values are among the settings.")
    changes: tuple[MemoryChange, ...] = Field((), description="What the queue changed so that the run fits the memory.")
    num_rows: int | None = Field(None, description="Training rows of the data file; not told by older jobs.")
    combination: Combination | None = Field(None, description="What the adapter is made of, where nothing is trained.")
    rules: int = Field(RULES, description="How rows are held out and steps counted: 1 in older jobs, 2 since.")
    llmlora_version: str

    @property
    def method(self) -> str:
        """The fine-tuning method."""
        return self.train.method

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of `config.json`."""
        return json.loads(self.model_dump_json(by_alias=True))  # type: ignore[no-any-return]


def create_job(folder: Path, job: JobConfig) -> None:
    """Write `config.json` of a new job folder; raise FileExistsError when another process was first."""
    create_json(folder / CONFIG_FILE, job.to_json())


def write_job(folder: Path, job: JobConfig) -> None:
    """Write `config.json` of a job folder."""
    write_json(folder / CONFIG_FILE, job.to_json())


def update_job(folder: Path, **values: Any) -> None:
    """Change values of a stored job and leave all else as it was written: what a missing setting means stays so."""
    config = read_json(folder / CONFIG_FILE)
    write_json(folder / CONFIG_FILE, {**config, **values})


def stored_settings(folder: Path) -> dict[str, Any]:
    """Return the settings of a job exactly as its `config.json` has them."""
    return dict(read_json(folder / CONFIG_FILE)["train"])


def use_less_memory(folder: Path, run: int, settings: Mapping[str, Any]) -> MemoryChange:
    """Let a job go on with other settings after a run, on record; a second call for the same run changes nothing."""
    config, job = read_json(folder / CONFIG_FILE), read_job(folder)
    if job.changes and job.changes[-1].run == run:
        return job.changes[-1]
    values = job.train.model_dump()
    before = {name: values[name] for name in settings}
    change = MemoryChange.model_validate({"run": run, "before": before, "after": dict(settings)})
    changes = [*config.get("changes", ()), change.model_dump()]
    update_job(folder, train={**config["train"], **settings}, changes=changes)
    return change


def earlier_settings(folder: Path) -> list[dict[str, Any]]:
    """Return the stored settings of a job as they were before each recorded change, the newest first."""
    config = read_json(folder / CONFIG_FILE)
    settings, found = dict(config["train"]), []
    for change in reversed(config.get("changes", ())):
        settings = {**settings, **MemoryChange.model_validate(change).before}
        found.append(settings)
    return found


def read_job(folder: Path) -> JobConfig:
    """Read a job folder's configuration; raise NotFound when it is not a job folder, InputError when damaged."""
    path = folder / CONFIG_FILE
    try:
        config = read_json(path)
    except OSError as error:
        if error.errno not in NO_FILE:
            raise
        raise _not_a_job(folder) from error
    except ValueError as error:  # not JSON, or not UTF-8
        raise InputError("damaged_job", path=str(path), detail=str(error).splitlines()[0]) from error
    if not isinstance(config, dict) or config.get("schema") != SCHEMA:
        raise _not_a_job(folder)
    return job_from_json(config, path)


def _not_a_job(folder: Path) -> NotFound:
    """Return the error for a folder that is no job: what it is instead, and which job is probably meant."""
    absolute = folder.absolute()
    if not os.path.exists(absolute):  # unlike Path.exists, silent about names that are too long
        return NotFound("file_not_found", path=str(folder))
    for parent in absolute.parents[:PARTS_DEPTH]:
        if folder_schema(parent) == SCHEMA:
            return NotFound("part_of_a_job", path=str(folder), job=str(parent))
    config = _config(absolute)
    if config.get("schema") == EXPORT_SCHEMA:
        return NotFound("export_not_job", path=str(folder), job=str(config.get("job_dir")))
    if "model_type" in config or "base_model_name_or_path" in _config(absolute, ADAPTER_CONFIG):
        return NotFound("model_not_job", path=str(folder))
    return NotFound("not_a_job", path=str(folder))


def files_read(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the data files that the `config.json` of a job names, by what they are for: train, eval, replay.

    Of rows that earlier ones were mixed into it is the file that they came from.
    """
    replay = config.get("replay") or {}
    sources = {"train": config.get("data"), "eval": config.get("eval_data"), "replay": replay.get("data")}
    found = {role: str(source.get("path")) for role, source in sources.items() if source}
    return {**found, **replay.get("own_files", {})}


def folder_schema(folder: Path) -> str:
    """Return the schema that a folder's `config.json` names, or nothing: a job, an export, an evaluation."""
    return str(_config(folder).get("schema", ""))


def folder_kind(folder: Path) -> str:
    """Return the kind of work that a folder's `config.json` asks for, or nothing."""
    return str(_config(folder).get("kind", ""))


def _config(folder: Path, name: str = CONFIG_FILE) -> dict[str, Any]:
    try:
        config = read_json(folder / name)
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def job_from_json(config: dict[str, Any], path: Path) -> JobConfig:
    """Return the job that the `config.json` at `path` describes.

    Settings newer than the job have what it did without them, and rows that its folder holds are read from there,
    wherever it was moved to.

    Raises:
        InputError: other than a job's values.
    """
    train = config.get("train")
    if isinstance(train, dict):
        config = {**config, "train": with_older_values(train)}
    try:
        job = JobConfig.model_validate({"rules": FIRST_RULES, **config})
    except ValidationError as error:
        detail = ", ".join(".".join(map(str, item["loc"])) for item in error.errors()[:5])
        raise InputError("damaged_job", path=str(path), detail=detail) from error
    return in_new_places(with_own_rows(job, path.parent))


def with_own_rows(job: JobConfig, folder: Path) -> JobConfig:
    """Return a job whose data, and the earlier data in it, is read from its folder, where that holds it."""
    sources = {"data": job.data, "eval_data": job.eval_data}
    own: dict[str, Any] = {name: source and _own(source, folder) for name, source in sources.items()}
    if job.replay is not None:
        own["replay"] = job.replay.model_copy(update={"data": _own(job.replay.data, folder)})
    return job.model_copy(update=own)


def _own(source: DataSource, folder: Path) -> DataSource:
    own = folder / ROWS_DIR / Path(source.path).name
    return source.model_copy(update={"path": str(own.absolute())}) if own.is_file() else source


def in_new_places(job: JobConfig) -> JobConfig:
    """Return a job whose settings and inputs name its files where they lie now; their bytes are the same.

    The stored settings keep the old names, because checkpoints are compared with them.
    """
    inputs, train = job.inputs, job.train.model_dump()
    for name, place in job.places.items():
        old = train.get(name)
        inputs = {_moved(path, str(old), place): digest for path, digest in inputs.items()}
        train[name] = place
    settings = {name: train[name] for name in job.places}
    return job.model_copy(update={"inputs": inputs, "train": job.train.model_copy(update=settings)})


def _moved(path: str, old: str, new: str) -> str:
    """Return a path that is `old`, or lies in it, as it is below `new`."""
    return f"{new}{path.removeprefix(old)}" if path == old or path.startswith(f"{old}/") else path


def trained_dir(folder: Path) -> Path:
    """Return the published result of a finished job: its adapter folder, or its model folder for `full`."""
    job = read_job(folder)
    result = folder / (MODEL_DIR if job.method == "full" else ADAPTER_DIR)
    if not result.is_dir():
        raise NotFound("job_not_finished", path=str(folder))
    return result


def stopped_early(folder: Path, asked_twice: bool = False) -> Stopped:
    """Return what a stop means that came before this attempt saved anything: earlier checkpoints are still there."""
    checkpoints = checkpoint_dirs(folder)
    if not checkpoints:
        return Stopped("interrupted")
    code = "stopped_at_once" if asked_twice else "stopped_before_resuming"
    return Stopped(code, step=checkpoints[-1][0], folder=str(folder), has_checkpoint=True)
