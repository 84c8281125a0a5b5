"""Export what a job trained as GGUF files that others can run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from llmlora.catalog.job_base import find_base
from llmlora.catalog.served_base import served_base
from llmlora.core.errors import ConfigError, Conflict, InputError, LlmloraError
from llmlora.core.job import EXPORT_SCHEMA, JobConfig, read_job, trained_dir
from llmlora.core.layout import CONFIG_FILE, EXPORT_CLAIM, META_FILE, STITCHED, TEMPORARY_PREFIX
from llmlora.core.publish import read_json, write_json
from llmlora.core.quantizations import QUANTIZATIONS, require_quantizations
from llmlora.core.temporary import claimed
from llmlora.core.writable import require_output
from llmlora.services.follow import OnEvent
from llmlora.services.outside_readers import datasets_held
from llmlora.services.supervisor import run_worker

META_SCHEMA = "llmlora.export-meta/1"
DEFAULT_QUANTIZATIONS = ("F16", "Q4_K_M")
STITCH_TYPE, OWN_TYPE = "Q8_0", "base"
COMPARED = ("Q8_0", "Q4_K_M")  # merged files that are compared with the other ways


@dataclass(frozen=True)
class PlannedExport:
    """An export that can start or go on: a finished job, and a folder that is free or holds its export already."""

    job_dir: Path
    job_id: str
    output: Path
    quantizations: tuple[str, ...]
    adapter: bool = False
    keep_merged: bool = False
    base_dir: Path | None = None
    stitch_base: Path | None = None
    stitch_type: str = STITCH_TYPE
    kind: ClassVar[str] = "export"

    def to_config(self) -> dict[str, Any]:
        """Return the `config.json` of the export folder."""
        return {
            "schema": EXPORT_SCHEMA,
            "kind": self.kind,
            "job_dir": str(self.job_dir),
            "job_id": self.job_id,
            "quantizations": list(self.quantizations),
            "adapter": self.adapter,
            "keep_merged": self.keep_merged,
            "base_dir": str(self.base_dir) if self.base_dir else None,
            "stitch_base": str(self.stitch_base) if self.stitch_base else None,
            "stitch_type": self.stitch_type,
        }


def plan_export(
    job_dir: str | Path,
    output: str | Path,
    quantizations: Sequence[str] | None = None,
    *,
    adapter: bool = False,
    keep_merged: bool = False,
    base_dir: str | Path | None = None,
    stitch: bool = False,
    stitch_base: str | Path | None = None,
    stitch_type: str = STITCH_TYPE,
    compare: bool = False,
) -> PlannedExport:
    """Check that a job can be exported to a folder; nothing is written.

    `stitch` adds the stitched file, or makes it alone where no quantization is named. Without either, what is made is
    the stitched file of a base that is a GGUF file and still there, and DEFAULT_QUANTIZATIONS of any other.
    `compare` makes the files of all ways to give a model back, so that they are measured side by side.

    Raises:
        ConfigError: no quantization, or an unknown one. NotFound: not a finished job.
        ResourceError: `output` cannot be written.
        Conflict: `output` holds something else or another job's export.
    """
    if quantizations is not None and not quantizations:
        raise ConfigError("no_quantization")
    require_quantizations(quantizations or (), (*QUANTIZATIONS, STITCHED))
    trained_dir(Path(job_dir))
    job = read_job(Path(job_dir))
    if compare:
        quantizations, stitch = quantizations or COMPARED, stitch or _is_stitchable(job, base_dir)
        adapter = adapter or served_base(job, Path(job_dir)) is not None
    if quantizations is None:
        quantizations = () if stitch or _is_stitchable(job, base_dir) else DEFAULT_QUANTIZATIONS
        stitch = not quantizations
    target = Path(output).absolute()
    planned = PlannedExport(
        job_dir=Path(job_dir).absolute(),
        job_id=job.id,
        output=target,
        quantizations=tuple(dict.fromkeys((*([STITCHED] if stitch else []), *quantizations))),
        adapter=adapter,
        keep_merged=keep_merged,
        base_dir=Path(base_dir).absolute() if base_dir else None,
        stitch_base=Path(stitch_base).absolute() if stitch_base else None,
        stitch_type=stitch_type,
    )
    require_output(target, "-o")
    _check_target(target, planned.job_id)
    return planned


def _is_stitchable(job: JobConfig, moved_base: str | Path | None) -> bool:
    """Tell whether the base is a GGUF file that a stitched one can be made of, which has to be there."""
    if not Path(moved_base or job.base_dir).is_file():
        return False
    try:
        find_base(job, Path(moved_base) if moved_base else None)
    except LlmloraError:  # the merged files of full training need no base; what needs it says what became of it
        return False
    return True


def write_export(planned: PlannedExport) -> Path:
    """Make the export folder, or order anew what is to lie in it, and return it; nothing runs.

    Raises:
        Conflict: it holds something else or another job's export by now.
    """
    planned.output.mkdir(parents=True, exist_ok=True)
    _check_target(planned.output, planned.job_id)  # another process may have ended just before
    write_json(planned.output / CONFIG_FILE, planned.to_config())
    return planned.output


def export_model(
    job_dir: str | Path,
    output: str | Path,
    quantizations: Sequence[str] | None = None,
    *,
    adapter: bool = False,
    keep_merged: bool = False,
    base_dir: str | Path | None = None,
    stitch: bool = False,
    stitch_base: str | Path | None = None,
    stitch_type: str = STITCH_TYPE,
    compare: bool = False,
    on_event: OnEvent | None = None,
) -> dict[str, Any]:
    """Write GGUF files, Modelfile, card and `verify.json` to `output`; doing it again goes on or changes nothing.

    `adapter` also writes `adapter.gguf`; `keep_merged` also the merged model folder; `base_dir` says where the base
    model lies now. `stitch` makes `model-stitched.gguf`: the base's GGUF file in which only what training changed is
    rewritten, in `stitch_type`; `stitch_base` is that file where the job was trained on a folder converted from it.
    Without `quantizations` and `stitch` the base decides; `compare` makes all ways (`plan_export`). Returns `output`,
    `files` (name, quantization, size_bytes, seconds, sha256), `stitch`, `modelfile` and `verify`.

    Raises:
        ConfigError: unknown quantization. ResourceError: `output` cannot be written.
        Conflict: `output` holds something else or another job's export, or another process is working in it.
        VerificationFailed: the files do not give the trained model's answers; they stay, with `verify.json`.
    """
    planned = plan_export(
        job_dir,
        output,
        quantizations,
        adapter=adapter,
        keep_merged=keep_merged,
        base_dir=base_dir,
        stitch=stitch,
        stitch_base=stitch_base,
        stitch_type=stitch_type,
        compare=compare,
    )
    planned.output.mkdir(parents=True, exist_ok=True)
    with claimed(planned.output / EXPORT_CLAIM), datasets_held(Path(job_dir).absolute(), planned.output):
        return run_worker(planned.kind, write_export(planned), on_event)


def _check_target(target: Path, job_id: str) -> None:
    if not target.exists() or (target.is_dir() and all(_is_temporary(entry) for entry in target.iterdir())):
        return
    earlier = export_record(target)
    if earlier is None:
        raise Conflict("output_not_empty", path=str(target))
    if earlier.get("job_id") != job_id:
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
