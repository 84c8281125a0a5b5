"""Register a GGUF file as a model: hash, upload what is not there, create, and know whether it was done before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmlora.core.errors import ConfigError, Conflict, OllamaUnavailable
from llmlora.ollama.client import OllamaClient, hash_file
from llmlora.ollama.names import kept_name
from llmlora.ollama.versions import Abilities, abilities_of

OnProgress = Callable[[str, int, int], None]
OnBegin = Callable[[dict[str, Any]], None]
MODEL_FILE, ADAPTER_FILE = "model.gguf", "adapter.gguf"


@dataclass(frozen=True)
class Registration:
    """A model to be: its name, its file, and how Ollama has to run it.

    `base` names the model in Ollama that the file is an adapter for; without it the file is a whole model. `renderer`
    and `parser` are those of Ollama's own that the base is run with.
    """

    name: str
    file: Path
    parameters: Mapping[str, Any]
    template: str | None = None
    system: str | None = None
    license: str | None = None
    base: str | None = None
    renderer: str | None = None
    parser: str | None = None

    def body(self, digest: str) -> dict[str, Any]:
        """Return the request that makes it."""
        weights = {"files": {MODEL_FILE: digest}}
        if self.base is not None:
            weights = {"from": self.base, "adapters": {ADAPTER_FILE: digest}}  # type: ignore[dict-item]
        texts = {name: getattr(self, name) for name in ("template", "system", "license", "renderer", "parser")}
        given = {name: text for name, text in texts.items() if text is not None}
        return {"model": self.name, **weights, **given, "parameters": dict(self.parameters)}


def check_abilities(registration: Registration, abilities: Abilities) -> None:
    """Raise ConfigError for what this version of the server refuses or would answer wrongly."""
    if registration.base is not None and not abilities.takes_adapters:
        raise ConfigError("ollama_no_adapters", version=abilities.version)
    if registration.base is None and registration.template is None and not abilities.has_jinja:
        raise ConfigError("ollama_needs_go_template", version=abilities.version)


def register(
    client: OllamaClient,
    registration: Registration,
    earlier: Mapping[str, Any] | None,
    replace: bool,
    on_progress: OnProgress,
    on_begin: OnBegin,
) -> dict[str, Any]:
    """Make the model and return the record of it: name, url, version, digest, key, blob, whether it was there.

    `earlier` is the record of a push before; `on_begin` gets one to keep before the model is made, so that a push that
    was cut off is known for ours. A name that stands for something else is taken only with `replace`; what
    it stood for is kept under `<name>-before`. Nothing else on the server is touched.

    Raises:
        ConfigError: the version cannot do it. Conflict: `ollama_name_taken`.
        OllamaUnavailable, DiskFull: as `OllamaClient` says; doing it again goes on where it was.
    """
    abilities = abilities_of(client.version())
    check_abilities(registration, abilities)
    digest = hash_file(registration.file, lambda done, total: on_progress("hash", done, total))
    body = registration.body(digest)
    key = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    present = client.digest_of(registration.name)
    is_cut_off = earlier is not None and earlier.get("digest") is None and present not in (None, earlier.get("was"))
    is_ours = present is not None and earlier is not None and (earlier.get("digest") == present or is_cut_off)
    record = {"name": registration.name, "url": client.url, "version": abilities.version, "key": key, "blob": digest}
    if is_ours and not is_cut_off and earlier is not None and earlier.get("key") == key:
        return {**record, "digest": present, "is_new": False, "kept": earlier.get("kept")}
    if present is not None and not is_ours and not replace:
        raise Conflict("ollama_name_taken", name=registration.name, url=client.url)
    kept = earlier.get("kept") if is_cut_off and earlier is not None else None
    if present is not None and not is_cut_off:
        kept = kept_name(registration.name)
        client.copy(registration.name, kept)
    on_begin({**record, "digest": None, "was": present, "kept": kept})
    if not client.has_blob(digest):
        client.upload(registration.file, digest, lambda done, total: on_progress("upload", done, total))
    steps: list[str] = []
    client.create(body, lambda line: _note(line, steps, on_progress))
    made = client.digest_of(registration.name)
    if made is None:
        raise OllamaUnavailable("ollama_cut", url=client.url, detail="/api/tags")
    return {**record, "digest": made, "is_new": True, "kept": kept, "steps": steps}


def _note(line: Mapping[str, Any], steps: list[str], on_progress: OnProgress) -> None:
    status = str(line.get("status", ""))
    if not steps or steps[-1] != status:
        steps.append(status)
    on_progress("create", int(line.get("completed") or 0), int(line.get("total") or 1))


def roll_back(client: OllamaClient, name: str) -> dict[str, Any]:
    """Give a name back to what it stood for before the last push; both stay, under exchanged names.

    Raises:
        NotFound: nothing was kept.
    """
    kept, passing = kept_name(name), f"{name}-moving"
    client.show(kept)
    if client.digest_of(name) is None:
        client.copy(kept, name)
        return {"name": name, "kept": kept, "digest": client.digest_of(name)}
    client.copy(name, passing)
    client.copy(kept, name)
    client.copy(passing, kept)
    client.delete(passing)
    return {"name": name, "kept": kept, "digest": client.digest_of(name)}
