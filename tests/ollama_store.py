"""Ollama's store on disk as its versions write it, for tests: manifests in both layouts over one folder of blobs."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_LIST = "application/vnd.ollama.manifest.list.v2+json"
IMAGE = "application/vnd.ollama.image."
Content = Path | str | bytes | dict[str, Any]


class OllamaStore:
    """A store in a folder; `add` registers a model as `ollama create` and `ollama pull` leave it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "blobs").mkdir(parents=True)

    def blob(self, content: Content) -> dict[str, Any]:
        """Keep a content under its digest and return `digest` and `size`; a Path is copied, a dict written as JSON."""
        if isinstance(content, Path):
            with content.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = content.stat().st_size
        else:
            data = json.dumps(content).encode() if isinstance(content, dict) else content
            data = data.encode() if isinstance(data, str) else data
            digest, size = hashlib.sha256(data).hexdigest(), len(data)
        path = self.root / "blobs" / f"sha256-{digest}"
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        else:
            path.write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": size}

    def manifest(
        self, layers: Sequence[tuple[str, Content]], config: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return a manifest of layers (kind, content); several weights get the names of a split model."""
        num_parts = sum(kind == "model" for kind, _ in layers)
        written, part = [], 0
        for kind, content in layers:
            entry = {"mediaType": kind if "/" in kind else f"{IMAGE}{kind}", **self.blob(content)}
            if kind == "model" and num_parts > 1:
                part += 1
                entry["name"] = f"model-{part:05}-of-{num_parts:05}.gguf"
            written.append(entry)
        document = {"model_format": "gguf", "model_family": "llama", **(config or {})}
        image = {"mediaType": "application/vnd.docker.container.image.v1+json", **self.blob(document)}
        return {"schemaVersion": 2, "mediaType": MANIFEST, "config": image, "layers": written}

    def list_of(self, *children: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
        """Return a list of manifests, each with its runner and format, as Ollama 0.40 has them."""
        entries = [
            {"runner": runner, "format": form, "mediaType": MANIFEST, **self.blob(child)}
            for runner, form, child in children
        ]
        return {"schemaVersion": 2, "mediaType": MANIFEST_LIST, "manifests": entries}

    def add(self, name: str, manifest: dict[str, Any], *, layout: str = "manifests", is_link: bool = False) -> Path:
        """Give a manifest a name, such as registry.ollama.ai/library/tiny/latest; `is_link` points at its blob."""
        path = self.root / layout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_link:
            blob = self.root / "blobs" / self.blob(manifest)["digest"].replace(":", "-")
            path.symlink_to(blob)
        else:
            path.write_text(json.dumps(manifest), encoding="utf-8")
        return path
