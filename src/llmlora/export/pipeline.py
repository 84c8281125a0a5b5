"""From a finished job to verified files: plan, refuse what cannot work, write, verify, describe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

from llmlora import __version__
from llmlora.catalog.gguf_files import read_gguf_files
from llmlora.core.errors import ConfigError, Conflict, ExportError
from llmlora.core.layout import (
    ADAPTER_CONFIG,
    ADAPTER_GGUF,
    MERGED_DIR,
    META_FILE,
    MODELFILE,
    STITCHED,
    TEMPORARY_PREFIX,
    TOKENIZER_FILE,
    VERIFY_FILE,
    gguf_name,
)
from llmlora.core.publish import (
    publishing_dir,
    read_json,
    read_manifest,
    replacing,
    sha256_file,
    sha256_json,
    write_json,
    write_text,
)
from llmlora.core.quantizations import require_quantizations
from llmlora.core.temporary import remove_leftovers
from llmlora.export.card import export_card
from llmlora.export.chosen_file import choice_comment, choose_file, lossy_lines
from llmlora.export.merge import trained_source
from llmlora.export.model_folder import copy_companions, item_size, model_dtype, write_model_folder
from llmlora.export.modelfile import ModelfileContent, modelfile_text
from llmlora.export.modelfile_check import planned_content
from llmlora.export.own_grid import SwallowedUpdate, swallowed_updates
from llmlora.export.sizes import adapter_size, check_room, model_sizes, planned_header
from llmlora.export.stitch import (
    SAFE_TYPE,
    Stitch,
    StitchPlan,
    check_stitch_type,
    find_stitch,
    plan_stitch,
    read_stitch,
)
from llmlora.export.taught_check import CarriedFacts
from llmlora.export.verdict import raise_unless_usable
from llmlora.export.verify import finish_report, verify_files
from llmlora.gguf.architectures import check_exportable
from llmlora.gguf.lora import write_lora_gguf
from llmlora.gguf.quantize import available_quantizations, quantize_gguf
from llmlora.gguf.source import TensorSource, float32_bytes
from llmlora.gguf.writer import FloatType, write_gguf
from llmlora.inference.trained_job import TrainedJob, find_trained
from llmlora.prepare.asking import chat_format

FORMAT = 1  # part of every file's key: raise it when the same inputs give other bytes
META_SCHEMA = "llmlora.export-meta/1"

FLOAT_TYPES: tuple[FloatType, ...] = ("F32", "F16", "BF16")
UNQUANTISED = (*FLOAT_TYPES, STITCHED)  # what is not made from an F16 file
OnProgress = Callable[[str, int, int], None]
OnPlan = Callable[[Mapping[str, int]], None]


@dataclass(frozen=True)
class ExportRequest:
    """What to export, from which job, to where."""

    job_dir: Path
    output: Path
    quantizations: tuple[str, ...]
    adapter: bool = False
    keep_merged: bool = False
    moved_base: Path | None = None
    stitch_base: Path | None = None
    stitch_type: str = SAFE_TYPE

    @classmethod
    def from_config(cls, config: Mapping[str, Any], output: Path) -> Self:
        """Build a request from the `config.json` of an export folder."""
        moved_base, stitch_base = config.get("base_dir"), config.get("stitch_base")
        return cls(
            job_dir=Path(config["job_dir"]),
            output=output,
            quantizations=tuple(config["quantizations"]),
            adapter=bool(config.get("adapter")),
            keep_merged=bool(config.get("keep_merged")),
            moved_base=Path(moved_base) if moved_base else None,
            stitch_base=Path(stitch_base) if stitch_base else None,
            stitch_type=str(config.get("stitch_type") or SAFE_TYPE),
        )


@dataclass
class _Work:
    """The state of one export: inputs, and what already lies in the output folder."""

    request: ExportRequest
    trained: TrainedJob
    source: TensorSource
    config: dict[str, Any]
    digest: str
    meta: dict[str, Any]
    on_progress: OnProgress
    stitch: Stitch | None = None
    restored: tuple[str, ...] = ()
    written: set[str] = field(default_factory=set)
    _digests: dict[str, str] = field(default_factory=dict)

    @property
    def quantizations(self) -> tuple[str, ...]:
        """The types to write: the asked ones, and those of damaged files of an earlier run."""
        return (*self.request.quantizations, *self.restored)

    @cached_property
    def stitch_plan(self) -> StitchPlan:
        assert self.stitch is not None
        step = partial(self.on_progress, "stitch", 0, 1)
        return plan_stitch(self.trained, self.source, self.config, self.stitch, step)

    def path(self, name: str) -> Path:
        return self.request.output / name

    def key(self, **options: Any) -> str:
        return sha256_json({"digest": self.digest, "format": FORMAT, **options})

    def is_done(self, name: str, key: str) -> bool:
        """Tell whether a file of an earlier run is the one asked for, to the byte."""
        entry = self.meta["files"].get(name)
        path = self.path(name)
        if not entry or entry["key"] != key or not path.is_file():
            return False
        return bool(path.stat().st_size == entry["size_bytes"] and self._digest(path) == entry["sha256"])

    def _digest(self, path: Path) -> str:
        """Return a file's digest, read once as long as it is not written again."""
        if path.name not in self._digests:
            self._digests[path.name] = sha256_file(path)
        return self._digests[path.name]

    def record(self, name: str, key: str, quantization: str | None, started: float) -> None:
        """Note a file that was written since `started`."""
        seconds = round(time.monotonic() - started, 2)
        self.written.add(name)
        self._digests.pop(name, None)
        path = self.path(name)
        entry = {"key": key, "quantization": quantization, "size_bytes": path.stat().st_size, "seconds": seconds}
        self.meta["files"][name] = {**entry, "sha256": self._digest(path)}
        write_json(self.path(META_FILE), self.meta)

    def progress(self, phase: str) -> Callable[[int, int], None]:
        return lambda done, total: self.on_progress(phase, done, total)


