"""The counts of a check are those of training: template, end token and refusals included."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmlora.core.errors import ModelFileError
from llmlora.core.examples import Example, Message
from llmlora.prepare.count import RowCounter
from llmlora.prepare.dataset import PrepareOptions, prepare_examples
from llmlora.prepare.template import load_template
from llmlora.weights.base import open_folder
from prepare.folders import CHATML, GEMMA, REWRITING, tokenizer_folder

EXAMPLES = (
    Example(1, 1, (Message("user", "価格は?"), Message("assistant", "1,234円です。"))),
    Example(2, 2, (Message("system", "You help."), Message("user", "a"), Message("assistant", "Hello"))),
    Example(3, 3, prompt="質問: ", completion="東京です。"),
    Example(4, 4, text="東京の天気は晴れです。"),
)
LONG = Example(9, 12, (Message("user", "長い質問です。" * 30), Message("assistant", "はい。")))


def counter(folder: Path, kind: str = "byte_level", template: str = CHATML, max_length: int = 64) -> RowCounter:
    return RowCounter(load_template(tokenizer_folder(folder, kind, template)), max_length)


@pytest.mark.parametrize(("kind", "template"), [("byte_level", CHATML), ("byte_level_bos", GEMMA)])
def test_the_counts_are_the_lengths_of_the_training_rows(tmp_path: Path, kind: str, template: str) -> None:
    count = counter(tmp_path, kind, template, 256)
    prepared = prepare_examples(EXAMPLES, open_folder(tmp_path), PrepareOptions(256))
    assert [count(example).num_tokens for example in EXAMPLES] == prepared.lengths.tolist()
    assert all(count(example).num_text < count(example).num_tokens for example in EXAMPLES)


def test_a_long_text_counts_with_all_its_blocks(tmp_path: Path) -> None:
    count = counter(tmp_path, max_length=16)
    text = Example(1, 1, text="東京の天気は晴れです。" * 99)
    prepared = prepare_examples([text], open_folder(tmp_path), PrepareOptions(16))
    assert len(prepared.lengths) > 5
    assert list(count(text).lengths) == prepared.lengths.tolist()


def test_of_several_rows_the_longest_counts(tmp_path: Path) -> None:
    count = counter(tmp_path, template=REWRITING)
    turns = (*EXAMPLES[0].messages, Message("user", "More?"), Message("assistant", "Hello"))
    prepared = prepare_examples([Example(1, 1, turns)], open_folder(tmp_path), PrepareOptions(256))
    assert count(Example(1, 1, turns)).num_tokens == max(prepared.lengths)


def test_a_row_without_room_for_its_answer_is_refused_with_the_length_it_needs(tmp_path: Path) -> None:
    refusal = counter(tmp_path)(LONG).refusal
    assert refusal is not None
    assert (refusal.code, refusal.line, refusal.row) == ("no_trainable_tokens", 12, 9)
    needed = refusal.params["needed"]
    assert needed > 64
    assert RowCounter(load_template(tmp_path), needed)(LONG).refusal is None
    assert "9" in refusal.message and str(needed) in refusal.hint


def test_what_the_template_refuses_is_refused_by_row(tmp_path: Path) -> None:
    count = counter(tmp_path, "byte_level_bos", GEMMA)
    turns = (Message("user", "a"), Message("user", "b"), Message("assistant", "c"))
    found = count(Example(5, 7, turns))
    assert found.refusal is not None
    assert (found.refusal.code, found.refusal.line, found.refusal.row) == ("row_refused_by_template", 7, 5)
    assert "alternate" in found.refusal.params["detail"]
    assert found.num_tokens == found.num_text > 0
    assert count(EXAMPLES[0]).refusal is None


def test_unknown_characters_are_counted_in_the_texts(tmp_path: Path) -> None:
    count = counter(tmp_path, "dropping", "{% for turn in messages %}{{ turn.content }}{{ eos_token }}{% endfor %}")
    found = count(Example(1, 1, (Message("user", "abc"), Message("assistant", "東京 d"))))
    assert found.num_unknown == 2


def test_a_model_without_end_token_is_no_matter_of_one_row(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level", CHATML)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}', encoding="utf-8")
    with pytest.raises(ModelFileError) as caught:
        RowCounter(load_template(folder), 64)(EXAMPLES[3])
    assert caught.value.code == "tokenizer_no_eos"
