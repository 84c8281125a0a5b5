"""What to do next after an evaluation; each piece of advice follows from counted facts and the job's own settings.

The words stand under `evaluation.advice.<code>`.
"""

from __future__ import annotations

import math
from typing import Any

from llmlora.core.config import TrainConfig
from llmlora.evaluation.findings import peak_rate

KNOWN_BY_HEART = 0.3
HIGHEST_RANK = 64
MOST_EPOCHS = 100


def advise(config: TrainConfig, report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return {code, params} for each piece of advice on a report of schema llmlora.evaluation/1, gravest first."""
    facts = report["facts"]
    if _is_unchanged(report["items"]):
        return [_piece("unchanged", rate=_number(4 * peak_rate(config)))]
    found = []
    if facts["broken"]:
        found.append(_piece("broken", count=facts["broken"], rate=_number(peak_rate(config) / 2)))
    if (report["forgetting"] or {}).get("light") == "red":
        found.append(_piece("forgetting", rate=_number(peak_rate(config) / 2), epochs=_epochs(config, 0.5)))
    if facts["not_learned"]:
        found.append(_not_learned(config, report))
    if facts["surface"]:
        found.append(_piece("surface", count=facts["surface"]))
    if (report["tuned"]["stop_rate"] or 0) < (report["base"]["stop_rate"] or 0):
        found.append(_piece("endless", before=_percent(report["base"]), after=_percent(report["tuned"])))
    return found


def _is_unchanged(items: list[dict[str, Any]]) -> bool:
    return bool(items) and all(item["base"]["text"] == item["tuned"]["text"] for item in items)


def _not_learned(config: TrainConfig, report: dict[str, Any]) -> dict[str, Any]:
    """Tell too little training from rows that are known by heart but do not hold what was asked."""
    count, total = report["facts"]["not_learned"], report["facts"]["total"]
    trained = report["loss"]["trained"]
    if trained is not None and trained["tuned"]["loss"] is not None and trained["tuned"]["loss"] <= KNOWN_BY_HEART:
        return _piece("not_asked_so", count=count, total=total, loss=f"{trained['tuned']['loss']:.3f}")
    rank = min(HIGHEST_RANK, 2 * config.r)
    return _piece("not_learned", count=count, total=total, epochs=_epochs(config, 2), r=rank)


def _epochs(config: TrainConfig, factor: float) -> int:
    return min(MOST_EPOCHS, max(1, math.ceil(config.num_train_epochs * factor)))


def _piece(code: str, **params: Any) -> dict[str, Any]:
    return {"code": code, "params": params}


def _number(value: float) -> str:
    return f"{value:.2g}"


def _percent(side: dict[str, Any]) -> str:
    return f"{100 * side['stop_rate']:.0f}"
