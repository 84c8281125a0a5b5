"""Find names in a normalised text: 「…」, katakana and Latin proper names, names told by their title or suffix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from llmlora.evaluation.facts.spans import Span
from llmlora.evaluation.facts.wordlists import alternatives, words

_QUOTED = re.compile(
    r"「([^「」\n]{1,30})」|『([^『』\n]{1,30})』|`([^`\n]{1,40})`|“([^“”\n]{1,40})”|"
    r"\"([^\"\n]{1,40})\"|《([^《》\n]{1,30})》"
)
_SENTENCE_MARK = re.compile(r"[。！？!?]|、.*、|[.!?]\s|です|ます|ください|でしょう")
_KATAKANA = re.compile(r"[ァ-ヴー]{2,}(?:・[ァ-ヴー]{2,})*")
_KATAKANA_TAIL = re.compile(
    r"(?:電機|商店|商会|製作所|工業|産業|食品|製菓|製薬|建設|不動産|銀行|書店|"
    r"堂|屋|荘|亭|園|庵|社|店|駅|市|町|村|県|区|島|山|川|湖|橋|通り|寺|神社|大学|病院|高校|中学校|小学校|図書館|博物館|美術館|公園|号)"
)
_PLACE = re.compile(
    r"(?<![一-鿿々])(?P<name>[一-鿿々ヶ]{1,4}?(?:[市町村県区駅]|都(?=[^市道合])))(?![一-鿿々長民内外立場役営])"
)
_ADDRESS = re.compile(
    rf"(?P<prefecture>{alternatives('prefectures')})(?P<town>[一-鿿々ヶケ]{{1,4}}?[市区町村](?![市区町村]))?"
)
_PERSON = re.compile(r"(?<![一-鿿々])(?P<name>[一-鿿々]{1,4})(?:さん|氏(?![名族])|先生|様(?![々子式])|くん|ちゃん)")
_COMPANY = re.compile(
    r"(?:株式会社|有限会社|合同会社)(?P<after>[一-鿿々ぁ-んァ-ヴーA-Za-z]{2,12}?)(?=[はがのをにへとでもや、。の\s(（]|$)|"
    r"(?P<before>[一-鿿々ァ-ヴーA-Za-z]{2,12})(?:株式会社|有限会社|合同会社)"
)
_LATIN_TOKEN = r"[A-Za-z][A-Za-z0-9]*(?:[-+./#_][A-Za-z0-9]+)*(?:\+\+|#)?"
_LATIN_JA = re.compile(rf"(?<![A-Za-z0-9@./_-])(?P<name>{_LATIN_TOKEN}(?: [A-Z][A-Za-z0-9]*)*)(?![A-Za-z0-9@])")
_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9]*(?:['’][a-z]+)?(?:[-+./#_][A-Za-z0-9]+)*(?:\+\+|#)?")
_HAS_JAPANESE = re.compile(r"[ぁ-んァ-ヴ一-鿿]")


@cache
def _everyday_words() -> frozenset[str]:
    return frozenset(word.rstrip("ー") for word in words("loanwords"))


@cache
def is_everyday_katakana(word: str) -> bool:
    """Tell whether a katakana word is an everyday one or put together from such."""
    everyday = _everyday_words()
    longest = max(map(len, everyday)) + 1  # with a long vowel at its end
    reachable = [True] + [False] * len(word)
    for end in range(2, len(word) + 1):
        reachable[end] = any(
            reachable[start] and word[start:end].rstrip("ー") in everyday
            for start in range(max(0, end - longest), end - 1)
        )
    return reachable[-1]


def find_names(text: str) -> Iterator[Span]:
    """Find names; spans may overlap, the caller keeps the first of each place."""
    yield from find_quoted(text)
    for match in _COMPANY.finditer(text):
        group = "after" if match["after"] else "before"
        yield _name(text, match.start(group), match.end(group))
    yield from _katakana_names(text)
    for match in _ADDRESS.finditer(text):
        for group in ("prefecture", "town"):
            if match[group]:
                yield _name(text, match.start(group), match.end(group))
    for match in _PLACE.finditer(text):
        if match["name"] not in words("not_places"):
            yield _name(text, match.start("name"), match.end("name"))
    for match in _PERSON.finditer(text):
        if match["name"] not in words("not_persons"):
            yield _name(text, match.start("name"), match.end("name"))
    yield from _latin_names_ja(text) if _HAS_JAPANESE.search(text) else _latin_names_en(text)


def find_quoted(text: str) -> Iterator[Span]:
    """Find short quotations that are names or exact words, not whole sentences."""
    for match in _QUOTED.finditer(text):
        group = next(index for index in range(1, 7) if match[index] is not None)
        inner = match[group].strip()
        if inner and not _SENTENCE_MARK.search(inner):
            start = match.start(group) + match[group].index(inner)
            yield _name(text, start, start + len(inner))


def comparable(text: str) -> str:
    """Return a name free of case, spaces and middle dots."""
    return re.sub(r"[\s・·]+", "", text).casefold()


def _name(text: str, start: int, end: int) -> Span:
    return Span("name", start, end, comparable(text[start:end]))


def _katakana_names(text: str) -> Iterator[Span]:
    for match in _KATAKANA.finditer(text):
        start, end = match.span()
        pieces = [(start + piece.start(), start + piece.end()) for piece in re.finditer(r"[^・]+", match[0])]
        while pieces and is_everyday_katakana(text[slice(*pieces[0])]):
            pieces.pop(0)
        while pieces and is_everyday_katakana(text[slice(*pieces[-1])]):
            pieces.pop()
        if not pieces:
            continue
        start, end = pieces[0][0], pieces[-1][1]
        is_measured = start > 0 and text[start - 1].isdigit()
        if end - start >= 3 and not is_measured:
            tail = _KATAKANA_TAIL.match(text, end) if end == match.end() else None
            yield _name(text, start, tail.end() if tail else end)


def _latin_names_ja(text: str) -> Iterator[Span]:
    for match in _LATIN_JA.finditer(text):
        name = match["name"]
        if len(name) > 1 and name not in words("common_latin") and any(character.isupper() for character in name):
            yield _name(text, match.start("name"), match.end("name"))


def _latin_names_en(text: str) -> Iterator[Span]:
    run: list[re.Match[str]] = []
    for match in _WORD.finditer(text):
        follows = bool(run) and text[run[-1].end() : match.start()] in (" ", " of ", " de ")
        if _is_capitalised(match[0]):
            if not follows:
                yield from _close_run(text, run)
                run = []
            run.append(match)
        elif not (follows and match[0] in ("of", "de")):
            yield from _close_run(text, run)
            run = []
    yield from _close_run(text, run)


def _is_capitalised(word: str) -> bool:
    return word[0].isupper() or any(character.isupper() for character in word[1:])


def _close_run(text: str, run: list[re.Match[str]]) -> Iterator[Span]:
    chain = list(run)
    while chain and (chain[0][0] in words("not_names") or chain[0][0].rstrip(".") in words("titles")):
        chain.pop(0)
    while chain and (chain[-1][0] in words("not_names") or chain[-1][0].rstrip(".") in words("titles")):
        chain.pop()
    if not chain:
        return
    first = chain[0]
    starts_sentence = _starts_sentence(text, first.start())
    is_coined = any(character.isupper() or character.isdigit() for character in first[0][1:])
    if starts_sentence and len(chain) == 1 and not is_coined:
        return
    if len(chain) == 1 and len(first[0]) < 2:
        return
    yield _name(text, first.start(), chain[-1].end())


def _starts_sentence(text: str, position: int) -> bool:
    before = text[:position].rstrip(" \t\"'“(*-•")
    return not before or (before[-1] in ".!?:\n" and not re.search(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St)\.$", before))