def export_model(
    request: ExportRequest,
    on_progress: OnProgress | None = None,
    on_plan: OnPlan | None = None,
    carried: CarriedFacts | None = None,
    on_swallowed: Callable[[SwallowedUpdate], None] | None = None,
) -> dict[str, Any]:
    """Write the asked files to `request.output`, each published whole, and verify them.

    Files that are already there from the same inputs are kept. `on_plan` gets the names and bytes of the files that
    will be written, before the first one is, and `on_swallowed` those types that will lose what was trained; `carried`
    is the rule by which facts are found in answers.
    Returns `output`, `files`, `model_file`, `modelfile` and `verify`.

    Raises:
        ConfigError: an unknown quantization.
        ExportError: the model cannot be exported, or not as an adapter.
        DiskFull: there is not enough room, known before anything is written.
        VerificationFailed: a file does not give the trained model's answers, or the one to use lost what was taught.
    """
    check_quantizations(request.quantizations)
    check_stitch_type(request.stitch_type)
    work = _open(request, on_progress or (lambda phase, done, total: None))
    request = work.request
    check_exportable(work.config)
    remove_leftovers(request.output)
    planned = _planned_files(work)
    _check_disk(work, planned)
    if on_plan is not None:
        on_plan(planned)
    if on_swallowed is not None:
        missing = [name for name in work.quantizations if name not in UNQUANTISED and gguf_name(name) in planned]
        for found in swallowed_updates(work.trained, work.source, work.config, missing):
            on_swallowed(found)
    if request.adapter:
        _write_adapter(work)
    if request.keep_merged:
        _write_merged(work)
    _write_models(work)
    report = verify_files(
        request.output, work.trained, work.meta["files"], work.on_progress, carried, stitch=work.stitch
    )
    content = _describe(work, report)
    finish_report(report, request.output, content)
    raise_unless_usable(report, request.output, request.output / VERIFY_FILE, request.job_dir)
    return _result(work, report)


def check_quantizations(names: tuple[str, ...]) -> None:
    """Raise ConfigError when a name is unknown or cannot be made on this machine."""
    require_quantizations(names, (*available_quantizations(), STITCHED))


def _open(request: ExportRequest, on_progress: OnProgress) -> _Work:
    trained = find_trained(request.job_dir, request.moved_base)
    source, config = trained_source(trained)
    digest = trained_digest(trained)
    meta: dict[str, Any] = {
        "schema": META_SCHEMA,
        "job_id": trained.job.id,
        "job_dir": str(request.job_dir.absolute()),
        "base_model": trained.job.base_model,
        "base_dir": str(trained.weights.path),
        "base_digest": trained.job.base_digest,
        "trained_digest": digest,
        "llmlora_version": __version__,
        "files": {},
    }
    earlier = _earlier(request.output / META_FILE)
    if earlier:
        if earlier.get("trained_digest") != digest:
            raise Conflict("output_other_job", path=str(request.output), job_dir=str(earlier.get("job_dir")))
        meta["files"] = earlier["files"]
    work = _Work(request, trained, source, config, digest, meta, on_progress)
    _settle_earlier(work, earlier or {})
    return work


