"""A base model's name -> where its files are and what it is; a name is never mapped to another model."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from llmlora.catalog.file_digests import digests_of
from llmlora.catalog.gguf_files import GgufFiles, read_gguf_files
from llmlora.catalog.gguf_header import MAGIC
from llmlora.catalog.hub_cache import cached_models, cached_snapshot
from llmlora.catalog.installable import INSTALLABLE, require_installed
from llmlora.catalog.model_folder import (
    ModelFolder,
    context_length,
    is_pickle,
    read_model_folder,
    readable,
)
from llmlora.catalog.ollama_name import PREFIX as OLLAMA
from llmlora.catalog.ollama_store import OllamaModel, find_ollama_model, list_ollama_models
from llmlora.catalog.opened_model import read_opened
from llmlora.catalog.safetensors_header import TensorInfo
from llmlora.catalog.trained_size import linear_layers
from llmlora.core.assets import asset_path
from llmlora.core.config import TrainConfig
from llmlora.core.errors import ModelFileError, NotFound
from llmlora.core.layout import CONFIG_FILE, GENERATION_FILE, TEMPLATE_FILE, TOKENIZER_FILES
from llmlora.core.memory import BITS_AT_ENDS, BITS_IN_LAYERS
from llmlora.core.near_names import near_names
from llmlora.core.publish import sha256_json

# Settings that a model may not bring along: they name files, send data away, or belong to the user.
_NEVER_RECOMMENDED = {"init_adapter", "chat_template", "system", "report_to", "seed", "method"}
_LICENSE = re.compile(r"^license:\s*['\"]?([^'\"\n]+?)['\"]?\s*$", re.MULTILINE)
_EMBEDDING = "token_embd.weight"
_FLOAT_FILES = ("F32", "F16", "BF16")
_HUB_ID = re.compile(r"\w[\w.-]*/[\w.-]+(@[\w.-]+)?")


Kind = Literal["bundled", "folder", "gguf", "ollama", "package", "hub"]


@dataclass(frozen=True)
class BaseModel:
    """A model that training can start from; `num_parameters` counts stored weights, `digest` changes with any file.

    `path` is its folder or its (first) GGUF file. Of a GGUF file that was not opened yet (`is_opened`), `config` and
    `tensors` are empty. `dtype` is the number format of most weights, of a GGUF file the name of its quantisation.
    """

    name: str
    kind: Kind
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
    num_bytes: int = 0
    is_opened: bool = True

    @property
    def bytes_in_blocks(self) -> int:
        """About the bytes of its weights in blocks: those of a quantised file, else such as training makes of them."""
        if self.path.is_file() and self.dtype not in _FLOAT_FILES:
            return self.num_bytes
        in_layers = sum(layer.num_weights for layer in linear_layers(self.tensors))
        return round((in_layers * BITS_IN_LAYERS + (self.num_parameters - in_layers) * BITS_AT_ENDS) / 8)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without the configuration."""
        fields = ("name", "kind", "architecture", "model_type", "num_parameters", "context_length", "vocab_size")
        return {
            **{name: getattr(self, name) for name in (*fields, "dtype", "license", "num_bytes", "digest")},
            "recommended": self.recommended,
            "path": str(self.path),
        }


def resolve_base_model(name: str) -> BaseModel:
    """Return the model of a bundled name, a folder (a path with a slash or a dot in front), a GGUF file, or `ollama:`.

    Raises:
        NotFound: `model_not_found`, `folder_without_slash`, those of `find_ollama_model`, or `model_on_hub` for Hub ids
            that are not in the Hub's cache.
        ModelFileError: the model's files are damaged, hostile or not a text model; `pickle_weights`, a file of pickles.
    """
    bundled = bundled_models()
    if name in bundled:
        return _described(name, "bundled", bundled[name])
    if name in INSTALLABLE:
        return _of_gguf(name, "package", read_gguf_files(require_installed(name)))
    if name.startswith(OLLAMA):
        return ollama_base(find_ollama_model(name))
    path = _as_path(name)
    if path is not None and path.is_dir():
        return _described(name, "folder", path)
    if path is None and is_pickle(name):
        raise ModelFileError("pickle_weights", path=name, files=os.path.basename(name))
    if path is not None:
        return _of_gguf(name, "gguf", read_gguf_files(path))
    if _HUB_ID.fullmatch(name) and not name.lower().endswith(".gguf"):
        cached = cached_snapshot(name)
        if cached is None:
            raise NotFound("model_on_hub", name=name)
        return _described(name, "hub", cached)
    if os.path.isdir(name):
        raise NotFound("folder_without_slash", name=name, path=f"./{name}")
    raise NotFound("model_not_found", name=name, bundled=", ".join(bundled), near=near_names(name, known_names()))


