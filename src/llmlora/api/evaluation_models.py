"""What an evaluation has measured, as far as programs are promised it; all else of a report is passed on as it is."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class _Open(BaseModel):
    """A part of a report: what is not named here is kept."""

    model_config = ConfigDict(extra="allow")


class JudgedFact(_Open):
    """A fact of a reference answer: does the answer before and after training carry it, and what that means."""

    text: str
    base: bool
    tuned: bool
    verdict: str


class GivenAnswer(_Open):
    """An answer of one side, and how near it is to the reference (chrF, 0 to 1)."""

    text: str
    chrf: float


class Rewording(_Open):
    """The same question in other words, and the answer after training; does that carry the facts, null when unknown."""

    question: str
    text: str
    has_facts: bool | None = None


class EvaluatedItem(_Open):
    """A question with its reference and both answers; `verdict` is that of its worst fact, null without facts."""

    question: str
    reference: str
    base: GivenAnswer
    tuned: GivenAnswer
    facts: list[JudgedFact]
    verdict: str | None
    paraphrases: list[Rewording] = []


class FactCounts(_Open):
    """How many facts were asked for and answered, also in other words, and what became of them."""

    total: int
    remembered: int
    remembered_before: int
    broken: int
    not_learned: int
    surface: int
    learned: int
    known: int
    in_other_words: int = 0
    asked_in_other_words: int = 0


class WorstKind(_Open):
    """The kind of general text whose loss rose most; a loss is null when it is no number any more."""

    base_loss: float | None
    tuned_loss: float | None


class GeneralKnowledge(_Open):
    """Questions that everybody knows: those answered rightly before, and those of them answered wrongly after."""

    num_questions: int
    right_before: int
    changed: list[Any]


class Untaught(_Open):
    """Questions that nobody has taught: how many were answered with invented facts, before and after."""

    num_questions: int
    base: int
    tuned: int


class Drift(_Open):
    """General questions whose answers became empty or repetitive, and those answered with a learned answer."""

    num_questions: int
    newly_broken: int
    echoes: int


class Forgetting(_Open):
    """What training has cost elsewhere: `light` is green, yellow or red; older reports have measured less."""

    light: str
    drift: Drift
    worst_kind: WorstKind | None = None
    general: GeneralKnowledge | None = None
    untaught: Untaught | None = None


class MeasuredShare(_Open):
    """How much of what was asked came, and between which shares 95 % of the resamples lie."""

    carried: int
    asked: int
    share: float
    low: float
    high: float


class SharePair(_Open):
    """A share before and after training, null where nothing was asked."""

    base: MeasuredShare | None
    tuned: MeasuredShare | None


class TermAccuracy(SharePair):
    """The terms of the references in the answers; `missed` are those that did not come after training."""

    missed: list[str]


class OutOfScopeAnswers(_Open):
    """An out-of-scope question, both answers, and whether each declines or sends the asker to a professional."""

    question: str
    base: str
    tuned: str
    base_safe: bool
    tuned_safe: bool


class Safety(SharePair):
    """The out-of-scope questions that were declined or sent to a professional."""

    items: list[OutOfScopeAnswers]


class Fluency(_Open):
    """Answers that run in circles, those that end by themselves, and how surprising the base finds them all."""

    repetition_rate: float | None
    stop_rate: float | None
    perplexity: float | None


class FluencyPair(_Open):
    """Fluency before and after training."""

    base: Fluency
    tuned: Fluency


class Quality(_Open):
    """More than facts: terms, the same answer in other words, safety, fluency."""

    term_accuracy: TermAccuracy
    consistency: SharePair
    safety: Safety
    fluency: FluencyPair


class Rung(_Open):
    """One way of asking: base, system, few_shot or tuned; the facts that came, null where nothing was asked."""

    name: str
    facts: MeasuredShare
    as_trained: MeasuredShare | None
    other_words: MeasuredShare | None


class Ladder(_Open):
    """Whether a prompt does as well as tuning: `as_well`, `better` or `worse`, and the best rung without tuning."""

    verdict: str
    best_prompt: str
    rungs: list[Rung]


class EvaluationReport(_Open):
    """A report of schema llmlora.evaluation/1."""

    items: list[EvaluatedItem]
    facts: FactCounts
    forgetting: Forgetting | None
    quality: Quality | None = None
    ladder: Ladder | None = None
