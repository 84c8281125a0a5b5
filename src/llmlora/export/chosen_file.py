"""Which file of an export the Modelfile and chat use, and the sentences that say what each one kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmlora.core.layout import STITCHED
from llmlora.core.locale import translate
from llmlora.export.verdict import has_lost_facts, has_lost_update, measured_by
from llmlora.export.verify import BEST_FIRST

# Without taught facts to go by.
PREFERRED = (STITCHED, "Q4_K_M", "Q8_0")

Entry = Mapping[str, Any]


def choose_file(report: Mapping[str, Any], asked: Sequence[str]) -> str:
    """Return the quantization to use: the smallest file that keeps all that was taught, else the one that keeps most.

    Where nothing was asked it is the stitched file, Q4_K_M or Q8_0 if verified. A failed file is taken only when there
    is no other.
    """
    entries = [entry for entry in report["files"] if entry["quantization"] in asked]
    right = [entry for entry in entries if entry["verdict"] != "failed"]
    whole = [entry for entry in right if entry["verdict"] == "verified"]
    known = [entry for entry in whole if entry["facts"] and entry["facts"]["num_known"]]
    if known:
        return str(min(known, key=lambda entry: entry["size_bytes"])["quantization"])
    if whole or not right:
        verified = {entry["quantization"] for entry in whole}
        return next((name for name in (*PREFERRED, *asked) if name in verified), asked[0])
    return str(max(right, key=_kept)["quantization"])


def _kept(entry: Entry) -> tuple[int, float, int]:
    """Return how much of what was taught a file kept: facts, what training changed, and fineness between equals."""
    num_kept = entry["facts"]["num_kept"] if entry["facts"] else 0
    share = measured_by(entry, "update").get("share")
    return num_kept, 1.0 if share is None else min(1.0, share), -BEST_FIRST.index(entry["quantization"])


def lossy_lines(report: Mapping[str, Any]) -> dict[str, str]:
    """Return for each file that lost what was taught the sentences that say what."""
    lossy = [entry for entry in report["files"] if entry["verdict"] == "lossy"]
    return {str(entry["file"]): "\n".join(_losses(entry)) for entry in lossy}


def _losses(entry: Entry) -> Iterator[str]:
    if has_lost_facts(entry):
        kept = {name: entry["facts"][name] for name in ("num_kept", "num_known")}
        yield translate("export.lossy", file=entry["file"], **kept)
    if has_lost_update(entry):
        share = f"{measured_by(entry, 'update')['share']:.0%}"
        yield translate("export.update_lost", file=entry["file"], share=share)


def choice_comment(report: Mapping[str, Any], model_file: str) -> str:
    """Return the lines above FROM in the Modelfile: why this file, and what others lost."""
    lines = list(lossy_lines(report).values())
    entry = next((entry for entry in report["files"] if entry["file"] == model_file), None)
    if entry and entry["verdict"] == "verified" and entry["facts"] and entry["facts"]["num_known"]:
        lines.insert(0, translate("export.chosen", file=model_file, num_known=entry["facts"]["num_known"]))
    return "\n".join(lines)
