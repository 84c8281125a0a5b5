"""Between the threads of the models and the event loop: events come in order, errors are raised, leavers stop it."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request

from llmlora.api.answering import answer_events, unless_left, whole_answer
from llmlora.core.errors import ConfigError, ModelUnavailable
from llmlora.services.chat import locate_model
from llmlora.services.warm_models import WarmLimits, WarmModels

NANO = locate_model("nano")
SHORT = {"prompt": "昔々", "max_new_tokens": 4}
ENDLESS = {"prompt": "昔々", "max_new_tokens": 100_000, "temperature": 5.0}


@pytest.fixture(scope="module")
def models():
    made = WarmModels(WarmLimits(1 << 40, 60))
    yield made
    made.wait_closed()


def request_of(*messages):
    """Return a request whose connection says these things, and then nothing any more."""
    said = list(messages)

    async def receive():
        if said:
            return said.pop(0)
        await asyncio.Event().wait()
        return {}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


STAYS = [{"type": "http.request", "body": b"", "more_body": False}]
LEAVES = [*STAYS, {"type": "http.disconnect"}]


def test_events_in_their_order(models):
    async def ask():
        return [event async for event in answer_events(models, NANO, SHORT)]

    events = asyncio.run(ask())
    kinds = [event["type"] for event in events]
    assert kinds in ([*["load"] * (kinds[0] == "load"), *["text"] * kinds.count("text"), "reply"],)
    assert "".join(event["text"] for event in events if event["type"] == "text") == events[-1]["text"]


def test_the_whole_answer_with_its_tokens(models):
    reply, tokens = asyncio.run(whole_answer(request_of(*STAYS), models, NANO, SHORT | {"top_logprobs": 1}))
    assert reply["num_tokens"] == len(tokens) == 4
    reply, tokens = asyncio.run(whole_answer(request_of(*STAYS), models, NANO, SHORT))
    assert (reply["type"], tokens) == ("reply", [])


def test_what_a_model_refuses_is_raised(models):
    with pytest.raises(ConfigError):
        asyncio.run(whole_answer(request_of(*STAYS), models, NANO, SHORT | {"top_p": 5}))


def answers(models, monkeypatch):
    """Return a list with what is told of each question from now on, in their order, as kinds of events."""
    told, ask = [], models.ask

    def heard(location, request, tell):
        told.append(kinds := [])
        return ask(location, request, lambda event: kinds.append(event["type"]) or tell(event))

    monkeypatch.setattr(models, "ask", heard)
    return told


def test_who_leaves_stops_the_answer(models, monkeypatch):
    async def leave():
        with pytest.raises(ClientDisconnect):
            await whole_answer(request_of(*LEAVES), models, NANO, ENDLESS)

    told = answers(models, monkeypatch)
    asyncio.run(leave())
    asyncio.run(whole_answer(request_of(*STAYS), models, NANO, SHORT))
    assert ["reply" in kinds for kinds in told] == [False, True], "the second is answered when the first has ended"


def test_who_stops_listening_stops_the_answer(models, monkeypatch):
    async def listen_for_a_moment():
        events = answer_events(models, NANO, ENDLESS)
        async for event in events:
            if event["type"] == "text":
                break
        await events.aclose()

    told = answers(models, monkeypatch)
    asyncio.run(listen_for_a_moment())
    asyncio.run(whole_answer(request_of(*STAYS), models, NANO, SHORT))
    assert ["reply" in kinds for kinds in told] == [False, True], "the second is answered when the first has ended"


def test_other_work_ends_with_its_caller_or_gives_its_result():
    ended = []

    async def work(seconds):
        try:
            await asyncio.sleep(seconds)
            return "done"
        finally:
            ended.append(seconds)

    async def both():
        assert await unless_left(request_of(*STAYS), work(0)) == "done"
        with pytest.raises(ClientDisconnect):
            await unless_left(request_of(*LEAVES), work(100))
        await asyncio.sleep(0)

    asyncio.run(both())
    assert ended == [0, 100]


def test_what_work_raises_is_raised():
    async def work():
        raise ModelUnavailable("server_stopping")

    with pytest.raises(ModelUnavailable):
        asyncio.run(unless_left(request_of(*STAYS), work()))


def test_nobody_is_asked_when_the_server_stops():
    closed = WarmModels(WarmLimits(1 << 40, 60))
    closed.wait_closed()
    with pytest.raises(ModelUnavailable):
        asyncio.run(whole_answer(request_of(*STAYS), closed, NANO, SHORT))
