"""The protocol of a loaded model: requests and cancellations come on stdin, pieces, tokens and replies are events."""

import json
import os

import pytest

from llmlora.core.errors import ConfigError, RunError, Stopped
from llmlora.core.events import EventWriter, read_events
from llmlora.inference.chat import LEAST_LOGPROB, ChatReply, logprob_of, request_from_dict
from llmlora.worker import conversation
from llmlora.worker.conversation import answer_all
from llmlora.worker.frame import StopFlag


class Parrot:
    """A model that says what it is asked letter by letter, and does what the letters say."""

    is_raw = True

    def __init__(self, path):
        self.path = path
        self.threads = []
        self.is_closed = False

    def use_threads(self, number):
        self.threads.append(number)

    def chat(self, request, on_text=None, on_token=None):
        text = request.prompt or request.messages[-1].content
        if text == "refuse":
            raise RunError("llamacpp_request_failed", endpoint="x", status=500, detail="y")
        for letter in text:
            if on_token is not None:
                on_token(logprob_of(letter.encode(), -1.0, []) if request.top_logprobs is not None else None)
            if on_text is not None and letter != "_":  # a token whose text is held back
                on_text(letter)
        return ChatReply(text, "stop", len(text), (), 3)

    def close(self):
        self.is_closed = True


@pytest.fixture
def talk(tmp_path, monkeypatch):
    """Return a function that answers lines of stdin and returns result, events and model."""
    reader, writer = os.pipe()
    monkeypatch.setattr(conversation, "STDIN", reader)
    made = []

    def open_chat(path):
        made.append(Parrot(path))
        return made[-1]

    def run(*messages, stop=None, **config):
        for message in messages:
            os.write(writer, json.dumps(message).encode() + b"\n")
        os.close(writer)
        events = EventWriter(tmp_path, 1)
        result = answer_all(open_chat, {"model": {"path": "x"}, **config}, events, stop or StopFlag())
        events.close()
        return result, list(read_events(tmp_path / "events.jsonl")), made[-1]

    yield run
    os.close(reader)


def samples(events, identifier):
    return [event for event in events if event["type"] == "sample" and event["id"] == identifier]


def test_answers_come_piece_by_piece_and_the_model_is_closed(talk):
    result, events, model = talk({"id": 1, "prompt": "ab"}, {"id": 2, "prompt": "c"})
    assert result == {"num_replies": 2}
    assert [event["name"] for event in events if event["type"] == "phase"] == ["load", "ready"]
    first = samples(events, 1)
    assert [event.get("text") for event in first] == ["a", "b", None]
    reply = {"text": "ab", "finish_reason": "stop", "num_tokens": 2, "num_prompt_tokens": 3}
    assert first[-1]["reply"] == reply
    assert not [event for event in events if "tokens" in event]
    assert len(model.threads) == 2
    assert model.is_closed


def test_tokens_are_told_with_the_text_that_they_are_part_of(talk):
    _, events, _ = talk({"id": "x", "prompt": "a_b_", "top_logprobs": 0})
    found = [["".join(token["token"] for token in event.get("tokens", [])), event.get("text")] for event in events[2:]]
    assert found == [["a", "a"], ["_b", "b"], ["_", None]]


def test_a_wrong_request_does_not_end_the_conversation(talk):
    wrong = [{"id": 1}, {"id": 2, "prompt": "a", "temperature": -1}, {"id": 3, "prompt": "refuse"}]
    result, events, _ = talk(*wrong, {"id": 4, "prompt": "ok"})
    codes = [samples(events, number)[-1]["error"]["code"] for number in (1, 2, 3)]
    assert codes == ["bad_chat_request", "bad_generate_option", "llamacpp_request_failed"]
    assert samples(events, 4)[-1]["reply"]["text"] == "ok"
    assert result == {"num_replies": 1}


def test_a_request_can_be_taken_back_before_it_is_answered(talk):
    _, events, _ = talk({"cancel": 7}, {"id": 7, "prompt": "never"}, {"id": 8, "prompt": "b"})
    assert [event.get("error", {}).get("code") for event in samples(events, 7)] == ["answer_canceled"]
    assert samples(events, 8)[-1]["reply"]["text"] == "b"


def test_lines_may_be_longer_than_what_is_read_at_a_time(talk, monkeypatch):
    monkeypatch.setattr(conversation, "READ_BYTES", 5)
    _, events, _ = talk({"id": 1, "prompt": "長い文です"}, {"id": 2, "prompt": "b"})
    assert [samples(events, number)[-1]["reply"]["text"] for number in (1, 2)] == ["長い文です", "b"]


def test_a_stop_ends_it(talk):
    stop = StopFlag()
    stop.set()
    assert talk({"id": 1, "prompt": "a"}, stop=stop)[0] == {"num_replies": 0}


def test_requests_of_the_configuration_need_no_stdin(talk):
    result, _, model = talk(requests=[{"prompt": "a"}, {"messages": [{"role": "user", "content": "b"}]}])
    assert [reply["text"] for reply in result["replies"]] == ["a", "b"]
    assert model.threads == []


def test_a_stop_in_the_middle_is_told(tmp_path):
    stop = StopFlag()

    class Stopping(Parrot):
        def chat(self, request, on_text=None, on_token=None):
            stop.set()
            on_text("a")

    events = EventWriter(tmp_path, 1)
    with pytest.raises(Stopped):
        answer_all(Stopping, {"model": {"path": "x"}, "requests": [{"prompt": "a"}]}, events, stop)
    events.close()


@pytest.mark.parametrize(
    ("text", "logprob", "told"),
    [
        (b"a", -0.5, {"token": "a", "logprob": -0.5, "bytes": [97]}),
        ("あ".encode(), 0.0, {"token": "あ", "logprob": 0.0, "bytes": [227, 129, 130]}),
        (b"\xe3\x81", -1.0, {"token": "\ufffd", "logprob": -1.0, "bytes": [227, 129]}),
        (b"a", None, {"token": "a", "logprob": LEAST_LOGPROB, "bytes": [97]}),
        (b"a", float("-inf"), {"token": "a", "logprob": LEAST_LOGPROB, "bytes": [97]}),
    ],
)
def test_what_is_told_of_a_token(text, logprob, told):
    assert logprob_of(text, logprob) == told
    assert logprob_of(text, logprob, [told]) == {**told, "top_logprobs": [told]}


def test_a_request_says_how_many_likeliest_tokens_it_wants():
    assert request_from_dict({"prompt": "a"}).top_logprobs is None
    assert request_from_dict({"prompt": "a", "top_logprobs": 0}).top_logprobs == 0
    with pytest.raises(ConfigError):
        request_from_dict({"top_logprobs": 1})


@pytest.mark.parametrize("asked", [{"prompt": "あ" * 1_000_001},
                                   {"messages": [{"role": "user", "content": "あ" * 600_000}] * 2}])  # fmt: skip
def test_a_whole_conversation_has_a_size_whose_tokens_are_counted(asked):
    with pytest.raises(ConfigError) as refused:
        request_from_dict(asked)
    assert refused.value.code == "prompt_too_large"
    assert refused.value.params["num_characters"] > refused.value.params["most_characters"] == 1_000_000
    assert request_from_dict({"prompt": "あ" * 1_000_000}).prompt