def known_names() -> list[str]:
    """Return every name that stands for a model of this machine."""
    cached = (name for name, _ in cached_models())
    return [*bundled_models(), *INSTALLABLE, *cached, *(f"{OLLAMA}{model.name}" for model in list_ollama_models())]


def ollama_base(model: OllamaModel) -> BaseModel:
    """Return a model of an Ollama store as a base.

    Raises:
        ModelFileError: the code that says why its weights cannot be used: `ollama_cloud`, `ollama_not_gguf`,
            `ollama_has_adapter`; damaged files.
    """
    if model.why_not is not None:
        raise ModelFileError(model.why_not, name=str(model.name))
    files = read_gguf_files(model.weights[0])
    found = _of_gguf(f"{OLLAMA}{model.name}", "ollama", files)
    return replace(found, license=ollama_license(files, model))


def ollama_license(files: GgufFiles, model: OllamaModel) -> str | None:
    """Return the licence that the weights name, else the first line of the one that the store has with them."""
    return files.license or next(iter((model.text("license") or "").strip().splitlines()), "").strip()[:80] or None


def list_base_models() -> list[BaseModel]:
    """Return the bundled models."""
    return [_described(name, "bundled", path) for name, path in bundled_models().items()]


def bundled_models() -> dict[str, Path]:
    """Return the folders of the models that come with the package, by name."""
    folder = asset_path("models")
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return {path.name: path for path in found if (path / CONFIG_FILE).is_file()}


def _as_path(name: str) -> Path | None:
    """Return the folder or GGUF file of a name that can be one; never raises, whatever the name."""
    is_file = name.lower().endswith(".gguf")
    if "\0" in name or not (is_file or name.startswith((".", "~")) or "/" in name or "\\" in name):
        return None
    path = Path(os.path.expanduser(name))
    return path if os.path.isdir(path) or (os.path.isfile(path) and (is_file or _has_magic(path))) else None


def _has_magic(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _of_gguf(name: str, kind: Kind, files: GgufFiles) -> BaseModel:
    with readable(files.paths[0]):
        digest, num_bytes = files.digest, files.num_bytes
    metadata, opened = files.metadata, read_opened(digest)
    architecture = str(metadata.get("general.architecture", "?"))
    sizes = {"max_position_embeddings": metadata.get(f"{architecture}.context_length")}
    rows = (tensor.shape[0] for header in files.headers for tensor in header.tensors if tensor.name == _EMBEDDING)
    return BaseModel(
        name=name,
        kind=kind,
        path=files.paths[0],
        config=opened.config if opened else {},
        architecture=architecture,
        model_type=str(opened.config.get("model_type")) if opened else architecture,
        num_parameters=files.num_parameters,
        context_length=context_length(opened.config if opened else sizes),
        vocab_size=next(rows, 0),
        dtype=files.quantization,
        license=files.license,
        digest=digest,
        recommended={},
        tensors=opened.tensors if opened else (),
        num_bytes=num_bytes,
        is_opened=opened is not None and opened.selftest is not None,
    )


def _described(name: str, kind: Kind, path: Path) -> BaseModel:
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
        recommended=_recommended(folder),
        tensors=folder.tensors,
        num_bytes=sum(file.stat().st_size for file in folder.weights),
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


def _recommended(folder: ModelFolder) -> dict[str, Any]:
    known = set(TrainConfig.model_fields) - _NEVER_RECOMMENDED
    return {key: value for key, value in folder.recommended.items() if key in known}


def _digest(folder: ModelFolder) -> str:
    """Hash every file that decides what the model computes."""
    names = [CONFIG_FILE, *TOKENIZER_FILES, TEMPLATE_FILE, GENERATION_FILE, *(path.name for path in folder.weights)]
    there = [name for name in names if (folder.path / name).is_file()]
    return sha256_json(dict(zip(there, digests_of([folder.path / name for name in there]), strict=True)))
