"""What index and folders remember of versions; a database of before keeps its datasets and the order of its events."""

import sqlite3

import pytest

from llmlora.core.layout import DATABASE_FILE, META_FILE, datasets_dir, version_name
from llmlora.core.publish import read_json, write_json
from llmlora.store import datasets, events, jobs, migrate, rebuild, records, uploads
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow
from llmlora.store.dialects import dialect_of
from llmlora.store.jobs import NewJob
from llmlora.store.opening import open_store
from llmlora.store.uploads import UploadRow

ID = "01M8MV00000000000000000001"
FACTS = {
    "name": "店の質問",
    "description": "開店前",
    "folder": f"datasets/{ID}",
    "file_name": "data.jsonl",
    "format": "instruction",
    "encoding": "utf-8",
    "num_examples": 6,
    "num_bytes": 500,
    "sha256": "a" * 64,
    "is_ok": True,
    "problems": [],
    "stats": {"num_rows": 6},
    "created_at": "2026-11-29T10:00:00.000+00:00",
}


def row(**values) -> DatasetRow:
    return DatasetRow(id=ID, **{**FACTS, **values})


@pytest.fixture
def folder(home):
    made = datasets_dir(home) / ID
    made.mkdir(parents=True)
    return made


def test_names_of_files_say_their_version():
    assert version_name("data", 1, ".jsonl") == "data.jsonl"
    assert version_name("data", 2, ".jsonl") == "data-2.jsonl"
    assert version_name("findings", 12, ".jsonl") == "findings-12.jsonl"
    assert version_name("data", 3, "") == "data-3"


def test_only_the_next_version_replaces_a_version(database):
    with database.write() as connection:
        datasets.insert(connection, row())
        change = {"action": "edit_row", "row": 3}
        following = row(version=2, file_name="data-2.jsonl", sha256="b" * 64, columns={"output": "答え"}, change=change)
        assert datasets.put_version(connection, following)
        assert datasets.get(connection, ID) == following
        assert not datasets.put_version(connection, following), "it is there already"
        assert not datasets.put_version(connection, row(version=4)), "the third was never made"
        assert datasets.get(connection, ID) == following


def test_versions_are_written_down_and_read_again(home, folder):
    first = row()
    second = row(version=2, file_name="data-2.jsonl", change={"action": "repair"})
    records.write_version_record(home, first)
    records.write_dataset_record(home, second)
    assert records.version_records(home, second) == [first]
    assert sorted(path.name for path in folder.iterdir()) == [META_FILE, "version-1.json"]
    records.remove_version_record(home, first)
    records.remove_version_record(home, first)
    assert records.version_records(home, second) == []


def test_records_that_somebody_has_damaged_are_passed_over(home, folder):
    records.write_version_record(home, row())
    (folder / "version-2.json").write_text("{", encoding="utf-8")
    (folder / "version-3.json").write_text("[]", encoding="utf-8")
    write_json(folder / "version-4.json", {"schema": "llmlora.dataset/1", "id": "another"})
    assert records.version_records(home, row(version=5)) == [row()]


def test_the_folder_tells_the_newest_version(home, folder):
    database = open_store(home)
    newest = row(version=3, file_name="data-3.jsonl", columns={"instruction": "#1"}, change={"action": "restore"})
    records.write_version_record(home, row())
    records.write_dataset_record(home, newest)
    rebuild.rebuild(database)
    with database.read() as connection:
        assert datasets.get(connection, ID) == newest
    database.close()


def test_a_record_of_before_versions_is_one_of_the_first(home, folder):
    database = open_store(home)
    records.write_dataset_record(home, row())
    record = read_json(folder / META_FILE)
    for name in ("version", "columns", "change"):
        del record[name]
    write_json(folder / META_FILE, record)
    rebuild.rebuild(database)
    with database.read() as connection:
        assert datasets.get(connection, ID) == row()
    database.close()


def test_a_record_that_lacks_what_it_has_to_say_is_no_dataset(home, folder):
    database = open_store(home)
    records.write_dataset_record(home, row())
    record = read_json(folder / META_FILE)
    del record["sha256"]
    write_json(folder / META_FILE, record)
    rebuild.rebuild(database)
    with database.read() as connection:
        assert datasets.find(connection, ID) is None
    database.close()


def test_content_is_known_by_its_digest_and_name(database):
    with database.write() as connection:
        datasets.insert(connection, row())
        assert datasets.has_content(connection, "a" * 64, "店の質問")
        assert not datasets.has_content(connection, "a" * 64, "別の名前")
        assert not datasets.has_content(connection, "b" * 64, "店の質問")


def upload(number: int, created_at: str, **values) -> UploadRow:
    return UploadRow(f"{number:026}", "", "", None, "a.jsonl", 100, created_at, **values)


