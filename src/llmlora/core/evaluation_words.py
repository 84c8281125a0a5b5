"""Words about evaluations that the screen and the report pages share: the headline, kinds of text, languages."""

from __future__ import annotations

from collections.abc import Mapping

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


def kind_name(kind: str) -> str:
    """Return the name of a kind of general text in the user's language."""
    return translate(f"evaluation.report.kind_{kind}") if kind in KINDS else kind


def language_name(lang: str) -> str:
    """Return the name of a language in the user's language."""
    return translate(f"evaluation.report.lang_{lang}") if lang in LANGUAGES else lang
