"""What was taught, asked of an exported file: is its text whole, does it end rightly, which facts did it keep?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmlora.export.check import Check, failed, passed
from llmlora.export.reference import Reference, TaughtAnswer
from llmlora.export.runtime_checks import Reply

# (answer, taught answer, what the question says) -> for each taught fact whether the answer carries it.
CarriedFacts = Callable[[str, str, str], Sequence[bool]]
Decode = Callable[[Sequence[int]], str]
REPLACEMENT = "\ufffd"  # what stands for bytes that make no character, as where an answer was cut


def check_replies(replies: Sequence[Reply], reference: Reference, decode: Decode) -> Check:
    """Compare a file's answers as text with what the trained model's tokenizer makes of the same tokens.

    That holds for every type, however coarse: a token of the wrong type vanishes from the text, and a token that ends
    replies by mistake cuts them.
    """
    num_equal = sum(reply.text == asked.answer for reply, asked in zip(replies, reference.taught, strict=True))
    measured = {"num_questions": len(replies), "num_equal": num_equal}
    for reply, asked in zip(replies, reference.taught, strict=True):
        ids = reply.token_ids
        if reply.has_stopped and ids and ids[-1] not in reference.end_ids:
            word = reference.vocabulary.get(ids[-1], "")
            return failed("answers", "cut_answer", f"{asked.row}: {reply.text[:60]!r}, {word!r}", measured)
        expected = decode([token for token in ids if token not in reference.end_ids])
        if not _same_text(reply.text, expected):
            return failed("answers", "answer_text", f"{asked.row}: {expected[:60]!r} != {reply.text[:60]!r}", measured)
    return passed("answers", measured)


def _same_text(shown: str, expected: str) -> bool:
    """Compare two texts of the same tokens, without the space before the first word that some tokenizers drop.

    Bytes that make no character are shown in different ways: from the first of them on there is nothing to compare.
    """
    shown, expected = shown.lstrip(" "), expected.lstrip(" ")
    broken = [text.index(REPLACEMENT) for text in (shown, expected) if REPLACEMENT in text]
    if not broken:
        return shown == expected
    return shown[: min(broken)] == expected[: min(broken)]


def kept_facts(replies: Sequence[Reply], reference: Reference, carried: CarriedFacts) -> dict[str, Any]:
    """Return how many of the facts that the trained model answers with a file still answers with.

    `lost_rows` are the rows of the data whose facts are missing.
    """
    num_known, num_kept, lost = 0, 0, []
    for reply, asked in zip(replies, reference.taught, strict=True):
        known, found = (_carried(carried, asked, text) for text in (asked.answer, reply.text))
        kept = sum(is_known and is_found for is_known, is_found in zip(known, found, strict=True))
        num_known, num_kept = num_known + sum(known), num_kept + kept
        lost.extend([asked.row] if kept < sum(known) else [])
    return {"num_questions": len(replies), "num_known": num_known, "num_kept": num_kept, "lost_rows": lost}


def _carried(carried: CarriedFacts, asked: TaughtAnswer, answer: str) -> Sequence[bool]:
    return carried(answer, asked.taught, asked.given_text)


def tokens_per_second(replies: Sequence[Reply]) -> float | None:
    """Return the mean speed of the answers, the reading of the questions included; None where nothing was said."""
    seconds, num_tokens = sum(reply.seconds for reply in replies), sum(len(reply.token_ids) for reply in replies)
    return round(num_tokens / seconds, 1) if seconds and num_tokens else None


def side_by_side(reference: Reference, replies: Mapping[str, Sequence[Reply]]) -> list[dict[str, Any]]:
    """Return each taught question with what was taught, the trained model's answer, and that of each file by name."""
    return [
        {
            "row": asked.row,
            "question": asked.messages[-1].content,
            "taught": asked.taught,
            "trained": asked.answer,
            "files": {name: replies[name][index].text for name in replies},
        }
        for index, asked in enumerate(reference.taught)
    ]
