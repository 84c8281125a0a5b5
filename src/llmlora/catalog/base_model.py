"""A base model's name -> where its files are and what it is; a name is never mapped to another model."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from llmlora.catalog.model_folder import ModelFolder, read_json_object, read_model_folder, readable
from llmlora.catalog.safetensors_header import TensorInfo
from llmlora.core.config import TrainConfig
from llmlora.core.errors import LlmloraError, NotFound
from llmlora.core.layout import CONFIG_FILE, GENERATION_FILE, TEMPLATE_FILE, TOKENIZER_FILES, home_dir
from llmlora.core.publish import read_json, sha256_file, sha256_json, write_json

RECOMMENDED_FILE = "llmlora.json"
DIGEST_CACHE = "model-digests.json"
MAX_CACHED_DIGESTS = 256

# Settings that a model may not bring along: they name files, send data away, or belong to the user.
_NEVER_RECOMMENDED = {"init_adapter", "chat_template", "system", "report_to", "seed", "method"}
_LICENSE = re.compile(r"^license:\s*['\"]?([^'\"\n]+?)['\"]?\s*$", re.MULTILINE)
_HUB_ID = re.compile(r"\w[\w.-]*/[\w.-]+(@[\w.-]+)?")


@dataclass(frozen=True)
class BaseModel:
    """A model that training can start from; `num_parameters` counts stored weights, `digest` changes with any file."""

    name: str
    kind: Literal["bundled", "folder"]
    path: Path
    config: dict[str, Any]
    architecture: str
    model_type: str
    num_parameters: int
    context_length: int
    vocab_size: int
    dtype: str
    license: str | None
    digest: str
    recommended: dict[str, Any]
    tensors: tuple[TensorInfo, ...] = field(repr=False)  # of its weight files, as their headers have them

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without the configuration."""
        fields = ("name", "kind", "architecture", "model_type", "num_parameters", "context_length", "vocab_size")
        return {
            **{name: getattr(self, name) for name in (*fields, "dtype", "license", "digest", "recommended")},
            "path": str(self.path),
        }


def resolve_base_model(name: str) -> BaseModel:
    """Return the model of a bundled name or a folder (a path with a slash, or one that begins with a dot).

    Raises:
        NotFound: `model_not_found`, or `model_source_later` for Hub ids, `ollama:` names and .gguf files.
        ModelFileError: the folder's files are damaged, hostile or not a text model.
    """
    bundled = bundled_models()
    if name in bundled:
        return _described(name, "bundled", bundled[name])
    if name.startswith(("ollama:", "hf:", "http:", "https:")):
        raise _later(name, bundled)
    path = _as_folder(name)
    if path is not None:
        return _described(name, "folder", path)
    if name.lower().endswith(".gguf") or _HUB_ID.fullmatch(name):
        raise _later(name, bundled)
    raise NotFound("model_not_found", name=name, bundled=", ".join(bundled))


def list_base_models() -> list[BaseModel]:
    """Return the bundled models."""
    return [_described(name, "bundled", path) for name, path in bundled_models().items()]


def bundled_models() -> dict[str, Path]:
    """Return the folders of the models that come with the package, by name."""
    folder = Path(str(resources.files("llmlora"))) / "assets" / "models"
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return {path.name: path for path in found if (path / CONFIG_FILE).is_file()}


def _later(name: str, bundled: dict[str, Path]) -> NotFound:
    return NotFound("model_source_later", name=name, bundled=", ".join(bundled))


def _as_folder(name: str) -> Path | None:
    if "\0" in name or not (name.startswith((".", "~")) or "/" in name or "\\" in name):
        return None
    path = Path(os.path.expanduser(name))
    return path if os.path.isdir(path) else None  # never raises, whatever the name


def _described(name: str, kind: Literal["bundled", "folder"], path: Path) -> BaseModel:
    folder = read_model_folder(path)
    with readable(path):
        license_name, digest = _license(path), _digest(folder)
    return BaseModel(
        name=name,
        kind=kind,
        path=path,
        config=folder.config,
        architecture=folder.architecture,
        model_type=folder.model_type,
        num_parameters=folder.num_parameters,
        context_length=folder.context_length,
        vocab_size=folder.vocab_size,
        dtype=folder.dtype,
        license=license_name,
        digest=digest,
        recommended=_recommended(path),
        tensors=folder.tensors,
    )


def _license(folder: Path) -> str | None:
    """Return the licence that the model card's front matter names."""
    card = folder / "README.md"
    if not card.is_file():
        return None
    with card.open(encoding="utf-8", errors="replace") as stream:
        head = stream.read(16_384)
    front = head.split("\n---", 1)[0] if head.startswith("---") else ""
    match = _LICENSE.search(front)
    return match.group(1) if match else None


def _recommended(folder: Path) -> dict[str, Any]:
    path = folder / RECOMMENDED_FILE
    if not path.is_file():
        return {}
    values = read_json_object(path).get("training")
    known = set(TrainConfig.model_fields) - _NEVER_RECOMMENDED
    return {key: value for key, value in values.items() if key in known} if isinstance(values, dict) else {}


def _digest(folder: ModelFolder) -> str:
    """Hash every file that decides what the model computes; hashes of large files are remembered by size and time."""
    cache_path = home_dir() / DIGEST_CACHE
    cache = _read_cache(cache_path)
    known = dict(cache)
    names = [CONFIG_FILE, *TOKENIZER_FILES, TEMPLATE_FILE, GENERATION_FILE, *(path.name for path in folder.weights)]
    files = {name: _file_digest(folder.path / name, known) for name in names if (folder.path / name).is_file()}
    if known != cache:
        _write_cache(cache_path, known)
    return sha256_json(files)


def _file_digest(path: Path, known: dict[str, str]) -> str:
    state = path.stat()
    key = f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
    if key not in known:
        known[key] = sha256_file(path)
    return known[key]


def _read_cache(path: Path) -> dict[str, str]:
    try:
        cache = read_json(path)
    except (OSError, ValueError):
        return {}
    return cache if isinstance(cache, dict) else {}


def _write_cache(path: Path, cache: dict[str, str]) -> None:
    newest = dict(list(cache.items())[-MAX_CACHED_DIGESTS:])
    try:
        write_json(path, newest)
    except (OSError, LlmloraError):
        return  # only a cache: a read-only or full workspace must not stop anyone from looking at a model
