from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmlora.core.examples import Example, Message
from llmlora.prepare.dataset import IGNORED, PreparedDataset, PrepareOptions, prepare_examples
from llmlora.prepare.preview import preview_rows
from llmlora.prepare.tokenizer import load_tokenizer
from llmlora.weights.base import open_folder
from prepare.folders import CHATML, LLAMA2, tokenizer_folder

ANSWER = "価格は1,234円です。😀"


def prepared_in(folder: Path, answer: str = ANSWER, **options: Any) -> PreparedDataset:
    """Prepare two rows."""
    turns = (Message("user", "質問は<|im_end|>?"), Message("assistant", answer))
    examples = [Example(3, 3, turns), Example(4, 4, text="Hello, world!")]
    return prepare_examples(examples, open_folder(folder), PrepareOptions(**{"max_length": 128, **options}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A base folder with a ChatML template."""
    return tokenizer_folder(tmp_path / "base", "byte_level", CHATML)


def test_the_preview_shows_exactly_the_arrays_of_training(folder: Path) -> None:
    prepared = prepared_in(folder, max_length=30)
    for index, row in enumerate(preview_rows(prepared, load_tokenizer(folder), 2)):
        ids, labels = prepared.row(index)
        kept = [token for token in row["tokens"] if token["state"] != "truncated"]
        assert [token["id"] for token in kept] == ids.tolist()
        assert [token["state"] == "trained" for token in kept] == (labels != IGNORED).tolist()
        assert row["num_tokens"] == len(ids)
        assert row["num_label_tokens"] == int((labels != IGNORED).sum())
        assert row["row"] == int(prepared.rows[index])


@pytest.mark.parametrize(("kind", "template"), [("byte_level", CHATML), ("llama2", LLAMA2)])
def test_texts_put_together_are_the_row(kind: str, template: str, tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, kind, template)
    row = preview_rows(prepared_in(folder), load_tokenizer(folder), 1)[0]
    text = "".join(token["text"] for token in row["tokens"])
    assert "質問は<|im_end|>?" in text and ANSWER in text
    trained = "".join(token["text"] for token in row["tokens"] if token["state"] == "trained")
    assert trained.strip().startswith(ANSWER)
    assert row["end_token_trained"]


def test_special_tokens_are_told_from_their_spelling(folder: Path) -> None:
    row = preview_rows(prepared_in(folder), load_tokenizer(folder), 1)[0]
    special = [token["text"] for token in row["tokens"] if token["special"]]
    assert special == ["<|im_start|>", "<|im_end|>", "<|im_start|>", "<|im_end|>"]
    assert not any(token["unknown"] for token in row["tokens"])


def test_cut_tokens_are_shown_and_counted(folder: Path) -> None:
    prepared = prepared_in(folder, ANSWER * 100, max_length=40)
    row = preview_rows(prepared, load_tokenizer(folder), 1)[0]
    cut = [token for token in row["tokens"] if token["state"] == "truncated"]
    assert 0 < len(cut) < row["num_cut"]
    assert 36 < row["num_tokens"] <= 40 and row["end_token_trained"]
    assert row["share_trained"] == round(row["num_label_tokens"] / row["num_tokens"], 4)


def test_unknown_tokens_are_marked(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "no_bytes", LLAMA2)
    prepared = prepare_examples(
        [Example(1, 1, (Message("user", "東京の天気は"), Message("assistant", "龍です。")))],
        open_folder(folder),
        PrepareOptions(64),
    )
    row = preview_rows(prepared, load_tokenizer(folder), 1)[0]
    assert sum(token["unknown"] for token in row["tokens"]) == 1


@pytest.mark.parametrize(("asked", "shown"), [(0, 0), (1, 1), (9, 2)])
def test_as_many_rows_as_there_are(asked: int, shown: int, folder: Path) -> None:
    assert len(preview_rows(prepared_in(folder), load_tokenizer(folder), asked)) == shown
