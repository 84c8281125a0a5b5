"""Models that stay loaded behind the server: one process each, under a limit of memory, asked in turn.

Each model has a thread that loads it when it is first asked, answers one question after the other, and lets it go when
nobody has asked for a while. The least recently used one goes first when another needs its room, and all of them go at
once, also in the middle of an answer, when a training job needs the memory. Processes end with the server.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from llmlora.core.errors import LlmloraError, ModelUnavailable, OutOfMemory, Stopped, TooManyRequests, WorkerDied
from llmlora.core.layout import new_id
from llmlora.core.machine import available_memory_bytes, total_memory_bytes
from llmlora.services.chat import ChatSession, ModelLocation
from llmlora.services.follow import Event
from llmlora.services.model_memory import needed_bytes, resident_bytes
from llmlora.services.processes import end_first

log = logging.getLogger("llmlora.models")

MOST_QUESTIONS: Final = 32  # that are answered or wait, of all models together
LOOK_SECONDS: Final = 5.0  # between looks of an idle model at the clock and at the machine's memory
RESERVE_SHARE: Final = 20  # an idle model goes when less than a twentieth of all memory is free
LEAVE_SECONDS: Final = 10.0  # that a process which was killed may take
MOST_EVENT_BYTES: Final = 64 << 20  # of answers in the scratch folder of a model; then it is loaded anew

Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class WarmLimits:
    """What loaded models may hold together, and how long one stays that nobody asks."""

    memory_bytes: int
    idle_seconds: float

    @classmethod
    def of_machine(cls, memory_percent: int, idle_seconds: float) -> WarmLimits:
        """Return limits as a share of this machine's memory."""
        return cls(total_memory_bytes() * memory_percent // 100, idle_seconds)


class Question:
    """One request on its way; `tell` gets `load`, `text`, and at the end `reply` or `error`, from a thread."""

    def __init__(self, request: dict[str, Any], tell: Tell, model: WarmModel) -> None:
        self.id = new_id()
        self.request = {"id": self.id, **request}
        self.tell = tell
        self.is_canceled = False
        self._model = model

    def cancel(self) -> None:
        """Take it back: generating stops at the next token."""
        self.is_canceled = True
        self._model.question_was_canceled(self)


class WarmModels:
    """The loaded models of one server."""

    def __init__(self, limits: WarmLimits) -> None:
        self.limits = limits
        self.changed = threading.Condition()  # guards everything here and in the models
        self._models: dict[ModelLocation, WarmModel] = {}
        self._leaving: set[WarmModel] = set()
        self._is_closed = False

    def ask(self, location: ModelLocation, request: dict[str, Any], tell: Tell) -> Question:
        """Queue a request of the worker's protocol for a model.

        Raises:
            TooManyRequests: `too_many_questions`. ModelUnavailable: `server_stopping`.
        """
        with self.changed:
            if self._is_closed:
                raise ModelUnavailable("server_stopping")
            if sum(model.num_questions for model in self._models.values()) >= MOST_QUESTIONS:
                raise TooManyRequests("too_many_questions", limit=MOST_QUESTIONS)
            process = location.process
            model = self._models.get(process)
            if model is None:
                model = self._models[process] = WarmModel(process, self)
                model.start()
            question = Question({**request, **location.choice}, tell, model)
            model.questions.append(question)
            self.changed.notify_all()
        return question

    def loaded(self) -> dict[ModelLocation, int]:
        """Return the models that are loaded, with the memory that each of them holds."""
        with self.changed:
            return {location: model.num_bytes() for location, model in self._models.items() if model.is_loaded}

    def let_go(self, location: ModelLocation) -> None:
        """Let the process of a model go when nobody waits for its answer; nothing where it is not loaded."""
        with self.changed:
            model = self._models.get(location.process)
            if model is not None and model.is_idle:
                model.leave(None)

    def give_way(self, wanted_bytes: int) -> None:
        """Let models go at once, the least recently used first, until that much memory is free or none is left."""
        while available_memory_bytes() < wanted_bytes:
            with self.changed:
                model = min(self._models.values(), key=lambda one: (not one.is_idle, one.last_used), default=None)
                if model is None:
                    return
                log.info("%s gives way to a job", model.location.path)
                model.leave(ModelUnavailable("model_gave_way"))
                self._wait_gone(model)

    def _wait_gone(self, model: WarmModel) -> None:
        self.changed.wait_for(lambda: model not in self._leaving, LEAVE_SECONDS)

    def close(self) -> None:
        """Let every model go and take no more questions; returns at once."""
        with self.changed:
            self._is_closed = True
            for model in list(self._models.values()):
                model.leave(ModelUnavailable("server_stopping"))

    def wait_closed(self) -> None:
        """Close, and wait until the processes are gone."""
        self.close()
        with self.changed:
            self.changed.wait_for(lambda: not self._leaving, LEAVE_SECONDS)

    def make_room(self, model: WarmModel, question: Question) -> None:
        """Wait until a model may be loaded; idle ones go for it, the least recently used first.

        Raises:
            OutOfMemory: `warm_memory_short`, it does not fit alone. Stopped: the question was taken back.
            ModelUnavailable: the model itself was asked to go.
        """
        needed = needed_bytes(model.location)
        with self.changed:
            while (excess := self._excess(model, needed)) > 0:
                others = [one for one in self._models.values() if one is not model and one.num_bytes()]
                idle = [one for one in others if one.is_idle]
                if idle:
                    min(idle, key=lambda one: one.last_used).leave(None)
                elif not others and not self._leaving:
                    raise OutOfMemory("warm_memory_short", needed_bytes=needed, free_bytes=max(0, needed - excess))
                self.changed.wait(LOOK_SECONDS)
                if model.reason is not None:
                    raise model.reason
                if question.is_canceled:
                    raise Stopped("answer_canceled")
            model.reserved_bytes = needed

    def trim(self, model: WarmModel) -> None:
        """Let idle models go when one turned out to be larger than was expected."""
        with self.changed:
            model.reserved_bytes = 0
            idle = [one for one in self._models.values() if one is not model and one.is_idle]
            for one in sorted(idle, key=lambda one: one.last_used):
                if self._used() <= self.limits.memory_bytes:
                    return
                one.leave(None)

    def forget(self, model: WarmModel) -> None:
        """Take a model out of those that can be asked; its process goes now. The caller holds the lock."""
        if self._models.get(model.location) is model:
            del self._models[model.location]
            self._leaving.add(model)
        self.changed.notify_all()

    def has_gone(self, model: WarmModel) -> None:
        """Note that the process of a model has ended."""
        with self.changed:
            self._leaving.discard(model)
            self.changed.notify_all()

    def _used(self) -> int:
        return sum(model.num_bytes() for model in (*self._models.values(), *self._leaving))

    def _excess(self, model: WarmModel, needed: int) -> int:
        """Return how much too much memory would be used with one more model."""
        over_limit = self._used() - model.num_bytes() + needed - self.limits.memory_bytes
        return max(over_limit, needed - available_memory_bytes())


class WarmModel:
    """One model with its process, its thread and the questions to it; guarded by `WarmModels.changed`."""

    def __init__(self, location: ModelLocation, models: WarmModels) -> None:
        self.location = location
        self.questions: deque[Question] = deque()
        self.last_used = time.monotonic()
        self.reserved_bytes = 0  # while it loads
        self.reason: LlmloraError | None = None  # why it has to go
        self._is_leaving = False
        self._has_told = False  # anything of the answer that is being written
        self._models = models
        self._changed = models.changed
        self._current: Question | None = None
        self._session: ChatSession | None = None

    def start(self) -> None:
        """Begin to wait for questions."""
        threading.Thread(target=self._work, name=f"llmlora-model-{self.location.path.name}", daemon=True).start()

    @property
    def num_questions(self) -> int:
        """How many questions are answered or wait."""
        waiting = sum(not question.is_canceled for question in self.questions)
        return waiting + (self._current is not None)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return self.num_questions == 0

    @property
    def is_loaded(self) -> bool:
        """Whether it can answer at once."""
        return self._session is not None and self.reserved_bytes == 0

    def num_bytes(self) -> int:
        """Return the memory that its process holds, or is expected to hold while it loads."""
        pid = None if self._session is None else self._session.pid
        return max(self.reserved_bytes, 0 if pid is None else resident_bytes(pid))

    def leave(self, reason: LlmloraError | None) -> None:
        """End its process at once; who waits for an answer is told the reason. The caller holds the lock."""
        self._is_leaving, self.reason = True, reason
        self._models.forget(self)
        if self._session is not None:
            self._session.kill()

    def question_was_canceled(self, question: Question) -> None:
        """Stop generating when it is the answer to this question."""
        with self._changed:
            if self._current is question and self._session is not None:
                self._session.cancel(question.id)
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            while (question := self._next()) is not None:
                self._answer(question)
        finally:  # also when something fails that nobody thought of: no question is to wait for ever
            with self._changed:
                self._models.forget(self)
            self._end_session()
            self._models.has_gone(self)
            for waiting in filter(None, (self._current, *self.questions)):
                waiting.tell({"type": "error", "error": self.reason or WorkerDied("internal", detail="")})

    def _next(self) -> Question | None:
        """Wait for the next question; None when it is time to go."""
        with self._changed:
            self._current = None
            while not self._is_leaving:
                self._current = next((question for question in self._taken() if not question.is_canceled), None)
                if self._current is not None:
                    return self._current
                rest = self._models.limits.idle_seconds - (time.monotonic() - self.last_used)
                if rest <= 0 or self._is_in_the_way():
                    self._models.forget(self)
                    return None
                self._changed.wait(min(rest, LOOK_SECONDS))
            return None

    def _taken(self) -> Iterator[Question]:
        """Take questions from the front, as long as somebody asks for another one."""
        while self.questions:
            yield self.questions.popleft()

    def _is_in_the_way(self) -> bool:
        return self._session is not None and available_memory_bytes() < total_memory_bytes() // RESERVE_SHARE

    def _answer(self, question: Question) -> None:
        try:
            last: Event = {"type": "reply", **self._reply(question)}
        except (LlmloraError, OSError) as error:
            last = {"type": "error", "error": self._worded(error)}
        with self._changed:
            self.last_used = time.monotonic()
            self._changed.notify_all()
        session = self._session
        if session is not None and (not session.is_alive or session.num_event_bytes > MOST_EVENT_BYTES):
            self._end_session()
        question.tell(last)

    def _reply(self, question: Question) -> dict[str, Any]:
        """Return the reply; a process that has died since the last question is not the fault of this one."""
        was_loaded, self._has_told = self._session is not None, False
        try:
            return self._ask(question)
        except WorkerDied:
            if not was_loaded or self._has_told or self.reason is not None:
                raise
            return self._ask(question)

    def _ask(self, question: Question) -> dict[str, Any]:
        session = self._open_session(question)
        if question.is_canceled:  # while it loaded
            raise Stopped("answer_canceled")
        return session.request(question.request, lambda sample: self._pass_on(question, sample))

    def _open_session(self, question: Question) -> ChatSession:
        """Return the loaded model; one that is not there, or has died, is loaded."""
        if self._session is not None and self._session.is_alive:
            return self._session
        self._end_session()
        question.tell({"type": "load"})
        self._models.make_room(self, question)
        session = ChatSession(self.location)
        with self._changed:
            self._session = session
        try:
            session.__enter__()
            if session.pid is not None:
                end_first(session.pid)
        except BaseException:
            self._end_session()
            raise
        finally:
            self._models.trim(self)
        with self._changed:
            if self._is_leaving:  # since before there was a process that could be killed
                session.kill()
        return session

    def _pass_on(self, question: Question, sample: Event) -> None:
        self._has_told = True
        if "text" in sample or "tokens" in sample:
            question.tell({"type": "text", "text": sample.get("text", ""), "tokens": sample.get("tokens", [])})

    def _worded(self, error: LlmloraError | OSError) -> LlmloraError:
        """Return what to tell of an error: why the model was ended, where the server has done that."""
        if self.reason is not None:
            return self.reason
        if isinstance(error, OSError):
            return WorkerDied("internal", detail=str(error))
        if isinstance(error, WorkerDied) and error.code == "worker_died":
            return ModelUnavailable("model_process_died", exit_code=error.params.get("exit_code"))
        return error

    def _end_session(self) -> None:
        with self._changed:
            session, self._session, self.reserved_bytes = self._session, None, 0
        if session is not None:
            session.kill()
            session.close()
