"""Rows are held out by content: copies stay together, and `dataset convert --split` holds out the same."""

import json

import pytest

from llmlora.core.config import TrainConfig
from llmlora.core.errors import ConfigError
from llmlora.core.job import FIRST_RULES, RULES, DataSource, JobConfig, job_from_json
from llmlora.core.publish import sha256_file
from llmlora.data.convert import convert_dataset
from llmlora.data.read import ReadOptions
from llmlora.prepare.dataset import PrepareOptions, prepare_file
from llmlora.prepare.held_out import held_out_split
from llmlora.weights.base import open_folder
from tiny_models import tiny_model


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_model("llama", tmp_path_factory.mktemp("base") / "base")


def write(path, texts):
    rows = [json.dumps({"prompt": text, "completion": f"answer {text}"}) for text in texts]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def split(base, path, fraction=0.3, seed=42, rules=RULES):
    """Return the row numbers to train on and those held out."""
    job = JobConfig(
        schema="llmlora.job/1", id="T", base_model="t", base_dir=str(base), base_digest="d", llmlora_version="0",
        data=DataSource(path=str(path), sha256=sha256_file(path)), rules=rules,
        train=TrainConfig(validation_split=fraction, seed=seed),
    )  # fmt: skip
    prepared = prepare_file(path, ReadOptions(), open_folder(base), PrepareOptions(64))
    train, held_out = held_out_split(job, prepared)
    return [int(prepared.rows[place]) for place in train], [int(prepared.rows[place]) for place in held_out]


def test_copies_of_a_row_are_on_one_side(base, tmp_path):
    texts = [f"question {number % 8}" for number in range(32)]
    train, held_out = split(base, write(tmp_path / "copies.jsonl", texts))
    assert sorted(train + held_out) == list(range(1, 33))
    assert held_out
    assert not {texts[row - 1] for row in train} & {texts[row - 1] for row in held_out}


def test_convert_holds_out_the_same_rows(base, tmp_path):
    texts = [f"question {number % 15}" for number in range(40)]
    path = write(tmp_path / "data.jsonl", texts)
    convert_dataset(path, tmp_path / "out.jsonl", split=0.2, seed=7)
    lines = (tmp_path / "out.eval.jsonl").read_text(encoding="utf-8").splitlines()
    _, held_out = split(base, path, 0.2, 7)
    assert [texts[row - 1] for row in held_out] == [json.loads(line)["prompt"] for line in lines]


def test_rows_that_are_all_the_same_cannot_be_split(base, tmp_path):
    with pytest.raises(ConfigError) as caught:
        split(base, write(tmp_path / "same.jsonl", ["same"] * 6))
    assert caught.value.code == "copies_cannot_be_split"


def test_a_job_of_the_first_rules_goes_on_with_its_own_split(base, tmp_path):
    """The numbers were found with the code that knew no other rules."""
    path = write(tmp_path / "old.jsonl", ["same"] * 4 + ["other"] * 6)
    assert split(base, path, 0.3, 42, FIRST_RULES)[1] == [4, 6, 10]


def test_a_config_without_rules_is_of_the_first(tmp_path):
    data = DataSource(path="-", sha256="-")
    job = JobConfig(
        schema="llmlora.job/1", id="T", base_model="t", base_dir="b", base_digest="d", data=data, train=TrainConfig(),
        llmlora_version="0",
    )  # fmt: skip
    written = job.to_json()
    assert job_from_json(written, tmp_path / "config.json").rules == RULES
    del written["rules"]
    assert job_from_json(written, tmp_path / "config.json").rules == FIRST_RULES
