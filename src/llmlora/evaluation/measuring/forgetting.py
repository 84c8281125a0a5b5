"""What training cost: loss on bundled general text by kind, and control questions answered worse than before."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from llmlora.core.assets import asset_path
from llmlora.core.examples import Example, Message
from llmlora.engine.batch import Rows, Subset
from llmlora.engine.evaluate_loss import LossReport, dataset_loss
from llmlora.engine.loss import LossPath
from llmlora.evaluation.measuring.control_questions import ControlAnswers, load_control_questions
from llmlora.evaluation.measuring.wordings import OTHER_ENDING, likeness
from llmlora.prepare.dataset import PreparedDataset

Light = Literal["green", "yellow", "red"]
LIGHTS: tuple[Light, ...] = ("green", "yellow", "red")

# Above these a light is yellow, and red: nats per token of the kind of text that lost most, and shares of the control
# questions. Measured on planted runs: docs/concepts/evaluation.md.
YELLOW = {"loss_rise": 0.25, "spoilt_share": 0.0, "changed_share": 0.0, "invented_share": 0.0}
RED = {"loss_rise": 1.0, "spoilt_share": 0.25, "changed_share": 0.25, "invented_share": 0.5}
MAX_LENGTH = 512
# The comparison is paired, so a part of the bundled items says nearly as much as all: eight or four of a group.
MAX_ITEMS = 112
LARGE_MODEL_PARAMETERS = 50_000_000
LARGE_MODEL_ITEMS = 56


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
    """Return the bundled general items, at most `limit`, as many of each kind and language as there are.

    Within a group they are chosen by a hash of their text; empty when none is bundled.
    """
    source = asset_path("forgetting", "general.jsonl")
    if not source.is_file():
        return []
    items = []
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            items.append(_general(json.loads(line), number))
    return items if limit is None else _spread(items, limit)


def spare_general(limit: int) -> list[Example]:
    """Return bundled conversations to train along, at most `limit`, chosen as `load_general` chooses.

    The check never reads them and asks nothing that is asked in them, so it measures the same with and without them.
    """
    read = {item.example.row for item in load_general(MAX_ITEMS)}
    control = load_control_questions(())
    asked = [question.text for question in (*control.general, *control.untaught)]

    def is_spare(item: GeneralText) -> bool:
        turns = [turn.content for turn in item.example.messages if turn.role == "user"]
        is_asked = any(likeness(turn, question) > OTHER_ENDING for turn in turns for question in asked)
        return bool(turns) and item.example.row not in read and not is_asked

    return [item.example for item in _spread([item for item in load_general() if is_spare(item)], limit)]


def _spread(items: list[GeneralText], limit: int) -> list[GeneralText]:
    if len(items) <= limit:
        return items
    ranked = sorted(items, key=lambda item: hashlib.sha256(repr(item.example.to_dict()).encode()).digest())
    places: Counter[tuple[str, str]] = Counter()
    turns = []
    for item in ranked:
        turns.append((places[item.lang, item.kind], item))
        places[item.lang, item.kind] += 1
    chosen = sorted(turns, key=lambda turn: turn[0])[:limit]
    return sorted((item for _, item in chosen), key=lambda item: item.example.row)


def _general(value: dict[str, Any], number: int) -> GeneralText:
    turns = tuple(Message(turn["role"], turn["content"]) for turn in value.get("messages") or ())
    example = Example(row=number, line=number, messages=turns, text=None if turns else value["text"])
    return GeneralText(str(value.get("kind", "")), str(value.get("lang", "")), example)


def num_items_for(num_parameters: int) -> int:
    """Return how many items are worth their time on a model of some size."""
    return MAX_ITEMS if num_parameters <= LARGE_MODEL_PARAMETERS else LARGE_MODEL_ITEMS


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


def traffic_lights(measures: Mapping[str, float]) -> dict[str, Light]:
    """Return the light of each measure, by the names in `YELLOW` and `RED`; what is no number is red."""

    def light(name: str, value: float) -> Light:
        if not value <= RED[name]:
            return "red"
        return "yellow" if value > YELLOW[name] else "green"

    return {name: light(name, value) for name, value in measures.items()}


def worst_light(lights: Iterable[Light]) -> Light:
    """Return the worst of some lights, green of none."""
    return max(lights, key=LIGHTS.index, default="green")


def forgetting_report(
    base: Sequence[GroupLoss], tuned: Sequence[GroupLoss], answers: ControlAnswers, num_items: int
) -> dict[str, Any]:
    """Return the JSON object of the check: losses by kind, answers that changed or were invented, traffic lights."""
    before, after = total_loss(base), total_loss(tuned)
    groups = [_group(old, new) for old, new in zip(base, tuned, strict=True)]
    worst = max((group for group in groups if group["num_tokens"]), key=_badness, default=None)
    drift, general, untaught = answers.drift, answers.general, answers.untaught
    lights = traffic_lights(
        {
            "loss_rise": 0.0 if worst is None else worst["rise"],
            "spoilt_share": _share(drift["newly_broken"] + drift["echoes"], drift["num_questions"]),
            "changed_share": _share(len(general["changed"]), general["right_before"]),
            "invented_share": _share(len(untaught["new"]), untaught["num_questions"]),
        }
    )
    return {
        "light": worst_light(lights.values()),
        "lights": lights,
        "num_items": num_items,
        "loss_change": round(_change(before, after), 4),
        "base": before.to_dict(),
        "tuned": after.to_dict(),
        "groups": groups,
        "worst_kind": worst,
        "drift": dict(drift),
        "general": dict(general),
        "untaught": dict(untaught),
        "thresholds": {"yellow": YELLOW, "red": RED},
    }


def _badness(group: dict[str, Any]) -> float:
    return math.inf if math.isnan(group["rise"]) else float(group["rise"])


def _group(old: GroupLoss, new: GroupLoss) -> dict[str, Any]:
    return {
        "lang": old.lang,
        "kind": old.kind,
        "base_loss": round(old.report.loss, 4),
        "tuned_loss": round(new.report.loss, 4),
        "rise": round(new.report.loss - old.report.loss, 4),
        "change": round(_change(old.report, new.report), 4),
        "num_tokens": old.report.num_tokens,
    }


def _share(count: int, total: int) -> float:
    return count / total if total else 0.0


def _change(before: LossReport, after: LossReport) -> float:
    return (after.loss - before.loss) / before.loss if before.loss > 0 else 0.0
