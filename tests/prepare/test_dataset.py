from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmlora.core.errors import DatasetError, DatasetRowError, NotFound
from llmlora.core.examples import Example, Message
from llmlora.core.layout import prepared_dir
from llmlora.core.locale import LANGUAGES, error_texts, set_language
from llmlora.data.read import ReadOptions
from llmlora.prepare import dataset
from llmlora.prepare.dataset import (
    IGNORED,
    PreparedDataset,
    PrepareOptions,
    fit_row,
    load_prepared,
    prepare_examples,
    prepare_file,
)  # fmt: skip
from llmlora.prepare.template import load_template
from llmlora.weights.base import open_folder
from prepare.folders import CHATML, GEMMA, REWRITING, tokenizer_folder

pytestmark = pytest.mark.usefixtures("home")
OPTIONS = PrepareOptions(max_length=256)


def chat(row: int, question: str = "価格は?", answer: str = "1,234円です。") -> Example:
    """Return a one-turn example."""
    return Example(row, row, (Message("user", question), Message("assistant", answer)))


def prepare(folder: Path, *examples: Example, **options: Any) -> PreparedDataset:
    """Prepare examples without a cache."""
    return prepare_examples(examples, open_folder(folder), PrepareOptions(**{"max_length": 256, **options}))


def trained(prepared: PreparedDataset, folder: Path, index: int = 0) -> str:
    """Return the text of the labels of a row."""
    _, labels = prepared.row(index)
    return "".join(load_template(folder).encoder.pieces([token for token in labels.tolist() if token != IGNORED]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A base folder with a ChatML template."""
    return tokenizer_folder(tmp_path / "base", "byte_level", CHATML)


@pytest.fixture
def bos_folder(tmp_path: Path) -> Path:
    """A base folder whose tokenizer adds BOS and whose template has no system role."""
    return tokenizer_folder(tmp_path / "bos", "byte_level_bos", GEMMA)


def error_of(code: str, *arguments: Any, **options: Any) -> DatasetError:
    """Return the error of preparing, checked to be worded in both languages."""
    with pytest.raises(DatasetError) as caught:
        prepare(*arguments, **options)
    assert caught.value.code == code
    for language in LANGUAGES:
        set_language(language)
        texts = error_texts(caught.value)
        assert all(text and "{" not in text and not text.startswith("error.") for text in texts.values()), texts
    return caught.value


def test_rows_lie_end_to_end(folder: Path) -> None:
    prepared = prepare(folder, chat(1), chat(2, "もう一度", "はい。"), chat(3))
    assert len(prepared) == 3
    assert prepared.rows.tolist() == [1, 2, 3]
    assert prepared.num_tokens == len(prepared.input_ids) == len(prepared.labels) == sum(prepared.lengths)
    assert prepared.input_ids.dtype == prepared.labels.dtype == np.int32
    assert prepared.offsets.dtype == np.int64
    assert prepared.row(0)[0].tolist() == prepared.row(2)[0].tolist()
    assert prepared.num_label_tokens == int((prepared.labels != IGNORED).sum())
    assert trained(prepared, folder, 1) == "はい。<|im_end|>"


def test_labels_are_the_ids_they_stand_at(folder: Path) -> None:
    ids, labels = prepare(folder, chat(1)).row(0)
    assert set(labels.tolist()) - {IGNORED}
    assert all(label in (IGNORED, token) for token, label in zip(ids.tolist(), labels.tolist(), strict=True))


def test_the_arrays_equal_the_template_s_own_rows(folder: Path) -> None:
    example = chat(1)
    ((ids, learned),) = load_template(folder).encode_example(example.messages)
    prepared = prepare(folder, example)
    assert prepared.row(0)[0].tolist() == ids
    assert (prepared.row(0)[1] != IGNORED).tolist() == learned


def test_a_rewriting_template_gives_a_row_per_answer(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level", REWRITING)
    turns = (*chat(1).messages, Message("user", "More?"), Message("assistant", "Hello"))
    prepared = prepare(folder, Example(1, 1, turns), chat(2))
    assert prepared.rows.tolist() == [1, 1, 2]
    assert trained(prepared, folder, 1) == "<think>\n\n</think>\n\nHello<|im_end|>"


def test_completion_rows_are_raw_and_end_with_eos(bos_folder: Path) -> None:
    prepared = prepare(bos_folder, Example(1, 1, prompt="質問: 価格は?\n", completion="1,234円"))
    ids = prepared.row(0)[0].tolist()
    encoder = load_template(bos_folder).encoder
    assert "".join(encoder.pieces(ids)) == "<s>質問: 価格は?\n1,234円<|endoftext|>"
    assert trained(prepared, bos_folder) == "1,234円<|endoftext|>"
    assert ids.count(encoder.bos_id) == 1


def test_a_completion_that_merges_with_its_prompt_starts_where_the_prompt_ends(folder: Path) -> None:
    encoder = load_template(folder).encoder
    prompt, completion = "assist", "ant system"
    assert encoder.encode(prompt + completion)[: len(encoder.encode(prompt))] != encoder.encode(prompt)
    prepared = prepare(folder, Example(1, 1, prompt=prompt, completion=completion))
    assert prepared.row(0)[0].tolist()[: len(encoder.encode(prompt))] == encoder.encode(prompt)
    assert trained(prepared, folder) == "ant system<|im_end|>"


def test_text_rows_are_trained_whole(bos_folder: Path) -> None:
    prepared = prepare(bos_folder, Example(1, 1, text="東京の天気は晴れです。"))
    assert trained(prepared, bos_folder) == "東京の天気は晴れです。<|endoftext|>"
    assert prepared.row(0)[1][0] == IGNORED


@pytest.mark.parametrize("assistant_only_loss", [True, False])
def test_prompts_are_trained_only_when_asked(assistant_only_loss: bool, folder: Path) -> None:
    examples = (chat(1), Example(2, 2, prompt="価格は?", completion="円"))
    prepared = prepare(folder, *examples, assistant_only_loss=assistant_only_loss)
    for index in range(2):
        share = (prepared.row(index)[1][1:] != IGNORED).mean()
        assert (share == 1) == (not assistant_only_loss)


def test_a_system_text_is_added_where_there_is_none(folder: Path, bos_folder: Path) -> None:
    own = Example(2, 2, (Message("system", "Own."), *chat(2).messages))
    prepared = prepare(folder, chat(1), own, system="You help.")
    encoder = load_template(folder).encoder
    texts = ["".join(encoder.pieces(prepared.row(index)[0].tolist())) for index in range(2)]
    assert "You help." in texts[0] and "You help." not in texts[1] and "Own." in texts[1]
    assert prepared.facts["num_system_folded"] == 0
    assert prepare(bos_folder, chat(1), own, system="You help.").facts["num_system_folded"] == 2


def test_control_tokens_in_texts_are_counted(folder: Path) -> None:
    examples = (chat(1, "a <|im_end|>", "b <|im_start|><|im_end|>"), Example(2, 2, text="<|endoftext|>"))
    assert prepare(folder, *examples).facts["num_control_tokens"] == 4


# ── truncation ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cut_inside_an_answer_keeps_its_end_token(folder: Path) -> None:
    whole = prepare(folder, chat(1, answer="Hello, world! " * 20))
    cut = prepare(folder, chat(1, answer="Hello, world! " * 20), max_length=30)
    ids, labels = cut.row(0)
    assert len(ids) == 30
    assert ids[-1] == labels[-1] == load_template(folder).encoder.eos_id
    assert ids[:-1].tolist() == whole.row(0)[0][:29].tolist()
    assert (cut.num_truncated, whole.num_truncated) == (1, 0)
    shown, count = cut.cut(0)
    assert count == len(whole.input_ids) - 29
    assert shown.tolist() == whole.input_ids[29 : 29 + len(shown)].tolist()


def test_a_cut_never_splits_a_character(folder: Path) -> None:
    encoder = load_template(folder).encoder
    for max_length in range(20, 40):
        prepared = prepare(folder, chat(1, answer="😀龍🎉" * 20), max_length=max_length)
        assert "\ufffd" not in "".join(encoder.pieces(prepared.row(0)[0].tolist()))


@pytest.mark.parametrize("max_length", [8, 10, 16])
def test_rows_with_nothing_to_learn_are_named_together(max_length: int, folder: Path) -> None:
    long = [chat(row, question="長い質問です。" * 20) for row in (2, 4, 5)]
    error = error_of("no_trainable_tokens", folder, chat(1, "a", "b"), *long, max_length=max_length)
    assert isinstance(error, DatasetRowError)
    assert set(error.params["rows"]) >= {2, 4, 5}
    needed = error.params["needed"]
    assert prepare(folder, chat(1, "a", "b"), *long, max_length=needed).num_truncated == 0


def test_examples_without_an_answer_are_named(folder: Path) -> None:
    error = error_of("rows_without_answer", folder, chat(1), Example(7, 7, (Message("user", "Hello?"),)))
    assert error.params["rows"] == [7]


def test_many_bad_rows_are_listed_briefly(folder: Path) -> None:
    bad = [chat(row, question="長い質問です。" * 20) for row in range(1, 60)]
    error = error_of("no_trainable_tokens", folder, *bad, max_length=16)
    assert len(error.params["rows"]) == error.params["count"] == 59
    assert error.params["listed"].endswith("20, …")


def test_a_long_conversation_falls_back_to_its_last_whole_answer(folder: Path) -> None:
    turns = (*chat(1).messages, Message("user", "長い質問です。" * 30), Message("assistant", "Hello"))
    prepared = prepare(folder, Example(1, 1, turns), max_length=64)
    assert trained(prepared, folder) == "1,234円です。<|im_end|>"
    assert prepared.num_truncated == 1
    assert prepared.row(0)[1][-1] != IGNORED


def test_answers_of_a_rewriting_template_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "byte_level", REWRITING)
    turns = (*chat(1).messages, Message("user", "長い質問です。" * 30), Message("assistant", "Hello"))
    prepared = prepare(folder, Example(1, 1, turns), max_length=64)
    assert len(prepared) == 1
    assert (prepared.num_truncated, prepared.facts["num_rows_dropped"]) == (1, 1)


def test_fitting_any_row_keeps_its_promises() -> None:
    chance = random.Random(11)
    for _ in range(3000):
        runs = [(chance.random() < 0.5, chance.randrange(1, 8)) for _ in range(chance.randrange(1, 7))]
        learned = [is_learned for is_learned, length in runs for _ in range(length)]
        ids = list(range(len(learned)))
        max_length = chance.randrange(2, 30)
        kept, marks, cut = fit_row(ids, learned, max_length)
        assert len(kept) == len(marks) <= max_length or len(kept) == 1
        if len(ids) <= max_length:
            assert (kept, marks, cut) == (ids, learned, [])
            continue
        ends = {place for place in ids if learned[place] and not [*learned, False][place + 1]}
        if any(marks):
            assert kept[-1] in ends and marks[-1], "the row ends with the last token of an answer"
        body = kept[:-1] if any(marks) else kept
        assert body == ids[: len(body)]
        assert marks[: len(body)] == learned[: len(body)]
        assert cut == ids[len(ids) - len(cut) :]


# ── other refusals ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_that_the_template_refuses_are_named_together(bos_folder: Path) -> None:
    bad = (Message("user", "a"), Message("user", "b"), Message("assistant", "c"))
    error = error_of("row_refused_by_template", bos_folder, chat(1), Example(2, 2, bad), Example(5, 5, bad))
    assert error.params["rows"] == [2, 5]
    assert "alternate" in error.params["detail"]


def test_no_examples(folder: Path) -> None:
    error_of("nothing_to_prepare", folder)


def test_a_tokenizer_that_does_not_know_the_language_is_refused(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "dropping")
    error = error_of("too_many_unknown_tokens", folder, chat(1, "東京の天気は?", "晴れです。"))
    assert error.params["percent"] > 20
    english = [chat(row, "How much is it today?", "It is 1234 yen.") for row in range(8)]
    known = prepare(folder, *english, chat(9, "a", "b円"))
    assert 0 < known.facts["unknown_share"] < 0.2


# ── cache ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def rows_file(path: Path, *answers: str) -> Path:
    """Write an instruction file."""
    rows = [{"instruction": f"質問{index}", "output": answer} for index, answer in enumerate(answers)]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    return path


def test_a_second_preparation_comes_from_the_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = rows_file(tmp_path / "data.jsonl", "はい。", "いいえ。")
    first = prepare_file(path, ReadOptions(), open_folder(folder), OPTIONS)
    monkeypatch.setattr(dataset, "_Builder", lambda *_: pytest.fail("prepared again"))
    second = prepare_file(path, ReadOptions(), open_folder(folder), OPTIONS)
    assert first.digest == second.digest
    assert second.input_ids.tolist() == first.input_ids.tolist()
    assert second.labels.tolist() == first.labels.tolist()
    assert isinstance(second.input_ids, np.memmap) and second.facts == first.facts


def test_whatever_changes_the_arrays_changes_the_key(folder: Path, tmp_path: Path) -> None:
    path = rows_file(tmp_path / "data.jsonl", "はい。", "いいえ。")
    digests = [prepare_file(path, ReadOptions(), open_folder(folder), OPTIONS).digest]
    for options in (
        PrepareOptions(max_length=255),
        PrepareOptions(max_length=256, assistant_only_loss=False),
        PrepareOptions(max_length=256, system="You help."),
        PrepareOptions(max_length=256, chat_template="plain"),
    ):
        digests.append(prepare_file(path, ReadOptions(), open_folder(folder), options).digest)
    columns = {"instruction": "output", "output": "instruction"}
    digests.append(prepare_file(path, ReadOptions(columns=columns), open_folder(folder), OPTIONS).digest)
    (folder / "chat_template.jinja").write_text(CHATML + " ", encoding="utf-8")
    digests.append(prepare_file(path, ReadOptions(), open_folder(folder), OPTIONS).digest)
    other = tokenizer_folder(tmp_path / "other", "byte_level", CHATML, model_max_length=7)
    digests.append(prepare_file(path, ReadOptions(), open_folder(other), OPTIONS).digest)
    digests.append(prepare_file(rows_file(path, "はい。"), ReadOptions(), open_folder(folder), OPTIONS).digest)
    assert len(set(digests)) == len(digests)
    assert len(list(prepared_dir().iterdir())) == len(digests)


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_cache_is_prepared_again(damage: str, folder: Path, tmp_path: Path) -> None:
    path = rows_file(tmp_path / "data.jsonl", "はい。", "いいえ。")
    first = prepare_file(path, ReadOptions(), open_folder(folder), OPTIONS)
    expected = first.labels.tolist()
    target = prepared_dir() / first.digest / "labels.npy"
    raw = target.read_bytes()
    target.unlink()
    if damage != "remove":
        target.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]) if damage == "flip" else raw[:-4])
    assert load_prepared(prepared_dir() / first.digest) is None
    assert prepare_file(path, ReadOptions(), open_folder(folder), OPTIONS).labels.tolist() == expected
    assert load_prepared(prepared_dir() / first.digest) is not None


def test_a_refused_file_leaves_nothing_in_the_cache(folder: Path, tmp_path: Path) -> None:
    path = rows_file(tmp_path / "data.jsonl", "はい。")
    with pytest.raises(DatasetRowError):
        prepare_file(path, ReadOptions(), open_folder(folder), PrepareOptions(max_length=8))
    assert not prepared_dir().exists() or not list(prepared_dir().iterdir())


def test_the_oldest_of_the_cache_is_forgotten(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "MAX_CACHED", 2)
    path = rows_file(tmp_path / "data.jsonl", "はい。")
    digests = []
    for age, max_length in ((300, 100), (200, 101), (100, 102)):
        digests.append(prepare_file(path, ReadOptions(), open_folder(folder), PrepareOptions(max_length)).digest)
        moment = time.time() - age
        os.utime(prepared_dir() / digests[-1], (moment, moment))
    assert {entry.name for entry in prepared_dir().iterdir()} == set(digests[1:])


def test_preparing_tells_its_progress_and_can_be_stopped(folder: Path) -> None:
    seen: list[int] = []

    def stop_later(count: int) -> None:
        seen.append(count)
        if count > 300:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        prepare_examples((chat(row) for row in range(5000)), open_folder(folder), OPTIONS, on_progress=stop_later)
    assert seen == [0, 256, 512]


def test_a_missing_file(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        prepare_file(tmp_path / "none.jsonl", ReadOptions(), open_folder(folder), OPTIONS)


def test_without_a_key_nothing_is_kept(folder: Path) -> None:
    assert isinstance(prepare(folder, chat(1)), PreparedDataset)
    assert not prepared_dir().exists()
