"""The part of an evaluation's page that says whether tuning was needed."""

from __future__ import annotations

from typing import Any

from llmlora.core.evaluation_words import interval_text, ladder_text, rung_name, share_text
from llmlora.evaluation.pages.words import number, t

HEADS = ("rung", "facts", "interval", "as_trained", "other_words", "seconds", "prompt_tokens", "tokens")
COSTS = (("seconds", 2), ("prompt_tokens", 0), ("tokens", 0))  # and how many digits of each


def ladder_part(ladder: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the values of the part; None where the ladder was not asked."""
    if ladder is None:
        return None
    names = [rung["name"] for rung in ladder["rungs"]]
    return {
        "headline": ladder_text(ladder),
        "heads": [t(f"ladder_{head}") for head in HEADS],
        "rungs": [_cells(rung) for rung in ladder["rungs"]],
        "has_examples": "few_shot" in names,
        "system_prompt": ladder["system_prompt"],
        "max_examples": ladder["max_examples"],
        "items": [
            {**item, "answers": [(rung_name(name), item["answers"][name]) for name in names]}
            for item in ladder["items"]
        ],
    }


def _cells(rung: dict[str, Any]) -> list[str]:
    facts, interval = share_text(rung["facts"]), interval_text(rung["facts"])
    others = [share_text(rung[name]) for name in ("as_trained", "other_words")]
    costs = [number(rung[f"{name}_per_answer"], digits) for name, digits in COSTS]
    return [rung_name(rung["name"]), facts, interval, *others, *costs]
