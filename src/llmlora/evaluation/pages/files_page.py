"""The page of an export: its files side by side, and the same questions asked of each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmlora.core.compared_files import COLUMNS, compared_files
from llmlora.core.locale import translate
from llmlora.evaluation.pages.template import render
from llmlora.evaluation.pages.words import DASH, number, percent, size_text


def files_page(report: Mapping[str, Any], folder: str, made_at: str) -> str:
    """Return the HTML page of a `verify.json` (schema llmlora.verify/1) of a folder of that name."""
    found = compared_files(report)
    return render(
        "files.html",
        job={"folder": folder},
        made_at=made_at,
        heads=[translate(f"export.table.{name}") for name in COLUMNS],
        files=[_cells(entry) for entry in found["files"]],
        hints=[translate(f"export.{name}") for name in ("kl_hint", "speed_hint")],
        answers=found["answers"],
    )


def _cells(entry: Mapping[str, Any]) -> list[str]:
    size, kl = entry["size_bytes"], entry["kl"]
    return [
        entry["file"],
        size_text(size),
        number(entry["tokens_per_second"], 0),
        DASH if kl is None else f"{kl:.1e}",
        percent(entry["top1_agreement"]),
        f"{entry['num_kept']}/{entry['num_known']}" if entry["num_known"] else DASH,
    ]
