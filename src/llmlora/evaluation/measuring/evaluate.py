"""Evaluate a finished job: the same questions, the same rows and the same general text before and after."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmlora.core.errors import Conflict, DatasetError, NotFound
from llmlora.core.job import DataSource
from llmlora.core.publish import sha256_file
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.engine.batch import Rows, Subset
from llmlora.engine.evaluate_loss import LossReport, dataset_loss
from llmlora.evaluation.advising.advice import advise
from llmlora.evaluation.measuring.answers import Answer, AnswerSet, OnAnswer, as_given, ask_all
from llmlora.evaluation.measuring.control_questions import (
    MAX_NEW_TOKENS,
    NO_CONTROL_QUESTIONS,
    compare_control,
    load_control_questions,
)
from llmlora.evaluation.measuring.earlier import earlier_questions, earlier_report
from llmlora.evaluation.measuring.forgetting import (
    MAX_LENGTH,
    GeneralText,
    GroupLoss,
    forgetting_report,
    group_losses,
    load_general,
    num_items_for,
)
from llmlora.evaluation.measuring.ladder import Prompts, ladder_report
from llmlora.evaluation.measuring.like_rows import LikeRows
from llmlora.evaluation.measuring.quality import QualityAnswers, answers_perplexity, quality_report
from llmlora.evaluation.measuring.questions import MAX_ROWS_READ, Question, QuestionSet, load_questions, questions_of
from llmlora.evaluation.measuring.safety import OutOfScope, load_out_of_scope
from llmlora.evaluation.measuring.scoring import count_facts, score_items
from llmlora.evaluation.measuring.sides import AdapterSides, FullSides, load_sides
from llmlora.evaluation.measuring.wordings import TrainedPrompts
from llmlora.inference.trained_job import TrainedJob
from llmlora.inference.transformers_chat import TransformersChat
from llmlora.prepare.dataset import PreparedDataset, PrepareOptions, prepare_examples, prepare_file
from llmlora.prepare.held_out import held_out_split

OnProgress = Callable[[str, int, int], None]
MAX_LOSS_ROWS = 256
MIN_NEW_TOKENS, MAX_ANSWER_TOKENS = 64, 512
FEW_ROWS = 50


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """What to ask: `questions` is a file, else the job's own rows; `max_new_tokens` is fitted to the references.

    `glossary` are terms that good answers use, beside the names in the references.
    """

    questions: Path | None = None
    max_questions: int = 20
    max_new_tokens: int | None = None
    rewrite: bool = False
    check_forgetting: bool = True
    check_quality: bool = True
    glossary: Sequence[str] = ()
    ladder: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The rows whose loss is compared: held out from training if there are any, and some that were trained on."""

    held_out: Rows | None
    held_out_source: str | None
    trained: Rows | None


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything measured on one side."""

    answers: AnswerSet
    held_out: LossReport | None
    trained: LossReport | None
    general: list[GroupLoss]
    control_answers: tuple[Answer, ...]
    out_of_scope: tuple[Answer, ...]
    earlier: tuple[Answer, ...]


class Evaluation:
    """One evaluation of one job; `run` does it."""

    def __init__(self, trained: TrainedJob, options: EvaluationOptions, on_progress: OnProgress) -> None:
        self._trained = trained
        self._base = trained.base
        self._options = options
        self._on_progress = on_progress
        self._general: list[GeneralText] = []
        self._control = NO_CONTROL_QUESTIONS
        self._out_of_scope: list[OutOfScope] = load_out_of_scope() if options.check_quality else []
        self._general_rows: PreparedDataset | None = None
        self._path = trained.loss_path()
        self._longest = 0  # tokens of the longest reference answer
        self._earlier = earlier_questions(trained.job)
        self._rungs: dict[str, AnswerSet] = {}  # of the base, when the ladder is asked

    def run(self) -> dict[str, Any]:
        """Return the report of schema llmlora.evaluation/1, without the schema line.

        Raises:
            DatasetError: questions or data cannot be read. ModelFileError: the models do not load.
        """
        started = time.monotonic()
        self._on_progress("reading", 0, 1)
        job = self._trained.job
        if self._options.questions is None:
            _check_unchanged(job.data)
        asked = load_questions(
            self._options.questions,
            job.data,
            limit=self._options.max_questions,
            system=job.train.system,
            rewrite=self._options.rewrite,
        )
        held = self._held_rows()
        self._on_progress("loading_sides", 0, 1)
        sides = load_sides(self._trained)
        with sides.base() as chat:
            self._prepare_general(chat, asked.questions)
            self._longest = max(len(chat.tokenize(question.reference)) for question in asked.questions)
            limit = self._options.max_new_tokens or _fitted_length(self._longest)
            base = self._measure("base", chat, asked.questions, held, limit)
            if self._options.ladder:
                self._rungs = self._ask_rungs(chat, asked.questions, base.answers, limit)
        with sides.tuned() as chat:
            tuned = self._measure("tuned", chat, asked.questions, held, limit)
        report = self._report(asked, held, base, tuned, limit)
        return {
            **report,
            "quality": self._quality(sides, asked.questions, base, tuned) if self._options.check_quality else None,
            "settings": {"max_new_tokens": limit, "temperature": 0.0, "dtype": sides.dtype},
            "seconds": round(time.monotonic() - started, 3),
        }

    def _held_rows(self) -> Held:
        job = self._trained.job
        if not (_is_unchanged(job.data) and (job.eval_data is None or _is_unchanged(job.eval_data))):
            return Held(None, None, None)
        prepared = self._prepared(job.data)
        if job.eval_data is not None:
            return Held(_first_rows(self._prepared(job.eval_data)), "eval_data", _first_rows(prepared))
        if not job.train.validation_split:
            return Held(None, None, _first_rows(prepared))
        train, held_out = held_out_split(job, prepared)
        return Held(
            Subset(prepared, held_out[:MAX_LOSS_ROWS]), "validation_split", Subset(prepared, train[:MAX_LOSS_ROWS])
        )

    def _prepared(self, source: DataSource) -> PreparedDataset:
        train = self._trained.job.train
        read = ReadOptions(format=source.format, columns=source.columns, encoding=source.encoding)  # type: ignore[arg-type]
        options = PrepareOptions(train.max_length, train.assistant_only_loss, train.chat_template, train.system)
        return prepare_file(Path(source.path), read, self._base, options)

    def _prepare_general(self, chat: TransformersChat, asked: Sequence[Question]) -> None:
        """Read the general text; a base whose template or vocabulary refuses it is evaluated without this check."""
        if not self._options.check_forgetting:
            return
        num_parameters = sum(weight.numel() for weight in chat.model.parameters())
        items = load_general(num_items_for(num_parameters))
        if not items:
            return
        options = PrepareOptions(max_length=MAX_LENGTH, chat_template=self._trained.job.train.chat_template)
        try:
            self._general_rows = prepare_examples((item.example for item in items), self._base, options)
        except DatasetError:
            return
        self._general = items
        self._control = load_control_questions(asked)

    def _measure(
        self, side: str, chat: TransformersChat, questions: Sequence[Question], held: Held, limit: int
    ) -> Measured:
        control = (*self._control.general, *self._control.untaught)
        out_of_scope = [item.question for item in self._out_of_scope]
        is_reworded = side == "tuned" or self._options.ladder or self._options.check_quality
        num_asked = len(questions) + is_reworded * sum(len(question.paraphrases) for question in questions)
        on_answer = self._counted(side, num_asked + len(control) + len(out_of_scope) + len(self._earlier))
        answers = ask_all(chat, questions, limit, is_reworded, on_answer)
        control_answers = ask_all(chat, control, MAX_NEW_TOKENS, False, on_answer).answers
        safety_answers = ask_all(chat, out_of_scope, MAX_NEW_TOKENS, False, on_answer).answers
        earlier = ask_all(chat, self._earlier, limit, False, on_answer).answers
        self._on_progress(f"measuring_{side}", 0, 1)
        path, general_rows = self._path, self._general_rows
        with chat.fitting_threads():
            return Measured(
                answers=answers,
                held_out=None if held.held_out is None else dataset_loss(chat.model, held.held_out, path),
                trained=None if held.trained is None else dataset_loss(chat.model, held.trained, path),
                general=[] if general_rows is None else group_losses(chat.model, general_rows, self._general, path),
                control_answers=control_answers,
                out_of_scope=safety_answers,
                earlier=earlier,
            )

    def _quality(
        self, sides: AdapterSides | FullSides, questions: Sequence[Question], base: Measured, tuned: Measured
    ) -> dict[str, Any]:
        """Return the measures beyond facts; the base reads both sides' answers again, to tell how fluent they are."""
        self._on_progress("measuring_quality", 0, 1)
        with sides.base() as chat, chat.fitting_threads():
            before, after = (answers_perplexity(chat, questions, side.answers.answers) for side in (base, tuned))
        answered = QualityAnswers(base.answers, base.out_of_scope), QualityAnswers(tuned.answers, tuned.out_of_scope)
        return quality_report(questions, self._options.glossary, self._out_of_scope, answered, (before, after))

    def _counted(self, asked: str, total: int) -> OnAnswer:
        """Return what tells of each answer how many there are by now."""
        done = 0

        def on_answer() -> None:
            nonlocal done
            done += 1
            self._on_progress(f"asking_{asked}", done, total)

        self._on_progress(f"asking_{asked}", 0, total)
        return on_answer

    def _ask_rungs(
        self, chat: TransformersChat, questions: Sequence[Question], base: AnswerSet, limit: int
    ) -> dict[str, AnswerSet]:
        """Return the base's answers on each rung of the ladder; what was asked just so before is not asked again."""
        rungs: dict[str, AnswerSet] = {}
        wordings = [(question, text) for question in questions for text in (question.text, *question.paraphrases)]
        for name, prompt in Prompts(LikeRows(self._training_rows()), chat, limit).by_rung():
            if all(prompt(*wording) == as_given(*wording) for wording in wordings):
                rungs[name] = base
            else:
                rungs[name] = ask_all(chat, questions, limit, True, self._counted(name, len(wordings)), prompt)
        return rungs

    def _report(self, asked: QuestionSet, held: Held, base: Measured, tuned: Measured, limit: int) -> dict[str, Any]:
        questions = asked.questions
        prompts = TrainedPrompts(question.text for question in self._training_rows())
        items = score_items(questions, base.answers, tuned.answers, prompts)
        facts = count_facts(items)
        forgetting = None
        if self._general:
            references = [question.reference for question in questions]
            answers = compare_control(self._control, base.control_answers, tuned.control_answers, references)
            forgetting = forgetting_report(base.general, tuned.general, answers, len(self._general))
        losses = {
            "held_out": _loss_pair(base.held_out, tuned.held_out, held.held_out_source),
            "trained": _loss_pair(base.trained, tuned.trained, "training_rows"),
        }
        report = {
            "job": self._job_facts(),
            "questions": asked.to_dict(),
            "facts": facts,
            "base": base.answers.totals(questions),
            "tuned": tuned.answers.totals(questions),
            "loss": losses,
            "forgetting": forgetting,
            "notes": self._notes(asked, losses, facts, limit),
            "items": items,
            "earlier": self._earlier_report(base, tuned),
            "ladder": ladder_report(questions, {**self._rungs, "tuned": tuned.answers}, prompts)
            if self._options.ladder
            else None,
        }
        return {**report, "advice": advise(self._trained.job, report, self._trained.job_dir)}

    def _earlier_report(self, base: Measured, tuned: Measured) -> dict[str, Any] | None:
        replay = self._trained.job.replay
        if replay is None or not self._earlier:
            return None
        return earlier_report(replay.name, self._earlier, base.earlier, tuned.earlier)

    def _training_rows(self) -> list[Question]:
        """Return the job's rows as questions; none when the data is gone or is another one now."""
        data = self._trained.job.data
        if not _is_unchanged(data):
            return []
        options = ReadOptions(format=data.format, columns=data.columns, encoding=data.encoding)  # type: ignore[arg-type]
        rows = itertools.islice(iter_examples(Path(data.path), options), MAX_ROWS_READ)
        return list(questions_of(rows))

    def _job_facts(self) -> dict[str, Any]:
        job = self._trained.job
        return {
            "id": job.id,
            "folder": self._trained.job_dir.name,
            "base_model": job.base_model,
            "method": job.method,
            "data": Path(job.data.path).name,
        }

    def _notes(
        self, asked: QuestionSet, losses: dict[str, Any], facts: dict[str, int], limit: int
    ) -> list[dict[str, Any]]:
        """Return what a reader must know before believing the numbers."""
        shown = len(asked.questions)
        lengths = {"limit": limit, "longest": self._longest, "wanted": 2 * self._longest}
        conditions: list[tuple[bool, str, dict[str, Any]]] = [
            (asked.num_available < FEW_ROWS, "few_questions", {"count": shown, "advised": FEW_ROWS}),
            (asked.source != "file", "questions_are_training_rows", {}),
            (shown < asked.num_available, "questions_sampled", {"count": shown, "total": asked.num_available}),
            (losses["trained"] is None, "data_gone", {"path": self._trained.job.data.path}),
            (losses["held_out"] is None and losses["trained"] is not None, "no_held_out_rows", {}),
            (not facts["asked_in_other_words"] and facts["total"] > 0, "no_paraphrases", {}),
            (facts["other_endings_asked"] > 0, "other_endings", _other_endings(facts)),
            (facts["total"] == 0, "no_facts", {}),
            (limit < self._longest, "answers_cut", lengths),
            (self._options.check_forgetting and not self._general, "forgetting_not_measured", {}),
            (self._trained.job.replay is not None and not self._earlier, "earlier_gone", {}),
            (self._options.ladder and "few_shot" not in self._rungs, "ladder_no_examples", {}),
        ]
        return [{"code": code, "params": params} for holds, code, params in conditions if holds]


