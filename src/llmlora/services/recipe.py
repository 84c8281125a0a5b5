"""What a run is repeated or continued from: recipe files, the config.json of a job, an adapter."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from llmlora.catalog.adapter_folder import check_adapter_fits, read_adapter_folder
from llmlora.catalog.base_model import BaseModel, bundled_models, resolve_base_model
from llmlora.catalog.job_inputs import check_job_inputs
from llmlora.catalog.known_architectures import EXPORTED_TYPES, TRANSPOSED_TYPES
from llmlora.catalog.model_folder import readable
from llmlora.core.bundled_templates import TEMPLATE_NAMES
from llmlora.core.errors import ConfigError, DatasetError, ModelFileError, NotFound
from llmlora.core.job import SCHEMA, JobConfig, Replay, job_from_json
from llmlora.core.layout import ADAPTER_CONFIG, ADAPTER_DIR, MANIFEST_FILE
from llmlora.core.publish import read_json
from llmlora.data.container import require_file
from llmlora.data.read import ReadOptions, read_options
from llmlora.data.text_file import read_utf8

FILE_KEYS = ("base_model", "data", "eval_data", "format", "columns", "encoding", "replay", "replay_share")
DEFAULT_SHARE: Final = 0.3


class _StrictLoader(yaml.SafeLoader):
    """Reads YAML as SafeLoader does, but refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class ReplayWish:
    """Earlier data to mix in, as a file or a job, and its share of all rows."""

    source: str
    share: float = DEFAULT_SHARE


@dataclass(frozen=True)
class Recipe:
    """What a recipe file says; paths in it are relative to the file.

    `earlier` is to be mixed in, `replay` is the record of what was, in the data of a job.
    """

    base_model: str
    data: Path
    eval_data: Path | None
    read_options: ReadOptions
    settings: Mapping[str, Any]
    replay: Replay | None = None
    earlier: ReplayWish | None = None

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Read a recipe, or the `config.json` of a job whose model and files are unchanged.

        Raises:
            NotFound: no such file. ConfigError: not a recipe; every wrong key of it is named.
            Conflict: the model or a file of the job is different now.
        """
        content = read_mapping(path)
        if content.get("schema") == SCHEMA:
            return _of_job(content, path)
        wrong = [key for key in ("base_model", "data") if not isinstance(content.get(key), str)]
        wrong += [key for key in ("eval_data", "format", "encoding") if not isinstance(content.get(key), str | None)]
        if not isinstance(content.get("columns"), dict | None):
            wrong.append("columns")
        wrong += _wrong_replay(content)
        if wrong:
            raise ConfigError("recipe_incomplete", path=str(path), missing=", ".join(wrong))
        base = str(content["base_model"])
        folder = path.parent / base
        return cls(
            base_model=str(folder) if _is_beside(base, folder) else base,
            data=path.parent / content["data"],
            eval_data=path.parent / content["eval_data"] if content.get("eval_data") else None,
            read_options=read_options(content.get("format"), content.get("columns"), content.get("encoding")),
            settings=_beside(path.parent, {key: value for key, value in content.items() if key not in FILE_KEYS}),
            earlier=_earlier(content, path.parent),
        )


def _wrong_replay(content: Mapping[str, Any]) -> list[str]:
    """Return the keys that do not say what of earlier data to mix in."""
    source, share = content.get("replay"), content.get("replay_share")
    is_number = isinstance(share, int | float) and not isinstance(share, bool)
    wrong = [] if isinstance(source, str | None) else ["replay"]
    return wrong if share is None or (is_number and source is not None) else [*wrong, "replay_share"]


def _earlier(content: Mapping[str, Any], folder: Path) -> ReplayWish | None:
    """Return what is to be mixed in: a file or a job folder beside the recipe, else what the words name elsewhere."""
    source = content.get("replay")
    if source is None:
        return None
    beside, share = str(folder / source), content.get("replay_share")
    return ReplayWish(beside if os.path.exists(beside) else source, DEFAULT_SHARE if share is None else share)


def _is_beside(name: str, path: Path) -> bool:
    return ("/" in name and path.is_dir()) or (name.lower().endswith(".gguf") and path.is_file())


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML or JSON file; a key that stands twice is refused.

    Raises:
        NotFound: no such file. ConfigError: no mapping in UTF-8. DatasetError: `unreadable_file`.
    """
    if os.path.isdir(path):
        raise ConfigError("recipe_is_folder", path=str(path))
    require_file(path)
    try:
        text = read_utf8(path)
    except OSError as error:
        raise DatasetError("unreadable_file", path=str(path), detail=error.strerror or str(error)) from error
    except ValueError as error:
        raise _unreadable(str(path), error) from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, name: str) -> dict[str, Any]:
    """Return the mapping that a YAML or JSON text holds; a key that stands twice is refused.

    Raises:
        ConfigError: `recipe_unreadable`, with the `name` of where the text came from.
    """
    try:
        content = yaml.load(text, _StrictLoader)
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        raise _unreadable(name, error) from error
    if not isinstance(content, dict):
        raise ConfigError("recipe_unreadable", path=name, detail=type(content).__name__)
    return {str(key): value for key, value in content.items()}


