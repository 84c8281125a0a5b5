"""What training cost: loss on bundled general text before and after, and general questions whose answers broke."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from torch import nn

from llmlora.core.examples import Example, Message
from llmlora.engine.batch import Rows, Subset
from llmlora.engine.evaluate_loss import LossReport, dataset_loss
from llmlora.engine.loss import LossPath
from llmlora.evaluation.answers import Answer
from llmlora.evaluation.metrics import chrf
from llmlora.evaluation.questions import Question, questions_of
from llmlora.prepare.dataset import PreparedDataset

Light = Literal["green", "yellow", "red"]

# Relative change of the loss on general text. At a typical loss of 2.5 nats, 5 % is a perplexity 1.13 times as high,
# about what a change of seed makes; 20 % is 1.65 times as high, which shows in every answer.
YELLOW_LOSS_CHANGE = 0.05
RED_LOSS_CHANGE = 0.20
RED_BROKEN_SHARE = 0.25
ECHO_SCORE = 0.7
NUM_QUESTIONS = 8
MAX_NEW_TOKENS = 64
MAX_LENGTH = 512
# The comparison is paired, so a part of the bundled items says nearly as much as all of them in a sixth of the time.
MAX_ITEMS = 60
LARGE_MODEL_PARAMETERS = 50_000_000
LARGE_MODEL_ITEMS = 40


@dataclass(frozen=True, slots=True)
class GeneralText:
    """One bundled item that no training is about."""

    kind: str
    lang: str
    example: Example


@dataclass(frozen=True, slots=True)
class GroupLoss:
    """The loss over the items of one kind and language."""

    lang: str
    kind: str
    report: LossReport


def load_general(limit: int | None = None) -> list[GeneralText]:
    """Return the bundled general items, at most `limit`, chosen by a hash of their text; empty when none is bundled."""
    source = resources.files("llmlora") / "assets" / "forgetting" / "general.jsonl"
    if not source.is_file():
        return []
    items = []
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            items.append(_general(json.loads(line), number))
    if limit is None or len(items) <= limit:
        return items
    ranked = sorted(items, key=lambda item: hashlib.sha256(repr(item.example.to_dict()).encode()).digest())
    return sorted(ranked[:limit], key=lambda item: item.example.row)


def _general(value: dict[str, Any], number: int) -> GeneralText:
    turns = tuple(Message(turn["role"], turn["content"]) for turn in value.get("messages") or ())
    example = Example(row=number, line=number, messages=turns, text=None if turns else value["text"])
    return GeneralText(str(value.get("kind", "")), str(value.get("lang", "")), example)


def num_items_for(num_parameters: int) -> int:
    """Return how many items are worth their time on a model of some size."""
    return MAX_ITEMS if num_parameters <= LARGE_MODEL_PARAMETERS else LARGE_MODEL_ITEMS


def general_questions(items: Sequence[GeneralText]) -> list[Question]:
    """Return a few of the items that are conversations, as questions, evenly spread."""
    questions = list(questions_of(item.example for item in items))
    step = max(1, len(questions) // NUM_QUESTIONS)
    return questions[::step][:NUM_QUESTIONS]


def group_losses(
    model: nn.Module, prepared: PreparedDataset, items: Sequence[GeneralText], path: LossPath
) -> list[GroupLoss]:
    """Return the loss of a model on the general text, by language and kind; `path` is how the job lays rows out."""
    group_of = {item.example.row: (item.lang, item.kind) for item in items}
    members: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(prepared.rows):
        members.setdefault(group_of[int(row)], []).append(index)
    losses = []
    for (lang, kind), indices in sorted(members.items()):
        rows: Rows = Subset(prepared, indices)
        losses.append(GroupLoss(lang, kind, dataset_loss(model, rows, path)))
    return losses


def total_loss(groups: Sequence[GroupLoss]) -> LossReport:
    """Return the loss over all groups, weighted by their label tokens."""
    num_tokens = sum(group.report.num_tokens for group in groups)
    total = sum(group.report.loss * group.report.num_tokens for group in groups)
    return LossReport(total / max(1, num_tokens), num_tokens)


def compare_drift(base: Sequence[Answer], tuned: Sequence[Answer], references: Sequence[str]) -> dict[str, int]:
    """Count general questions that training spoilt.

    An answer is broken when it is empty or runs in circles; it is an echo when it repeats a reference of the
    evaluated questions though nobody asked for that. Only what the base did not do counts.
    """
    broken = sum(after.is_broken and not before.is_broken for before, after in zip(base, tuned, strict=True))
    echoes = sum(
        _is_echo(after, references) and not _is_echo(before, references)
        for before, after in zip(base, tuned, strict=True)
    )
    endless = sum(before.has_stopped and not after.has_stopped for before, after in zip(base, tuned, strict=True))
    return {"num_questions": len(tuned), "newly_broken": broken, "echoes": echoes, "newly_endless": endless}


def _is_echo(answer: Answer, references: Sequence[str]) -> bool:
    return any(chrf(answer.text, reference) >= ECHO_SCORE for reference in references)


def traffic_light(loss_change: float, drift: Mapping[str, int]) -> Light:
    """Return green, yellow or red for a relative loss change and the spoilt answers among the general questions."""
    spoilt = drift["newly_broken"] + drift["echoes"]
    share = spoilt / drift["num_questions"] if drift["num_questions"] else 0.0
    if math.isnan(loss_change) or loss_change > RED_LOSS_CHANGE or share >= RED_BROKEN_SHARE:
        return "red"
    return "yellow" if loss_change > YELLOW_LOSS_CHANGE or spoilt else "green"


def forgetting_report(
    base: Sequence[GroupLoss], tuned: Sequence[GroupLoss], drift: Mapping[str, int], num_items: int
) -> dict[str, Any]:
    """Return the JSON object of the check: losses, their relative change, spoilt answers, traffic light."""
    before, after = total_loss(base), total_loss(tuned)
    change = _change(before, after)
    groups = [
        {
            "lang": old.lang,
            "kind": old.kind,
            "base_loss": round(old.report.loss, 4),
            "tuned_loss": round(new.report.loss, 4),
            "change": round(_change(old.report, new.report), 4),
            "num_tokens": old.report.num_tokens,
        }
        for old, new in zip(base, tuned, strict=True)
    ]
    return {
        "light": traffic_light(change, drift),
        "num_items": num_items,
        "loss_change": round(change, 4),
        "base": before.to_dict(),
        "tuned": after.to_dict(),
        "groups": groups,
        "drift": dict(drift),
        "thresholds": {
            "yellow_loss_change": YELLOW_LOSS_CHANGE,
            "red_loss_change": RED_LOSS_CHANGE,
            "red_spoilt_share": RED_BROKEN_SHARE,
        },
    }


def _change(before: LossReport, after: LossReport) -> float:
    return (after.loss - before.loss) / before.loss if before.loss > 0 else 0.0
