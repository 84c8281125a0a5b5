"""What the author of the data kept out of training: `weight: 0`, `train: false`, `loss_mask`, `label: false`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from llmlora.data.fields import normalised

TURN_MARKS = ("weight", "loss_weight", "train", "training", "trainable", "loss", "loss_mask", "learn")
ROW_MARKS = ("weight", "loss_weight", "train", "loss_mask")
WEIGHTS = ("weight", "loss_weight")
LABELS = ("label", "kto_tag", "is_chosen")  # of a row: whether its answer is a good one
WORDS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


def weight_of(value: Any) -> float | None:
    """Return the weight that a mark gives (true is 1, false 0, also as text), or None when it gives none."""
    if isinstance(value, str):
        word = value.strip().casefold()
        try:
            value = WORDS[word] if word in WORDS else float(word)
        except ValueError:
            return None
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return float(value)
    return None


def marks_in(values: Mapping[str, Any], names: Iterable[str], used: Iterable[str] = ()) -> dict[str, Any]:
    """Return what stands under the names of marks, by the names as written; null counts as absent."""
    wanted, taken = set(names), set(used)
    found = (key for key in values if normalised(key) in wanted)
    return {key: values[key] for key in found if values[key] is not None and key not in taken}


def is_label(value: Any, format_name: str) -> bool:
    """Tell whether a label says if the answer of a row is a good one: true or false, also as text.

    0 and 1 say it beside prompt and completion or a conversation only; elsewhere they may be classes.
    """
    if isinstance(value, bool) or (isinstance(value, str) and value.strip().casefold() in ("true", "false")):
        return True
    return format_name in ("completion", "chat") and weight_of(value) in (0, 1)


def masks_of(value: Any, num_turns: int, answers: list[int]) -> dict[int, float] | None:
    """Return the weight of each turn (0-based) from a row's list of them: one for each turn, or for each answer.

    None where the list has another length or holds something else.
    """
    places = list(range(num_turns)) if len(value) == num_turns else answers
    weights = [1.0 if item is None else weight_of(item) for item in value]
    if len(weights) != len(places) or None in weights:
        return None
    return {place: weight for place, weight in zip(places, weights, strict=True) if weight is not None}
