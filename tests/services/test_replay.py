"""Teach more: earlier rows are mixed in, on record, asked again, and nothing that lost them is registered unseen."""

import json
from pathlib import Path

import pytest

from llmlora.core.errors import ConfigError, Conflict, NotFound, VerificationFailed, error_from_dict
from llmlora.core.job import read_job, update_job
from llmlora.core.layout import replays_dir
from llmlora.core.locale import error_texts
from llmlora.core.publish import write_json
from llmlora.data.read import ReadOptions
from llmlora.services.ollama import earlier_facts
from llmlora.services.plan_training import plan_training
from llmlora.services.replay import ReplayWish, with_replay
from services.train_requests import made, request


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def earlier(tmp_path):
    """Return a file of ten rows that were taught before."""
    path = tmp_path / "earlier.jsonl"
    rows = [{"instruction": f"商品{number}の値段は？", "output": f"{number}00円です。"} for number in range(1, 11)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_rows_of_before_are_the_share_that_was_asked_for(place, earlier):
    wanted = with_replay(request(place), ReplayWish(str(earlier), 0.5), replays_dir())
    rows, record = rows_of(wanted.data), wanted.replay
    assert len(rows) == 10  # five of its own and as many of before
    assert (record.num_rows, record.share, record.data.path) == (5, 0.5, str(earlier))
    again = with_replay(request(place), ReplayWish(str(earlier), 0.5), replays_dir())
    assert (again.data, rows_of(again.data)) == (wanted.data, rows)
    other = with_replay(request(place), ReplayWish(str(earlier), 0.9), replays_dir())
    assert (other.replay.num_rows, len(rows_of(other.data))) == (10, 15)  # there are not more
    assert other.data != wanted.data


def test_a_plan_keeps_the_record_and_counts_all_rows(place, earlier):
    planned = plan_training(with_replay(request(place), ReplayWish(str(earlier)), replays_dir()))
    assert planned.job.replay.num_rows == 2
    assert (planned.report.num_examples, planned.job.num_rows) == (7, 7)
    assert planned.job.data.path != str(place / "data.jsonl")
    assert plan_training(request(place)).job.replay is None


def test_a_job_means_the_data_that_it_was_trained_on(place, tmp_path, earlier):
    job = made(place, tmp_path, data=earlier)
    record = with_replay(request(place), ReplayWish(str(job), 0.5), replays_dir()).replay
    assert (record.name, record.data.path) == (str(job), str(earlier))
    earlier.write_text(earlier.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(Conflict, match="replay_data_changed"):
        with_replay(request(place), ReplayWish(str(job), 0.5), replays_dir())


def test_what_cannot_be_mixed_is_said(place, tmp_path, earlier):
    for share in (0.0, 1.0, -1.0):
        with pytest.raises(ConfigError, match="replay_share"):
            with_replay(request(place), ReplayWish(str(earlier), share), replays_dir())
    with pytest.raises(NotFound, match="replay_not_found"):
        with_replay(request(place), ReplayWish(str(tmp_path / "none.jsonl")), replays_dir())


def test_held_out_data_that_is_read_in_a_way_of_its_own_is_written_anew(place, tmp_path, earlier):
    table = tmp_path / "table.csv"
    table.write_text("問い,答え\n席は？,24席です。\n", encoding="utf-8")
    read = ReadOptions(columns={"instruction": "問い", "output": "答え"})
    asked = request(place, data=table, eval_data=table, read=read)
    mixed = with_replay(asked, ReplayWish(str(earlier)), replays_dir())
    assert not mixed.read.given
    (row,) = rows_of(mixed.eval_data)
    assert "24席です。" in str(row)
    assert plan_training(mixed).job.eval_data.path == str(mixed.eval_data)
    assert with_replay(request(place, eval_data=earlier), ReplayWish(str(earlier)), replays_dir()).eval_data == earlier


def evaluated(job: Path, earlier):
    folder = job / "evaluation-1"
    folder.mkdir(exist_ok=True)
    write_json(folder / "report.json", {"schema": "llmlora.evaluation/1", "earlier": earlier})


def test_a_model_that_lost_a_fact_is_registered_only_on_record(place, tmp_path, earlier):
    mixed = with_replay(request(place), ReplayWish(str(earlier)), replays_dir())
    job = made(place, tmp_path, data=mixed.data, replay=mixed.replay)
    assert read_job(job).replay is not None
    with pytest.raises(VerificationFailed, match="replay_not_asked") as not_asked:
        earlier_facts(job, force=False)
    assert str(job) in error_texts(error_from_dict(not_asked.value.to_dict()))["hint"]
    assert earlier_facts(job, force=True)["is_overridden"]
    lost = {"row": 1, "question": "商品1の値段は？", "fact": "100円", "answer": "わかりません。"}
    counts = {"num_facts": 10, "num_before": 10, "num_after": 9}
    evaluated(job, {**counts, "lost": [lost]})
    with pytest.raises(VerificationFailed, match="replay_lost"):
        earlier_facts(job, force=False)
    assert earlier_facts(job, force=True) == {"num_facts": 10, "num_after": 9, "num_lost": 1, "is_overridden": True}
    evaluated(job, {**counts, "num_after": 10, "lost": []})
    kept = {"num_facts": 10, "num_after": 10, "num_lost": 0, "is_overridden": False}
    assert earlier_facts(job, force=False) == earlier_facts(job, force=True) == kept
    update_job(job, replay=None)
    assert earlier_facts(job, force=False) is None
