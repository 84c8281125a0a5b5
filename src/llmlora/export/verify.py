"""Verify an export: does every file give the trained model's answers? The result is `verify.json`.

Numbers and order of the checks: docs/guide/export.md. The reference is computed once, by other code than the export's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from llmlora import __version__
from llmlora.catalog.gguf_files import named_parts
from llmlora.catalog.gguf_header import GgufHeader, read_gguf_header
from llmlora.catalog.served_base import served_base
from llmlora.core.errors import LlmloraError, ModelFileError, NotFound, RunError
from llmlora.core.layout import (
    ADAPTER_GGUF,
    META_FILE,
    MODELFILE,
    STITCHED,
    TEMPORARY_PREFIX,
    VERIFY_FILE,
    verified_file,
)
from llmlora.core.publish import disk_errors, read_json, sha256_file, sha256_json, write_json
from llmlora.core.temporary import READ_ONLY
from llmlora.export.base_distance import base_type, judged_by_base, write_base
from llmlora.export.check import Check, failed, what_failed, within
from llmlora.export.child import OnWait, apart, run_apart
from llmlora.export.file_checks import FilePlan, ModelPlan, check_file
from llmlora.export.lanes import Lanes, Once, plan_lanes
from llmlora.export.merge import base_tensors, trained_source
from llmlora.export.modelfile import ModelfileContent
from llmlora.export.modelfile_check import check_modelfile, planned_content
from llmlora.export.reference import Reference
from llmlora.export.rounding import (
    exact_limits,
    judged,
    may_be_rounding,
    twin_key,
    write_float32_twin,
)
from llmlora.export.runtime_checks import (
    FileRun,
    Reply,
    measure_distributions,
    run_adapter,
    run_checks,
    run_served,
    run_text_checks,
)
from llmlora.export.stitch import Stitch, StitchPlan, plan_stitch, read_stitch
from llmlora.export.stitch_check import check_stitched
from llmlora.export.taught_check import CarriedFacts, check_replies, kept_facts, side_by_side, tokens_per_second
from llmlora.export.tensor_checks import check_tensors
from llmlora.export.trained_answers import base_logprobs, build_reference
from llmlora.export.verdict import add_verdicts, raise_unless_usable
from llmlora.gguf.conversion import ConvertedTensor, convert_tensors
from llmlora.gguf.source import TensorSource, float32_bytes
from llmlora.gguf.tokenizer import ChatFormat
from llmlora.gguf.writer import FILE_TYPES
from llmlora.inference.trained_job import TrainedJob, find_trained

SCHEMA = "llmlora.verify/1"
BEST_FIRST = (
    "F32", "F16", "BF16", "Q8_0", STITCHED, "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_K_S", "Q4_0", "Q3_K_M", "Q2_K",
)  # fmt: skip

# The most time one file may take in llama.cpp: far above what a slow machine needs, so that only a hang meets it.
BASE_SECONDS, SECONDS_PER_BYTE = 900.0, 1e-6

OnProgress = Callable[[str, int, int], None]


def verify_export(
    output: Path,
    moved_base: Path | None = None,
    on_progress: OnProgress | None = None,
    carried: CarriedFacts | None = None,
    work_dir: Path | None = None,
) -> dict[str, Any]:
    """Verify an export folder from its files and return its `verify.json` with `saved_to`, where that lies now.

    `moved_base` replaces the recorded base folder, `work_dir` takes temporary files. A folder that may not be written
    to is verified as well; the result is then saved in the workspace.

    `carried` is the rule by which facts are found in answers; without one no file is judged by them.

    Raises:
        NotFound: not a finished export, or its job or base is gone.
        VerificationFailed: a check failed, or the file to use lost what was taught; `verify.json` is written first.
    """
    try:
        meta = read_json(output / META_FILE)
        files, job_dir = dict(meta["files"]), Path(meta["job_dir"])
        _check_names(files)
    except FileNotFoundError as error:
        raise NotFound("export_not_finished", path=str(output)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError("damaged_export", path=str(output / META_FILE)) from error
    if not job_dir.is_dir():
        raise NotFound("export_job_gone", path=str(job_dir), output=str(output))
    trained = find_trained(job_dir, moved_base)
    if meta.get("job_id") != trained.job.id:
        raise NotFound("export_job_gone", path=str(job_dir), output=str(output))
    show = on_progress or (lambda phase, done, total: None)
    report = verify_files(output, trained, files, show, carried, work_dir, read_stitch(meta))
    model_file, turn_end = str(meta.get("model_file")), str(report["reference"]["turn_end"])
    content = planned_content(trained, trained_source(trained)[1], model_file, turn_end)
    saved_to = finish_report(report, output, content)
    raise_unless_usable(report, output, saved_to, job_dir)
    return {**report, "saved_to": str(saved_to)}


def finish_report(report: dict[str, Any], output: Path, content: ModelfileContent) -> Path:
    """Add the file to use and the check of the Modelfile, write the whole report and return where it lies.

    A folder that may not be written to gets it in the workspace, under a name of its own.
    """
    check = check_modelfile(output / MODELFILE, content)
    report["model_file"] = content.model
    report["modelfile"] = check.to_dict()
    report["ok"] = check.ok and all(entry["ok"] for entry in report["files"])
    path = output / VERIFY_FILE
    try:
        write_json(path, report)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
        path = verified_file(output)
        write_json(path, report)
    return path


def _check_names(files: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise ValueError for a quantization that no file can have."""
    names = {str(entry["quantization"]) for name, entry in files.items() if name != ADAPTER_GGUF}
    unknown = sorted(names - {*FILE_TYPES, STITCHED})
    if unknown:
        raise ValueError(f"unknown: {unknown}")


