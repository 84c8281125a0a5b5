"""What `/v1/` takes of OpenAI's fields, what it makes of them, and what it refuses because it cannot be done."""

import pytest
from pydantic import ValidationError

from llmlora.api.openai_requests import (
    DEFAULT_CHAT_TOKENS,
    DEFAULT_COMPLETION_TOKENS,
    ChatCompletionRequest,
    ChatMessage,
    CompletionRequest,
)
from llmlora.core.errors import InputError
from llmlora.core.generate_options import LARGEST_SEED, GenerateOptions

ASKED = [{"role": "user", "content": "こんにちは"}]
MESSAGES = [{"role": "user", "content": "x"}]


def chat(**fields) -> ChatCompletionRequest:
    return ChatCompletionRequest.model_validate({"model": "nano", "messages": ASKED, **fields})


def completion(**fields) -> CompletionRequest:
    return CompletionRequest.model_validate({"model": "nano", "prompt": "昔々", **fields})


def options_of(asked):
    """Return the options of a request of the worker's protocol, as the worker would check them."""
    names = GenerateOptions.__dataclass_fields__
    found = {name: value for name, value in asked.items() if name in names}
    return GenerateOptions(**{**found, "stop": tuple(found["stop"])})


def test_the_defaults_are_those_of_openai():
    options = options_of(chat().asked(MESSAGES))
    assert (options.temperature, options.top_p, options.stop) == (1.0, 1.0, ())
    assert options.max_new_tokens == DEFAULT_CHAT_TOKENS
    assert options.repetition_penalty == 1.0
    assert options_of(completion().asked()).max_new_tokens == DEFAULT_COMPLETION_TOKENS == 16


def test_null_is_the_default():
    nothing = dict.fromkeys(("temperature", "top_p", "max_tokens", "stop", "seed", "stream", "stream_options", "n"))
    request = chat(**nothing, max_completion_tokens=None, logprobs=None, top_logprobs=None, tools=None)
    request.check()
    assert not request.stream
    assert not request.wants_usage
    assert options_of(request.asked(MESSAGES)).temperature == 1.0
    completion(**nothing, logprobs=None, echo=None, best_of=None, suffix=None).check()


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ({"max_tokens": 7}, 7),
        ({"max_completion_tokens": 9}, 9),
        ({"max_tokens": 7, "max_completion_tokens": 9}, 9),
    ],
)
def test_the_longest_answer(fields, number):
    assert options_of(chat(**fields).asked(MESSAGES)).max_new_tokens == number


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("。", ("。",)),
        (["。", "\n"], ("。", "\n")),
        ("", ()),
        (["", "a"], ("a",)),
        ([], ()),
        (None, ()),
    ],
)
def test_stop_is_a_text_or_several(given, taken):
    assert options_of(chat(stop=given).asked(MESSAGES)).stop == taken
    assert options_of(completion(stop=given).asked()).stop == taken


@pytest.mark.parametrize("seed", [0, 1, LARGEST_SEED, LARGEST_SEED + 1, 2**63, -1, -(2**40)])
def test_any_whole_number_is_a_seed_and_always_the_same_one(seed):
    first, again = (options_of(chat(seed=seed).asked(MESSAGES)).seed for _ in range(2))
    assert first == again
    assert 0 <= first <= LARGEST_SEED


def test_without_a_seed_every_request_has_another_one():
    assert len({options_of(completion().asked()).seed for _ in range(8)}) > 1


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, None),
        ({"logprobs": False, "top_logprobs": 5}, None),
        ({"logprobs": True}, 0),
        ({"logprobs": True, "top_logprobs": 5}, 5),
    ],
)
def test_log_probabilities_are_told_when_they_are_asked_for(fields, told):
    assert chat(**fields).asked(MESSAGES).get("top_logprobs") == told


@pytest.mark.parametrize("number", [None, 0, 1, 5])
def test_a_text_names_their_number_in_one_field(number):
    assert completion(logprobs=number).asked().get("top_logprobs") == number


