"""What the page of an evaluation tells of the forgetting check: light, measures, examples, losses by kind."""

from __future__ import annotations

from typing import Any

from llmlora.core.evaluation_words import kind_name, language_name
from llmlora.evaluation.pages.words import DASH, number, t

LAMPS = {"green": "✓", "yellow": "!", "red": "✗"}


def forgetting_part(check: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what the template shows of a check; those of older versions have losses and spoilt answers only."""
    if check is None:
        return None
    light = check["light"]
    return {
        "light": light,
        "lamp": LAMPS[light],
        "title": t(f"light_{light}"),
        "lines": _lines(check),
        "changed": check.get("general", {}).get("changed"),
        "invented": check.get("untaught", {}).get("new"),
        "rule": _rule(check["thresholds"]),
        "groups": [_group(group) for group in sorted(check["groups"], key=_worst_first)],
    }


def _lines(check: dict[str, Any]) -> list[str]:
    drift, worst = check["drift"], _worst(check["groups"])
    lines = []
    if worst is not None:
        before, after = number(worst["base_loss"], 2), number(worst["tuned_loss"], 2)
        names = {"kind": kind_name(worst["kind"]), "lang": language_name(worst["lang"])}
        lines.append(t("forgetting_worst", before=before, after=after, rise=_nats(_rise(worst)), **names))
    if "general" in check:
        general, untaught = check["general"], check["untaught"]
        counts = {"total": general["num_questions"], "right": general["right_before"]}
        lines.append(t("forgetting_changed", changed=len(general["changed"]), **counts))
        sides = {"before": untaught["base"], "after": untaught["tuned"]}
        lines.append(t("forgetting_invented", total=untaught["num_questions"], **sides))
    spoilt = {"broken": drift["newly_broken"], "echoes": drift["echoes"]}
    lines.append(t("forgetting_drift", count=drift["num_questions"], **spoilt))
    before, after = number(check["base"]["loss"]), number(check["tuned"]["loss"])
    lines.append(t("forgetting_loss", items=check["num_items"], before=before, after=after))
    return lines


def _rise(group: dict[str, Any]) -> float | None:
    """Return by how many nats per token the loss of a kind rose; None when it is no number any more."""
    before, after = group["base_loss"], group["tuned_loss"]
    return None if before is None or after is None else float(after - before)


def _worst(groups: list[dict[str, Any]]) -> dict[str, Any] | None:
    return min((group for group in groups if group["num_tokens"]), key=_worst_first, default=None)


def _worst_first(group: dict[str, Any]) -> tuple[bool, float]:
    rise = _rise(group)
    return rise is not None, -(rise or 0.0)


def _nats(rise: float | None) -> str:
    return DASH if rise is None else f"{rise:+.2f}"


def _rule(limits: dict[str, Any]) -> str | None:
    """Return the rule of the light; older reports were judged by another one."""
    if "yellow" not in limits:
        return None
    yellow, red = limits["yellow"], limits["red"]
    shares = {name: f"{100 * red[f'{name}_share']:.0f}" for name in ("changed", "spoilt", "invented")}
    return t(
        "forgetting_rule",
        yellow_loss=f"{yellow['loss_rise']:g}",
        red_loss=f"{red['loss_rise']:g}",
        **{f"red_{name}": share for name, share in shares.items()},
    )


def _group(group: dict[str, Any]) -> tuple[str, str, str, str, str]:
    return (
        language_name(group["lang"]),
        kind_name(group["kind"]),
        number(group["base_loss"], 2),
        number(group["tuned_loss"], 2),
        _nats(_rise(group)),
    )
