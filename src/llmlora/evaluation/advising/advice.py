"""What to do next after a run or its evaluation: one piece of advice, with the whole command to paste.

The order, the strongest first:

1. Back to the recommended values, where a chosen one can be behind what is wrong. Nothing else can be told from such a
   run, and of all that was measured this helps most (benchmarks/results/2026-12-01-advice.json): first what decides how
   much is learned (rate, length, warm-up; all at once, since each alone keeps a run from learning), then what can be
   learned (rank, target modules, dropout), at once as well where the run said beforehand that its adapter is too small,
   and with the length of rows, where some were cut at a chosen one.
2. Facts that were not learned at the recommended values: a longer run while the rows are not known yet, else rows that
   ask in other words. A model that does not know its rows yet cannot know them in other words.
3. Facts that the base knew and that were lost: rows with those facts.
4. Much of what the bundled model could do is damaged, invented answers apart: general rows trained along, once. They
   are in its own words; on SmolLM2 they kept nothing (benchmarks/results/2026-11-30-forgetting.json).
5. Facts that come only in the taught words: rows in other words.
6. What is left: answers that do not end.

No advice proposes a rate above the model's own. After a run alone only the first kind is given, since a low loss does
not say whether facts come in other words; so the run and its evaluation never ask for opposite things. The words stand
under `evaluation.advice.<code>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from llmlora.core.events import rows_cut
from llmlora.core.job import JobConfig
from llmlora.core.locale import shell_word
from llmlora.core.next_run import (
    Departure,
    departure,
    is_bundled,
    length_departures,
    longer,
    model_word,
    rate_departure,
    read_words,
    steps_of,
    train_command,
)
from llmlora.core.way_back import narrower, shorter, slower, way_back

KNOWN_BY_HEART: Final = 0.3
MOST_EPOCHS: Final = 100  # a run may have more, but no more are proposed
LONGER: Final = 2
GENERAL_SHARE: Final = 0.5  # of the rows; measured to keep the facts (docs/concepts/evaluation.md)
DAMAGE: Final = ("loss_rise", "changed_share", "spoilt_share")  # what general rows make smaller; not what is invented
DIVERGING: Final = {"loss_rising", "unsteady", "gradient_explosion"}
NOT_LEARNING: Final = {"adapter_unchanged", "loss_not_falling", "still_falling"}

Piece = dict[str, Any]


def advise(job: JobConfig, report: dict[str, Any], folder: Path) -> list[Piece]:
    """Return the one {code, params} that helps most after a report of schema llmlora.evaluation/1, or none.

    `folder` is the job's: a command that repeats it on other data names it.
    """
    facts = report["facts"]
    is_red = (report["forgetting"] or {}).get("light") == "red"
    found = None
    if facts["not_learned"]:
        found = back_to_whole_rows(job, folder) or back_to_learning(job) or back_to_room(job)
    elif facts["broken"] or is_red:
        found = back_from_too_much(job)
    if found is not None:
        return [found]
    if facts["not_learned"]:
        return [_not_learned(job, report, folder)]
    if facts["broken"]:
        return [_piece("broken", count=facts["broken"])]
    if _is_damaged(report["forgetting"]) and is_bundled(job) and not job.train.general_share:
        return [_damaged(job)]
    if facts["surface"]:
        return [_piece("surface", count=facts["surface"], command=reword_command(job, folder))]
    if (report["tuned"]["stop_rate"] or 0) < (report["base"]["stop_rate"] or 0):
        return [_endless(job, report)]
    return []


def advise_run(job: JobConfig, codes: Iterable[str]) -> Piece | None:
    """Return what a run's own findings ask for before anybody evaluated it: the way back to recommended values only."""
    seen = set(codes)
    if seen & DIVERGING or seen & NOT_LEARNING:
        return back_to_learning(job)
    return None


def back_to_whole_rows(job: JobConfig, folder: Path) -> Piece | None:
    """Return the way back to the recommended length of rows, and to all that decides how much of them is learned.

    What was cut off no rate teaches, and a low loss says nothing about it.
    """
    cut = departure(job, "max_length") if rows_cut(folder) else None
    if cut is None:
        return None
    return _back(job, "rows_cut", [cut, *([] if job.has_room else narrower(job)), *slower(job)])


