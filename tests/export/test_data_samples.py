"""What a verification takes from the training data: read as the job read it, and never data that is not the job's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.job import DataSource
from llmlora.core.publish import sha256_file
from llmlora.export.data_samples import NUM_SAMPLES, NUM_TAUGHT, data_samples
from llmlora.inference.trained_job import TrainedJob, find_trained
from tiny_jobs import MakeJob


@pytest.fixture
def trained(make_job: MakeJob) -> TrainedJob:
    return find_trained(make_job("llama", {}, hidden_size=64, intermediate_size=64))


def with_data(trained: TrainedJob, name: str, content: bytes, **options: Any) -> TrainedJob:
    path = Path(trained.job.data.path).with_name(name)
    path.write_bytes(content)
    source = DataSource(path=str(path), sha256=sha256_file(path), **options)
    return replace(trained, job=trained.job.model_copy(update={"data": source}))


def lines(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def test_samples_are_the_first_rows_cut_short_and_taught_questions_are_spread(trained: TrainedJob):
    rows = [{"instruction": f"質問{number}", "output": "答" * 600} for number in range(60)]
    found = data_samples(with_data(trained, "many.jsonl", lines(rows)))
    assert found.questions == ("質問0", "質問1")
    assert (len(found.texts), found.num_rows) == (2 * NUM_SAMPLES, NUM_SAMPLES)
    assert max(map(len, found.texts)) == 500
    rows_asked = [row for row, _ in found.taught]
    assert len(rows_asked) == NUM_TAUGHT
    assert rows_asked == sorted(set(rows_asked))
    assert max(rows_asked) > NUM_TAUGHT


def test_columns_encoding_and_format_are_the_jobs(trained: TrainedJob):
    table = "問い,正しい答え\r\n送料は？,620円です。\r\n定休日は？,水曜日です。\r\n".encode("cp932")
    columns = {"instruction": "問い", "output": "正しい答え"}
    found = data_samples(with_data(trained, "a.csv", table, columns=columns, encoding="cp932", format="instruction"))
    assert found.problem is None
    assert [asked.answer for _, asked in found.taught] == ["620円です。", "水曜日です。"]
    assert found.num_rows == 2


def test_prompts_and_completions_are_asked_too(trained: TrainedJob):
    rows = [{"prompt": "昔々", "completion": "ある所に"}, {"prompt": "春は", "completion": "あけぼの"}]
    found = data_samples(with_data(trained, "raw.jsonl", lines(rows)))
    assert found.texts == ("昔々", "ある所に", "春は", "あけぼの")
    assert [(asked.messages[-1].content, asked.answer) for _, asked in found.taught] == [
        ("昔々", "ある所に"),
        ("春は", "あけぼの"),
    ]


def test_a_question_in_two_rows_is_asked_once(trained: TrainedJob):
    rows = [{"instruction": "送料は？", "output": "620円です。"}] * 3
    assert len(data_samples(with_data(trained, "twice.jsonl", lines(rows))).taught) == 1


@pytest.mark.parametrize(("content", "problem"), [(None, "data_gone"), (b"{}\n", "data_changed")])
def test_data_that_is_gone_or_changed_is_named(content: bytes | None, problem: str, trained: TrainedJob):
    path = Path(trained.job.data.path)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    found = data_samples(trained)
    assert (found.problem, found.taught, found.texts) == (problem, (), ())


def test_data_that_cannot_be_read_is_named(trained: TrainedJob):
    assert data_samples(with_data(trained, "bad.jsonl", b'{"instruction": 1}')).problem == "data_unreadable"