def verify_files(
    output: Path,
    trained: TrainedJob,
    files: Mapping[str, Mapping[str, Any]],
    on_progress: OnProgress,
    carried: CarriedFacts | None = None,
    work_dir: Path | None = None,
    stitch: Stitch | None = None,
) -> dict[str, Any]:
    """Check the named files of a folder and return what `finish_report` completes; `work_dir` takes temporary files.

    `stitch` says what a stitched file among them was made of.
    """
    reference = build_reference(trained, partial(on_progress, "reference", 0, 1))
    on_progress("reference", 1, 1)
    on_progress("verify", 0, len(files))
    num_lanes, num_threads = plan_lanes(len(files), float32_bytes(trained_source(trained)[0]))
    lanes = Lanes()
    verifier = Verifier(trained, reference, carried, work_dir, num_threads, lanes.check, stitch)
    names = [name for name, _ in sorted(files.items(), key=_best_first)]
    calls = [partial(_verify_file, output / name, files[name], verifier) for name in names]
    entries = lanes.run(calls, num_lanes, lambda done: on_progress("verify", done, len(files)))
    on_progress("verify", len(files), len(files))
    add_verdicts(entries)
    report = {
        "schema": SCHEMA,
        "ok": all(entry["ok"] for entry in entries),
        "job_id": trained.job.id,
        "base_digest": trained.job.base_digest,
        "llmlora_version": __version__,
        "reference": {
            "num_contexts": len(reference.contexts),
            "num_texts": len(reference.texts),
            "num_shapes": len(reference.renderings),
            "turn_end": reference.vocabulary.get(reference.turn_end_id, ""),
            "does_stop": reference.does_stop,
            "is_streamed": reference.is_streamed,
            "num_samples": reference.num_samples,
            "num_taught": len(reference.taught),
            "data_problem": reference.data_problem,
        },
        "files": entries,
        "answers": side_by_side(
            reference, {name: verifier.replies[name] for name in names if name in verifier.replies}
        ),
    }
    return report


def _best_first(item: tuple[str, Mapping[str, Any]]) -> int:
    quantization = item[1].get("quantization")
    return BEST_FIRST.index(quantization) if quantization in BEST_FIRST else len(BEST_FIRST)


