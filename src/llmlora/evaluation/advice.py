"""What to do next after an evaluation; each piece of advice follows from counted facts and the job's own settings.

The words stand under `evaluation.advice.<code>`.
"""

from __future__ import annotations

from typing import Any

from llmlora.core.config import TrainConfig
from llmlora.core.next_run import next_settings, planned_epochs, settings_words

KNOWN_BY_HEART = 0.3
HIGHEST_RANK = 64  # a run may have a higher one, but none is proposed
ENOUGH_EPOCHS = 100
NOT_LEARNED = ("not_learned_rows", "not_learned", "not_learned_either")  # with none, one or two settings to try


def advise(config: TrainConfig, report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return {code, params} for each piece of advice on a report of schema llmlora.evaluation/1, gravest first."""
    facts = report["facts"]
    if _is_unchanged(report["items"]):
        return [_piece("unchanged", settings=next_settings(config, rate=4))]
    found = []
    if facts["broken"]:
        found.append(_piece("broken", count=facts["broken"], settings=next_settings(config, rate=0.5)))
    if (report["forgetting"] or {}).get("light") == "red":
        slower, shorter = next_settings(config, rate=0.5), next_settings(config, length=0.5)
        found.append(_piece("forgetting", settings=slower, other=shorter))
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
    proposals = _more(config)
    return _piece(
        NOT_LEARNED[len(proposals)],
        count=count,
        total=total,
        **dict(zip(("settings", "other"), proposals, strict=False)),
    )


def _more(config: TrainConfig) -> list[str]:
    """Return settings that learn more: a longer run, and a higher rank where the adapter is new."""
    proposals = []
    if config.max_steps is not None:
        proposals.append(next_settings(config, length=2))
    elif planned_epochs(config) < ENOUGH_EPOCHS:
        proposals.append(next_settings(config, length=min(2, ENOUGH_EPOCHS / planned_epochs(config))))
    if config.method != "full" and config.init_adapter is None and config.r < HIGHEST_RANK:
        proposals.append(settings_words({"r": min(HIGHEST_RANK, 2 * config.r)}))
    return proposals


def _piece(code: str, **params: Any) -> dict[str, Any]:
    return {"code": code, "params": params}


def _percent(side: dict[str, Any]) -> str:
    return f"{100 * side['stop_rate']:.0f}"
