"""Versions of datasets as a function: threads at one time, a death at every step, and what trimming leaves alone."""

import json
import threading

import pytest

from llmlora.core.errors import Conflict, DatasetError, NotFound
from llmlora.core.layout import new_id, work_root
from llmlora.data.edit import RowChange
from llmlora.services import dataset_versions
from llmlora.services.dataset_check import common_read, kept_read
from llmlora.services.dataset_versions import Repair, change_row, repair, restore, versions_of
from llmlora.services.kept_datasets import NewDataset, data_file, findings_file, get_dataset, keep_examples, keep_file
from llmlora.services.queue import Queue
from llmlora.store import datasets, rebuild
from llmlora.store.jobs import DatasetUse
from llmlora.store.opening import open_store

ROWS = [{"instruction": f"質問{number}は？", "output": f"答え{number}です。"} for number in range(4)]


@pytest.fixture
def database(home):
    opened = open_store(home)
    yield opened
    opened.close()


@pytest.fixture
def kept(database):
    return keep_examples(database, NewDataset("店"), ROWS)


def rows_in(database, row):
    text = data_file(database, row).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def edited(database, row, output, number=1):
    return change_row(database, row.id, row.version, RowChange(number, fields={"output": output}))


def test_every_version_is_whole_and_comes_back(database, kept):
    second = edited(database, kept, "二版")
    third = change_row(database, kept.id, 2, RowChange(4))
    assert [item.version for item in versions_of(database, kept.id)] == [3, 2, 1]
    assert rows_in(database, kept) == ROWS
    assert rows_in(database, second)[0]["output"] == "二版"
    assert len(rows_in(database, third)) == 3
    back = restore(database, kept.id, 3, 1)
    assert (back.version, back.sha256, rows_in(database, back)) == (4, kept.sha256, ROWS)
    assert back.change["of"] == 1
    for item in versions_of(database, kept.id):
        assert data_file(database, item).is_file()
        assert findings_file(database, item).is_file()


def test_a_change_says_when_and_of_what_it_was_made(database, kept):
    change = edited(database, kept, "二版").change
    assert (change["action"], change["row"], change["from"]) == ("edit_row", 1, 1)
    assert change["at"] >= kept.created_at


def test_of_many_threads_one_is_first(database, kept):
    """All have looked at the same version; nobody's change is mixed with another's."""
    outcomes, barrier = [], threading.Barrier(3)

    def work(number):
        barrier.wait()
        try:
            outcomes.append(edited(database, kept, f"{number}人目").version)
        except Conflict as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["2", "dataset_changed", "dataset_changed"]
    newest = get_dataset(database, kept.id)
    assert (newest.version, rows_in(database, newest)[1:]) == (2, ROWS[1:])


@pytest.mark.parametrize("step", ["write_version_record", "write_dataset_record", "put_version"])
def test_a_death_at_any_step_leaves_one_version_or_the_other(database, kept, monkeypatch, step):
    class Death(BaseException):
        pass

    def die(*_):
        raise Death

    owner = datasets if step == "put_version" else dataset_versions
    monkeypatch.setattr(owner, step, die)
    with pytest.raises(Death):
        edited(database, kept, "二版")
    monkeypatch.undo()
    assert get_dataset(database, kept.id) == kept
    assert rows_in(database, kept) == ROWS
    rebuild.rebuild(database)
    told = get_dataset(database, kept.id)
    assert told.version in (1, 2)
    assert len(rows_in(database, told)) == 4
    following = edited(database, told, "次の版")
    assert rows_in(database, following)[0]["output"] == "次の版"
    assert len(versions_of(database, kept.id)) >= 2


def test_versions_that_jobs_may_read_stay(database, kept, home, monkeypatch):
    monkeypatch.setattr(dataset_versions, "KEPT_VERSIONS", 1)
    job_id = new_id()
    folder = work_root(home, "train") / job_id
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    Queue(database).submit("train", folder, name="j", job_id=job_id, datasets=[DatasetUse(kept.id)])
    newest = edited(database, edited(database, kept, "二版"), "三版")
    assert [item.version for item in versions_of(database, newest.id)] == [3, 2, 1]
    assert rows_in(database, kept) == ROWS


def test_a_version_that_was_given_up_does_not_come_back(database, kept, monkeypatch):
    monkeypatch.setattr(dataset_versions, "KEPT_VERSIONS", 1)
    newest = edited(database, edited(database, kept, "二版"), "三版")
    with pytest.raises(NotFound) as caught:
        restore(database, kept.id, newest.version, 1)
    assert caught.value.code == "version_not_found"


def test_a_deleted_dataset_is_not_changed(database, kept):
    with database.write() as connection:
        datasets.remove(connection, kept.id)
    for change in (
        lambda: edited(database, kept, "x"),
        lambda: repair(database, kept.id, 1, Repair(("deduplicate",))),
        lambda: restore(database, kept.id, 1, 1),
        lambda: versions_of(database, kept.id),
    ):
        with pytest.raises(NotFound):
            change()


def test_how_a_file_is_read_is_remembered(database, tmp_path):
    table = "質問,答え候補\nｶﾅ,ｱ\n".encode("cp932")
    told = NewDataset("n", file_name="a.csv", encoding="cp932", columns={"instruction": "質問", "output": "答え候補"})
    (tmp_path / "a.csv").write_bytes(table)
    with (tmp_path / "a.csv").open("rb") as stream:
        row = keep_file(database, told, stream)
    assert (row.is_ok, row.encoding, row.columns) == (True, "cp932", dict(told.columns))
    assert kept_read(row).to_dict() == {"format": "instruction", "columns": dict(told.columns), "encoding": "cp932"}
    after = change_row(database, row.id, 1, RowChange(1, fields={"答え候補": "ア"}))
    assert (after.is_ok, after.encoding, after.columns) == (True, "utf-8", row.columns)
    assert kept_read(after).encoding is None
    assert restore(database, row.id, 2, 1).encoding == "cp932"


def test_two_datasets_that_are_read_in_different_ways(database, kept, tmp_path):
    (tmp_path / "a.csv").write_bytes("質問,回答\nこれは何ですか？,それはねこです。\n".encode("euc_jp"))
    with (tmp_path / "a.csv").open("rb") as stream:
        other = keep_file(database, NewDataset("n", file_name="a.csv"), stream)
    assert kept_read(other).encoding == "euc_jp"
    assert common_read(other, kept).encoding is None
    assert common_read(other, other).encoding == "euc_jp"
    assert common_read(other, None) == kept_read(other)


def test_what_a_repair_cannot_leave(database):
    bad = keep_examples(database, NewDataset("n"), [{"instruction": "a", "output": ""}])
    with pytest.raises(DatasetError) as caught:
        repair(database, bad.id, 1, Repair(("drop_invalid",)))
    assert caught.value.code == "no_records"
    assert get_dataset(database, bad.id) == bad
    with pytest.raises(DatasetError) as caught:
        repair(database, bad.id, 1, Repair(("deduplicate",)))
    assert caught.value.code == "kept_dataset_has_errors"


def test_nothing_of_a_change_that_failed_stays(database, kept):
    folder = data_file(database, kept).parent
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(DatasetError):
        change_row(database, kept.id, 1, RowChange(99, fields={"output": "x"}))
    assert sorted(path.name for path in folder.iterdir()) == before
