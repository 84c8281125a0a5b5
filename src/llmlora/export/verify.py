"""Verify an export: does every file give the trained model's answers? The result is `verify.json`.

Numbers and order of the checks: docs/guide/export.md. The reference is computed once, by other code than the export's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from llmlora import __version__
from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.core.errors import LlmloraError, ModelFileError, NotFound, RunError, VerificationFailed
from llmlora.core.layout import ADAPTER_GGUF, META_FILE, TEMPORARY_PREFIX, VERIFY_FILE
from llmlora.core.publish import disk_errors, read_json, sha256_file, sha256_json, write_json
from llmlora.export.base_distance import base_type, judged_by_base, write_base
from llmlora.export.check import Check, failed, passed, what_failed, within
from llmlora.export.child import OnWait, run_apart
from llmlora.export.file_checks import FilePlan, check_file
from llmlora.export.merge import trained_source
from llmlora.export.reference import Reference
from llmlora.export.rounding import exact_limits, judged, may_be_rounding, twin_key, write_float32_twin
from llmlora.export.runtime_checks import TEXT_CHECKS, FileRun, Reply, measure_distributions, run_adapter, run_checks
from llmlora.export.taught_check import CarriedFacts, Decode, check_replies, kept_facts
from llmlora.export.tensor_checks import check_tensors
from llmlora.export.trained import TrainedModel, find_trained
from llmlora.export.trained_answers import build_reference
from llmlora.gguf.conversion import ConvertedTensor, convert_tensors
from llmlora.gguf.tokenizer import ChatFormat
from llmlora.gguf.writer import FILE_TYPES
from llmlora.prepare.template import load_template

SCHEMA = "llmlora.verify/1"
BEST_FIRST = (
    "F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_K_S", "Q4_0", "Q3_K_M", "Q2_K",
)  # fmt: skip
# Two neighbours may change places by chance on few contexts; a real mistake changes KL by far more.
ORDER_SLACK = {"relative": 0.25, "absolute": 1e-3}

# The most time one file may take in llama.cpp: far above what a slow machine needs, so that only a hang meets it.
BASE_SECONDS, SECONDS_PER_BYTE = 900.0, 1e-6

OnProgress = Callable[[str, int, int], None]


def verify_export(
    output: Path,
    base_dir: Path | None = None,
    on_progress: OnProgress | None = None,
    carried: CarriedFacts | None = None,
) -> dict[str, Any]:
    """Verify an export folder from its files and write `verify.json`; `base_dir` replaces the recorded base folder.

    `carried` is the rule by which facts are found in answers; without one no file is judged by them.

    Raises:
        NotFound: not a finished export, or its job or base is gone.
        VerificationFailed: a check failed; `verify.json` is written first.
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
    trained = find_trained(job_dir, base_dir)
    if meta.get("job_id") != trained.job.id:
        raise NotFound("export_job_gone", path=str(job_dir), output=str(output))
    report = verify_files(output, trained, files, on_progress or (lambda phase, done, total: None), carried)
    raise_on_failure(report, output)
    return report


