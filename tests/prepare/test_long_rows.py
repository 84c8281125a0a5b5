"""Long texts are divided without losing a token; other rows that are too long are cut, left out or refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from llmlora.core.errors import DatasetError, DatasetRowError
from llmlora.core.examples import Example, Message
from llmlora.core.job import job_from_json
from llmlora.data.problems import Problem
from llmlora.prepare.count import RowCounter
from llmlora.prepare.dataset import IGNORED, PreparedDataset, PrepareOptions, prepare_examples
from llmlora.prepare.template import load_template
from llmlora.weights.base import open_folder
from prepare.folders import CHATML, tokenizer_folder

TEXT = "第1節 東京の棚には本が7冊あります。🦊\n" * 12
SHORT = Example(1, 1, (Message("user", "開店は？"), Message("assistant", "9時です。")))
LONG = Example(2, 2, (Message("user", "🦊" * 60), Message("assistant", "はい。")))


def tokens_of(prepared: PreparedDataset) -> tuple[list[list[int]], list[list[int]]]:
    rows = [prepared.row(index) for index in range(len(prepared))]
    return [ids.tolist() for ids, _ in rows], [labels.tolist() for _, labels in rows]


@pytest.mark.parametrize("kind", ["byte_level", "byte_level_bos"])
@pytest.mark.parametrize("max_length", [16, 17, 31, 64, 100_000])
def test_a_long_text_is_divided_and_nothing_is_lost(tmp_path: Path, kind: str, max_length: int) -> None:
    folder = tokenizer_folder(tmp_path, kind, CHATML)
    encoder = load_template(folder).encoder
    whole = [*encoder.encode_raw(TEXT), encoder.eos_id]
    prepared = prepare_examples([Example(1, 1, text=TEXT)], open_folder(folder), PrepareOptions(max_length))
    ids, labels = tokens_of(prepared)
    head = [encoder.bos_id] if encoder.adds_bos else []
    assert all(row[: len(head)] == head and len(head) + 1 < len(row) <= max_length for row in ids)
    assert [token for row in ids for token in row[len(head) :]] == whole
    assert sum(row.count(encoder.eos_id) for row in ids) == 1
    assert all(label != IGNORED for row in labels for label in row[1:])
    assert all(not encoder.tokenizer.decode(row).endswith("\ufffd") for row in ids)
    facts = prepared.facts
    assert (facts["num_tokens_cut"], facts["num_truncated"], facts["num_texts_split"]) == (0, 0, int(len(ids) > 1))
    assert prepared.rows.tolist() == [1] * len(ids), "what belongs together is held out together"
    assert RowCounter(load_template(folder), max_length)(Example(1, 1, text=TEXT)).num_tokens <= max_length


def test_the_end_token_never_stands_alone(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level", CHATML)
    size = len(load_template(folder).encoder.encode_raw(TEXT))
    ids, _ = tokens_of(prepare_examples([Example(1, 1, text=TEXT)], open_folder(folder), PrepareOptions(size)))
    assert len(ids) == 2 and len(ids[1]) > 2


def test_without_the_setting_a_text_is_cut_and_counted(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level", CHATML)
    options = PrepareOptions(32, split_long_text=False)
    prepared = prepare_examples([Example(1, 1, text=TEXT)], open_folder(folder), options)
    assert len(prepared) == 1
    assert (
        prepared.facts["num_tokens_cut"]
        == len(load_template(folder).encoder.encode_raw(TEXT)) + 1 - len(prepared.row(0)[0]) + 1
    )  # the end token is kept
    assert prepared.facts["num_texts_split"] == 0


def test_overlong_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level", CHATML)
    options = PrepareOptions(64, drop_overlong=True)
    prepared = prepare_examples([SHORT, LONG, Example(3, 3, text=TEXT)], open_folder(folder), options)
    assert prepared.facts["num_overlong_left_out"] == 1
    assert set(prepared.rows.tolist()) == {1, 3}, "a divided text is not overlong"
    found = RowCounter(load_template(folder), 64, drop_overlong=True)(LONG).refusal
    assert found is not None and (found.level, found.code) == ("warning", "overlong_left_out")
    with pytest.raises(DatasetError) as failure:
        prepare_examples([LONG], open_folder(folder), options)
    assert failure.value.code == "all_rows_overlong"


def test_no_length_is_proposed_that_the_model_does_not_take(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level", CHATML)
    needed = 0
    for context, code in ((4096, "no_trainable_tokens"), (100, "rows_longer_than_model")):
        config = {"model_type": "llama", "max_position_embeddings": context}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        with pytest.raises(DatasetRowError) as failure:
            prepare_examples([SHORT, LONG], open_folder(folder), PrepareOptions(64))
        assert failure.value.code == code
        needed = failure.value.params["needed"]
        refusal = RowCounter(load_template(folder), 64, context)(LONG).refusal
        assert refusal is not None and refusal.code == code
        assert (str(needed) in refusal.hint) is (code == "no_trainable_tokens")
    assert needed > 100


ANSWERS = ("はい。", "🦊", "x", "価格は1,234円です。" * 20)
QUESTIONS = ("？", "🦊" * 40, "長い質問です。" * 9)
MIXES = [
    [Example(1, 1, (Message("user", question), Message("assistant", answer)))]
    for question in QUESTIONS
    for answer in ANSWERS
]
MIXES += [[*one, replace(other[0], line=2, row=2)] for one, other in zip(MIXES, MIXES[5:], strict=False)]
MIXES += [[*one, Example(2, 2, text=TEXT)] for one in MIXES[4:12]]


def proposed(hint: str, options: PrepareOptions) -> list[PrepareOptions]:
    """Return the options of each next run that a hint names."""
    found = [replace(options, max_length=int(length)) for length in re.findall(r"--set max_length=(\d+)", hint)]
    return [*found, replace(options, drop_overlong=True)] if "--drop-overlong" in hint else found


@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("context", [None, 60, 300])
def test_no_hint_proposes_what_is_refused(tmp_path: Path, context: int | None, drops: bool) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level", CHATML)
    if context:
        config = {"model_type": "llama", "max_position_embeddings": context}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    codes, num_tried = set(), 0
    for examples in MIXES:
        for length in (16, 24, 48):
            options = PrepareOptions(length, drop_overlong=drops)
            try:
                prepare_examples(examples, open_folder(folder), options)
            except DatasetError as failure:
                codes.add(failure.code)
                hint = Problem("error", failure.code, params=failure.params).hint
                for other in proposed(hint, options):
                    num_tried += 1
                    assert other.max_length <= (context or other.max_length)
                    assert len(prepare_examples(examples, open_folder(folder), other)) > 0
    assert num_tried or (drops and context == 60), "nothing there that could be proposed"
    kept = {60: {"no_row_fits", "rows_longer_than_model"}, 300: {"no_trainable_tokens"}, None: {"no_trainable_tokens"}}
    dropped = {
        60: {"all_rows_over_model"},
        300: {"all_rows_overlong"},
        None: {"all_rows_overlong"},
    }
    assert (dropped if drops else kept)[context] <= codes


@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("kind", ["byte_level", "byte_level_bos"])
def test_with_the_least_length_the_same_examples_are_trained_on(tmp_path: Path, kind: str, drops: bool) -> None:
    folder = tokenizer_folder(tmp_path, kind, CHATML)
    num_shorter = 0
    for examples in MIXES:
        options = PrepareOptions(100, drop_overlong=drops)
        try:
            prepared = prepare_examples(examples, open_folder(folder), options)
        except DatasetError:
            continue
        least = prepared.least_length(drops)
        num_shorter += least < prepared.lengths.max()
        again = prepare_examples(examples, open_folder(folder), replace(options, max_length=least))
        assert set(again.rows.tolist()) == set(prepared.rows.tolist())
    assert drops or num_shorter > 5


def test_rows_without_an_answer_are_not_called_too_long(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level", CHATML)
    silent = Example(7, 7, (Message("user", "開店は？"),))
    refusal = RowCounter(load_template(folder), 64)(silent).refusal
    with pytest.raises(DatasetRowError) as failure:
        prepare_examples([SHORT, LONG, silent], open_folder(folder), PrepareOptions(64))
    assert refusal is not None
    assert (failure.value.code, failure.value.params["rows"], refusal.code) == (
        "rows_without_answer", [7], "rows_without_answer",
    )  # fmt: skip


def test_a_job_from_before_the_setting_keeps_cutting(tmp_path: Path) -> None:
    stored = {
        "schema": "llmlora.job/1", "id": "1", "base_model": "nano", "base_dir": "/b", "base_digest": "d",
        "data": {"path": "/d", "sha256": "s"}, "train": {"r": 4}, "llmlora_version": "0",
    }  # fmt: skip
    train = job_from_json(stored, tmp_path / "config.json").train
    assert (train.split_long_text, train.drop_overlong) == (False, False)
