"""An evaluation on the screen: the headline, the failures, the numbers, what it cost, and the headline again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.markup import escape

from llmlora.cli.output import options, out, visible
from llmlora.cli.progress import held_out_texts
from llmlora.core.evaluation_words import earlier_text, headline_text, kind_name, language_name, quality_rows
from llmlora.core.locale import advice_text, translate

SYMBOLS = {"broken": "✗", "not_learned": "−", "surface": "~", "learned": "✓", "known": "="}
STYLES = {"broken": "red", "not_learned": "yellow", "surface": "yellow", "learned": "green", "known": "dim"}
FAILURES = ("broken", "not_learned", "surface")
SCORES = ("chrf", "rouge_l", "exact_match", "stop_rate")
SIDES = ("base", "tuned")
SHARES = ("exact_match", "stop_rate")
MAX_TEXT = 160
MAX_FAILURES = 10
MAX_EXAMPLES = 3


def print_evaluation(report: dict[str, Any]) -> None:
    """Print an evaluation; failures are shown, the rest is counted."""
    headline = f"[bold]{escape(headline_text(report['facts']))}[/bold]"
    out.print(headline)
    out.print(_verdict_counts(report["facts"]))
    print_failures(report["items"])
    _print_scores(report)
    print_quality(report.get("quality"))
    print_forgetting(report["forgetting"])
    print_earlier(report.get("earlier"))
    print_advice(report["advice"])
    print_notes(report)
    out.print(headline)


def print_notes(report: dict[str, Any]) -> None:
    """Print what limits the numbers, and where the whole report is."""
    if not options.quiet:
        for note in report["notes"]:
            out.print(f"[dim]· {escape(translate('evaluation.note.' + note['code'], **note['params']))}[/dim]")
    _tell("report", path=report["report_page"])


def _tell(key: str, style: str | None = None, **params: Any) -> None:
    text = escape(translate(f"evaluation.cli.{key}", **params))
    out.print(f"[{style}]{text}[/{style}]" if style else text)


def _verdict_counts(facts: dict[str, int]) -> str:
    words = []
    for verdict, symbol in SYMBOLS.items():
        if facts[verdict]:
            text = f"{symbol} {translate(f'evaluation.report.verdict_{verdict}')} {facts[verdict]}"
            words.append(f"[{STYLES[verdict]}]{escape(text)}[/{STYLES[verdict]}]")
    return "  ".join(words)


def print_failures(items: list[dict[str, Any]]) -> None:
    """Print each question that was not answered with what was expected and what came, worst first; count the rest."""
    ranks = {verdict: rank for rank, verdict in enumerate(FAILURES)}
    failed = sorted((item for item in items if item["verdict"] in ranks), key=lambda item: ranks[item["verdict"]])
    if failed:
        _tell("failures", style="bold", count=len(failed))
    elif items:
        _tell("no_failures")
    for item in failed[:MAX_FAILURES]:
        style = STYLES[item["verdict"]]
        sign = f"{SYMBOLS[item['verdict']]} {translate('evaluation.report.verdict_' + item['verdict'])}"
        out.print(f"[{style}]{escape(sign)}[/{style}] {escape(_clipped(item['question']))}")
        for line in _failure_lines(item):
            out.print(escape(line))
    if len(failed) > MAX_FAILURES:
        _tell("other_failures", count=len(failed) - MAX_FAILURES)
    without = sum(item["verdict"] is None for item in items)
    if failed and (rest := len(items) - len(failed) - without):
        _tell("rest", count=rest)
    if without:
        _tell("rest_no_facts", count=without)


def _failure_lines(item: dict[str, Any]) -> Iterator[str]:
    yield translate("evaluation.cli.expected", text=_clipped(item["reference"]))
    missed = next(
        (
            entry
            for entry in item["paraphrases"]
            if not entry["has_facts"] and entry.get("wording", "other_words") == "other_words"
        ),
        None,
    )
    if item["verdict"] == "surface" and missed is not None:
        yield translate("evaluation.cli.got_reworded", question=_clipped(missed["question"]), text=_got(missed["text"]))
        return
    yield translate("evaluation.cli.got", text=_got(item["tuned"]["text"]))
    if item["verdict"] == "broken":
        yield translate("evaluation.cli.got_before", text=_got(item["base"]["text"]))


def _got(text: str) -> str:
    return _clipped(text) or translate("evaluation.cli.nothing")


def _clipped(text: str) -> str:
    flat = " ".join(visible(text).split())
    return flat if len(flat) <= MAX_TEXT else flat[: MAX_TEXT - 1] + "…"


def _print_scores(report: dict[str, Any]) -> None:
    for name in SCORES:
        base, tuned = (_score(name, report[side][name]) for side in SIDES)
        _tell("scores", name=translate(f"evaluation.report.metric_{name}"), base=base, tuned=tuned)
    for name in ("held_out", "trained"):
        pair = report["loss"][name]
        if pair is not None:
            label = translate(f"evaluation.report.metric_perplexity_{name}")
            before, after = (held_out_texts(pair[side]["loss"], pair[side]["perplexity"])[1] for side in SIDES)
            _tell("scores", name=label, base=before, tuned=after)


def _score(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.0f} %" if name in SHARES else f"{value:.3f}".rstrip("0").rstrip(".")


def print_quality(quality: dict[str, Any] | None) -> None:
    """Print terms, consistency, safety and fluency, each with what it is; nothing where they were not measured."""
    if quality is None:
        return
    for row in quality_rows(quality):
        _tell("scores", name=row["label"], base=row["before"], tuned=row["after"])
        if not options.quiet:
            out.print(f"[dim]  {escape(row['definition'])}[/dim]")
    if missed := quality["term_accuracy"]["missed"]:
        text = translate("evaluation.quality.missed", terms=_clipped(", ".join(missed)))
        out.print(escape(f"  {text}"))


def print_forgetting(check: dict[str, Any] | None) -> None:
    """Print the traffic light of the forgetting check and what it rests on, when the check was made."""
    if check is None:
        return
    _tell("forgetting", style=check["light"], light=translate(f"evaluation.report.light_{check['light']}"))
    if "lights" not in check:  # a report of an older version
        return
    lights, worst = check["lights"], check["worst_kind"]
    if worst is not None and lights["loss_rise"] != "green":
        names = {"kind": kind_name(worst["kind"]), "lang": language_name(worst["lang"])}
        before, after = (_nats(worst[f"{side}_loss"]) for side in SIDES)
        _tell("worst_kind", before=before, after=after, rise=_nats(worst["rise"], "+"), **names)
    general, untaught = check["general"], check["untaught"]
    if general["changed"]:
        _tell("changed", count=len(general["changed"]), right=general["right_before"])
        for entry in general["changed"][:MAX_EXAMPLES]:
            answer, expected = _got(entry["tuned"]), entry["expected"]
            _tell("changed_example", question=_clipped(entry["question"]), answer=answer, expected=expected)
    if untaught["tuned"]:
        _tell("invented", total=untaught["num_questions"], after=untaught["tuned"], before=untaught["base"])
        for entry in untaught["new"][:MAX_EXAMPLES]:
            _tell("invented_example", question=_clipped(entry["question"]), answer=_got(entry["tuned"]))


def print_earlier(earlier: dict[str, Any] | None) -> None:
    """Print whether what was taught before is still known, and what is lost."""
    if earlier is None:
        return
    style = "red" if earlier["lost"] else "green"
    out.print(f"[{style}]{escape(earlier_text(earlier))}[/{style}]")
    for entry in earlier["lost"][:MAX_EXAMPLES]:
        shown = {"question": _clipped(entry["question"]), "fact": _clipped(entry["fact"])}
        _tell("earlier_lost", answer=_got(entry["answer"]), **shown)


def _nats(value: float | None, sign: str = "") -> str:
    return "NaN" if value is None else f"{value:{sign}.2f}"


def print_advice(advice: list[dict[str, Any]]) -> None:
    """Print what to do next."""
    if advice:
        _tell("advice", style="bold")
    for piece in advice:
        out.print(f"→ {escape(advice_text(piece))}")
