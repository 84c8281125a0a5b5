"""`/v1/` as the official client of OpenAI's API sees it, against a server of its own; and its bytes by hand."""

import http.client
import json

import openai
import pytest

from api.clients import signed_in
from cli.test_serve import serving

ASKED = [{"role": "user", "content": "こんにちは"}]
GREEDY = {"model": "nano", "temperature": 0}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("openai")) as found:
        yield found


@pytest.fixture(scope="module")
def client(server):
    address = f"http://127.0.0.1:{server.port}/v1"
    with openai.OpenAI(base_url=address, api_key=server.token, max_retries=0, timeout=60) as made:
        yield made


def test_chat(client):
    answer = client.chat.completions.create(messages=ASKED, max_tokens=12, **GREEDY)
    assert answer.object == "chat.completion"
    assert (answer.model, answer.choices[0].message.role) == ("nano", "assistant")
    assert answer.choices[0].message.content
    usage = answer.usage
    assert usage.prompt_tokens > 0
    assert 0 < usage.completion_tokens <= 12
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    one = client.chat.completions.create(messages=ASKED, max_completion_tokens=1, **GREEDY)
    assert (one.choices[0].finish_reason, one.usage.completion_tokens) == ("length", 1)


def test_a_stream_says_the_same_in_pieces(client):
    whole = client.chat.completions.create(messages=ASKED, max_tokens=12, **GREEDY)
    chunks = list(
        client.chat.completions.create(
            messages=ASKED, max_tokens=12, stream=True, stream_options={"include_usage": True}, **GREEDY
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) > 1
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert (chunks[-1].choices, chunks[-1].usage) == ([], whole.usage)
    assert len({chunk.id for chunk in chunks}) == 1


def test_completions_go_on_with_the_text(client):
    asked = {"prompt": "昔々、あるところに", "max_tokens": 6, **GREEDY}
    whole = client.completions.create(**asked)
    assert (whole.object, whole.usage.completion_tokens) == ("text_completion", 6)
    pieces = [chunk.choices[0].text for chunk in client.completions.create(stream=True, **asked)]
    assert "".join(pieces) == whole.choices[0].text
    assert client.completions.create(**asked | {"prompt": [asked["prompt"]]}).choices[0].text == whole.choices[0].text
    assert client.completions.create(**asked | {"max_tokens": None}).usage.completion_tokens <= 16


def test_logprobs(client):
    answer = client.chat.completions.create(messages=ASKED, max_tokens=4, logprobs=True, top_logprobs=2, **GREEDY)
    tokens = answer.choices[0].logprobs.content
    assert len(tokens) == answer.usage.completion_tokens
    assert "".join(token.token for token in tokens) == answer.choices[0].message.content
    assert all(token.logprob <= 0 and token.top_logprobs[0].logprob == token.logprob for token in tokens)
    streamed = client.chat.completions.create(messages=ASKED, max_tokens=4, logprobs=True, stream=True, **GREEDY)
    told = [chunk.choices[0].logprobs for chunk in streamed]
    assert [token.token for found in told if found for token in found.content] == [token.token for token in tokens]
    text = client.completions.create(prompt="昔々", max_tokens=3, logprobs=2, **GREEDY)
    found = text.choices[0].logprobs
    assert "".join(found.tokens) == text.choices[0].text
    assert (found.text_offset[0], len(found.token_logprobs), len(found.top_logprobs[0])) == (0, 3, 2)
    assert client.chat.completions.create(messages=ASKED, max_tokens=1, **GREEDY).choices[0].logprobs is None


def test_stop_and_seed(client):
    text = client.chat.completions.create(messages=ASKED, max_tokens=12, **GREEDY).choices[0].message.content
    cut = client.chat.completions.create(messages=ASKED, max_tokens=12, stop=[text[3:5]], **GREEDY).choices[0]
    assert (cut.message.content, cut.finish_reason) == (text[:3], "stop")
    wild = {"model": "nano", "prompt": "昔々", "max_tokens": 8, "temperature": 2.0}
    first, again, other = (client.completions.create(seed=seed, **wild).choices[0].text for seed in (-5, -5, 6))
    assert first == again != other


def test_models(client):
    found = client.models.list().data
    assert [(model.id, model.object, model.owned_by) for model in found] == [("nano", "model", "llmlora")]
    assert client.models.retrieve("nano").id == "nano"
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("export:none/Q4_K_M")
    assert missing.value.code == "model_not_found"


def test_what_openai_takes_and_we_need_not(client):
    roles = [{"role": "developer", "content": [{"type": "text", "text": "短く"}]}, *ASKED]
    answer = client.chat.completions.create(
        messages=roles, max_tokens=2, n=1, user="u", store=False, tools=[], parallel_tool_calls=True,
        response_format={"type": "text"}, presence_penalty=0, extra_body={"something_new": 1}, **GREEDY,
    )  # fmt: skip
    assert answer.choices[0].message.content


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"top_logprobs": 99, "logprobs": True}, "top_logprobs"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": "あ" * 9000}]}, None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_impossible_fields(client, wish, param, stream):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{"messages": ASKED, "stream": stream, **GREEDY, **wish})
    assert refused.value.type == "invalid_request_error"
    assert refused.value.param == param
    assert refused.value.message


def test_impossible_fields_of_completions(client):
    for wish in ({"echo": True}, {"best_of": 3}, {"suffix": "x"}, {"prompt": ["a", "b"]}, {"prompt": [1, 2]}):
        with pytest.raises(openai.BadRequestError):
            client.completions.create(**{"prompt": "a", **GREEDY, **wish})


def test_who_may_ask_and_what_exists(client, server):
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-5", messages=ASKED)
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.AuthenticationError) as stranger:
        client.with_options(api_key="wrong").models.list()
    assert stranger.value.code == "invalid_api_key"
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="nano", input="x", encoding_format="float")
    status, body = server.get("/v1/nowhere")
    assert (status, set(json.loads(body)["error"])) == (404, {"message", "type", "param", "code"})
    assert server.get("/v1/chat/completions")[0] == 405


def posted(server, body):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    return connection


def test_the_bytes_of_a_stream(server):
    connection = posted(server, {"messages": ASKED, "max_tokens": 2, "stream": True, **GREEDY})
    answer = connection.getresponse()
    lines = [line for line in answer.read().decode().split("\n\n") if line]
    connection.close()
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    assert "usage" not in json.loads(lines[0][6:])


@pytest.mark.parametrize("stream", [False, True])
def test_who_leaves_stops_the_answer(server, client, stream):
    endless = {"messages": ASKED, "temperature": 2, "max_tokens": 100_000, "model": "nano", "stream": stream}
    client.completions.create(prompt="昔々", max_tokens=1, **GREEDY)  # loaded
    leavers = [posted(server, endless)]
    if stream:
        answer = leavers[0].getresponse()
        assert answer.readline()
        answer.close()
    leavers += [posted(server, endless) for _ in range(2)]
    for leaver in leavers:
        leaver.close()
    client.completions.create(prompt="昔々", max_tokens=1, **GREEDY)  # behind all others
    assert 0 < server.longest_answer() < 100, "nobody went on for those who had left"


def test_a_full_house_is_429_and_memory_503(app):
    client = signed_in(app)
    app.state.warm_models.limits = type(app.state.warm_models.limits)(1, 1.0)
    answer = client.post("/v1/chat/completions", json={"messages": ASKED, **GREEDY})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "warm_memory_short")
    app.state.warm_models.close()
    answer = client.post("/v1/completions", json={"prompt": "a", "stream": True, **GREEDY})
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "server_error")
