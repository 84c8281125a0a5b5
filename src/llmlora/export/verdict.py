"""The verdict on each file of an export: wrong, right but without all that was taught, or verified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmlora.core.errors import VerificationFailed
from llmlora.core.layout import MODELFILE, STITCHED
from llmlora.export.check import failed, passed

# Two neighbours may change places by chance on few contexts; a real mistake changes KL by far more.
ORDER_SLACK = {"relative": 0.25, "absolute": 1e-3}
FINER = ("Q8_0", "F16")  # what keeps the training where coarser types do not

Entry = Mapping[str, Any]


def add_verdicts(entries: list[dict[str, Any]]) -> None:
    """Complete the entries of all files, finest first: order, `facts`, `verdict`, and `ok` where it is `verified`."""
    _check_order(entries)
    for entry in entries:
        entry["facts"] = _facts(entry)
        entry["verdict"] = _verdict(entry)
        entry["ok"] = entry["verdict"] == "verified"


def measured_by(entry: Entry, check: str) -> Mapping[str, Any]:
    """Return what a check of a file measured; empty when it was not run."""
    return next((found["measured"] for found in entry["checks"] if found["check"] == check), {})


def has_lost_facts(entry: Entry) -> bool:
    """Tell whether a file does not answer with facts that the trained model answers with."""
    facts = entry["facts"]
    return bool(facts and facts["num_kept"] < facts["num_known"])


def has_lost_update(entry: Entry) -> bool:
    """Tell whether most of a file's type swallowed what training changed."""
    return bool(measured_by(entry, "update").get("is_lost"))


def raise_unless_usable(report: Mapping[str, Any], output: Path, saved_to: Path, job_dir: Path) -> None:
    """Raise VerificationFailed for the first failed check, else where the file to use lost what was taught.

    `output` is the export's folder; its report, with the file to use in `model_file`, lies at `saved_to`. Other files
    may have lost it: they are marked, and nothing uses them.
    """
    for entry in [*report["files"], {"file": MODELFILE, "checks": [report["modelfile"]]}]:
        for check in entry["checks"]:
            if not check["ok"]:
                raise VerificationFailed(
                    "verification_failed",
                    file=entry["file"],
                    check=check["check"],
                    cause=check["cause"],
                    detail=check["detail"],
                    path=str(saved_to),
                )
    used = next((entry for entry in report["files"] if entry["file"] == report["model_file"]), None)
    if used is None or used["verdict"] != "lossy":
        return
    there = {entry["quantization"] for entry in report["files"]}
    finer = next((name for name in FINER if name not in there), "F32")
    where = {"path": str(saved_to), "job_dir": str(job_dir), "output": str(output), "finer": finer}
    if has_lost_facts(used):
        kept = {name: used["facts"][name] for name in ("num_kept", "num_known")}
        raise VerificationFailed("facts_lost", file=used["file"], **kept, **where)
    share = f"{measured_by(used, 'update')['share']:.0%}"
    raise VerificationFailed("update_lost", file=used["file"], share=share, **where)


def _facts(entry: Entry) -> dict[str, Any] | None:
    measured = measured_by(entry, "answers")
    names = ("num_questions", "num_known", "num_kept", "lost_rows")
    return {name: measured[name] for name in names} if "num_known" in measured else None


def _verdict(entry: Entry) -> str:
    """Return `failed` for a file that is wrong, `lossy` for a right one that lost what was taught, else `verified`."""
    if not all(check["ok"] for check in entry["checks"]):
        return "failed"
    return "lossy" if has_lost_facts(entry) or has_lost_update(entry) else "verified"


def _check_order(entries: list[dict[str, Any]]) -> None:
    """Add the check `order`: a coarser type must not be closer to the reference than a finer one."""
    best_kl, best_file = 0.0, ""
    for entry in entries:
        kl = measured_by(entry, "logprobs").get("kl")
        if kl is None or entry["quantization"] in (None, STITCHED):
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
