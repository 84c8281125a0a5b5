"""The page of an evaluation: one summary line, what to keep in mind, numbers, then each question, losses first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llmlora.core.evaluation_words import headline_text
from llmlora.evaluation.facts.extract import VERDICTS, fact_places
from llmlora.evaluation.facts.spans import Fact
from llmlora.evaluation.measuring.scoring import losses_first
from llmlora.evaluation.pages.forgetting_card import forgetting_card
from llmlora.evaluation.pages.markup import Child, Markup, element, joined
from llmlora.evaluation.pages.page_parts import (
    DASH,
    advice_lines,
    card,
    loss_curve,
    notes_card,
    number,
    page,
    percent,
    rate_curve,
    table,
    word,
)

TWICE = 100  # percent more
SYMBOLS = {"broken": "✗", "not_learned": "−", "surface": "~", "learned": "✓", "known": "=", "none": "·"}


def evaluation_page(report: dict[str, Any], steps: Sequence[dict[str, Any]], evals: Sequence[dict[str, Any]]) -> str:
    """Return the HTML page of a report of schema llmlora.evaluation/1 with the loss curve of its job."""
    job, facts = report["job"], report["facts"]
    curve = loss_curve(steps, evals)
    parts: list[Child] = [
        _headline(facts),
        _advice(report["advice"]),
        notes_card(report["notes"]),
        element("h2", word("numbers_title")),
        _numbers(report),
        element("p", word("chrf_hint"), class_="hint"),
        forgetting_card(report["forgetting"]),
        element("h2", word("answers_title")),
        element("p", word("answers_hint"), class_="hint"),
        *[_item(item) for item in losses_first(report["items"])],
        element("h2", word("curve_title")) if curve else None,
        curve,
        rate_curve(steps),
    ]
    subtitle = word("evaluation_subtitle", folder=job["folder"], base_model=job["base_model"], data=job["data"])
    return page(word("evaluation_title"), subtitle, parts, report["made_at"])


def _headline(facts: dict[str, int]) -> Markup:
    if not facts["total"]:
        return card(element("span", headline_text(facts), class_="label"), kind="headline")
    badges = [
        _badge(verdict, f"{word(f'verdict_{verdict}')} {facts[verdict]}") for verdict in VERDICTS if facts[verdict]
    ]
    return card(
        element("p", headline_text(facts), class_="label"),
        element("div", *badges, class_="badges"),
        kind="headline",
    )


def _advice(advice: Sequence[dict[str, Any]]) -> Markup | None:
    if not advice:
        return None
    return card(element("h3", word("advice")), *[advice_lines(piece) for piece in advice])


def _badge(kind: str, text: Child) -> Markup:
    return element("span", element("span", SYMBOLS[kind], aria_hidden="true"), text, class_=f"badge {kind}")


def _numbers(report: dict[str, Any]) -> Markup:
    base, tuned, facts, losses = report["base"], report["tuned"], report["facts"], report["loss"]
    rows = [
        _row(
            "facts", facts["remembered_before"], facts["remembered"], lambda value: f"{value} / {facts['total']}", True
        ),
        _row("exact_match", base["exact_match"], tuned["exact_match"], percent, True),
        _row("chrf", base["chrf"], tuned["chrf"], number, True),
        _row("rouge_l", base["rouge_l"], tuned["rouge_l"], number, True),
        _row("stop_rate", base["stop_rate"], tuned["stop_rate"], percent, True),
        _row("repetition_rate", base["repetition_rate"], tuned["repetition_rate"], percent, False),
    ]
    for name in ("held_out", "trained"):
        pair = losses[name]
        if pair:
            rows.append(_row(f"loss_{name}", pair["base"]["loss"], pair["tuned"]["loss"], number, False))
            before, after = pair["base"]["perplexity"], pair["tuned"]["perplexity"]
            rows.append(_row(f"perplexity_{name}", before, after, lambda value: number(value, 1), False))
            if pair["perplexity_change_percent"] is not None:
                rows[-1][-1] = [rows[-1][-1], f" ({_change_text(pair['perplexity_change_percent'])})"]
    heads = (word("column_metric"), word("base"), word("tuned"), word("column_change"))
    return card(table(heads, rows, (1, 2)))


def _change_text(percent_change: float) -> str:
    """Return a change as people grasp it: in percent while it is less than twice, then as so many times."""
    if percent_change < TWICE:
        return f"{percent_change:+.1f} %"
    return f"× {1 + percent_change / 100:,.0f}"


def _row(name: str, before: Any, after: Any, shown: Callable[[Any], str], is_higher_better: bool) -> list[Child]:
    values = [shown(before) if before is not None else DASH, shown(after) if after is not None else DASH]
    if before is None or after is None:
        return [word(f"metric_{name}"), *values, element("span", DASH, class_="empty")]
    if abs(after - before) < 1e-9:
        return [word(f"metric_{name}"), *values, element("span", word("same"), class_="empty")]
    is_better = (after > before) == is_higher_better
    arrow = "▲" if after > before else "▼"
    verdict = word("better") if is_better else word("worse")
    return [
        word(f"metric_{name}"),
        *values,
        element("span", f"{arrow} {verdict}", class_="better" if is_better else "worse"),
    ]


def _item(item: dict[str, Any]) -> Markup:
    facts = [Fact(fact["kind"], fact["text"], fact["value"], 0, 0) for fact in item["facts"]]
    verdict = item["verdict"] or "none"
    head = element(
        "div",
        element("span", word("question_number", number=item["index"]), _wording(item), class_="subtitle"),
        _badge(verdict, word(f"verdict_{verdict}")),
        class_="item-head",
    )
    sides = element(
        "div",
        _side("reference", item["reference"], facts, "", "fact"),
        _side("base", item["base"]["text"], facts, _answer_facts(item["base"]), "hit"),
        _side("tuned", item["tuned"]["text"], facts, _answer_facts(item["tuned"]), "hit"),
        class_="sides",
    )
    return card(
        head,
        element("p", item["question"], class_="question"),
        sides,
        _fact_list(item["facts"]),
        _rewordings(item, facts),
    )


def _wording(item: dict[str, Any]) -> str:
    """Return how the question was asked; reports of older versions do not say it."""
    return f" · {word('wording_' + item['wording'])}" if item.get("wording") else ""


def _answer_facts(answer: dict[str, Any]) -> str:
    stop = word("answer_stopped") if answer["finish_reason"] == "stop" else word("answer_cut")
    return word("answer_numbers", chrf=number(answer["chrf"], 2), tokens=answer["num_tokens"], stop=stop)


def _side(kind: str, text: str, facts: Sequence[Fact], note: str, mark: str) -> Markup:
    body = (
        element("p", highlighted(text, facts, mark))
        if text.strip()
        else element("p", word("no_answer"), class_="empty")
    )
    return element(
        "div",
        element("h4", word(kind)),
        body,
        element("p", note, class_="hint") if note else None,
        class_=f"side {kind}",
    )


def highlighted(text: str, facts: Sequence[Fact], style: str) -> Markup:
    """Return a text with the facts in it marked, by an underline and, in an answer, a check mark."""
    places = sorted({place for fact in facts for place in fact_places(text, fact)})
    parts: list[Child] = []
    position = 0
    for start, end in places:
        if start < position:
            continue
        sign = "✓" if style == "hit" else ""
        parts += [text[position:start], element("mark", sign, text[start:end], class_=style)]
        position = end
    return joined(*parts, text[position:])


def _fact_list(facts: Sequence[dict[str, Any]]) -> Markup | None:
    if not facts:
        return None
    entries = []
    for fact in sorted(facts, key=lambda entry: VERDICTS.index(entry["verdict"])):
        detail = f"{fact['text']} — {word('verdict_' + fact['verdict'])}"
        if fact["num_paraphrases"]:
            detail += word("paraphrase_hits", hits=fact["paraphrase_hits"], total=fact["num_paraphrases"])
        entries.append(element("li", _badge(fact["verdict"], detail)))
    return element("ul", *entries, class_="facts")


def _rewordings(item: dict[str, Any], facts: Sequence[Fact]) -> Markup | None:
    if not item["paraphrases"]:
        return None
    rows = [
        (
            entry["question"],
            word(f"wording_{entry.get('wording', 'other_words')}"),
            highlighted(entry["text"], facts, "hit"),
        )
        for entry in item["paraphrases"]
    ]
    inner = table((word("column_rewording"), word("column_wording"), word("tuned")), rows)
    return element("details", element("summary", word("rewordings", count=len(rows))), inner)