@pytest.mark.parametrize(
    ("message", "turn"),
    [
        ({"role": "user", "content": "a"}, ("user", "a")),
        ({"role": "system", "content": "a"}, ("system", "a")),
        ({"role": "developer", "content": "a"}, ("system", "a")),
        ({"role": "assistant", "content": None}, ("assistant", "")),
        ({"role": "assistant"}, ("assistant", "")),
        ({"role": "user", "content": []}, ("user", "")),
        ({"role": "user", "content": [{"type": "text", "text": "a"}]}, ("user", "a")),
        ({"role": "user", "content": [{"type": "text", "text": t} for t in "ab"]}, ("user", "a\nb")),
        ({"role": "user", "content": "a", "name": "me", "tool_calls": None}, ("user", "a")),
    ],
)
def test_turns(message, turn):
    found = ChatMessage.model_validate(message).to_dict()
    assert (found["role"], found["content"]) == turn


@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "content": "a"},
        {"role": "function", "content": "a"},
        {"role": "", "content": "a"},
        {"content": "a"},
        {"role": "user", "content": 5},
        {"role": "user", "content": {"text": "a"}},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]},
        {"role": "user", "content": ["a"]},
    ],
)
def test_what_is_no_turn_here(message):
    with pytest.raises(ValidationError):
        ChatMessage.model_validate(message)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 1),
        ("tools", []),
        ("functions", []),
        ("logit_bias", {}),
        ("presence_penalty", 0),
        ("presence_penalty", 0.0),
        ("frequency_penalty", 0),
        ("response_format", {"type": "text"}),
        ("modalities", ["text"]),
        ("user", "me"),
        ("metadata", {"a": "b"}),
        ("store", True),
        ("service_tier", "auto"),
        ("parallel_tool_calls", True),
        ("tool_choice", "none"),
        ("reasoning_effort", "high"),
        ("a_field_of_tomorrow", {"deep": [1]}),
    ],
)
def test_values_that_change_nothing_are_taken(name, value):
    chat(**{name: value}).check()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("n", 0),
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
        ("functions", [{"name": "f"}]),
        ("logit_bias", {"50": -100}),
        ("presence_penalty", 0.1),
        ("frequency_penalty", -1),
        ("response_format", {"type": "json_object"}),
        ("response_format", {"type": "json_schema", "json_schema": {}}),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "a"}),
    ],
)
def test_values_that_cannot_be_honoured_are_refused_by_name(name, value):
    with pytest.raises(InputError) as refused:
        chat(**{name: value}).check()
    assert (refused.value.code, refused.value.params) == ("openai_field", {"param": name})


def test_other_tokens_are_told_beside_the_probability_of_the_chosen_one_only():
    chat(logprobs=True, top_logprobs=2).check()
    for logprobs in (None, False):
        with pytest.raises(InputError) as refused:
            chat(logprobs=logprobs, top_logprobs=2).check()
        assert refused.value.code == "openai_top_logprobs"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("best_of", 1, 2),
        ("echo", False, True),
        ("suffix", "", "end"),
        ("n", 1, 3),
        ("logit_bias", {}, {"1": 1}),
        ("presence_penalty", 0, 1),
    ],
)
def test_the_same_of_texts(name, good, bad):
    completion(**{name: good}).check()
    with pytest.raises(InputError):
        completion(**{name: bad}).check()


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": -0.1},
        {"temperature": 2.1},
        {"temperature": "hot"},
        {"top_p": 0},
        {"top_p": 1.1},
        {"max_tokens": 0},
        {"max_tokens": 1.5},
        {"max_completion_tokens": -1},
        {"stop": 5},
        {"stop": ["a"] * 17},
        {"stop": "a" * 1001},
        {"seed": "a"},
        {"stream": "perhaps"},
        {"stream_options": "all"},
        {"logprobs": 3},
        {"top_logprobs": 21},
        {"top_logprobs": -1},
        {"model": ""},
        {"model": None},
        {"messages": []},
        {"messages": "hello"},
        {"messages": None},
    ],
)
def test_values_out_of_their_range(fields):
    with pytest.raises(ValidationError):
        chat(**fields)


@pytest.mark.parametrize("prompt", [[], ["a", "b"], [1, 2], [[1, 2]], None, 5, {"text": "a"}])
def test_what_is_no_text_to_go_on_with(prompt):
    with pytest.raises(ValidationError):
        completion(prompt=prompt)


def test_one_text_may_come_in_a_list():
    assert completion(prompt=["昔々"]).asked()["prompt"] == completion().asked()["prompt"] == "昔々"


@pytest.mark.parametrize(("given", "wants"), [(None, False), ({}, False), ({"include_usage": True}, True)])
def test_numbers_of_tokens_at_the_end_of_a_stream(given, wants):
    assert chat(stream=True, stream_options=given).wants_usage is wants
