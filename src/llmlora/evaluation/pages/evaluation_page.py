"""The page of an evaluation: one summary line, what to keep in mind, numbers, then each question, losses first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llmlora.core.evaluation_words import earlier_text, headline_text, quality_rows
from llmlora.core.locale import translate
from llmlora.evaluation.facts.extract import VERDICTS, fact_places
from llmlora.evaluation.facts.spans import Fact
from llmlora.evaluation.measuring.scoring import losses_first
from llmlora.evaluation.pages.curves import curves_of
from llmlora.evaluation.pages.forgetting import forgetting_part
from llmlora.evaluation.pages.ladder import ladder_part
from llmlora.evaluation.pages.template import render
from llmlora.evaluation.pages.words import DASH, advice_of, note_text, number, percent, t

TWICE = 100  # percent more
SYMBOLS = {"broken": "✗", "not_learned": "−", "surface": "~", "learned": "✓", "known": "=", "none": "·"}

Pieces = list[tuple[str, bool]]


def evaluation_page(report: dict[str, Any], steps: Sequence[dict[str, Any]], evals: Sequence[dict[str, Any]]) -> str:
    """Return the HTML page of a report of schema llmlora.evaluation/1 with the loss curve of its job."""
    facts = report["facts"]
    return render(
        "evaluation.html",
        job=report["job"],
        made_at=report["made_at"],
        headline=headline_text(facts),
        num_facts=facts["total"],
        verdicts=[(verdict, SYMBOLS[verdict], facts[verdict]) for verdict in VERDICTS if facts[verdict]],
        advice=[advice_of(piece) for piece in report["advice"]],
        notes=[note_text(note) for note in report["notes"]],
        measures=_measures(report),
        ladder=ladder_part(report.get("ladder")),
        quality=_quality(report.get("quality")),
        forgetting=forgetting_part(report["forgetting"]),
        earlier=report.get("earlier"),
        earlier_text=earlier_text(report["earlier"]) if report.get("earlier") else None,
        items=[_item(item) for item in losses_first(report["items"])],
        curves=curves_of(steps, evals),
    )


def _measures(report: dict[str, Any]) -> list[dict[str, str | None]]:
    base, tuned, facts, losses = report["base"], report["tuned"], report["facts"], report["loss"]
    rows = [
        _measure(
            "facts", facts["remembered_before"], facts["remembered"], lambda value: f"{value} / {facts['total']}", True
        ),
        _measure("exact_match", base["exact_match"], tuned["exact_match"], percent, True),
        _measure("chrf", base["chrf"], tuned["chrf"], number, True),
        _measure("rouge_l", base["rouge_l"], tuned["rouge_l"], number, True),
        _measure("stop_rate", base["stop_rate"], tuned["stop_rate"], percent, True),
        _measure("repetition_rate", base["repetition_rate"], tuned["repetition_rate"], percent, False),
    ]
    for name in ("held_out", "trained"):
        pair = losses[name]
        if pair:
            rows.append(_measure(f"loss_{name}", pair["base"]["loss"], pair["tuned"]["loss"], number, False))
            before, after = pair["base"]["perplexity"], pair["tuned"]["perplexity"]
            row = _measure(f"perplexity_{name}", before, after, lambda value: number(value, 1), False)
            if pair["perplexity_change_percent"] is not None:
                row["size"] = _change_text(pair["perplexity_change_percent"])
            rows.append(row)
    return rows


def _quality(quality: dict[str, Any] | None) -> dict[str, Any] | None:
    if quality is None:
        return None
    missed = ", ".join(quality["term_accuracy"]["missed"])
    return {
        "title": translate("evaluation.quality.title"),
        "hint": translate("evaluation.quality.hint"),
        "rows": quality_rows(quality),
        "missed": translate("evaluation.quality.missed", terms=missed) if missed else None,
        "answers": quality["safety"]["items"],
    }


def _change_text(percent_change: float) -> str:
    """Return a change as people grasp it: in percent while it is less than twice, then as so many times."""
    if percent_change < TWICE:
        return f"{percent_change:+.1f} %"
    return f"× {1 + percent_change / 100:,.0f}"


def _measure(
    name: str, before: Any, after: Any, shown: Callable[[Any], str], is_higher_better: bool
) -> dict[str, str | None]:
    """Return one row of the numbers: its change is told by an arrow, a word and a class."""
    row = {
        "label": t(f"metric_{name}"),
        "before": shown(before) if before is not None else DASH,
        "after": shown(after) if after is not None else DASH,
        "size": None,
    }
    if before is None or after is None:
        return {**row, "change": DASH, "style": "empty"}
    if abs(after - before) < 1e-9:
        return {**row, "change": t("same"), "style": "empty"}
    style = "better" if (after > before) == is_higher_better else "worse"
    return {**row, "change": f"{'▲' if after > before else '▼'} {t(style)}", "style": style}


def _item(item: dict[str, Any]) -> dict[str, Any]:
    facts = [Fact(fact["kind"], fact["text"], fact["value"], 0, 0) for fact in item["facts"]]
    verdict = item["verdict"] or "none"
    return {
        "number": item["index"],
        "question": item["question"],
        "wording": t(f"wording_{item['wording']}") if item.get("wording") else None,  # older reports do not say it
        "verdict": (verdict, SYMBOLS[verdict]),
        "sides": [
            {"kind": "reference", "pieces": highlighted(item["reference"], facts), "note": None},
            *[
                {"kind": kind, "pieces": highlighted(item[kind]["text"], facts), "note": _answer_facts(item[kind])}
                for kind in ("base", "tuned")
            ],
        ],
        "facts": [
            {"verdict": fact["verdict"], "symbol": SYMBOLS[fact["verdict"]], "text": _fact_text(fact)}
            for fact in sorted(item["facts"], key=lambda entry: VERDICTS.index(entry["verdict"]))
        ],
        "rewordings": [
            {
                "question": entry["question"],
                "wording": t(f"wording_{entry.get('wording', 'other_words')}"),
                "pieces": highlighted(entry["text"], facts),
            }
            for entry in item["paraphrases"]
        ],
    }


def _answer_facts(answer: dict[str, Any]) -> str:
    stop = t("answer_stopped") if answer["finish_reason"] == "stop" else t("answer_cut")
    return t("answer_numbers", chrf=number(answer["chrf"], 2), tokens=answer["num_tokens"], stop=stop)


def _fact_text(fact: dict[str, Any]) -> str:
    text = f"{fact['text']} — {t('verdict_' + fact['verdict'])}"
    if fact["num_paraphrases"]:
        text += t("paraphrase_hits", hits=fact["paraphrase_hits"], total=fact["num_paraphrases"])
    return text


def highlighted(text: str, facts: Sequence[Fact]) -> Pieces:
    """Return the pieces of a text, each with whether it carries one of the facts; nothing for a blank text."""
    if not text.strip():
        return []
    pieces: Pieces = []
    position = 0
    for start, end in sorted({place for fact in facts for place in fact_places(text, fact)}):
        if start < position:
            continue
        pieces += [(text[position:start], False), (text[start:end], True)]
        position = end
    return [piece for piece in (*pieces, (text[position:], False)) if piece[0]]