def _settle_earlier(work: _Work, earlier: Mapping[str, Any]) -> None:
    """Forget the files of an earlier run that are gone, and plan to write damaged ones again."""
    files = work.meta["files"]
    work.meta["files"] = {name: entry for name, entry in files.items() if work.path(name).is_file()}
    if gguf_name(STITCHED) in work.meta["files"]:
        work.meta["stitch"] = earlier["stitch"]
    if STITCHED in work.request.quantizations:
        work.stitch = find_stitch(work.trained, work.request.stitch_base, work.request.stitch_type)
    else:
        work.stitch = read_stitch(work.meta)
    others = [name for name in (*available_quantizations(), STITCHED) if name not in work.request.quantizations]
    there = [name for name in others if gguf_name(name) in work.meta["files"]]
    work.restored = tuple(name for name in there if not _is_written(work, name))
    key = work.key(file=ADAPTER_GGUF)
    if ADAPTER_GGUF in work.meta["files"] and not work.is_done(ADAPTER_GGUF, key):
        work.request = replace(work.request, adapter=True)


def _earlier(path: Path) -> dict[str, Any] | None:
    """Return the record of an earlier run; one that cannot be read counts as none, so every file is written again."""
    try:
        earlier = dict(read_json(path))
        return {**earlier, "files": {name: dict(entry) for name, entry in earlier["files"].items()}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def trained_digest(trained: TrainedJob) -> str:
    """Return a digest of everything that decides an exported file's content."""
    folder = trained.result_dir
    names = [*sorted(path.name for path in folder.glob("*.safetensors")), ADAPTER_CONFIG, TOKENIZER_FILE]
    hashes = {name: sha256_file(folder / name) for name in names if (folder / name).is_file()}
    return sha256_json({"base": trained.job.base_digest, "files": hashes, "template": trained.template.text})


def _planned_files(work: _Work) -> dict[str, int]:
    """Return the files this run will write with their bytes; those that are there already are left out."""
    request = work.request
    header = planned_header(work.source, work.config, work.trained.result_dir)
    missing = [name for name in work.quantizations if not _is_written(work, name)]
    sizes = model_sizes(header, [name for name in missing if name != STITCHED])
    planned = {gguf_name(name): size for name, size in sizes.items()}
    if STITCHED in missing:
        planned[gguf_name(STITCHED)] = work.stitch_plan.num_bytes
    if request.adapter and work.trained.adapter_dir and not work.is_done(ADAPTER_GGUF, work.key(file=ADAPTER_GGUF)):
        planned[ADAPTER_GGUF] = adapter_size(work.trained.adapter_dir)
    if request.keep_merged and not work.path(MERGED_DIR).exists():
        dtype = model_dtype(work.trained.weights)
        planned[MERGED_DIR] = float32_bytes(work.source) * item_size(dtype) // 4
    return planned


def _check_disk(work: _Work, planned: Mapping[str, int]) -> None:
    """Refuse before writing when the files, and the largest temporary one, would not fit."""
    names, float32 = work.quantizations, float32_bytes(work.source)
    needs_source = "F16" not in names and any(gguf_name(name) in planned for name in names if name not in UNQUANTISED)
    needs_float32 = work.request.adapter or "BF16" in names  # the file that verification compares with
    needed = sum(planned.values()) + max(float32 // 2 * needs_source, float32 * needs_float32)
    check_room(work.request.output, needed, "export_would_fill")


def _write_adapter(work: _Work) -> None:
    if work.trained.adapter_dir is None:
        raise ConfigError("no_adapter_to_export", method=work.trained.job.method)
    key = work.key(file=ADAPTER_GGUF)
    if work.is_done(ADAPTER_GGUF, key):
        return
    started = time.monotonic()
    with replacing(work.path(ADAPTER_GGUF)) as path:
        write_lora_gguf(work.trained.adapter_dir, work.trained.model_config, path)
    work.record(ADAPTER_GGUF, key, None, started)


def _write_merged(work: _Work) -> None:
    folder = work.path(MERGED_DIR)
    manifest = read_manifest(folder) if folder.is_dir() else None
    if manifest and manifest.get("digest") == work.digest:
        return
    with publishing_dir(folder, {"digest": work.digest}) as temporary:
        dtype = model_dtype(work.trained.weights)
        write_model_folder(work.source, work.config, temporary, dtype, work.progress("merge"))
        copy_companions(work.trained, temporary)


def _write_models(work: _Work) -> None:
    """Write the float files from the merged stream, and the quantised ones from an F16 file of it."""
    names = work.quantizations
    for float_type in FLOAT_TYPES:
        if float_type in names:
            _write_float(work, float_type)
    if STITCHED in names:
        _write_stitched(work)
    pending = [name for name in names if name not in UNQUANTISED and not _is_written(work, name)]
    if not pending:
        return
    with _quantization_source(work) as source:
        for name in pending:
            started = time.monotonic()
            with replacing(work.path(gguf_name(name))) as path:
                quantize_gguf(source, path, name, on_progress=work.progress("quantize"))
            work.record(gguf_name(name), work.key(quantization=name), name, started)


@contextmanager
def _quantization_source(work: _Work) -> Iterator[Path]:
    """Yield an F16 file of the model (F32 where a weight overflows F16): the asked one, else one for this moment.

    Never another type that happens to be there, so that the same job always gives the same quantised bytes.
    """
    if "F16" in work.quantizations:
        yield work.path(gguf_name("F16"))
        return
    path = work.path(f"{TEMPORARY_PREFIX}source.gguf")
    try:
        try:
            _convert(work, path, "F16")
        except ExportError as error:
            if error.code != "float16_overflow":
                raise
            _convert(work, path, "F32")
        yield path
    finally:
        path.unlink(missing_ok=True)


def _is_written(work: _Work, quantization: str) -> bool:
    return work.is_done(gguf_name(quantization), _key_of(work, quantization))


def _key_of(work: _Work, quantization: str) -> str:
    if quantization != STITCHED:
        return work.key(quantization=quantization)
    assert work.stitch is not None
    states = [path.stat() for path in read_gguf_files(work.stitch.path).paths]
    base = [number for state in states for number in (state.st_size, state.st_mtime_ns)]
    return work.key(quantization=STITCHED, wanted=work.stitch.wanted, base=base)


def _write_stitched(work: _Work) -> None:
    if not _is_written(work, STITCHED):
        started, plan = time.monotonic(), work.stitch_plan
        with replacing(work.path(gguf_name(STITCHED))) as path:
            plan.write(path, work.progress("stitch"))
        assert work.stitch is not None
        work.meta["stitch"] = {"wanted": work.stitch.wanted, **plan.summary()}
        work.record(gguf_name(STITCHED), _key_of(work, STITCHED), STITCHED, started)


def _write_float(work: _Work, quantization: FloatType) -> None:
    if _is_written(work, quantization):
        return
    started = time.monotonic()
    with replacing(work.path(gguf_name(quantization))) as path:
        _convert(work, path, quantization)
    work.record(gguf_name(quantization), work.key(quantization=quantization), quantization, started)


def _convert(work: _Work, path: Path, file_type: FloatType) -> None:
    write_gguf(
        work.source,
        work.config,
        work.trained.result_dir,
        path,
        file_type,
        work.trained.gguf_name,
        on_progress=work.progress("convert"),
        chat=chat_format(work.trained.template),
    )


def _describe(work: _Work, report: Mapping[str, Any]) -> ModelfileContent:
    """Write Modelfile and model card, and name the file that Ollama and chat use; return what the Modelfile says."""
    model_file = gguf_name(choose_file(report, work.request.quantizations))
    work.meta["model_file"] = model_file
    write_json(work.path(META_FILE), work.meta)
    turn_end = str(report["reference"]["turn_end"])
    content = planned_content(work.trained, work.config, model_file, turn_end)
    write_text(work.path(MODELFILE), modelfile_text(replace(content, comment=choice_comment(report, model_file))))
    sizes = {name: int(entry["size_bytes"]) for name, entry in work.meta["files"].items()}
    write_text(work.path("README.md"), export_card(work.trained.job, sizes, lossy_lines(report)))
    return content


def _result(work: _Work, report: Mapping[str, Any]) -> dict[str, Any]:
    files = [
        {
            "file": name,
            "reused": name not in work.written,
            **{key: value for key, value in entry.items() if key != "key"},
        }
        for name, entry in work.meta["files"].items()
        if work.path(name).is_file()
    ]
    return {
        "output": str(work.request.output),
        "files": files,
        "model_file": work.meta["model_file"],
        "modelfile": str(work.path(MODELFILE)),
        "stitch": work.meta.get("stitch"),
        "merged_dir": str(work.path(MERGED_DIR)) if work.request.keep_merged else None,
        "verify": dict(report),
    }
