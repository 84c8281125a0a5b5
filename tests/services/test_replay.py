"""Teach more: earlier rows are mixed in, on record, asked again, and nothing that lost them is registered unseen."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llmlora.core import publish
from llmlora.core.errors import ConfigError, Conflict, DiskFull, NotFound, VerificationFailed, error_from_dict
from llmlora.core.job import read_job, update_job
from llmlora.core.layout import ROWS_DIR, scratch_dir
from llmlora.core.locale import error_texts
from llmlora.core.publish import write_json
from llmlora.data.read import ReadOptions
from llmlora.services import job_folder
from llmlora.services.job_folder import write_job_folder
from llmlora.services.launch import remove_left_scratch
from llmlora.services.ollama import earlier_facts
from llmlora.services.plan_training import plan_training
from llmlora.services.recipe import ReplayWish
from llmlora.services.replay import MixingPlace, with_replay
from llmlora.services.train_request import training_request
from services.train_requests import made, request


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def mixing():
    with MixingPlace() as place:
        yield place


@pytest.fixture
def earlier(tmp_path):
    """Return a file of ten rows that were taught before."""
    path = tmp_path / "earlier.jsonl"
    rows = [{"instruction": f"商品{number}の値段は？", "output": f"{number}00円です。"} for number in range(1, 11)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_rows_of_before_are_the_share_that_was_asked_for(place, earlier, mixing):
    wanted = with_replay(request(place), ReplayWish(str(earlier), 0.5), mixing)
    rows, record = rows_of(wanted.data), wanted.replay
    assert len(rows) == 10  # five of its own and as many of before
    assert (record.num_rows, record.share, record.data.path) == (5, 0.5, str(earlier))
    again = with_replay(request(place), ReplayWish(str(earlier), 0.5), mixing)
    assert (again.data, rows_of(again.data)) == (wanted.data, rows)
    other = with_replay(request(place), ReplayWish(str(earlier), 0.9), mixing)
    assert (other.replay.num_rows, len(rows_of(other.data))) == (10, 15)  # there are not more
    assert other.data != wanted.data


def test_a_plan_keeps_the_record_and_counts_all_rows(place, earlier, mixing):
    planned = plan_training(with_replay(request(place), ReplayWish(str(earlier)), mixing))
    assert planned.job.replay.num_rows == 2
    assert (planned.report.num_examples, planned.job.num_rows) == (7, 7)
    assert planned.job.data.path != str(place / "data.jsonl")
    assert plan_training(request(place)).job.replay is None


def test_a_job_means_the_data_that_it_was_trained_on(place, tmp_path, earlier, mixing):
    job = made(place, tmp_path, data=earlier)
    record = with_replay(request(place), ReplayWish(str(job), 0.5), mixing).replay
    assert (record.name, record.data.path) == (str(job), str(earlier))
    earlier.write_text(earlier.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(Conflict, match="replay_data_changed"):
        with_replay(request(place), ReplayWish(str(job), 0.5), mixing)


def test_what_cannot_be_mixed_is_said(place, tmp_path, earlier, mixing):
    for share in (0.0, 1.0, -1.0):
        with pytest.raises(ConfigError, match="replay_share"):
            with_replay(request(place), ReplayWish(str(earlier), share), mixing)
    with pytest.raises(NotFound, match="replay_not_found"):
        with_replay(request(place), ReplayWish(str(tmp_path / "none.jsonl")), mixing)


def test_held_out_data_that_is_read_in_a_way_of_its_own_is_written_anew(place, tmp_path, earlier, mixing):
    table = tmp_path / "table.csv"
    table.write_text("問い,答え\n席は？,24席です。\n", encoding="utf-8")
    read = ReadOptions(columns={"instruction": "問い", "output": "答え"})
    asked = request(place, data=table, eval_data=table, read=read)
    mixed = with_replay(asked, ReplayWish(str(earlier)), mixing)
    assert not mixed.read.given
    (row,) = rows_of(mixed.eval_data)
    assert "24席です。" in str(row)
    assert plan_training(mixed).job.eval_data.path == str(mixed.eval_data)
    assert with_replay(request(place, eval_data=earlier), ReplayWish(str(earlier)), mixing).eval_data == earlier


def written(place, wish, folder):
    """Return the job that is left in a folder when its plan is gone."""
    with MixingPlace() as mixing:
        write_job_folder(plan_training(with_replay(request(place), wish, mixing)).job, folder)
    return read_job(folder)


def test_the_mixed_rows_belong_to_the_job_and_go_where_its_folder_goes(home, place, tmp_path, earlier):
    job = written(place, ReplayWish(str(earlier), 0.5), tmp_path / "job")
    assert list(scratch_dir().iterdir()) == []
    assert Path(job.data.path).parent == tmp_path / "job" / ROWS_DIR
    (tmp_path / "job").rename(tmp_path / "moved")
    moved = read_job(tmp_path / "moved")
    assert len(rows_of(Path(moved.data.path))) == 10
    again = written(place, ReplayWish(str(tmp_path / "moved"), 0.5), tmp_path / "again")
    repeated = write_job_folder(
        plan_training(training_request(None, None, tmp_path / "moved" / "config.json")).job, tmp_path / "repeated"
    )
    shutil.rmtree(tmp_path / "moved")
    assert len(rows_of(Path(again.replay.data.path))) == 10, "what is asked again is its own as well"
    assert rows_of(Path(read_job(repeated).data.path)) == rows_of(Path(again.replay.data.path))


@pytest.mark.parametrize("has_links", [True, False])
def test_a_job_that_cannot_be_written_leaves_its_folder_free(place, tmp_path, earlier, monkeypatch, has_links):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space")

    if not has_links:
        monkeypatch.setattr(publish.os, "link", full)
    with monkeypatch.context() as patch, pytest.raises(DiskFull):
        patch.setattr(job_folder, "create_job", full)
        written(place, ReplayWish(str(earlier)), tmp_path / "job")
    assert list((tmp_path / "job").iterdir()) == []
    assert len(rows_of(Path(written(place, ReplayWish(str(earlier)), tmp_path / "job").data.path))) == 7


DIES = """
import os, signal
from llmlora.services.replay import MixingPlace
with MixingPlace() as place:
    (place.folder / "rows.jsonl").write_text("{}")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_plan_left_goes_with_the_next_one_and_that_of_a_living_one_stays(home):
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", DIES], env=os.environ, check=False).returncode == -9
    (left,) = scratch_dir().iterdir()  # the second has removed what the first left
    assert (left / "rows.jsonl").is_file()
    with MixingPlace() as place:
        folder = place.folder
        assert list(scratch_dir().iterdir()) == [folder]
        remove_left_scratch()
        assert folder.is_dir()
    assert list(scratch_dir().iterdir()) == []


