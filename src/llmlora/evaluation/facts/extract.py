"""Facts of a reference answer, found by rule: what an answer must carry to be called right.

A fact is a price, percentage, date, time of day, duration, phone number, address of the web or of mail, a number with
or without its unit, or a name. Spelling does not count: 三千円 = 3,000円 = ￥3000, 午後6時 = 18:00, 2週間 = 14日.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal

from llmlora.evaluation.facts.amounts import find_numbers, find_percentages, find_prices, find_quantities
from llmlora.evaluation.facts.moments import find_dates, find_durations, find_times
from llmlora.evaluation.facts.names import comparable, find_names, find_quoted
from llmlora.evaluation.facts.numerals import normalise
from llmlora.evaluation.facts.spans import Fact, Finder, Span
from llmlora.evaluation.facts.wordlists import alternatives

Verdict = Literal["learned", "surface", "not_learned", "broken", "known"]
VERDICTS: tuple[Verdict, ...] = ("broken", "not_learned", "surface", "learned", "known")
PARAPHRASES_NEEDED = 2

_IDIOM = re.compile(alternatives("sayings"))
_URL = re.compile(r"(?:https?://|www\.)[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PHONE = re.compile(
    r"(?<![\d-])(?:\+\d{1,3}[- ]?(?:\(?\d{1,4}\)?[- ]){1,3}\d{3,4}|"
    r"0\d{1,4}[-(]\d{1,4}[-)]\d{3,4}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4}|0[789]0\d{8})(?![\d-])"
)


def find_addresses(text: str) -> Iterator[Span]:
    """Find web and mail addresses and phone numbers."""
    for match in _URL.finditer(text):
        end = match.start() + len(match[0].rstrip(".,;:!?)'"))
        yield Span("url", match.start(), end, text[match.start() : end].rstrip("/").casefold())
    for match in _MAIL.finditer(text):
        yield Span("mail", match.start(), match.end(), match[0].casefold())
    for match in _PHONE.finditer(text):
        yield Span("phone", match.start(), match.end(), re.sub(r"[^\d+]", "", match[0]))


FINDERS: tuple[Finder, ...] = (
    find_addresses, find_quoted, find_prices, find_percentages, find_dates, find_times, find_durations, find_quantities,
    find_names, find_numbers,
)  # fmt: skip


def extract_facts(text: str) -> list[Fact]:
    """Return the facts of a text in reading order; each value once.

    Finders run in the order of their certainty; a place that one has taken is not read again by the next.
    """
    facts: dict[tuple[str, str], Fact] = {}
    for fact in _all_facts(text):
        facts.setdefault((fact.kind, fact.value), fact)
    return list(facts.values())


@lru_cache(maxsize=4096)
def _all_facts(text: str) -> tuple[Fact, ...]:
    plain, indices = normalise(text)
    taken = bytearray(len(plain))
    for idiom in _IDIOM.finditer(plain):
        taken[idiom.start() : idiom.end()] = b"\1" * len(idiom[0])
    spans: list[Span] = []
    for finder in FINDERS:
        for span in sorted(finder(plain), key=lambda found: (found.start, -found.end)):
            if span.start < span.end and not any(taken[span.start : span.end]):
                taken[span.start : span.end] = b"\1" * (span.end - span.start)
                spans.append(span)
    ordered = sorted(spans, key=lambda found: found.start)
    return tuple(
        Fact(
            span.kind, text[indices[span.start] : indices[span.end]], span.value, indices[span.start], indices[span.end]
        )
        for span in ordered
    )


def contains_fact(answer: str, fact: Fact) -> bool:
    """Tell whether an answer carries a fact, in whatever spelling."""
    return bool(fact_places(answer, fact))


def fact_places(answer: str, fact: Fact) -> list[tuple[int, int]]:
    """Return where an answer carries a fact, as (start, end) in the answer."""
    if fact.kind == "name":
        return _name_places(answer, fact.value)
    found = [(other.start, other.end) for other in _all_facts(answer) if _is_same(fact, other)]
    return found or _literal_places(answer, fact)


def _is_same(fact: Fact, other: Fact) -> bool:
    if fact.kind == other.kind:
        return _is_same_date(fact.value, other.value) if fact.kind == "date" else fact.value == other.value
    if {fact.kind, other.kind} == {"date", "duration"}:
        return _is_same_day_count(fact, other)
    if fact.kind == "number":
        return other.kind in ("quantity", "percent", "price") and other.value.rpartition(":")[
            2
        ] == fact.value.removeprefix("number:")
    return False


def _is_same_date(wanted: str, found: str) -> bool:
    """Compare two dates; a part that the wanted one leaves open may be anything."""
    if ":" in wanted or ":" in found:
        return wanted == found
    return all(part in ("*", other) for part, other in zip(wanted.split("-"), found.split("-"), strict=True))


def _is_same_day_count(fact: Fact, other: Fact) -> bool:
    """`10日` alone can be a day of the month or ten days."""
    date, duration = (fact, other) if fact.kind == "date" else (other, fact)
    day = re.fullmatch(r"\*-\*-(\d+)", date.value)
    return day is not None and duration.text.endswith("日") and duration.value == f"0mo+{int(day[1]) * 86400}s"


def _name_places(answer: str, wanted: str) -> list[tuple[int, int]]:
    plain, indices = normalise(answer)
    kept = [index for index, character in enumerate(plain) if comparable(character)]
    squeezed = "".join(plain[index].casefold()[:1] for index in kept)
    places = []
    position = squeezed.find(wanted)
    while wanted and position >= 0:
        first, last = kept[position], kept[position + len(wanted) - 1]
        if not (_continues_word(plain, first - 1, first) or _continues_word(plain, last, last + 1)):
            places.append((indices[first], indices[last + 1]))
        position = squeezed.find(wanted, position + 1)
    return places


def _continues_word(text: str, left: int, right: int) -> bool:
    """Tell whether a Latin or katakana word, or a number, goes on from one character to the next."""
    if left < 0 or right >= len(text):
        return False
    pair = text[left] + text[right]
    return bool(re.fullmatch(r"[A-Za-z0-9]{2}|[ァ-ヴー]{2}", pair))


def _literal_places(answer: str, fact: Fact) -> list[tuple[int, int]]:
    """Find the fact exactly as its reference writes it, where a rule read its surroundings differently."""
    plain, indices = normalise(answer)
    wanted = normalise(fact.text)[0]
    if not re.search(r"[^\d.,]", wanted):
        return []
    pattern = re.compile(rf"(?<![0-9A-Za-z.,〇一二三四五六七八九十百千万]){re.escape(wanted)}(?![0-9A-Za-z])")
    return [(indices[match.start()], indices[match.end()]) for match in pattern.finditer(plain)]


def askable_facts(reference: str, prompt: str) -> list[Fact]:
    """Return the facts of a reference that the question does not give away already."""
    return [fact for fact in extract_facts(reference) if not contains_fact(prompt, fact)]


def judge(base_hit: bool, tuned_hit: bool, paraphrase_hits: Sequence[bool] | None = None) -> Verdict:
    """Return the verdict on one fact.

    `paraphrase_hits` tells for each other wording of the question whether the tuned model's answer had the fact;
    without any, `surface` is never given.
    """
    if base_hit:
        return "known" if tuned_hit else "broken"
    if not tuned_hit:
        return "not_learned"
    if paraphrase_hits and sum(paraphrase_hits) < min(PARAPHRASES_NEEDED, len(paraphrase_hits)):
        return "surface"
    return "learned"


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict | None:
    """Return the verdict of a whole answer: the worst of its facts, None without facts."""
    return min(verdicts, key=VERDICTS.index, default=None)
