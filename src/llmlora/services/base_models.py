"""Base models ready for work: a GGUF file is opened once, in a worker, and compared with llama.cpp before its use."""

from __future__ import annotations

from typing import Any

from llmlora.catalog.base_model import BaseModel, resolve_base_model
from llmlora.catalog.hub_cache import cached_snapshot
from llmlora.catalog.known_architectures import unknown_architecture
from llmlora.catalog.ollama_store import find_ollama_model
from llmlora.catalog.opened_model import OPENED_RULES, opened_dir
from llmlora.core.errors import ConfigError, NotFound
from llmlora.core.publish import read_json, sha256_json, write_json
from llmlora.services.follow import OnEvent
from llmlora.services.hub_record import remember_fetched
from llmlora.services.launch import scratch_folder
from llmlora.services.supervisor import run_worker


def open_base_model(name: str, on_event: OnEvent | None = None) -> BaseModel:
    """Return the model of a name with everything that planning needs; `on_event` hears of a file that is opened first.

    Raises:
        NotFound, ModelFileError: those of `resolve_base_model`.
        UnsupportedArchitecture, ModelFileError: the GGUF file has what no model here has, or its model does not answer
            as llama.cpp has it (`gguf_selftest_failed`).
    """
    base = _found(name, on_event)
    if base.is_opened:
        return base
    if (unknown := unknown_architecture(base.architecture)) is not None:
        raise unknown
    _run(base, {"name": name}, on_event)
    return resolve_base_model(name)


def _found(name: str, on_event: OnEvent | None) -> BaseModel:
    """Return the model of a name; one of the Hub that is not in the Hub's cache, or not whole, is fetched first."""
    try:
        return resolve_base_model(name)
    except NotFound as error:
        if error.code != "model_on_hub":
            raise
    fetch_from_hub(name, on_event)
    return resolve_base_model(name)


def fetch_from_hub(name: str, on_event: OnEvent | None = None) -> None:
    """Fetch a model of the Hub, or what is missing of it; what was not in the cache before is remembered as fetched.

    Raises:
        Those of `weights.hub_download.download_model`.
    """
    is_new = cached_snapshot(name) is None
    with scratch_folder({"kind": "download", "name": name}) as work:
        run_worker("download", work, on_event)
    if is_new:
        remember_fetched(name)


def require_ollamas_template(base: BaseModel) -> None:
    """Refuse to train an Ollama model on another chat template than the one that Ollama will render.

    Raises:
        ConfigError: `ollama_template_differs`, five conversations rendered by both are not the same.
    """
    model = find_ollama_model(base.name)
    template = model.text("template")
    if template is None:  # Ollama renders the file's own
        return
    wanted = {"go_template": template, "system": model.text("system")}
    verdict = opened_dir(base.digest) / f"ollama-{sha256_json([OPENED_RULES, wanted])[:16]}.json"
    if not verdict.is_file():
        write_json(verdict, _run(base, wanted))
    difference = read_json(verdict)["difference"]
    if difference is not None:
        raise ConfigError("ollama_template_differs", name=base.name, detail=difference)


def _run(base: BaseModel, options: dict[str, Any], on_event: OnEvent | None = None) -> dict[str, Any]:
    with scratch_folder({"kind": "open_base", "path": str(base.path.absolute()), **options}) as work:
        return run_worker("open_base", work, on_event)
