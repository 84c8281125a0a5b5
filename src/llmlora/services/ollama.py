"""What a user can do with an Ollama server: look, pull, push what was trained, roll back, check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from llmlora.core.errors import ConfigError, LlmloraError, VerificationFailed
from llmlora.core.job import read_job
from llmlora.ollama.client import OllamaClient
from llmlora.ollama.names import registered_name, slug
from llmlora.ollama.register import roll_back
from llmlora.ollama.versions import Abilities, abilities_of
from llmlora.services.evaluate import newest_evaluation
from llmlora.services.export import PlannedExport, export_record, plan_export, write_export
from llmlora.services.follow import OnEvent
from llmlora.services.launch import scratch_folder
from llmlora.services.supervisor import run_worker

Way = Literal["stitch", "merge", "adapter"]
OLLAMA_PREFIX = "ollama:"
MERGED = (
    "Q8_0",
    "Q4_K_M",
)  # of a merged model where nothing is named; the smallest that keeps all is used
MISSING = "llmlora-does-not-exist"
SHOWN = ("parameters", "system", "template", "license")
ABILITIES = ("takes_adapters", "has_jinja", "can_render", "has_logprobs")
LOOK_SECONDS = 5.0  # that a page waits for the server to say what it is
OnPull = Callable[[str, int, int], None]


@dataclass(frozen=True)
class PlannedPush:
    """What to push where: an export, or a job that is exported first, and in which way (None: as its base decides).

    `base` names the model in Ollama that an adapter goes on, where the job's own base does not say it.
    """

    folder: Path
    name: str
    way: Way | None = None
    quantizations: tuple[str, ...] | None = None
    system: str | None = None
    base: str | None = None
    replace: bool = False
    force: bool = False
    url: str | None = None
    kind: ClassVar[str] = "register"

    def to_config(self, export_dir: Path) -> dict[str, Any]:
        """Return the `config.json` of the work folder, for an export that is there."""
        return {
            "kind": self.kind,
            "export_dir": str(export_dir),
            "name": self.name,
            "url": self.url,
            "system": self.system,
            "base": self.base,
            "replace": self.replace,
            "force": self.force,
            "exports": False,
        }


def proposed_name(folder: Path) -> str:
    """Return a name for what lies in a folder, from the folder's own."""
    return registered_name(slug(folder.absolute().name))


def push(planned: PlannedPush, on_event: OnEvent | None = None) -> dict[str, Any]:
    """Export if need be, register, and ask the server what it was taught; return the record of `ollama.json`.

    Raises:
        ConfigError: the name, the way, or what this version of Ollama cannot do.
        Conflict: the name stands for something else. OllamaUnavailable, DiskFull: the server, with what to do.
        VerificationFailed: the file is not verified, or the served model answers otherwise; nothing is removed. And
            those of `earlier_facts`.
    """
    with scratch_folder(write_push(planned)) as work:
        return run_worker(planned.kind, work, on_event)


def write_push(planned: PlannedPush) -> dict[str, Any]:
    """Check what can be known before minutes are spent on an export, and return the `config.json` of the work.

    A job is exported first by the same worker (`exports`); the folder for that is made here. Raises what `push` raises.
    """
    registered_name(planned.name)
    with OllamaClient(planned.url) as client:
        abilities, url = abilities_of(client.version()), client.url
    base = None
    if planned.way == "adapter":
        if not abilities.takes_adapters:
            raise ConfigError("ollama_no_adapters", version=abilities.version)
        base = planned.base or _base_in_ollama(planned.folder)
    export_dir = planned.folder.absolute()
    record = export_record(export_dir)
    if record is not None and (planned.way in ("stitch", "merge") or planned.quantizations):
        raise ConfigError("ollama_export_given", path=str(planned.folder))
    earlier = earlier_facts(Path(str(record.get("job_dir", ""))) if record else export_dir, planned.force)
    if record is None:
        export_dir = write_export(_planned_export(planned))
    config = planned.to_config(export_dir)
    return {**config, "url": url, "base": base, "earlier": earlier, "exports": record is None}


def earlier_facts(job_dir: Path, force: bool) -> dict[str, Any] | None:
    """Return what is known of the facts that were taught before, for the record; None where nothing was mixed in.

    Raises:
        VerificationFailed: `replay_not_asked`, no evaluation has asked them again; `replay_lost`, one is lost. With
            `force` neither, and the record says so.
    """
    if read_job(job_dir).replay is None:
        return None
    report = newest_evaluation(job_dir)
    earlier = report.get("earlier") if report else None
    if earlier is None:
        if not force:
            raise VerificationFailed("replay_not_asked", job_dir=str(job_dir))
        return {"num_facts": None, "num_after": None, "num_lost": None, "is_overridden": True}
    lost = earlier["lost"]
    if lost and not force:
        first = lost[0]
        raise VerificationFailed("replay_lost", count=len(lost), question=first["question"], fact=first["fact"])
    counts = {name: earlier[name] for name in ("num_facts", "num_after")}
    return {**counts, "num_lost": len(lost), "is_overridden": bool(lost)}


