"""The view of a data file is made of the arrays that are trained, and lengths are tried as training cuts."""

import json

import pytest

from llmlora.data.read import ReadOptions
from llmlora.prepare.dataset import PrepareOptions, prepare_file
from llmlora.prepare.view import ViewQuery, _spans, training_view
from llmlora.weights.base import open_folder
from prepare.base_folder import base_folder, data_file

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def base(tmp_path):
    return open_folder(base_folder(tmp_path / "base"))


def view(path, base, max_length=128, **query):
    return training_view(path, ReadOptions(), base, PrepareOptions(max_length), ViewQuery(**query))


def test_spans_hold_what_is_trained(tmp_path, base):
    path = data_file(tmp_path / "data.jsonl")
    found = view(path, base, limit=2)
    prepared = prepare_file(path, ReadOptions(), base, PrepareOptions(128))
    short = view(path, base, max_length=64, limit=2)
    assert (short["rows"], short["facts"]["max_length"]) == (found["rows"], 64)
    assert prepare_file(path, ReadOptions(), base, PrepareOptions(64)).content == prepared.content
    assert (len(found["rows"]), found["next_start"], found["refusal"]) == (2, 2, None)
    for index, row in enumerate(found["rows"]):
        _, labels = prepared.row(index)
        spans = row["spans"]
        assert sum(span["num_tokens"] for span in spans) == row["num_tokens"] == len(labels)
        learned = sum(span["num_tokens"] for span in spans if span["learned"])
        assert learned == row["num_label_tokens"] == int((labels != -100).sum())
        text = "".join(span["text"] for span in spans if span["kind"] in ("learned", "bytes") and span["learned"])
        assert text == f"価格は1,234円です。{index}"
        assert [span["text"] for span in spans if span["kind"] == "special" and span["learned"]] == ["<|im_end|>"]
        assert row["end_token_trained"]
    assert found["tokens"]["learned"] == prepared.num_label_tokens
    assert found["tokens"]["total"] == prepared.num_tokens
    assert found["tokens"]["num_end_learned"] == 3
    assert sum(bar["count"] for bar in found["tokens"]["histogram"]) == 3
    last = view(path, base, start=2, limit=2)
    assert ([row["row"] for row in last["rows"]], last["next_start"]) == ([3], None)


def test_answers_kept_out_by_their_author_are_masked(tmp_path, base):
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "kept out", "weight": 0},
        {"role": "user", "content": "two"},
        {"role": "assistant", "content": "learned"},
    ]
    path = tmp_path / "chat.jsonl"
    path.write_text(json.dumps({"messages": turns}) + "\n", encoding="utf-8")
    [row] = view(path, base)["rows"]
    texts = {
        kind: "".join(span["text"] for span in row["spans"] if span["kind"] == kind) for kind in ("masked", "learned")
    }
    assert "kept out" in texts["masked"]
    assert texts["learned"] == "learned"
    assert "one" not in texts["masked"]


def test_lengths_are_tried_as_training_cuts(tmp_path, base):
    rows = [{"instruction": "q", "output": "a" * size} for size in (4, 30, 60)]
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    lengths = (8, 40, 64, 128)
    found = view(path, base, lengths=lengths)
    assert [trial["max_length"] for trial in found["lengths"]] == list(lengths)
    for trial in found["lengths"]:
        answer = view(path, base, max_length=trial["max_length"])
        if trial["num_vanished"]:
            assert answer["refusal"]["code"] in ("no_trainable_tokens", "rows_longer_than_model", "no_row_fits")
            assert answer["refusal"]["params"]["rows"] == trial["vanished_rows"]
            assert answer["rows"] == []
        else:
            assert answer["facts"]["num_truncated"] == trial["num_cut"]
    assert [trial["num_cut"] for trial in found["lengths"]][-1] == 0
    assert found["lengths"][0]["num_vanished"] == 3


def test_plain_text_is_divided_and_never_cut(tmp_path, base):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"text": "word " * 200}) + "\n", encoding="utf-8")
    found = view(path, base, max_length=32, lengths=(16, 64))
    assert [(trial["num_cut"], trial["num_vanished"]) for trial in found["lengths"]] == [(0, 0)] * 3
    assert found["facts"]["num_rows"] > 3


def token(text, state="trained", special=False, unknown=False):
    return {"text": text, "id": 0, "state": state, "special": special, "unknown": unknown}


def test_kinds_of_spans():
    tokens = [
        token("<s>", "masked", special=True),
        token("質", "masked"),
        token("問", "masked"),
        token("", "masked"),
        token("", "masked"),
        token("鱻", "masked"),
        token("答"),
        token("え"),
        token("?", unknown=True),
        token("</s>", special=True),
        token("", "truncated"),
        token("先", "truncated"),
    ]
    assert [(span["text"], span["kind"], span["learned"], span["num_tokens"]) for span in _spans(tokens, {1})] == [
        ("<s>", "special", False, 1),
        ("質", "masked", False, 1),
        ("問", "context", False, 1),
        ("鱻", "bytes", False, 3),
        ("答え", "learned", True, 2),
        ("?", "bytes", True, 1),
        ("</s>", "special", True, 1),
        ("先", "cut", False, 2),
    ]