class Verifier:
    """Checks files against one reference, several at a time if need be; what they share is measured once.

    Each file is run by llama.cpp in a process of its own, with `num_threads` (None: as many as are free when it
    starts): what ends or hangs that process is a failed check. `on_wait` is called every second.
    """

    def __init__(
        self,
        trained: TrainedJob,
        reference: Reference,
        carried: CarriedFacts | None = None,
        work_dir: Path | None = None,
        num_threads: int | None = None,
        on_wait: OnWait | None = None,
        stitch: Stitch | None = None,
    ) -> None:
        self.trained = trained
        self._stitch = stitch
        self.work_dir = work_dir
        self.reference = reference
        self.num_threads = num_threads
        self.on_wait = on_wait
        self._once = Once()
        self._carried = carried
        self.replies: dict[str, tuple[Reply, ...]] = {}  # of the files that have answered, by name

    def check_model(self, path: Path, quantization: str) -> list[Check]:
        """Run every check of one model file; a file that llama.cpp is known to abort on is not run."""
        checks = [self._check_header(path, quantization)]
        if not is_runnable(checks):
            return checks
        with apart(run_checks, path, self.reference, quantization, self.num_threads) as call:
            checks += self._tensor_checks(path, quantization)  # while llama.cpp works
            try:
                run: FileRun = call.result(_longest_seconds(path), self.on_wait)
                header = read_gguf_header(path)
                checks += self._text_checks(path, header)
            except (ModelFileError, RunError) as error:
                return [*checks, engine_failure(error)]
        checks += [*run.checks, *self._answers(path, run.replies)]
        try:
            if may_be_rounding(checks, quantization):
                checks = judged(checks, quantization, self._float32_twin(path, header), exact_limits(header))
            checks = [self._judged_by_base(check, quantization, path) for check in checks]
        except (ModelFileError, RunError) as error:
            checks.append(engine_failure(error))
        return checks

    def check_content(self, path: Path, quantization: str) -> list[Check]:
        """Run the checks that only read a model file: its header, its tensors, and what training changed in them."""
        checks = [self._check_header(path, quantization)]
        return [*checks, *self._tensor_checks(path, quantization)] if is_runnable(checks) else checks

    def check_adapter(self, path: Path) -> list[Check]:
        """Put the adapter on a float32 file of the untouched base and compare with PEFT."""
        with self._scratch(path) as folder:
            base = Path(folder) / "base.gguf"
            write_base(self.trained, self._plan.file("F32"), base)
            try:
                measured, replies = self._apart(run_adapter, base, self.reference, path, self.num_threads)
                check = within("logprobs", "adapter", measured, exact_limits(read_gguf_header(base)))
                return [self._judged_by_base(check, None, path), *self._answers(path, replies)]
            except (ModelFileError, RunError) as error:
                return [engine_failure(error)]

    def served(self, path: Path) -> dict[str, Any] | None:
        """Measure the adapter on the base's very file, as a server runs it.

        None where the base is no single file, or the adapter does not run, which its checks say.
        """
        job = self.trained.job
        base = served_base(job, self.trained.job_dir)
        if base is None:
            return None
        prompts = [self.trained.template.prompt_ids(asked.messages) for asked in self.reference.taught]
        file = self.trained.base.path
        try:
            measured, replies = self._apart(run_served, file, self.reference, path, prompts, self.num_threads)
        except (ModelFileError, RunError):
            return None
        facts = None
        if replies is not None and self._carried is not None:
            facts = kept_facts(replies, self.reference, self._carried)
        return {"base": str(file), "size_bytes": path.stat().st_size, **measured, "facts": facts}

    def _check_header(self, path: Path, quantization: str) -> Check:
        return check_file(path, self.reference, self._file_plan(quantization))

    def _file_plan(self, quantization: str) -> FilePlan:
        if quantization != STITCHED:
            return self._plan.file(quantization)
        plan = self._stitch_plan
        return FilePlan(plan.metadata, plan.types, is_inherited=True)

    def _tensor_checks(self, path: Path, quantization: str) -> list[Check]:
        if quantization == STITCHED:
            return check_stitched(path, self._stitch_plan, self._tensors[1] or {})
        return check_tensors(path, *self._tensors)

    def _text_checks(self, path: Path, header: GgufHeader) -> list[Check]:
        """Return the checks of tokens and template; files with exactly the same tokenizer share them."""

        def run() -> tuple[str, list[Check]]:
            return path.name, self._apart(run_text_checks, path, self.reference)

        name, checks = self._once.get(f"text {_tokenizer_digest(header)}", run)
        if name == path.name:
            return checks
        return [replace(check, measured={**check.measured, "same_tokenizer_as": name}) for check in checks]

    def _answers(self, path: Path, replies: tuple[Reply, ...] | None) -> list[Check]:
        """Return the check of the answers to the taught questions; none when there are no such questions."""
        if not self.reference.taught:
            return []
        if replies is None:
            return [failed("answers", "engine", "", {"num_questions": 0})]
        self.replies[path.name] = replies
        check = check_replies(replies, self.reference, self._decode)
        if self._carried is None:
            return [check]
        facts = kept_facts(replies, self.reference, self._carried)
        return [replace(check, measured={**check.measured, **facts})]

    @property
    def _merged(self) -> tuple[TensorSource, dict[str, Any]]:
        return self._once.get("merged", lambda: trained_source(self.trained))

    @property
    def _plan(self) -> ModelPlan:
        chat = ChatFormat(self.reference.template_text, self.reference.turn_end_id)
        return self._once.get("plan", lambda: ModelPlan.of(self.trained, *self._merged, chat))

    @property
    def _stitch_plan(self) -> StitchPlan:
        stitch, step = self._stitch, self.on_wait or (lambda: None)
        if stitch is None:
            raise ModelFileError("damaged_export", path=META_FILE)
        return self._once.get("stitch", lambda: plan_stitch(self.trained, *self._merged, stitch, step))

    @property
    def _tensors(self) -> tuple[list[ConvertedTensor], dict[str, ConvertedTensor] | None]:
        """The trained model's tensors, and the base's of those that training may have changed."""

        def convert() -> tuple[list[ConvertedTensor], dict[str, ConvertedTensor] | None]:
            tensors = convert_tensors(*self._merged)
            return tensors, base_tensors(self.trained, *self._merged, tensors)

        return self._once.get("tensors", convert)

    def _decode(self, ids: Sequence[int]) -> str:
        tokenizer = self.trained.template.tokenizer
        return str(tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _judged_by_base(self, check: Check, quantization: str | None, path: Path) -> Check:
        """Judge a file that is too far off by what its type does to the untouched base, where there is one."""
        kind = base_type(check, quantization)
        logprobs = None if kind is None else self._base_logprobs
        if kind is None or logprobs is None or logprobs.shape != self.reference.logprobs.shape:
            return check

        def measure() -> dict[str, Any]:
            if kind == STITCHED:
                with named_parts(self._stitch_plan.files.paths) as base:
                    return self._distances(base, logprobs)
            with self._scratch(path) as folder:
                base = Path(folder) / "base.gguf"
                with disk_errors(Path(folder)):
                    write_base(self.trained, self._plan.file(kind), base)
                return self._distances(base, logprobs)

        return judged_by_base(check, self._once.get(f"base {kind}", measure))

    @property
    def _base_logprobs(self) -> np.ndarray | None:
        """What the untouched base answers: known already where an adapter could be switched off."""
        if self.reference.base_logprobs is not None:
            return self.reference.base_logprobs
        contexts = self.reference.contexts
        return self._once.get("base", lambda: base_logprobs(self.trained, contexts, self.on_wait))

    def _float32_twin(self, path: Path, header: GgufHeader) -> dict[str, Any]:
        """Return how far the same header with unrounded weights is from the reference."""

        def measure() -> dict[str, Any]:
            with self._scratch(path) as folder:
                twin = Path(folder) / "float32.gguf"
                with disk_errors(Path(folder)):
                    write_float32_twin(path, self._tensors[0], twin)
                return self._distances(twin, self.reference.logprobs)

        return self._once.get(f"twin {twin_key(header)}", measure)

    def _distances(self, path: Path, logprobs: np.ndarray) -> dict[str, Any]:
        found = self._apart(measure_distributions, path, self.reference.contexts, logprobs, self.num_threads)
        return dict(found)

    def _scratch(self, path: Path) -> tempfile.TemporaryDirectory[str]:
        """Return a folder for the temporary files that one file under test needs."""
        return tempfile.TemporaryDirectory(dir=self.work_dir or path.parent, prefix=TEMPORARY_PREFIX)

    def _apart(self, function: Callable[..., Any], path: Path, *arguments: Any) -> Any:
        return run_apart(function, path, *arguments, seconds=_longest_seconds(path), on_wait=self.on_wait)


def _longest_seconds(path: Path) -> float:
    return BASE_SECONDS + path.stat().st_size * SECONDS_PER_BYTE


def _tokenizer_digest(header: GgufHeader) -> str:
    """Return a digest of every key that says how a file reads and writes text."""
    metadata = header.metadata
    return sha256_json({key: metadata[key] for key in sorted(metadata) if key.startswith("tokenizer.")})


def is_runnable(checks: Sequence[Check]) -> bool:
    """Tell whether the header is whole enough for llama.cpp, which aborts on some."""
    return checks[0].cause not in ("header", "duplicate_tokens", "missing_key")


def engine_failure(error: LlmloraError) -> Check:
    """Return the failed check of a file that llama.cpp could not load or run to the end."""
    cause = error.code if error.code in ("native_abort", "native_timeout") else "engine"
    return failed("engine", cause, what_failed(error), {})


def _verify_file(path: Path, entry: Mapping[str, Any], verifier: Verifier) -> dict[str, Any]:
    if not path.is_file():
        checks = [failed("file", "missing_file", path.name, {})]
    elif path.name == ADAPTER_GGUF:
        checks = verifier.check_adapter(path)
    else:
        checks = verifier.check_model(path, str(entry["quantization"]))
    result: dict[str, Any] = {"file": path.name, "quantization": entry.get("quantization")}
    if path.is_file():
        result |= {"size_bytes": path.stat().st_size, "sha256": sha256_file(path)}
    result["tokens_per_second"] = tokens_per_second(verifier.replies.get(path.name, ()))
    if path.is_file() and path.name == ADAPTER_GGUF:
        result["served"] = verifier.served(path)
    return {**result, "checks": [check.to_dict() for check in checks]}
