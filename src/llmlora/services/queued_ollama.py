"""Work of the queue that concerns the Ollama server of this machine: download a model, register what was exported."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmlora.core.errors import ConfigError, Conflict, InputError, NotFound
from llmlora.core.layout import CONFIG_FILE, OLLAMA_FILE, new_id, work_root
from llmlora.core.locale import translate
from llmlora.core.publish import read_json, write_json
from llmlora.ollama.names import registered_name
from llmlora.services.export import export_record
from llmlora.services.ollama import OLLAMA_PREFIX, PlannedPush, Way, earlier_facts, write_push
from llmlora.services.outside_readers import datasets_worked_with
from llmlora.services.queue import Queue
from llmlora.store.jobs import DatasetUse, JobRow

# As `ollama pull` takes it: name, owner/name or host/owner/name, and a tag.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,2}(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?")


@dataclass(frozen=True)
class RegisterWish:
    """Which export or training job of the queue to register under which name.

    `way` and `quantizations` say how a training job is exported first (None: as its base decides). `base` names the
    model in Ollama that an export's adapter goes on (None: a whole model is registered); `replace` takes a name that
    stands for something else, `force` a file that is not verified.
    """

    job_id: str
    name: str
    way: Way | None = None
    quantizations: tuple[str, ...] | None = None
    system: str | None = None
    base: str | None = None
    replace: bool = False
    force: bool = False


def submit_pull(queue: Queue, name: str) -> JobRow:
    """Put the download of a model into the queue, by the Ollama server that `OLLAMA_HOST` names.

    Raises:
        ConfigError: `hub_not_yet` for a name of the Hugging Face Hub, `ollama_pull_name` for what is no name.
    """
    wanted = name.removeprefix(OLLAMA_PREFIX)
    if is_hub_name(name):
        raise ConfigError("hub_not_yet", name=name)
    if not _NAME.fullmatch(wanted):
        raise ConfigError("ollama_pull_name", name=name)
    return _submitted(queue, "download", wanted, {"source": "ollama", "name": wanted})


def is_hub_name(name: str) -> bool:
    """Tell whether a name is meant for the Hub; GGUF files of the Hub are named as Ollama names them."""
    return "/" in name and not name.startswith((OLLAMA_PREFIX, "hf.co/", "huggingface.co/"))


def submit_register(queue: Queue, wish: RegisterWish) -> JobRow:
    """Put the registration of a finished export into the queue, or of a finished training job, which is exported first.

    Raises:
        NotFound: no such job. Conflict: it is neither, or has not finished. ConfigError: the name, or an export with a
            way or quantizations. VerificationFailed: those of `earlier_facts`. For a training job what `push` raises.
    """
    job = queue.get(wish.job_id)
    if job.kind not in ("export", "train") or job.status != "succeeded":
        raise Conflict("ollama_needs_export", id=job.id, kind=job.kind, status=job.status)
    folder = queue.folder_of(job)
    planned = PlannedPush(
        folder,
        registered_name(wish.name),
        way=wish.way,
        quantizations=wish.quantizations,
        system=wish.system,
        base=wish.base,
        replace=wish.replace,
        force=wish.force,
    )
    if job.kind == "train":
        return _submitted(queue, "register", planned.name, write_push(planned), parent_id=job.id)
    if planned.way is not None or planned.quantizations:
        raise ConfigError("ollama_export_given", path=str(folder))
    record = export_record(folder)
    earlier = earlier_facts(Path(str(record.get("job_dir", ""))), wish.force) if record else None
    config = {**planned.to_config(folder), "earlier": earlier}
    return _submitted(queue, "register", planned.name, config, parent_id=job.id)


def queue_push(queue: Queue, planned: PlannedPush) -> JobRow:
    """Put what `services.ollama.push` does into the queue, the export of a job included; raises what it raises."""
    config = write_push(planned)
    return _submitted(queue, "register", planned.name, config, parent_id=_export_at(queue, Path(config["export_dir"])))


def _export_at(queue: Queue, folder: Path) -> str | None:
    """Return the export of the queue whose folder this is, None where it is another's."""
    try:
        job = queue.get(folder.name)
    except NotFound:
        return None
    return job.id if queue.folder_of(job) == folder else None


def registration_document(folder: Path) -> dict[str, Any] | None:
    """Return the last registration of an export with the words of its checks, None before the first."""
    try:
        found = dict(read_json(folder / OLLAMA_FILE))
    except (OSError, ValueError, TypeError):
        return None
    checks = [{**check, "text": translate(f"ollama.gate.{check['check']}")} for check in found.get("checks", ())]
    names = ("name", "url", "version", "file", "is_verified", "kept", "ok")
    measured = {name: found.get(name) for name in ("score", "not_measured")}
    return {**{name: found.get(name) for name in names}, **measured, "checks": checks}


def datasets_of_export(home: Path, folder: Path) -> tuple[DatasetUse, ...]:
    """Return the datasets that work with an export reads: what its job was trained on; none when the job is gone."""
    try:
        return datasets_worked_with(home, Path(str((export_record(folder) or {})["job_dir"])))
    except (OSError, ValueError, KeyError, InputError):
        return ()


def _submitted(queue: Queue, kind: str, name: str, config: dict[str, Any], parent_id: str | None = None) -> JobRow:
    job_id = new_id()
    folder = work_root(queue.database.home, kind) / job_id
    folder.mkdir(parents=True)
    uses = datasets_of_export(queue.database.home, Path(config["export_dir"])) if "export_dir" in config else ()
    try:
        write_json(folder / CONFIG_FILE, {"kind": kind, **config})
        return queue.submit(kind, folder, name=name, parent_id=parent_id, job_id=job_id, datasets=uses)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