def _planned_export(planned: PlannedPush) -> PlannedExport:
    output = planned.folder.absolute().with_name(f"{planned.folder.absolute().name}-export")
    names = planned.quantizations
    if names is None and planned.way == "merge":
        names = MERGED
    is_stitched, has_adapter = planned.way == "stitch", planned.way == "adapter"
    return plan_export(planned.folder, output, names, stitch=is_stitched, adapter=has_adapter)


def _base_in_ollama(folder: Path) -> str:
    record = export_record(folder)
    job = read_job(Path(record["job_dir"]) if record else folder)
    if not job.base_model.startswith(OLLAMA_PREFIX):
        raise ConfigError("ollama_needs_base", base_model=job.base_model)
    return job.base_model.removeprefix(OLLAMA_PREFIX)


def list_models(url: str | None = None) -> dict[str, Any]:
    """Return the server's address, version and models."""
    with OllamaClient(url) as client:
        return {"url": client.url, "version": client.version(), "models": client.tags()}


def server_state() -> dict[str, Any]:
    """Return the server that `OLLAMA_HOST` names: its address, models, and what its version can do; or why not.

    `error` holds the code and parameters of what is wrong; the other values are None and empty then.
    """
    with OllamaClient(wait_seconds=LOOK_SECONDS) as client:
        try:
            abilities, models = abilities_of(client.version()), client.tags()
        except LlmloraError as error:
            return {"url": client.url, "version": None, "abilities": {}, "models": [], "error": error.to_dict()}
        return {
            "url": client.url,
            "version": abilities.version,
            "abilities": _facts(abilities),
            "models": [_model_facts(model) for model in models],
            "error": None,
        }


def _model_facts(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a server says of a model, of the kinds that are expected."""
    size, digest, details = model.get("size"), model.get("digest"), model.get("details")
    level = details.get("quantization_level") if isinstance(details, dict) else None
    return {
        "name": str(model.get("name")),
        "size": size if isinstance(size, int) else None,
        "digest": digest if isinstance(digest, str) else None,
        "quantization": level if isinstance(level, str) else None,
    }


def show_model(name: str, url: str | None = None) -> dict[str, Any]:
    """Return what the server says of a model."""
    with OllamaClient(url) as client:
        return client.show(name)


def pull_model(name: str, on_bytes: OnPull, url: str | None = None) -> dict[str, Any]:
    """Have the server download a model; `on_bytes` gets what it does, bytes done and in total."""
    with OllamaClient(url) as client:
        client.pull(
            name,
            lambda line: on_bytes(
                str(line.get("status")), int(line.get("completed") or 0), int(line.get("total") or 0)
            ),
        )
        return {"name": name, "url": client.url, "digest": client.digest_of(name)}


def rollback_model(name: str, url: str | None = None) -> dict[str, Any]:
    """Give a name back to what it stood for before the last push."""
    with OllamaClient(url) as client:
        return roll_back(client, registered_name(name))


def shown_model(name: str) -> dict[str, Any]:
    """Return what the server that `OLLAMA_HOST` names says of a model, of the kinds that are expected.

    Raises:
        NotFound: `ollama_no_model`. OllamaUnavailable: it does not answer.
    """
    found = show_model(name)
    texts = {key: value if isinstance(value := found.get(key), str) and value else None for key in SHOWN}
    details, abilities = found.get("details"), found.get("capabilities")
    return {
        "name": name,
        **texts,
        "details": details if isinstance(details, dict) else {},
        "capabilities": [item for item in abilities if isinstance(item, str)] if isinstance(abilities, list) else [],
    }


def check_server(url: str | None = None) -> dict[str, Any]:
    """Ask a server only what changes nothing; return its version, abilities, and what it answers otherwise."""
    with OllamaClient(url) as client:
        abilities = abilities_of(client.version())
        checks: dict[str, Callable[[], bool]] = {
            "tags": lambda: all("name" in model and "digest" in model for model in client.tags()),
            "missing_model": lambda: _refusal(lambda: client.show(MISSING)) == "ollama_no_model",
            "missing_blob": lambda: not client.has_blob("sha256:" + "0" * 64),
            "bad_digest": lambda: _refusal(lambda: client.has_blob("sha256:1")) == "ollama_refused",
        }
        found = [{"check": name, "ok": bool(check())} for name, check in checks.items()]
        return {"url": client.url, "version": abilities.version, **_facts(abilities), "checks": found}


def _facts(abilities: Abilities) -> dict[str, bool]:
    return {name: getattr(abilities, name) for name in ABILITIES}


def _refusal(call: Callable[[], object]) -> str:
    try:
        call()
    except LlmloraError as error:
        return error.code
    return ""
