"""The shapes of `/v1/`: whole answers and chunks, as OpenAI documents them, field by field."""

import pytest

from llmlora.api.openai_answers import ChatShape, CompletionShape

REPLY = {"text": "はい。", "finish_reason": "stop", "num_tokens": 2, "num_prompt_tokens": 5}
TOKENS = [
    {
        "token": "はい",
        "logprob": -0.5,
        "bytes": [227, 129, 175, 227, 129, 132],
        "top_logprobs": [
            {"token": "はい", "logprob": -0.5, "bytes": None},
            {"token": "いいえ", "logprob": -1.5, "bytes": None},
        ],
    },
    {
        "token": "。",
        "logprob": -0.25,
        "bytes": [227, 128, 130],
        "top_logprobs": [{"token": "。", "logprob": -0.25, "bytes": None}],
    },
]
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
SHAPES = [ChatShape, CompletionShape]


def shape_of(kind, logprobs=False, usage=False):
    return kind("nano", wants_logprobs=logprobs, wants_usage=usage)


def stream(shape):
    """Return all chunks of an answer in two pieces."""
    return [
        *shape.first(),
        shape.piece("はい", TOKENS[:1]),
        shape.piece("。", TOKENS[1:]),
        *shape.last(REPLY),
    ]


def test_a_whole_chat_answer():
    answer = shape_of(ChatShape).whole(REPLY, [])
    assert list(answer) == ["id", "created", "model", "object", "choices", "usage"]
    assert answer["id"].startswith("chatcmpl-")
    assert (answer["object"], answer["model"]) == ("chat.completion", "nano")
    assert answer["created"] > 1_700_000_000
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "はい。", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert answer["usage"] == USAGE


def test_a_whole_text():
    answer = shape_of(CompletionShape).whole(REPLY, [])
    assert answer["id"].startswith("cmpl-")
    assert answer["object"] == "text_completion"
    assert answer["choices"] == [{"index": 0, "text": "はい。", "logprobs": None, "finish_reason": "stop"}]
    assert answer["usage"] == USAGE


@pytest.mark.parametrize("reason", ["stop", "length"])
@pytest.mark.parametrize("kind", SHAPES)
def test_why_it_ends(kind, reason):
    reply = {**REPLY, "finish_reason": reason}
    assert shape_of(kind).whole(reply, [])["choices"][0]["finish_reason"] == reason
    assert shape_of(kind).last(reply)[0]["choices"][0]["finish_reason"] == reason


def test_offsets_count_characters_also_where_one_is_made_of_several_tokens():
    tokens = [
        {"token": token, "logprob": -0.5, "bytes": list(raw), "top_logprobs": []}
        for token, raw in (("\ufffd", b"\xe5\x96"), ("\ufffd業", "営業".encode()[2:]), ("です", "です".encode()))
    ]
    told = shape_of(CompletionShape, logprobs=True).whole(REPLY, tokens)["choices"][0]["logprobs"]
    assert told["text_offset"] == [0, 0, 2]


def test_the_chunks_of_a_chat():
    chunks = stream(shape_of(ChatShape))
    assert [chunk["object"] for chunk in chunks] == ["chat.completion.chunk"] * 4
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "はい"},
        {"content": "。"},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]
    assert not [chunk for chunk in chunks if "usage" in chunk]


def test_the_chunks_of_a_text():
    chunks = stream(shape_of(CompletionShape))
    assert [chunk["object"] for chunk in chunks] == ["text_completion"] * 3
    assert [chunk["choices"][0]["text"] for chunk in chunks] == ["はい", "。", ""]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, "stop"]


@pytest.mark.parametrize("kind", SHAPES)
def test_all_chunks_are_of_one_answer(kind):
    chunks = stream(shape_of(kind, usage=True))
    for name in ("id", "created", "model", "object"):
        assert len({chunk[name] for chunk in chunks}) == 1
    assert shape_of(kind).whole(REPLY, [])["id"] != shape_of(kind).whole(REPLY, [])["id"]


@pytest.mark.parametrize("kind", SHAPES)
def test_numbers_of_tokens_come_in_a_chunk_of_their_own(kind):
    *chunks, last = stream(shape_of(kind, usage=True))
    assert (last["choices"], last["usage"]) == ([], USAGE)
    assert all(chunk["usage"] is None for chunk in chunks)


def test_log_probabilities_of_a_chat():
    shape = shape_of(ChatShape, logprobs=True)
    assert shape.whole(REPLY, TOKENS)["choices"][0]["logprobs"] == {"content": TOKENS, "refusal": None}
    pieces = [chunk["choices"][0]["logprobs"] for chunk in stream(shape)]
    assert pieces == [
        None,
        {"content": TOKENS[:1], "refusal": None},
        {"content": TOKENS[1:], "refusal": None},
        None,
    ]


def test_log_probabilities_of_a_text():
    shape = shape_of(CompletionShape, logprobs=True)
    assert shape.whole(REPLY, TOKENS)["choices"][0]["logprobs"] == {
        "tokens": ["はい", "。"],
        "token_logprobs": [-0.5, -0.25],
        "top_logprobs": [{"はい": -0.5, "いいえ": -1.5}, {"。": -0.25}],
        "text_offset": [0, 2],
    }


def test_places_in_the_text_go_on_from_piece_to_piece():
    chunks = stream(shape_of(CompletionShape, logprobs=True))
    found = [chunk["choices"][0]["logprobs"] for chunk in chunks]
    assert [logprobs["text_offset"] for logprobs in found[:2]] == [[0], [2]]
    assert found[2] is None


@pytest.mark.parametrize("kind", SHAPES)
def test_who_did_not_ask_is_told_none(kind):
    shape = shape_of(kind)
    assert shape.whole(REPLY, TOKENS)["choices"][0]["logprobs"] is None
    assert all(chunk["choices"][0]["logprobs"] is None for chunk in stream(shape))