def _unreadable(name: str, error: Exception) -> ConfigError:
    detail = " ".join(str(error).split())[:300] or type(error).__name__
    return ConfigError("recipe_unreadable", path=name, detail=detail)


def _beside(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings with the files they name found beside the recipe."""
    for name in ("init_adapter", "chat_template"):
        value = settings.get(name)
        if isinstance(value, str) and value not in TEMPLATE_NAMES and (folder / value).exists():
            settings[name] = str(folder / value)
    return settings


def _of_job(content: dict[str, Any], path: Path) -> Recipe:
    job = job_from_json(content, path)
    base = base_of_job(job)
    check_job_inputs(job, base)
    data, held_out = job.data, job.eval_data
    return Recipe(
        base_model=base.name,
        data=Path(data.path),
        eval_data=Path(held_out.path) if held_out else None,
        read_options=read_options(data.format, data.columns, data.encoding),
        settings=job.to_json()["train"],
        replay=job.replay,
    )


def base_of_job(job: JobConfig) -> BaseModel:
    """Return the base model of a job: the bundled one of that name, else the folder it was read from."""
    return resolve_base_model(job.base_model if job.base_model in bundled_models() else job.base_dir)


def adapter_dir(path: Path) -> Path:
    """Return the adapter folder that the user means: the folder itself, or the one in a job folder."""
    with readable(path):
        for folder in (path.expanduser(), path.expanduser() / ADAPTER_DIR):
            if (folder / ADAPTER_CONFIG).is_file():
                return folder
    raise NotFound("adapter_not_found", path=str(path))


def adapter_values(folder: Path, base: BaseModel) -> dict[str, Any]:
    """Return the settings that an adapter fixes for the run that continues it.

    Raises:
        ModelFileError: no LoRA adapter, a damaged or hostile one, one for other layers than this model's, or one whose
            record says that it was trained on another base model.
    """
    adapter = read_adapter_folder(folder)
    config = adapter.config
    try:
        if config["peft_type"] != "LORA":
            raise ValueError(config["peft_type"])
        targets = config["target_modules"]
        values: dict[str, Any] = {
            "r": int(config["r"]),
            "lora_alpha": float(config["lora_alpha"]),
            "target_modules": tuple(sorted(targets)) if isinstance(targets, list) else "all-linear",
            "use_rslora": bool(config.get("use_rslora")),
            "use_dora": bool(config.get("use_dora")),
            "modules_to_save": tuple(config.get("modules_to_save") or ()),
        }
    except (ValueError, KeyError, TypeError) as error:
        detail = f"{ADAPTER_CONFIG}: {error}".splitlines()[0]
        raise ModelFileError("adapter_does_not_fit", path=str(folder), detail=detail) from error
    digest = _recorded_base(folder)
    if digest is not None and digest != base.digest:
        raise ModelFileError("adapter_other_base", path=str(folder), name=base.name)
    if base.model_type in EXPORTED_TYPES and base.model_type not in TRANSPOSED_TYPES:
        check_adapter_fits(adapter, base.tensors)
    return values


def _recorded_base(folder: Path) -> str | None:
    try:
        digest = read_json(folder / MANIFEST_FILE).get("base_digest")
    except (OSError, ValueError, AttributeError):
        return None  # an adapter from elsewhere; the loader compares its shapes
    return str(digest) if digest else None
