"""Export what a job trained as GGUF files that others can run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmlora.core.errors import ConfigError, Conflict, InputError
from llmlora.core.job import EXPORT_SCHEMA, read_job, trained_dir
from llmlora.core.layout import CONFIG_FILE, EXPORT_CLAIM, META_FILE, TEMPORARY_PREFIX
from llmlora.core.publish import read_json, write_json
from llmlora.core.temporary import claimed
from llmlora.core.writable import require_output
from llmlora.services.follow import OnEvent
from llmlora.services.supervisor import run_worker

META_SCHEMA = "llmlora.export-meta/1"
DEFAULT_QUANTIZATIONS = ("F16", "Q4_K_M")


def export_model(
    job_dir: str | Path,
    output: str | Path,
    quantizations: Sequence[str] = DEFAULT_QUANTIZATIONS,
    *,
    adapter: bool = False,
    keep_merged: bool = False,
    base_dir: str | Path | None = None,
    on_event: OnEvent | None = None,
) -> dict[str, Any]:
    """Write GGUF files, Modelfile, card and `verify.json` to `output`; doing it again goes on or changes nothing.

    `adapter` also writes `adapter.gguf`; `keep_merged` also the merged model folder; `base_dir` says where the base
    model lies now. Returns `output`, `files` (name, quantization, size_bytes, sha256), `modelfile` and `verify`.

    Raises:
        ConfigError: unknown quantization. ResourceError: `output` cannot be written.
        Conflict: `output` holds something else or another job's export, or another process is working in it.
        VerificationFailed: the files do not give the trained model's answers; they stay, with `verify.json`.
    """
    if not quantizations:
        raise ConfigError("no_quantization")
    trained_dir(Path(job_dir))
    target = Path(output).absolute()
    config = {
        "schema": EXPORT_SCHEMA,
        "kind": "export",
        "job_dir": str(Path(job_dir).absolute()),
        "job_id": read_job(Path(job_dir)).id,
        "quantizations": list(dict.fromkeys(quantizations)),
        "adapter": adapter,
        "keep_merged": keep_merged,
        "base_dir": str(Path(base_dir).absolute()) if base_dir else None,
    }
    require_output(target, "-o")
    _check_target(target, config)
    target.mkdir(parents=True, exist_ok=True)
    with claimed(target / EXPORT_CLAIM):
        _check_target(target, config)  # another process may have ended just before
        write_json(target / CONFIG_FILE, config)
        return run_worker("export", target, on_event)


def _check_target(target: Path, config: dict[str, Any]) -> None:
    if not target.exists() or (target.is_dir() and all(_is_temporary(entry) for entry in target.iterdir())):
        return
    earlier = export_record(target)
    if earlier is None:
        raise Conflict("output_not_empty", path=str(target))
    if earlier.get("job_id") != config["job_id"]:
        raise Conflict("output_other_job", path=str(target), job_dir=str(earlier.get("job_dir")))


def _is_temporary(entry: Path) -> bool:
    return entry.name.startswith(TEMPORARY_PREFIX)


def export_record(folder: Path) -> dict[str, Any] | None:
    """Return what a folder says of the job it was exported from: its `config.json`, else, when lost, its `meta.json`.

    None for a folder that is no export; raises InputError when both are damaged.
    """
    try:
        found = export_config(folder)
    except InputError:
        found = _export_meta(folder)
        if found is None:
            raise
    return found or _export_meta(folder)


def _export_meta(folder: Path) -> dict[str, Any] | None:
    try:
        meta = read_json(folder / META_FILE)
    except (OSError, ValueError):
        return None
    return meta if isinstance(meta, dict) and meta.get("schema") == META_SCHEMA else None


def export_config(folder: Path) -> dict[str, Any] | None:
    """Return the configuration of an export folder, or None when it is none."""
    try:
        config = read_json(folder / CONFIG_FILE)
    except OSError:
        return None
    except ValueError as error:
        raise InputError("damaged_export", path=str(folder / CONFIG_FILE)) from error
    return config if isinstance(config, dict) and config.get("schema") == EXPORT_SCHEMA else None
