"""Which file of an export the Modelfile and chat use, and the sentences that say what each one kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmlora.core.locale import translate
from llmlora.export.verify import BEST_FIRST

# Without taught facts to go by.
PREFERRED = ("Q4_K_M", "Q8_0")

Entry = Mapping[str, Any]


def choose_file(report: Mapping[str, Any], asked: Sequence[str]) -> str:
    """Return the quantization to use: the smallest file that keeps every taught fact, else the one that keeps most.

    Where nothing was asked it is Q4_K_M or Q8_0 if verified. A failed file is taken only when there is no other.
    """
    entries = [entry for entry in report["files"] if entry["quantization"] in asked]
    right = [entry for entry in entries if entry["verdict"] != "failed"]
    known = [entry for entry in right if entry["facts"] and entry["facts"]["num_known"]]
    whole = [entry for entry in known if entry["verdict"] == "verified"]
    if whole:
        return str(min(whole, key=lambda entry: entry["size_bytes"])["quantization"])
    if known:
        best = max(known, key=lambda entry: (entry["facts"]["num_kept"], -BEST_FIRST.index(entry["quantization"])))
        return str(best["quantization"])
    verified = {entry["quantization"] for entry in right}
    return next((name for name in (*PREFERRED, *asked) if name in verified), asked[0])


def lossy_lines(report: Mapping[str, Any]) -> dict[str, str]:
    """Return for each file that lost taught facts the sentence that says so."""
    return {
        str(entry["file"]): translate(
            "export.lossy",
            file=entry["file"],
            num_kept=entry["facts"]["num_kept"],
            num_known=entry["facts"]["num_known"],
        )
        for entry in report["files"]
        if entry["verdict"] == "lossy"
    }


def choice_comment(report: Mapping[str, Any], model_file: str) -> str:
    """Return the lines above FROM in the Modelfile: why this file, and what the others lost; empty without facts."""
    entry = next((entry for entry in report["files"] if entry["file"] == model_file), None)
    if entry is None or not entry["facts"] or not entry["facts"]["num_known"]:
        return ""
    lines = list(lossy_lines(report).values())
    if entry["verdict"] == "verified":
        lines.insert(0, translate("export.chosen", file=model_file, num_known=entry["facts"]["num_known"]))
    return "\n".join(lines)
