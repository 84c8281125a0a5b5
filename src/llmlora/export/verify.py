"""Verify an export: does every file give the trained model's answers? The result is `verify.json`.

Numbers and order of the checks: docs/guide/export.md. The reference is computed once, by other code than the export's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmlora import __version__
from llmlora.core.errors import ModelFileError, NotFound, VerificationFailed
from llmlora.core.layout import ADAPTER_GGUF, META_FILE, TEMPORARY_PREFIX, VERIFY_FILE
from llmlora.core.publish import read_json, sha256_file, sha256_json, write_json
from llmlora.export.check import Check, failed, passed
from llmlora.export.file_checks import check_file, check_tensors
from llmlora.export.merge import trained_source
from llmlora.export.reference import Reference, build_reference
from llmlora.export.runtime_checks import FLOAT_LIMITS, compare_distributions, run_model_checks, run_text_checks
from llmlora.export.trained import TrainedModel, find_trained
from llmlora.gguf.conversion import convert_tensors
from llmlora.gguf.source import FolderSource
from llmlora.gguf.writer import write_gguf
from llmlora.inference.llamacpp_chat import LlamaCppChat
from llmlora.prepare.template import load_template

SCHEMA = "llmlora.verify/1"
BEST_FIRST = (
    "F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_K_S", "Q4_0", "Q3_K_M", "Q2_K",
)  # fmt: skip
# Two neighbours may change places by chance on few contexts; a real mistake changes KL by far more.
ORDER_SLACK = {"relative": 0.25, "absolute": 1e-3}

OnProgress = Callable[[str, int, int], None]


def verify_export(output: Path, base_dir: Path | None = None, on_progress: OnProgress | None = None) -> dict[str, Any]:
    """Verify an export folder from its files and write `verify.json`; `base_dir` replaces the recorded base folder.

    Raises:
        NotFound: not a finished export, or its job or base is gone.
        VerificationFailed: a check failed; `verify.json` is written first.
    """
    try:
        meta = read_json(output / META_FILE)
        files, job_dir = dict(meta["files"]), Path(meta["job_dir"])
    except FileNotFoundError as error:
        raise NotFound("export_not_finished", path=str(output)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError("damaged_export", path=str(output / META_FILE)) from error
    trained = find_trained(job_dir, base_dir)
    report = verify_files(output, trained, files, on_progress or (lambda phase, done, total: None))
    raise_on_failure(report, output)
    return report


def verify_files(
    output: Path, trained: TrainedModel, files: Mapping[str, Mapping[str, Any]], on_progress: OnProgress
) -> dict[str, Any]:
    """Check the named files of a folder, write `verify.json` and return its content."""
    on_progress("reference", 0, 1)
    reference = build_reference(trained)
    on_progress("reference", 1, 1)
    entries = []
    verifier = Verifier(trained, reference)
    for number, (name, entry) in enumerate(sorted(files.items(), key=_best_first)):
        on_progress("verify", number, len(files))
        entries.append(_verify_file(output / name, entry, verifier))
    on_progress("verify", len(files), len(files))
    _check_order(entries)
    for entry in entries:
        entry["ok"] = all(check["ok"] for check in entry["checks"])
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
        },
        "files": entries,
    }
    write_json(output / VERIFY_FILE, report)
    return report


def raise_on_failure(report: Mapping[str, Any], output: Path) -> None:
    """Raise VerificationFailed for the first failed check of a report."""
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
    """Checks files against one reference; what depends on the tokenizer alone is measured once per tokenizer."""

    def __init__(self, trained: TrainedModel, reference: Reference) -> None:
        self.trained = trained
        self.reference = reference
        self._text_checks: dict[str, tuple[str, list[Check]]] = {}

    def check_model(self, path: Path, quantization: str) -> list[Check]:
        """Run every check of one model file; a file that llama.cpp might abort on is not run."""
        source, config = trained_source(self.trained)
        checks = [check_file(path, quantization, self.reference, config)]
        if checks[0].cause in ("header", "duplicate_tokens", "missing_key"):
            return checks
        checks.append(check_tensors(path, convert_tensors(source, config)))
        try:
            chat = LlamaCppChat(path, is_exact=True)
        except ModelFileError as error:
            return [*checks, failed("logprobs", "engine", str(error), {})]
        try:
            checks += self._check_text(chat)
            return [*checks, *run_model_checks(chat, self.reference, quantization)]
        finally:
            chat.close()

    def _check_text(self, chat: LlamaCppChat) -> list[Check]:
        """Check tokens and template; a file with exactly the tokenizer of an earlier one gets its results."""
        metadata = chat.header.metadata
        digest = sha256_json({key: metadata[key] for key in sorted(metadata) if key.startswith("tokenizer.")})
        if digest not in self._text_checks:
            self._text_checks[digest] = (chat.path.name, run_text_checks(chat, self.reference))
            return self._text_checks[digest][1]
        name, checks = self._text_checks[digest]
        return [replace(check, measured={**check.measured, "same_tokenizer_as": name}) for check in checks]


def _verify_file(path: Path, entry: Mapping[str, Any], verifier: Verifier) -> dict[str, Any]:
    if not path.is_file():
        checks = [failed("file", "missing_file", path.name, {})]
    elif path.name == ADAPTER_GGUF:
        checks = check_adapter(path, verifier.trained, verifier.reference)
    else:
        checks = verifier.check_model(path, str(entry["quantization"]))
    result: dict[str, Any] = {"file": path.name, "quantization": entry.get("quantization")}
    if path.is_file():
        result |= {"size_bytes": path.stat().st_size, "sha256": sha256_file(path)}
    return {**result, "checks": [check.to_dict() for check in checks]}


def check_adapter(path: Path, trained: TrainedModel, reference: Reference) -> list[Check]:
    """Put the adapter on a float GGUF of the untouched base and compare with PEFT."""
    config = trained.model_config
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=TEMPORARY_PREFIX) as folder:
        base = Path(folder) / "base.gguf"
        template = load_template(trained.tokenizer_dir).text
        source = FolderSource(trained.base_dir)
        write_gguf(source, config, trained.tokenizer_dir, base, "F32", "llmlora-base", chat_template=template)
        try:
            chat = LlamaCppChat(base, lora_path=path, is_exact=True)
        except ModelFileError as error:
            return [failed("logprobs", "engine", str(error), {})]
        try:
            measured = compare_distributions(chat, reference)
        finally:
            chat.close()
    broken = [name for name, limit in FLOAT_LIMITS.items() if measured[name] >= limit]
    if not broken:
        return [passed("logprobs", measured, FLOAT_LIMITS)]
    return [failed("logprobs", "adapter", ", ".join(broken), measured, FLOAT_LIMITS)]


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