def test_uploads_that_began_before_a_time(database):
    old, ended = upload(1, "2026-11-01T00:00:00"), upload(2, "2026-11-02T00:00:00", sha256="c" * 64)
    young = upload(3, "2026-11-28T00:00:00")
    with database.write() as connection:
        for item in (old, ended, young):
            uploads.insert(connection, item)
        uploads.end(connection, ended.id)
        found = uploads.begun_before(connection, "2026-11-15T00:00:00")
        assert sorted(item.id for item in found) == [old.id, ended.id]
        assert uploads.get(connection, ended.id).sha256 == "c" * 64
        assert uploads.begun_before(connection, "2026-10-01T00:00:00") == []


def test_events_about_no_job_stand_in_the_one_stream(database):
    with database.write() as connection:
        jobs.insert(connection, database.dialect, NewJob(id="1" * 26, kind="train", name="j", folder="jobs/1"))
        events.add_queue_event(connection, database.dialect, "1" * 26, 0, "status", {"status": "queued"})
        events.add_queue_event(connection, database.dialect, None, 0, "dataset_made", {"file": "a.jsonl"})
        events.add_queue_event(connection, database.dialect, None, 0, "dataset_made", {"file": "b.jsonl"})
    with database.read() as connection:
        found = events.after(connection, 0)
        assert [(event.job_id, event.type) for event in found] == [
            ("1" * 26, "status"),
            (None, "dataset_made"),
            (None, "dataset_made"),
        ]
        assert [event.id for event in found] == sorted({event.id for event in found})
        assert [event.data for event in events.after(connection, found[1].id)] == [{"file": "b.jsonl"}]
        assert [event.type for event in events.after(connection, 0, job_id="1" * 26)] == ["status"]


OLD_DATASET = (
    "INSERT INTO datasets (id, name, description, folder, file_name, format, encoding, num_examples, num_bytes, sha256,"
    " is_ok, problems, stats, created_at) VALUES"
    f" ('{ID}', '店の質問', '開店前', 'datasets/{ID}', 'data.jsonl', 'instruction', 'utf-8', 6, 500, '{'a' * 64}',"
    " true, '[]', '{\"num_rows\": 6}', '2026-11-29T10:00:00.000+00:00')"
)
OLD_JOB = (
    "INSERT INTO jobs (id, kind, name, folder, origin, status, progress, position, run, num_retries, created_at) VALUES"
    f" ('{'2' * 26}', 'train', 'j', 'jobs/2', 'queue', 'queued', '{{}}', 1, 0, 0, '2026')"
)
OLD_EVENT = (
    "INSERT INTO events (job_id, run, seq, type, time, data) VALUES"
    f" ('{'2' * 26}', 0, {{seq}}, 'status', '2026', '{{{{\"n\": {{seq}}}}}}')"
)
OLD_UPLOAD = (
    "INSERT INTO uploads (id, name, description, file_name, num_bytes, created_at) VALUES"
    f" ('{'3' * 26}', '', '', 'a.jsonl', 100, '2026')"
)


@pytest.fixture
def older(home, database_url):
    """Return a database of the first schema with something in every table that changes."""
    database = Database(dialect_of(database_url, home / DATABASE_FILE), home)
    with database.write() as connection:
        migrate.migrate(connection, "r0001")
        for statement in (OLD_DATASET, OLD_JOB, OLD_UPLOAD, *(OLD_EVENT.format(seq=number) for number in range(1, 4))):
            connection.exec_driver_sql(statement)
    database.close()
    opened = open_store(home, database_url)
    yield opened
    opened.close()


def test_datasets_of_the_first_schema_are_in_their_first_version(older):
    with older.read() as connection:
        assert datasets.get(connection, ID) == row()
        assert uploads.get(connection, "3" * 26).sha256 is None


def test_events_of_the_first_schema_keep_their_numbers(older):
    with older.read() as connection:
        kept = events.after(connection, 0)
    assert [event.data for event in kept] == [{"n": 1}, {"n": 2}, {"n": 3}]
    with older.write() as connection:
        events.add_queue_event(connection, older.dialect, None, 0, "inbox_failed", {"file": "x"})
    with older.read() as connection:
        [following] = events.after(connection, kept[-1].id)
    assert following.id > kept[-1].id
    assert following.job_id is None


def test_events_still_go_with_their_job(older):
    with older.write() as connection:
        jobs.remove(connection, "2" * 26)
        assert events.after(connection, 0) == []


def test_numbers_of_events_are_never_used_again(home):
    """A page would take a new event for one that it has seen."""
    database = Database(dialect_of(None, home / DATABASE_FILE), home)
    with database.write() as connection:
        migrate.migrate(connection)
    database.close()
    with sqlite3.connect(home / DATABASE_FILE) as plain:
        [(text,)] = plain.execute("SELECT sql FROM sqlite_master WHERE name = 'events'").fetchall()
    plain.close()
    assert "AUTOINCREMENT" in text.upper()