def back_to_learning(job: JobConfig) -> Piece | None:
    """Return the way back to the recommended rate, length and warm-up, where less was learned for want of them.

    With an adapter that is too small for the rows none of them helps, so that returns first, together with them.
    """
    rate, lengths = rate_departure(job), shorter(job)
    found = slower(job)
    if not job.has_room and narrower(job):
        return _back(job, "too_little_room", [*narrower(job), *found])
    if not found:
        return None
    if rate is None:
        return _back(job, "too_short" if lengths else "warm_up", found)
    is_known = rate.recommended is not None
    return _back(job, _side(rate.value > rate.recommended) if is_known else "rate_chosen", found)


def _side(is_above: bool) -> str:
    return "rate_too_high" if is_above else "rate_too_low"


def back_to_room(job: JobConfig) -> Piece | None:
    """Return the way back to the recommended rank, target modules and dropout, where they were made smaller."""
    found = narrower(job)
    return _back(job, "too_little_room", found) if found else None


def back_from_too_much(job: JobConfig) -> Piece | None:
    """Return the way back from a rate above the model's own, or from more steps than recommended."""
    rate, steps = rate_departure(job), steps_of(job)
    if rate is not None and (rate.recommended is None or rate.value > rate.recommended):
        return _back(job, "rate_chosen" if rate.recommended is None else "rate_too_high", [rate])
    lengths = length_departures(job)
    if lengths and steps is not None and steps[0] > steps[1]:
        return _back(job, "too_long", lengths)
    return None


def _back(job: JobConfig, code: str, found: list[Departure]) -> Piece:
    """Return a piece that names each value with the recommended one, and the command without them."""
    way = way_back(job, found)
    settings = {**dict.fromkeys(sorted(way.names)), **way.changes}  # None: back to what is recommended
    command = train_command(job, way.names, **way.changes)
    return _piece(code, changes=way.words, command=command, settings=settings)


def _not_learned(job: JobConfig, report: dict[str, Any], folder: Path) -> Piece:
    """Tell too little training from rows that are known by heart but do not hold what was asked."""
    count, total = report["facts"]["not_learned"], report["facts"]["total"]
    trained = report["loss"]["trained"]
    loss = None if trained is None else trained["tuned"]["loss"]
    if loss is not None and loss <= KNOWN_BY_HEART:
        return _piece("not_asked_so", count=count, total=total, loss=f"{loss:.3f}", command=reword_command(job, folder))
    changes = longer(job, LONGER, MOST_EPOCHS)
    if changes:
        command = train_command(job, **changes)
        return _piece("not_learned", count=count, total=total, command=command, settings=changes)
    return _piece("not_learned_rows", count=count, total=total, command=reword_command(job, folder))


def _is_damaged(check: dict[str, Any] | None) -> bool:
    lights = (check or {}).get("lights") or {}  # a report of an older version has none
    return any(lights.get(name) == "red" for name in DAMAGE)


def _damaged(job: JobConfig) -> Piece:
    command = train_command(job, general_share=GENERAL_SHARE)
    return _piece("damaged", command=command, settings={"general_share": GENERAL_SHARE})


def reword_command(job: JobConfig, folder: Path) -> str:
    """Return the command that writes a file in which each question waits for other wordings, to train as before."""
    data = Path(job.data.path)
    words = ["dataset", "reword", shell_word(data), "-o", shell_word(f"{data.stem}-rewordings.csv")]
    return " ".join([*words, "--job", shell_word(folder), *read_words(job.data)])


def _endless(job: JobConfig, report: dict[str, Any]) -> Piece:
    shares = {"before": _percent(report["base"]), "after": _percent(report["tuned"])}
    cut = departure(job, "max_length")
    if cut is not None:
        return _back(job, "cut_off", [cut])
    words = ["dataset", "preview", shell_word(job.data.path), "--model", model_word(job), *read_words(job.data)]
    return _piece("endless", **shares, command=" ".join(words))


def _piece(code: str, **params: Any) -> Piece:
    return {"code": code, "params": params}


def _percent(side: dict[str, Any]) -> str:
    return f"{100 * side['stop_rate']:.0f}"
