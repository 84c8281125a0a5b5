"""The files of an export side by side, from its `verify.json`: size, speed, distance, facts kept, the same answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

COLUMNS: Final = ("file", "size", "speed", "kl", "top1", "facts")  # of the table that shows them
FIELDS: Final = ("file", "quantization", "size_bytes", "tokens_per_second", "verdict")
FACTS: Final = ("num_known", "num_kept")
DISTANCES: Final = ("kl", "top1_agreement")


def compared_files(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return `files` with what was measured of each (None where it was not), and the `answers` of all of them.

    An answer has the `row` of the data, its `question`, what was `taught`, what the trained model answers (`trained`),
    and the answer of each file by its name (`files`).
    """
    entries = report.get("files") or ()
    return {"files": [_file(entry) for entry in entries], "answers": list(report.get("answers") or ())}


def _file(entry: Mapping[str, Any]) -> dict[str, Any]:
    checks = entry.get("checks") or ()
    measured: Mapping[str, Any] = next((check["measured"] for check in checks if check["check"] == "logprobs"), {})
    facts = entry.get("facts") or {}
    return {
        **{name: entry.get(name) for name in FIELDS},
        **{name: measured.get(name) for name in DISTANCES},
        **{name: facts.get(name) for name in FACTS},
    }
