"""Loaded models: answers in turn, room made for others, gone when idle or in the way, back after a death."""

import os
import signal
import threading
import time
from queue import Empty, SimpleQueue

import psutil
import pytest

from llmlora.core.errors import LlmloraError, ModelUnavailable, OutOfMemory, TooManyRequests
from llmlora.core.layout import scratch_dir
from llmlora.services.chat import ModelLocation, locate_model
from llmlora.services.launcher import LocalLauncher, Resources
from llmlora.services.model_memory import needed_bytes, training_bytes
from llmlora.services.warm_models import MOST_QUESTIONS, WarmLimits, WarmModels
from tiny_jobs import tiny_job

NANO = locate_model("nano")
LONG = {"prompt": "昔々", "max_new_tokens": 400, "temperature": 2.0}
SHORT = {"prompt": "昔々", "max_new_tokens": 3}
ROOMY = WarmLimits(memory_bytes=1 << 40, idle_seconds=60)
SECONDS = 60


@pytest.fixture
def warm():
    made = []

    def make(limits=ROOMY):
        made.append(WarmModels(limits))
        return made[-1]

    yield make
    for models in made:
        models.wait_closed()


class Asked:
    """A question and what was told of it."""

    def __init__(self, models, location=NANO, **request):
        self.told = SimpleQueue()
        self.question = models.ask(location, request, self.told.put)

    def next(self, *types):
        while True:
            event = self.told.get(timeout=SECONDS)
            if event["type"] in types:
                return event

    def end(self):
        return self.next("reply", "error")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Return a second model."""
    return ModelLocation("job", tiny_job("llama", tmp_path_factory.mktemp("other"), {}))


def wait_for(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_answers_come_in_pieces_and_in_turn(warm):
    models = warm()
    first, second = Asked(models, **LONG), Asked(models, **SHORT)
    assert first.next("load", "text")["type"] == "load"
    reply, pieces = first.end(), []
    assert reply["num_tokens"] == 400 or reply["finish_reason"] == "stop"
    assert second.next("load", "text")["type"] == "text"  # it is loaded by now
    assert second.end()["num_tokens"] == 3
    again = Asked(models, **SHORT, top_logprobs=2)
    while (event := again.next("text", "reply"))["type"] == "text":
        pieces.append(event)
    assert "".join(piece["text"] for piece in pieces) == event["text"]
    tokens = [token for piece in pieces for token in piece["tokens"]]
    assert len(tokens) == 3
    assert all(token["logprob"] <= 0 and len(token["top_logprobs"]) == 2 for token in tokens)
    assert tokens[0]["top_logprobs"][0] == {name: tokens[0][name] for name in ("token", "logprob", "bytes")}  # greedy


def test_a_question_that_was_taken_back_stops(warm):
    models = warm()
    endless = LONG | {"max_new_tokens": 10_000}
    first, waiting, last = (Asked(models, **request) for request in (endless, LONG, SHORT))
    first.next("text")
    waiting.question.cancel()
    first.question.cancel()
    assert first.end()["error"].code == "answer_canceled"
    assert last.end()["num_tokens"] == 3
    with pytest.raises(Empty):
        waiting.told.get_nowait()


def test_a_question_that_was_taken_back_while_the_model_loads_is_not_answered(warm):
    models = warm()
    asked = Asked(models, **LONG | {"max_new_tokens": 10_000})
    asked.next("load")
    asked.question.cancel()
    assert asked.end()["error"].code == "answer_canceled"
    assert Asked(models, **SHORT).end()["num_tokens"] == 3


def test_a_wrong_question_leaves_the_model_loaded(warm):
    models = warm()
    assert Asked(models, prompt="a", temperature=-1).end()["error"].code == "bad_generate_option"
    assert Asked(models).end()["error"].code == "bad_chat_request"
    answer = Asked(models, **SHORT)
    assert answer.next("load", "text")["type"] == "text"


def test_one_that_dies_says_so_and_is_back_for_the_next_question(warm):
    models = warm()
    asked = Asked(models, **LONG | {"max_new_tokens": 10_000})
    asked.next("text")
    os.kill(process_of(models), signal.SIGKILL)
    died = asked.end()["error"]
    assert isinstance(died, ModelUnavailable)
    assert (died.code, died.params["exit_code"], died.http_status) == ("model_process_died", -9, 503)
    assert Asked(models, **SHORT).end()["num_tokens"] == 3
    os.kill(process_of(models), signal.SIGKILL)  # while nobody asks
    assert Asked(models, **SHORT).end()["num_tokens"] == 3


def process_of(models, location=NANO):
    return models._models[location]._session.pid


def test_the_least_recently_used_makes_room(warm, other):
    models = warm(WarmLimits(needed_bytes(NANO) + (50 << 20), 60))
    Asked(models, **SHORT).end()
    old = process_of(models)
    assert Asked(models, other, **SHORT).end()["type"] == "reply"
    assert list(models.loaded()) == [other]
    wait_for(lambda: not psutil.pid_exists(old) or psutil.Process(old).status() == psutil.STATUS_ZOMBIE)
    assert models.loaded()[other] > 10 << 20


def test_one_waits_for_the_room_of_another_that_answers(warm, other):
    models = warm(WarmLimits(needed_bytes(NANO) + (50 << 20), 60))
    busy = Asked(models, **LONG)
    busy.next("text")
    waiting = Asked(models, other, **SHORT)
    assert busy.end()["type"] == "reply"
    assert waiting.end()["type"] == "reply"


def test_what_does_not_fit_alone_is_refused(warm):
    error = Asked(warm(WarmLimits(10 << 20, 60)), **SHORT).end()["error"]
    assert isinstance(error, OutOfMemory)
    assert error.params["needed_bytes"] == needed_bytes(NANO)
    assert error.params["free_bytes"] == 10 << 20


def test_an_idle_one_goes(warm):
    models = warm(WarmLimits(1 << 40, 0.1))
    Asked(models, **SHORT).end()
    wait_for(lambda: not models.loaded() and not models._leaving)
    assert Asked(models, **SHORT).end()["type"] == "reply"


def test_all_go_at_once_for_a_training_job(warm, other):
    models = warm()
    Asked(models, other, **SHORT).end()
    asked, behind = Asked(models, **LONG | {"max_new_tokens": 10_000}), Asked(models, **SHORT)
    asked.next("text")
    began = time.monotonic()
    models.give_way(1 << 50)
    assert time.monotonic() - began < 5
    assert [one.end()["error"].code for one in (asked, behind)] == ["model_gave_way"] * 2
    assert models.loaded() == {}
    models.give_way(0)
    assert Asked(models, **SHORT).end()["type"] == "reply"


def test_the_launcher_asks_for_the_memory_of_a_training_job(other, tmp_path):
    asked = []
    assert training_bytes(other.path) > 1 << 30
    handle = LocalLauncher(before_training=asked.append).launch("train", other.path, 90, Resources())
    wait_for(lambda: not handle.is_alive())
    assert asked == [training_bytes(other.path)]


def test_too_many_questions(warm):
    models = warm()
    asked = [Asked(models, **LONG | {"max_new_tokens": 10_000}) for _ in range(MOST_QUESTIONS)]
    with pytest.raises(TooManyRequests):
        Asked(models, **SHORT)
    asked[-1].question.cancel()
    Asked(models, **SHORT)


def test_closing_ends_everything(warm):
    models = warm()
    asked = Asked(models, **LONG | {"max_new_tokens": 10_000})
    asked.next("text")
    process = process_of(models)
    models.wait_closed()
    assert asked.end()["error"].code == "server_stopping"
    with pytest.raises(LlmloraError):
        Asked(models, **SHORT)
    assert not psutil.pid_exists(process) or psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    assert not any(thread.name.startswith("llmlora-model") for thread in threading.enumerate())
    assert not any(scratch_dir().iterdir())
