"""Models in Ollama's own store on disk, in both of its layouts; read only, never written to.

A store has `blobs/sha256-<hex>` and manifests that name them: `manifests/<host>/<namespace>/<model>/<tag>`, and since
Ollama 0.40 `manifests-v2/…` as well, which is looked up first. A manifest is one model, or a list of forms of one.

A server reads these documents itself, unlike the headers of models (rule R9): each is JSON of at most
`MAX_DOCUMENT_BYTES` and `MAX_JSON_DEPTH`, so there is nothing that the limits of a child would add.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmlora.catalog.model_folder import MAX_JSON_DEPTH, json_depth
from llmlora.catalog.ollama_name import PREFIX, OllamaName
from llmlora.catalog.regular_file import regular_size
from llmlora.core.errors import ModelFileError, NotFound
from llmlora.core.near_names import near_names

LAYOUTS = ("manifests-v2", "manifests")
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_LIST = "application/vnd.ollama.manifest.list.v2+json"
LAYER = "application/vnd.ollama.image."
RUNNERS = ("ggml", "llamacpp", "ollama")  # those that run GGUF, the preferred one first
MAX_DOCUMENT_BYTES = 1 << 20  # those of real models have a few KB
MAX_LAYER_BYTES = 1 << 50
MAX_TEXT_BYTES = 4 << 20
MAX_LAYERS = 4096
# Layers beside the weights without which the model is not what its name says.
_NOT_ALONE = {"adapter": "ollama_has_adapter", "projector": "ollama_has_projector"}
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_SHADOW = re.compile(r"[0-9a-f]{64}")  # a tag under library/llamacpp that stands for a repacked file, not for a model


@dataclass(frozen=True)
class Layer:
    """One layer of a manifest: what it is by the last word of its media type, and where its bytes lie."""

    kind: str
    digest: str
    num_bytes: int
    path: Path
    name: str = ""


@dataclass(frozen=True)
class OllamaModel:
    """A model of a store; `digest` is that of its manifest, as `ollama list` shows it, `layers` what it is made of.

    `why_not` is the code of the error that using its weights raises; None when they are GGUF files that are there.
    """

    name: OllamaName
    store: Path
    manifest_path: Path
    digest: str
    config: Mapping[str, Any] = field(repr=False)
    layers: tuple[Layer, ...] = field(repr=False)
    why_not: str | None = None

    @property
    def weights(self) -> tuple[Path, ...]:
        """The GGUF files of its weights, in the order of their parts."""
        return tuple(layer.path for layer in self.of_kind("model"))

    def of_kind(self, kind: str) -> list[Layer]:
        """Return the layers of a kind: model, adapter, projector, template, system, params, license, messages."""
        found = [layer for layer in self.layers if layer.kind == kind]
        return sorted(found, key=lambda layer: layer.name) if kind == "model" else found

    def text(self, kind: str) -> str | None:
        """Return the text of the first layer of a kind; None when there is none."""
        layers = self.of_kind(kind)
        return _read(layers[0].path, MAX_TEXT_BYTES).decode("utf-8", "replace") if layers else None

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that it is run with."""
        text = self.text("params")
        return _object(text.encode(), self.of_kind("params")[0].path) if text else {}

    @property
    def num_bytes(self) -> int:
        """Bytes of all its layers."""
        return sum(layer.num_bytes for layer in self.layers)


@dataclass(frozen=True)
class BrokenModel:
    """A model of a store that cannot be read, and why."""

    name: OllamaName
    error: ModelFileError


def ollama_stores() -> list[Path]:
    """Return the stores of this machine: `OLLAMA_MODELS` alone when it is set, else the usual places that exist."""
    override = os.environ.get("OLLAMA_MODELS")
    places = [override] if override else ["~/.ollama/models", "/usr/share/ollama/.ollama/models"]
    return [path for place in places if os.path.isdir(path := Path(place).expanduser())]


def find_ollama_model(name: str) -> OllamaModel:
    """Return the model of a name as `ollama run` takes it, such as smollm2, qwen2.5:0.5b or hf.co/owner/model:Q4_K_M.

    Raises:
        NotFound: `ollama_no_store`; `ollama_model_not_found` with near names.
        ModelFileError: what lies under that name is damaged, or may not be read.
    """
    wanted = OllamaName.parse(name)
    stores = ollama_stores()
    if not stores:
        raise NotFound("ollama_no_store", name=name)
    for store in stores:
        for found, path in _manifests(store):
            if found.key == wanted.key:
                return _opened(found, store, path)
    known = [f"{PREFIX}{other}" for store in stores for other, _ in _manifests(store)]
    near = near_names(f"{PREFIX}{wanted}", known)
    raise NotFound("ollama_model_not_found", name=name, stores=", ".join(map(str, stores)), near=near)


def list_ollama_models() -> list[OllamaModel | BrokenModel]:
    """Return the models of all stores by name; of one in several stores the first that `find_ollama_model` takes."""
    found: dict[tuple[str, ...], OllamaModel | BrokenModel] = {}
    for store in ollama_stores():
        for name, path in _manifests(store):
            if name.key not in found:
                found[name.key] = _tried(name, store, path)
    return sorted(found.values(), key=lambda model: str(model.name))


def _tried(name: OllamaName, store: Path, path: Path) -> OllamaModel | BrokenModel:
    try:
        return _opened(name, store, path)
    except ModelFileError as error:
        return BrokenModel(name, error)


