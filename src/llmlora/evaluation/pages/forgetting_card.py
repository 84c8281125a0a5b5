"""The part of an evaluation's page that tells what training cost: light, measures, examples, losses by kind."""

from __future__ import annotations

from typing import Any

from llmlora.core.evaluation_words import kind_name, language_name
from llmlora.evaluation.pages.markup import Markup, element, joined
from llmlora.evaluation.pages.page_parts import DASH, card, number, table, word

LAMPS = {"green": "✓", "yellow": "!", "red": "✗"}


def forgetting_card(check: dict[str, Any] | None) -> Markup | None:
    """Return the forgetting check of a report; those of older versions have losses and spoilt answers only."""
    if check is None:
        return None
    light = check["light"]
    text = element("div", element("h3", word(f"light_{light}")), *[element("p", line) for line in _lines(check)])
    lamp = element("div", LAMPS[light], class_=f"lamp {light}", aria_hidden="true")
    return joined(
        element("h2", word("forgetting_title")),
        card(
            element("div", lamp, text, class_="light"),
            _changed(check),
            _invented(check),
            _rule(check["thresholds"]),
            element("details", element("summary", word("forgetting_groups")), _groups(check["groups"])),
        ),
    )


def _lines(check: dict[str, Any]) -> list[str]:
    drift, worst = check["drift"], _worst(check["groups"])
    lines = []
    if worst is not None:
        before, after = number(worst["base_loss"], 2), number(worst["tuned_loss"], 2)
        names = {"kind": kind_name(worst["kind"]), "lang": language_name(worst["lang"])}
        lines.append(word("forgetting_worst", before=before, after=after, rise=_nats(_rise(worst)), **names))
    if "general" in check:
        general, untaught = check["general"], check["untaught"]
        counts = {"total": general["num_questions"], "right": general["right_before"]}
        lines.append(word("forgetting_changed", changed=len(general["changed"]), **counts))
        sides = {"before": untaught["base"], "after": untaught["tuned"]}
        lines.append(word("forgetting_invented", total=untaught["num_questions"], **sides))
    spoilt = {"broken": drift["newly_broken"], "echoes": drift["echoes"]}
    lines.append(word("forgetting_drift", count=drift["num_questions"], **spoilt))
    before, after = number(check["base"]["loss"]), number(check["tuned"]["loss"])
    lines.append(word("forgetting_loss", items=check["num_items"], before=before, after=after))
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


def _changed(check: dict[str, Any]) -> Markup | None:
    entries = check.get("general", {}).get("changed")
    if not entries:
        return None
    heads = (word("column_question"), word("column_expected"), word("base"), word("tuned"))
    rows = [(entry["question"], entry["expected"], entry["base"], entry["tuned"]) for entry in entries]
    return joined(element("h4", word("changed_title")), table(heads, rows))


def _invented(check: dict[str, Any]) -> Markup | None:
    entries = check.get("untaught", {}).get("new")
    if not entries:
        return None
    heads = (word("column_question"), word("base"), word("tuned"))
    rows = [(entry["question"], entry["base"], entry["tuned"]) for entry in entries]
    return joined(element("h4", word("invented_title")), table(heads, rows))


def _rule(limits: dict[str, Any]) -> Markup | None:
    """Return the rule of the light; older reports were judged by another one."""
    if "yellow" not in limits:
        return None
    yellow, red = limits["yellow"], limits["red"]
    shares = {name: f"{100 * red[f'{name}_share']:.0f}" for name in ("changed", "spoilt", "invented")}
    text = word(
        "forgetting_rule",
        yellow_loss=f"{yellow['loss_rise']:g}",
        red_loss=f"{red['loss_rise']:g}",
        **{f"red_{name}": share for name, share in shares.items()},
    )
    return element("p", text, class_="hint")


def _groups(groups: list[dict[str, Any]]) -> Markup:
    rows = [
        (language_name(group["lang"]), kind_name(group["kind"]), number(group["base_loss"], 2),
         number(group["tuned_loss"], 2), _nats(_rise(group)))
        for group in sorted(groups, key=_worst_first)
    ]  # fmt: skip
    heads = (word("column_language"), word("column_kind"), word("base"), word("tuned"), word("column_change"))
    return table(heads, rows, (2, 3, 4))