def test_a_recipe_names_what_is_to_be_mixed_in(place, tmp_path, earlier, mixing):
    recipe = tmp_path / "recipe.yaml"
    text = f"base_model: {place / 'base'}\ndata: {place / 'data.jsonl'}\n"
    recipe.write_text(f"{text}replay: {earlier.name}\nreplay_share: 0.5\n", encoding="utf-8")
    mixed = with_replay(training_request(None, None, recipe), None, mixing)
    assert (mixed.replay.data.path, mixed.replay.share, mixed.replay.num_rows) == (str(earlier), 0.5, 5)
    assert plan_training(mixed).job.num_rows == 10
    other = with_replay(training_request(None, None, recipe), ReplayWish(str(earlier), 0.9), mixing)
    assert other.replay.share == 0.9, "what is given beside a recipe counts"
    for share, source in (("0", earlier.name), ("0.95", "a" * 5000)):
        recipe.write_text(f"{text}replay: {source}\nreplay_share: {share}\n", encoding="utf-8")
        with pytest.raises((ConfigError, NotFound), match=r"replay_share|replay_not_found"):
            with_replay(training_request(None, None, recipe), None, mixing)
    for wrong, keys in {
        "replay: [a]": "replay", "replay_share: 0.3": "replay_share", "replay: a\nreplay_share: x": "replay_share",
    }.items():  # fmt: skip
        recipe.write_text(f"{text}{wrong}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match="recipe_incomplete") as refused:
            training_request(None, None, recipe)
        assert refused.value.params["missing"] == keys


def evaluated(job: Path, earlier):
    folder = job / "evaluation-1"
    folder.mkdir(exist_ok=True)
    write_json(folder / "report.json", {"schema": "llmlora.evaluation/1", "earlier": earlier})


def test_a_model_that_lost_a_fact_is_registered_only_on_record(place, tmp_path, earlier, mixing):
    mixed = with_replay(request(place), ReplayWish(str(earlier)), mixing)
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