def parts_of_blob(path: Path) -> tuple[Path, ...]:
    """Return the blobs of the model that a blob of a store is a part of; only that one where no manifest names it."""
    store = path.parent.parent
    if path.parent.name == "blobs":
        for name, manifest in _manifests(store):
            model = _tried(name, store, manifest)
            if isinstance(model, OllamaModel) and path.name in [blob.name for blob in model.weights]:
                return model.weights
    return (path,)


def _manifests(store: Path) -> Iterator[tuple[OllamaName, Path]]:
    """Yield the names of a store with their manifests, those of the newer layout first; links to nothing are none."""
    for layout in LAYOUTS:
        for host, namespace, model, tag in _below(store / layout, 4):
            path = store / layout / host / namespace / model / tag
            is_shadow = (namespace, model) == ("library", "llamacpp") and _SHADOW.fullmatch(tag)
            if not is_shadow and os.path.isfile(path):
                yield OllamaName(host.replace("%3A", ":"), namespace, model, tag), path


def _below(folder: Path, depth: int) -> Iterator[tuple[str, ...]]:
    """Yield the parts of every path of a depth in a folder, sorted."""
    for name in _entries(folder):
        if depth == 1:
            yield (name,)
        else:
            yield from ((name, *parts) for parts in _below(folder / name, depth - 1))


def _entries(folder: Path) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ModelFileError("ollama_store_unreadable", path=str(folder), detail=error.strerror or "") from error
    return [name for name in names if not name.startswith(".")]


def _opened(name: OllamaName, store: Path, path: Path) -> OllamaModel:
    data = _read(path, MAX_DOCUMENT_BYTES)
    document, why_not = _object(data, path), None
    if document.get("mediaType") == MANIFEST_LIST or "manifests" in document:
        child = _gguf_child(document, store, path)
        if child is None:
            return OllamaModel(name, store, path, hashlib.sha256(data).hexdigest(), {}, (), "ollama_not_gguf")
        document = _object(_read(child, MAX_DOCUMENT_BYTES), child)
    layers = tuple(_layers(document, store, path))
    config = _config(document, store, path)
    if config.get("remote_host") or config.get("remote_model"):
        why_not = "ollama_cloud"
    elif config.get("model_format") not in (None, "", "gguf") or not any(layer.kind == "model" for layer in layers):
        why_not = "ollama_not_gguf"
    else:
        why_not = next((code for kind, code in _NOT_ALONE.items() if any(layer.kind == kind for layer in layers)), None)
    return OllamaModel(name, store, path, hashlib.sha256(data).hexdigest(), config, layers, why_not)


def _gguf_child(document: Mapping[str, Any], store: Path, path: Path) -> Path | None:
    """Return the manifest of a list that llama.cpp runs; None when it has none but those of other engines."""
    entries = document.get("manifests")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries[:MAX_LAYERS]):
        raise ModelFileError("ollama_manifest_invalid", path=str(path), detail="manifests")
    fitting = [entry for entry in entries[:MAX_LAYERS] if entry.get("format") in (None, "gguf")]
    for runner in RUNNERS:
        for entry in fitting:
            if entry.get("runner") == runner:
                return _blob(entry, store, path)
    return None


def _layers(document: Mapping[str, Any], store: Path, path: Path) -> Iterator[Layer]:
    layers = document.get("layers") or []
    if not isinstance(layers, list) or len(layers) > MAX_LAYERS or not all(isinstance(item, dict) for item in layers):
        raise ModelFileError("ollama_manifest_invalid", path=str(path), detail="layers")
    for entry in layers:
        kind = str(entry.get("mediaType", "")).removeprefix(LAYER)
        if kind == entry.get("mediaType"):
            continue  # a manifest kept as an anchor, or what a later version brought
        kind = "template" if kind == "prompt" else kind
        size = entry.get("size")
        num_bytes = size if isinstance(size, int) and 0 <= size <= MAX_LAYER_BYTES else 0
        blob = _blob(entry, store, path)
        yield Layer(kind, "sha256:" + blob.name.removeprefix("sha256-"), num_bytes, blob, str(entry.get("name") or ""))


def _config(document: Mapping[str, Any], store: Path, path: Path) -> dict[str, Any]:
    entry = document.get("config")
    if not isinstance(entry, dict):
        return {}
    blob = _blob(entry, store, path)
    return _object(_read(blob, MAX_DOCUMENT_BYTES), blob)


def _blob(entry: Mapping[str, Any], store: Path, path: Path) -> Path:
    match = _DIGEST.fullmatch(str(entry.get("digest", "")))
    if match is None:
        raise ModelFileError("ollama_manifest_invalid", path=str(path), detail=str(entry.get("digest"))[:100])
    return store / "blobs" / f"sha256-{match[1]}"


def _object(data: bytes, path: Path) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelFileError("ollama_manifest_invalid", path=str(path), detail=str(error)[:100]) from error
    if not isinstance(value, dict) or json_depth(value) > MAX_JSON_DEPTH:
        raise ModelFileError("ollama_manifest_invalid", path=str(path), detail=type(value).__name__)
    return value


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        regular_size(path)
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise ModelFileError("ollama_blob_missing", path=str(path)) from error
    except OSError as error:
        raise ModelFileError("ollama_store_unreadable", path=str(path), detail=error.strerror or "") from error
    if len(data) > max_bytes:
        raise ModelFileError("ollama_manifest_invalid", path=str(path), detail=f"> {max_bytes}")
    return data
