"""Words about evaluations that the screen and the report pages share: the headline, kinds of text, languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmlora.core.locale import LANGUAGES, translate

KINDS = ("knowledge", "prose", "reading", "support", "talk", "task", "unknown")


def headline_text(facts: Mapping[str, int]) -> str:
    """Return the headline of the `facts` of a report of schema llmlora.evaluation/1.

    Reports of older versions tell the wordings apart by nothing; theirs is what was remembered as asked.
    """
    if not facts["total"]:
        return translate("evaluation.headline.no_facts")
    if not facts.get("asked_in_other_words"):
        return translate("evaluation.headline.as_trained", **_counts(facts))
    if not facts["asked_as_trained"]:
        return translate("evaluation.headline.other_words", **_counts(facts))
    return translate("evaluation.headline.both", **_counts(facts))


def _counts(facts: Mapping[str, int]) -> dict[str, int]:
    total, remembered = facts["total"], facts["remembered"]
    return {
        "carried": facts.get("in_other_words", 0),
        "asked": facts.get("asked_in_other_words", 0),
        "as_trained": facts.get("as_trained", remembered),
        "asked_as_trained": facts.get("asked_as_trained", total),
        "before": facts["remembered_before"],
    }


def earlier_text(earlier: Mapping[str, Any]) -> str:
    """Return the sentence about what was taught before: how many of its facts still come, and how many are lost."""
    text = translate(
        "evaluation.earlier.known",
        name=earlier["name"],
        num_facts=earlier["num_facts"],
        num_before=earlier["num_before"],
        num_after=earlier["num_after"],
    )
    if not earlier["lost"]:
        return f"{text} {translate('evaluation.earlier.kept')}"
    return f"{text} {translate('evaluation.earlier.lost', count=len(earlier['lost']))}"


def kind_name(kind: str) -> str:
    """Return the name of a kind of general text in the user's language."""
    return translate(f"evaluation.report.kind_{kind}") if kind in KINDS else kind


def language_name(lang: str) -> str:
    """Return the name of a language in the user's language."""
    return translate(f"evaluation.report.lang_{lang}") if lang in LANGUAGES else lang


def ladder_text(ladder: Mapping[str, Any]) -> str:
    """Return the first sentence about the `ladder` of a report: whether a prompt does as well as tuning."""
    rungs = {rung["name"]: rung for rung in ladder["rungs"]}
    prompt, tuned = rungs[ladder["best_prompt"]], rungs["tuned"]
    key = ladder["verdict"] if any(rung["facts"]["carried"] for rung in (prompt, tuned)) else "nothing"
    shown = {"prompt": _with_interval(prompt["facts"]), "tuned": _with_interval(tuned["facts"])}
    return translate(f"evaluation.ladder.{key}", rung=rung_name(prompt["name"]), **shown)


def _with_interval(share: Mapping[str, Any]) -> str:
    return translate("evaluation.ladder.share", facts=share_text(share), interval=interval_text(share))


def rung_name(name: str) -> str:
    """Return the name of a rung of the ladder in the user's language."""
    return translate(f"evaluation.ladder.rung_{name}")


def share_text(share: Mapping[str, Any] | None) -> str:
    """Return how many facts of how many came, a dash where none was asked."""
    return "\N{EN DASH}" if share is None else f"{share['carried']}/{share['asked']}"


def interval_text(share: Mapping[str, Any]) -> str:
    """Return between which percentages 95 % of the resamples lie."""
    return f"{100 * share['low']:.0f}\N{EN DASH}{100 * share['high']:.0f} %"


QUALITY = ("term_accuracy", "consistency", "safety", "repetition_rate", "stop_rate", "perplexity")
LOWER_IS_BETTER = ("repetition_rate", "perplexity")


def quality_rows(quality: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each measure beyond facts of a report: its label, definition, both sides in words, and what changed.

    `change` is "better", "worse" or "same", None where a side was not measured. What there was nothing to measure by
    (no reference names a term, no question has rewordings) is left out.
    """
    sides = {name: _quality_sides(quality, name) for name in QUALITY}
    return [_quality_row(name, *pair) for name, pair in sides.items() if pair != (None, None)]


def _quality_sides(quality: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    if name in quality:
        return quality[name]["base"], quality[name]["tuned"]
    return quality["fluency"]["base"][name], quality["fluency"]["tuned"][name]


def _quality_row(name: str, base: Any, tuned: Any) -> dict[str, Any]:
    return {
        "label": translate(f"evaluation.quality.{name}"),
        "definition": translate(f"evaluation.quality.about_{name}"),
        "before": _quality_text(name, base),
        "after": _quality_text(name, tuned),
        "change": _change(base, tuned, name in LOWER_IS_BETTER),
    }


def _quality_text(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return translate("evaluation.quality.measured", share=share_text(value), interval=interval_text(value))
    if value is None:
        return "\N{EN DASH}"
    return f"{value:,.1f}" if name == "perplexity" else f"{100 * value:.0f} %"


def _change(base: Any, tuned: Any, is_lower_better: bool) -> str | None:
    before, after = (side["share"] if isinstance(side, Mapping) else side for side in (base, tuned))
    if before is None or after is None:
        return None
    if before == after:
        return "same"
    return "better" if (after < before) == is_lower_better else "worse"