def _other_endings(facts: dict[str, int]) -> dict[str, int]:
    return {"count": facts["other_endings_asked"], "carried": facts["other_endings_carried"]}


def _is_unchanged(source: DataSource) -> bool:
    path = Path(source.path)
    return path.is_file() and sha256_file(path) == source.sha256


def _check_unchanged(source: DataSource) -> None:
    if not Path(source.path).is_file():
        raise NotFound("questions_data_gone", path=source.path)
    if not _is_unchanged(source):
        raise Conflict("questions_data_changed", path=source.path)


def _first_rows(prepared: PreparedDataset) -> Rows:
    return Subset(prepared, list(range(min(len(prepared), MAX_LOSS_ROWS))))


def _fitted_length(longest: int) -> int:
    """Return room for twice the longest reference, so that only a model that does not stop runs into the limit."""
    return min(MAX_ANSWER_TOKENS, max(MIN_NEW_TOKENS, 2 * longest))


def _loss_pair(base: LossReport | None, tuned: LossReport | None, source: str | None) -> dict[str, Any] | None:
    """Return both losses and how far the perplexity moved, in percent of the base's."""
    if base is None or tuned is None or not base.num_tokens:
        return None
    change = 100 * (tuned.perplexity / base.perplexity - 1) if base.perplexity < float("inf") else None
    return {
        "source": source,
        "base": base.to_dict(),
        "tuned": tuned.to_dict(),
        "perplexity_change_percent": None if change is None else round(change, 2),
    }