def _check_names(files: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise ValueError for a quantization that no file can have."""
    names = {str(entry["quantization"]) for name, entry in files.items() if name != ADAPTER_GGUF}
    if names - FILE_TYPES.keys():
        raise ValueError(f"unknown: {sorted(names - FILE_TYPES.keys())}")


def verify_files(
    output: Path,
    trained: TrainedModel,
    files: Mapping[str, Mapping[str, Any]],
    on_progress: OnProgress,
    carried: CarriedFacts | None = None,
) -> dict[str, Any]:
    """Check the named files of a folder, write `verify.json` and return its content."""
    reference = build_reference(trained, partial(on_progress, "reference", 0, 1))
    on_progress("reference", 1, 1)
    entries, verifier = [], Verifier(trained, reference, carried)
    for number, (name, entry) in enumerate(sorted(files.items(), key=_best_first)):
        verifier.on_wait = partial(on_progress, "verify", number, len(files))
        verifier.on_wait()
        entries.append(_verify_file(output / name, entry, verifier))
    on_progress("verify", len(files), len(files))
    _check_order(entries)
    for entry in entries:
        entry["facts"] = _facts(entry)
        entry["verdict"] = _verdict(entry)
        entry["ok"] = entry["verdict"] == "verified"
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
    }
    write_json(output / VERIFY_FILE, report)
    return report


def _facts(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    measured: Mapping[str, Any] = next(
        (check["measured"] for check in entry["checks"] if check["check"] == "answers"), {}
    )
    names = ("num_questions", "num_known", "num_kept", "lost_rows")
    return {name: measured[name] for name in names} if "num_known" in measured else None


def _verdict(entry: Mapping[str, Any]) -> str:
    """Return `failed` for a file that is wrong, `lossy` for a right one that lost what was taught, else `verified`."""
    if not all(check["ok"] for check in entry["checks"]):
        return "failed"
    facts = entry["facts"]
    return "lossy" if facts and facts["num_kept"] < facts["num_known"] else "verified"


def raise_on_failure(report: Mapping[str, Any], output: Path) -> None:
    """Raise VerificationFailed for the first failed check of a report; facts lost by a coarse type are none."""
    for entry in report["files"]:
        for check in entry["checks"]:
            if not check["ok"]:
                raise VerificationFailed(
                    "verification_failed",
                    file=entry["file"],
                    check=check["check"],
                    cause=check["cause"],
                    detail=check["detail"],
                    path=str(output / VERIFY_FILE),
                )


def _best_first(item: tuple[str, Mapping[str, Any]]) -> int:
    quantization = item[1].get("quantization")
    return BEST_FIRST.index(quantization) if quantization in BEST_FIRST else len(BEST_FIRST)


class Verifier:
    """Checks files against one reference; what several files share is measured once.

    Each file is run by llama.cpp in a process of its own: what ends or hangs that process is a failed check.
    """

    def __init__(self, trained: TrainedModel, reference: Reference, carried: CarriedFacts | None = None) -> None:
        self.trained = trained
        self.reference = reference
        self.on_wait: OnWait | None = None
        self._text_checks: dict[str, tuple[str, list[Check]]] = {}
        self._twins: dict[str, dict[str, Any]] = {}
        self._base: dict[str, dict[str, Any]] = {}
        self._carried = carried

    def check_model(self, path: Path, quantization: str) -> list[Check]:
        """Run every check of one model file; a file that llama.cpp is known to abort on is not run."""
        source, config = trained_source(self.trained)
        chat = ChatFormat(self.reference.template_text, self.reference.turn_end_id)
        plan = FilePlan.of(self.trained, source, config, quantization, chat)
        checks = [check_file(path, self.reference, plan)]
        if checks[0].cause in ("header", "duplicate_tokens", "missing_key"):
            return checks
        tensors = convert_tensors(source, config)
        checks.append(check_tensors(path, tensors))
        try:
            checks += self._run(path, quantization)
            if may_be_rounding(checks, quantization):
                twin = self._float32_twin(path, tensors)
                checks = judged(checks, quantization, twin, exact_limits(read_gguf_header(path)))
            checks = [self._judged_by_base(check, quantization, path.parent) for check in checks]
        except (ModelFileError, RunError) as error:
            checks.append(engine_failure(error))
        return checks

    def check_adapter(self, path: Path) -> list[Check]:
        """Put the adapter on a float32 file of the untouched base and compare with PEFT."""
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=TEMPORARY_PREFIX) as folder:
            base = Path(folder) / "base.gguf"
            write_base(self.trained, base, "F32")
            try:
                measured, replies = self._apart(run_adapter, base, self.reference, path)
                check = within("logprobs", "adapter", measured, exact_limits(read_gguf_header(base)))
                return [self._judged_by_base(check, None, path.parent), *self._answers(replies)]
            except (ModelFileError, RunError) as error:
                return [engine_failure(error)]

    def _run(self, path: Path, quantization: str) -> list[Check]:
        """Run a file; one with exactly the tokenizer of an earlier one gets that one's results for text."""
        metadata = read_gguf_header(path).metadata
        digest = sha256_json({key: metadata[key] for key in sorted(metadata) if key.startswith("tokenizer.")})
        is_new = digest not in self._text_checks
        run: FileRun = self._apart(run_checks, path, self.reference, quantization, is_new)
        checks = [*run.checks, *self._answers(run.replies)]
        if is_new:
            self._text_checks[digest] = (path.name, [check for check in checks if check.check in TEXT_CHECKS])
            return checks
        name, known = self._text_checks[digest]
        return [*(replace(check, measured={**check.measured, "same_tokenizer_as": name}) for check in known), *checks]

    def _answers(self, replies: tuple[Reply, ...] | None) -> list[Check]:
        """Return the check of the answers to the taught questions; none when there are no such questions."""
        if not self.reference.taught:
            return []
        if replies is None:
            return [failed("answers", "engine", "", {"num_questions": 0})]
        check = check_replies(replies, self.reference, self._decode)
        if self._carried is None:
            return [check]
        facts = kept_facts(replies, self.reference, self._carried)
        return [replace(check, measured={**check.measured, **facts})]

    @cached_property
    def _decode(self) -> Decode:
        tokenizer = load_template(self.trained.tokenizer_dir).tokenizer
        return lambda ids: str(
            tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

    def _judged_by_base(self, check: Check, quantization: str | None, scratch: Path) -> Check:
        """Judge a file that is too far off by what its type does to the untouched base, where there is one."""
        kind = base_type(check, quantization)
        if kind is None or self.reference.base_logprobs is None:
            return check
        if kind not in self._base:
            contexts, logprobs = self.reference.contexts, self.reference.base_logprobs
            with tempfile.TemporaryDirectory(dir=scratch, prefix=TEMPORARY_PREFIX) as folder:
                base = Path(folder) / "base.gguf"
                with disk_errors(scratch):
                    write_base(self.trained, base, kind)
                self._base[kind] = self._apart(measure_distributions, base, contexts, logprobs)
        return judged_by_base(check, self._base[kind])

    def _float32_twin(self, path: Path, tensors: list[ConvertedTensor]) -> dict[str, Any]:
        """Return how far the same header with unrounded weights is from the reference."""
        key = twin_key(read_gguf_header(path))
        if key not in self._twins:
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=TEMPORARY_PREFIX) as folder:
                twin = Path(folder) / "float32.gguf"
                with disk_errors(path.parent):
                    write_float32_twin(path, tensors, twin)
                self._twins[key] = self._apart(
                    measure_distributions, twin, self.reference.contexts, self.reference.logprobs
                )
        return self._twins[key]

    def _apart(self, function: Callable[..., Any], path: Path, *arguments: Any) -> Any:
        seconds = BASE_SECONDS + path.stat().st_size * SECONDS_PER_BYTE
        return run_apart(function, path, *arguments, seconds=seconds, on_wait=self.on_wait)


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
    return {**result, "checks": [check.to_dict() for check in checks]}


def _check_order(entries: list[dict[str, Any]]) -> None:
    """Add the check `order`: a coarser type must not be closer to the reference than a finer one."""
    best_kl, best_file = 0.0, ""
    for entry in entries:
        kl = next((check["measured"].get("kl") for check in entry["checks"] if check["check"] == "logprobs"), None)
        if kl is None or entry["quantization"] is None:
            continue
        floor = best_kl * (1 - ORDER_SLACK["relative"]) - ORDER_SLACK["absolute"]
        measured = {"kl": kl, "finer_kl": best_kl, "finer_file": best_file}
        if kl >= floor:
            check = passed("order", measured, ORDER_SLACK)
        else:
            check = failed("order", "order", f"{best_file}: {best_kl:.2g} > {kl:.2g}", measured, ORDER_SLACK)
        entry["checks"].append(check.to_dict())
        if kl > best_kl:
            best_kl, best_file = kl, entry["file"]
