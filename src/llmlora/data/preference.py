"""Preference data: rows with a good and a bad answer, as for DPO, and what is left when the good one is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llmlora.data.fields import SYNONYMS, normalised
from llmlora.data.strict_json import value_in_text

CHOSEN = (
    "chosen", "chosen_response", "response_chosen", "chosen_answer", "preferred", "preferred_output", "accepted",
    "response_j", "win", "winner_response", "採用", "良い回答", "よい回答", "選択された回答",
)  # fmt: skip
REJECTED = (
    "rejected", "rejected_response", "response_rejected", "rejected_answer", "reject", "dispreferred",
    "non_preferred_output", "response_k", "lose", "loser_response", "不採用", "悪い回答", "わるい回答",
    "却下された回答",
)  # fmt: skip
# A good and a bad answer in names that mean so only together.
PAIRS = (
    ("good", "bad"), ("better", "worse"), ("best", "worst"), ("good_answer", "bad_answer"),
    ("good_response", "bad_response"), ("winning_output", "losing_output"), ("winning_response", "losing_response"),
    ("採用回答", "不採用回答"), ("採用", "却下"), ("選択", "拒否"), ("良い", "悪い"), ("正解例", "誤答例"),
)  # fmt: skip
# Two answers side by side, and the columns that say which is better.
SIDES = (
    ("output_1", "output_2"), ("response_0", "response_1"), ("response_1", "response_2"), ("response_a", "response_b"),
    ("answer_a", "answer_b"), ("answer_0", "answer_1"), ("answer_1", "answer_2"), ("completion_a", "completion_b"),
    ("output_a", "output_b"), ("conversation_a", "conversation_b"), ("human_ref_a", "human_ref_b"),
)  # fmt: skip
VERDICTS = (
    "preference", "better_response_id", "winner", "preferred_response", "choice", "better", "label", "labels", "chosen",
    "overall_preference",
)  # fmt: skip
SECOND_FIRST = {"human_ref_a": {"1": 0, "0": 1}}  # Stanford Human Preferences: label 1 is the first
QUESTIONS = frozenset((*SYNONYMS["instruction"], *SYNONYMS["prompt"], "history"))
CONVERSATIONS = frozenset((*SYNONYMS["messages"], *SYNONYMS["conversations"]))
PAIR_NAMES = frozenset((*CHOSEN, *REJECTED, *(name for pair in (*PAIRS, *SIDES) for name in pair)))
SPEAKER = re.compile(r"\n*(?:^|(?<=\n))(Human|Assistant): ?")


@dataclass(frozen=True)
class Preference:
    """The columns of a pair of answers; `verdict` is the column that says which is better, else the first is."""

    chosen: str | None
    rejected: str
    verdict: str | None = None

    @property
    def shown(self) -> str:
        """The columns, as an error names them."""
        return ", ".join(name for name in (self.chosen, self.rejected, self.verdict) if name)


def find_preference(keys: Iterable[str]) -> Preference | None:
    """Return the pair of answers among the columns of a row, or None."""
    by_name: dict[str, str] = {}
    for key in keys:
        by_name.setdefault(normalised(key), key)
    rejected = next((by_name[name] for name in REJECTED if name in by_name), None)
    chosen = next((by_name[name] for name in CHOSEN if name in by_name), None)
    answers = CONVERSATIONS | set(SYNONYMS["output"]) | set(SYNONYMS["completion"])
    if rejected is not None and (chosen is not None or answers & set(by_name)):
        return Preference(chosen, rejected)
    both = next((pair for pair in PAIRS if pair[0] in by_name and pair[1] in by_name), None)
    if both is not None:
        return Preference(by_name[both[0]], by_name[both[1]])
    for first, second in SIDES:
        verdict = next((by_name[name] for name in VERDICTS if name in by_name), None)
        if first in by_name and second in by_name and verdict is not None:
            return Preference(by_name[first], by_name[second], verdict)
    return None


def chosen_row(value: Mapping[str, Any], pair: Preference) -> dict[str, Any] | None:
    """Return the row with its good answer only, or None when there is no better one."""
    rest = {key: item for key, item in value.items() if key not in (pair.chosen, pair.rejected, pair.verdict)}
    if pair.chosen is None:
        return rest
    better = _better(value, pair)
    if better is None:
        return None
    answer = _parsed(value.get(better))
    if answer is None:
        return None
    question = next((key for key in rest if normalised(key) in QUESTIONS and rest[key] is not None), None)
    earlier = next((key for key in rest if normalised(key) in CONVERSATIONS and rest[key] is not None), None)
    if earlier is not None:
        return {**rest, earlier: _with_answer(_turns(_parsed(rest[earlier])), answer)}
    asked = _parsed(rest[question]) if question is not None else None
    is_talk = isinstance(answer, list | dict) or isinstance(asked, list | dict)
    if question is None and isinstance(answer, str) and SPEAKER.search(answer):
        return {**rest, "messages": _spoken(answer)}
    if not is_talk and question is not None and normalised(question) == "history":
        text = rest.pop(question)
        return {**rest, "instruction": text, "output": answer}
    if not is_talk:
        return {**rest, "output": answer}
    if question is not None:
        del rest[question]
    return {**rest, "messages": _with_answer(_turns(asked), answer)}


def _better(value: Mapping[str, Any], pair: Preference) -> str | None:
    """Return the column of the better answer; None for a tie and for words that name neither."""
    if pair.verdict is None or pair.chosen is None:
        return pair.chosen
    verdict = value.get(pair.verdict)
    word = str(int(verdict) if isinstance(verdict, float) and verdict.is_integer() else verdict).strip().casefold()
    sides = (pair.chosen, pair.rejected)
    special = SECOND_FIRST.get(normalised(pair.chosen))
    if special is not None:
        return sides[special[word]] if word in special else None
    names = [normalised(side) for side in sides]
    for side, name in zip(sides, names, strict=True):
        ending = name.rpartition("_")[2]
        if word == name or word.rpartition("_")[2] == ending:
            return side
    return None


def _parsed(value: Any) -> Any:
    return value_in_text(value) if isinstance(value, str) else value


def _turns(value: Any) -> list[Any]:
    """Return the turns of a question: a list of them, an object around one, one turn, or its text."""
    if value is None:
        return []
    if isinstance(value, dict):
        inner = next((value[key] for key in value if normalised(key) in CONVERSATIONS), None)
        return list(inner) if isinstance(inner, list) else [value]
    return list(value) if isinstance(value, list) else [{"role": "user", "content": value}]


def _with_answer(earlier: list[Any], answer: Any) -> list[Any]:
    """Return a conversation that ends with an answer, which may hold the conversation itself."""
    later = answer if isinstance(answer, list) else [answer]
    later = [{"role": "assistant", "content": turn} if isinstance(turn, str) else turn for turn in later]
    if not earlier or later[: len(earlier)] == earlier or (len(later) > 1 and not _is_answer(later[0])):
        return later
    return earlier if earlier[-1:] == later else [*earlier, *later]


def _is_answer(turn: Any) -> bool:
    return isinstance(turn, dict) and (turn.get("role") or turn.get("from")) in ("assistant", "gpt")


def _spoken(text: str) -> list[dict[str, str]]:
    """Return the turns of a text such as `\\n\\nHuman: …\\n\\nAssistant: …`."""
    pieces = SPEAKER.split(text)
    roles = {"Human": "user", "Assistant": "assistant"}
    pairs = zip(pieces[1::2], pieces[2::2], strict=True)
    return [{"role": roles[speaker], "content": content.strip()} for speaker, content in pairs]
