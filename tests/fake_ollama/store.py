"""A store on disk as Ollama lays it out: blobs, and manifests in the old layout or in both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmlora.catalog.gguf_header import read_gguf_header

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_LIST = "application/vnd.ollama.manifest.list.v2+json"
LAYER = "application/vnd.ollama.image."
OLD_HOST, NEW_HOST = "registry.ollama.ai", "ollama.com"


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Stored:
    """One model: its manifest's digest, and its layers by kind."""

    name: str
    digest: str
    layers: Mapping[str, Path]
    config: Mapping[str, Any]

    def text(self, kind: str) -> str | None:
        path = self.layers.get(kind)
        return None if path is None else path.read_text(encoding="utf-8")

    @property
    def parameters(self) -> dict[str, Any]:
        text = self.text("params")
        return dict(json.loads(text)) if text else {}


class Store:
    """`manifests/registry.ollama.ai/…`, and with `is_v2` also `manifests-v2/ollama.com/…` links to manifest blobs."""

    def __init__(self, folder: Path, is_v2: bool) -> None:
        self.folder = folder
        self.mixes_layouts = False
        self.is_v2 = is_v2
        self.blobs = folder / "blobs"
        self.blobs.mkdir(parents=True, exist_ok=True)

    def blob(self, digest: str) -> Path:
        return self.blobs / digest.replace(":", "-")

    def put(self, content: bytes) -> str:
        digest = digest_of(content)
        self.blob(digest).write_bytes(content)
        return digest

    def write(self, name: str, layers: Mapping[str, str], config: Mapping[str, Any]) -> str:
        """Write a manifest; `layers` are digests of blobs by kind. Return the manifest's digest."""
        entries = [
            {"mediaType": LAYER + kind, "digest": digest, "size": self.blob(digest).stat().st_size}
            for kind, digest in layers.items()
        ]
        configuration = self.put(json.dumps(dict(config)).encode())
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "digest": configuration,
                "size": 1,
            },
            "layers": entries,
        }
        content = json.dumps(document).encode()
        if self.mixes_layouts:
            return self._write_mixed(name, content, layers["model"])
        for path in self._paths(name):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if "manifests-v2" in path.parts:
                path.symlink_to(self.blob(self.put(content)))
            else:
                path.write_bytes(content)
        return digest_of(content)

    def _write_mixed(self, name: str, content: bytes, weights: str) -> str:
        """Write as 0.40 may leave a store: a list whose other form is MLX's, a link to nothing in the old layout, and
        the repacked file's shadow tag, which is no model."""
        form = {"mediaType": MANIFEST, "digest": self.put(content), "runner": "llamacpp", "format": "gguf"}
        other = {**form, "digest": self.put(b"{}"), "runner": "mlx", "format": "safetensors"}
        newer, older = self._paths(name)
        shadow = self._root(False) / "llamacpp" / weights.removeprefix("sha256:")
        for path in (newer, older, shadow):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
        newer.write_text(json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_LIST, "manifests": [other, form]}))
        older.symlink_to(self.blobs / "gone")
        shadow.write_bytes(content)
        return digest_of(newer.read_bytes())

    def copy(self, source: str, destination: str) -> None:
        content = self._paths(source)[0].read_bytes()
        for path in self._paths(destination):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(content)

    def delete(self, name: str) -> None:
        for path in self._paths(name):
            path.unlink()

    def find(self, name: str) -> Stored | None:
        path = self._paths(name)[0]
        if not path.exists():
            return None
        content = path.read_bytes()
        document = json.loads(content)
        if document["mediaType"] == MANIFEST_LIST:
            document = json.loads(self.blob(document["manifests"][-1]["digest"]).read_bytes())
        layers = {entry["mediaType"].removeprefix(LAYER): self.blob(entry["digest"]) for entry in document["layers"]}
        config = json.loads(self.blob(document["config"]["digest"]).read_text())
        return Stored(name, digest_of(content), layers, config)

    def all(self) -> Iterator[Stored]:
        root = self._root(self.is_v2)
        for path in sorted(root.glob("*/*")):
            found = self.find(f"{path.parent.name}:{path.name}")
            if found is not None:
                yield found

    def add(self, name: str, gguf: Path, config: Mapping[str, Any] | None = None, **texts: str) -> None:
        """Put a model into the store, as if it had been pulled; `config` is more of its configuration."""
        layers = {"model": self.put(gguf.read_bytes())}
        layers |= {kind: self.put(text.encode()) for kind, text in texts.items()}
        architecture = str(read_gguf_header(gguf).metadata["general.architecture"])
        self.write(name, layers, {"model_format": "gguf", "model_family": architecture, **(config or {})})

    def _root(self, is_v2: bool) -> Path:
        place = ("manifests-v2", NEW_HOST) if is_v2 else ("manifests", OLD_HOST)
        return self.folder.joinpath(*place, "library")

    def _paths(self, name: str) -> list[Path]:
        model, _, tag = name.partition(":")
        places = [self._root(True)] if self.is_v2 else []
        return [root / model / (tag or "latest") for root in [*places, self._root(False)]]
