"""Opening the index: made, migrated after a copy, refused when newer, set aside when damaged."""

import io
import random
import shutil
import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError

from llmlora.core.errors import ConfigError, Conflict, DependencyError
from llmlora.core.layout import DATABASE_FILE
from llmlora.services.kept_datasets import NewDataset, keep_file
from llmlora.store import datasets, jobs, migrate, opening, settings
from llmlora.store.damage import is_damaged
from llmlora.store.database import Database
from llmlora.store.dialects import Sqlite, dialect_of
from llmlora.store.jobs import NewJob
from llmlora.store.opening import open_store
from llmlora.store.tables import SCHEMA_REVISION, metadata
from services.fake_launcher import submit

ROWS = b"".join(b'{"instruction": "q%d?", "output": "a%d"}\n' % (number, number) for number in range(6))


def test_migrations_make_exactly_the_tables_of_the_source(database):
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_revision_is_the_one_the_source_names():
    assert migrate.revisions()[-1] == SCHEMA_REVISION


@pytest.mark.parametrize("revision", migrate.revisions())
def test_every_earlier_schema_becomes_the_newest(home, database_url, revision):
    database = Database(dialect_of(database_url, home / DATABASE_FILE), home)
    with database.write() as connection:
        migrate.migrate(connection, revision)
    database.close()
    opened = open_store(home, database_url)
    with opened.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    opened.close()


@pytest.fixture
def older(home, monkeypatch):
    """Let the database be one schema behind: what is stored calls itself by the name of an earlier one."""
    database = open_store(home)
    with database.write() as connection:
        settings.put(connection, database.dialect, "max_running", 2)
    database.close()
    monkeypatch.setattr(opening, "SCHEMA_REVISION", "r9999")
    return home


def test_a_copy_is_kept_before_a_migration(older, monkeypatch):
    monkeypatch.setattr(migrate, "migrate", lambda connection: None)
    open_store(older).close()
    copy = older / f"{DATABASE_FILE}.{SCHEMA_REVISION}.bak"
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT value FROM settings").fetchall() == [(2,)]
    connection.close()


def test_a_migration_that_fails_changes_nothing(older, monkeypatch):
    def breaks(connection):
        connection.exec_driver_sql("DROP TABLE settings")
        raise ZeroDivisionError

    monkeypatch.setattr(migrate, "migrate", breaks)
    with pytest.raises(ZeroDivisionError):
        open_store(older)
    monkeypatch.undo()
    database = open_store(older)
    with database.read() as connection:
        assert settings.get_all(connection) == {"max_running": 2}
    database.close()


@pytest.fixture
def behind(home, database_url, monkeypatch):
    """Let an index with a job, a dataset and a setting be one schema behind, and its migration fail on them."""
    database = open_store(home, database_url)
    with database.write() as connection:
        settings.put(connection, database.dialect, "max_running", 2)
    made = submit(database, name="店"), keep_file(database, NewDataset("質問"), io.BytesIO(ROWS)).id
    database.close()
    real = migrate.migrate

    def breaks(connection):
        if inspect(connection).has_table("jobs"):
            connection.exec_driver_sql("CREATE TABLE half (x INTEGER)")
            connection.exec_driver_sql("DROP TABLE settings")
            connection.exec_driver_sql("INSERT INTO half VALUES (1, 2, 3)")
        real(connection)

    monkeypatch.setattr(opening, "SCHEMA_REVISION", "r9999")
    monkeypatch.setattr(migrate, "migrate", breaks)
    return made


def test_a_migration_that_fails_is_told_and_changes_nothing(behind, home, database_url, monkeypatch, caplog):
    job_id, dataset_id = behind
    with pytest.raises(DependencyError) as caught:
        open_store(home, database_url)
    assert caught.value.code == "database_migration_failed"
    told = caught.value.params
    assert (told["before"], told["after"]) == (SCHEMA_REVISION, "r9999")
    assert "Error" in told["detail"]
    is_server = database_url.startswith("postgresql")
    assert [record.levelname for record in caplog.records] == ["WARNING"] * is_server
    assert all(word in caplog.text for word in (SCHEMA_REVISION, "r9999", "pg_dump")) == is_server
    assert len(list(home.glob("*.bak"))) == (not is_server)
    monkeypatch.undo()
    monkeypatch.setenv("LLMLORA_HOME", str(home))
    database = open_store(home, database_url)
    with database.read() as connection:
        assert not inspect(connection).has_table("half")
        assert settings.get_all(connection) == {"max_running": 2}
        assert jobs.get(connection, job_id).name == "店"
        assert datasets.get(connection, dataset_id).name == "質問"
    database.close()


def test_the_index_is_made_anew_where_its_migration_fails(behind, home, database_url, monkeypatch):
    job_id, dataset_id = behind
    database = open_store(home, database_url, is_anew=True)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert settings.get_all(connection) == {"max_running": 2}
        assert [job.id for job in jobs.page(connection)] == [job_id]
        assert datasets.get(connection, dataset_id).num_examples == 6
    database.close()


def test_tables_of_others_are_never_dropped(home, database_url, monkeypatch):
    """A database in which somebody else keeps tables of our names is refused by their names."""
    database = Database(dialect_of(database_url, home / DATABASE_FILE), home)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE jobs (x INTEGER)")
    database.close()
    with pytest.raises((DatabaseError, DependencyError)):
        open_store(home, database_url, is_anew=True)
    database = Database(dialect_of(database_url, home / DATABASE_FILE), home)
    with database.read() as connection:
        assert [column["name"] for column in inspect(connection).get_columns("jobs")] == ["x"]
    database.close()


def test_a_newer_schema_is_refused_and_left_alone(home, database_url):
    database = open_store(home, database_url)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'r9999'")
    database.close()
    with pytest.raises(Conflict) as caught:
        open_store(home, database_url)
    assert caught.value.code == "database_newer"
    assert not list(home.glob("*.damaged-*"))


@pytest.mark.parametrize("url", ["nonsense", "mysql://user:secret@host/db", "sqlite://"])
def test_other_databases_are_refused_without_telling_the_password(home, url):
    with pytest.raises(ConfigError) as caught:
        open_store(home, url)
    assert caught.value.code == "database_url"
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_a_typed_error(home):
    with pytest.raises(DependencyError) as caught:
        open_store(home, "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert caught.value.code == "database_unreachable"


def test_the_environment_names_the_database(home, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/other.db")
    open_store(home).close()
    assert (tmp_path / "other.db").is_file()
    assert not (home / DATABASE_FILE).exists()


def test_a_database_that_others_write_to_is_busy_not_damaged(home, monkeypatch):
    monkeypatch.setattr("llmlora.store.dialects.PRAGMAS", ("busy_timeout=50", "journal_mode=WAL"))
    database = open_store(home)
    with sqlite3.connect(home / DATABASE_FILE, isolation_level=None) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(DependencyError) as caught, database.write():
            pass
        assert caught.value.code == "database_busy"
        assert not is_damaged(home / DATABASE_FILE)
        foreign.execute("COMMIT")
    foreign.close()
    database.close()


def filled(home):
    database = open_store(home)
    with database.write() as connection:
        for number in range(200):
            jobs.insert(
                connection, database.dialect, NewJob(f"{number:026}", "train", f"job {number}", f"jobs/{number:026}")
            )
    database.close()


@pytest.mark.parametrize("fault", ["header", "middle", "cut", "rubbish", "empty pages"])
def test_a_damaged_file_is_set_aside_and_made_again(home, fault):
    filled(home)
    path = home / DATABASE_FILE
    data = bytearray(path.read_bytes())
    random.seed(11)
    if fault == "header":
        data[:16] = random.randbytes(16)
    elif fault == "middle":
        data[4096:12288] = random.randbytes(8192)
    elif fault == "cut":
        del data[len(data) // 2 :]
    elif fault == "rubbish":
        data = bytearray(random.randbytes(5000))
    else:
        data[4096:] = bytes(len(data) - 4096)
    path.write_bytes(data)
    database = open_store(home)
    with database.read() as connection:
        assert jobs.page(connection) == []
    database.close()
    assert (home / f"{DATABASE_FILE}.damaged-1").read_bytes() == data


def test_flipped_bits_never_stop_the_start(home):
    """100 flips in file and log: detected and made again, or harmless; never an exception."""
    filled(home)
    whole = (home / DATABASE_FILE).read_bytes()
    for seed in range(8):
        random.seed(seed)
        data = bytearray(whole)
        for _ in range(100):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        (home / DATABASE_FILE).write_bytes(data)
        open_store(home).close()


def test_a_transaction_that_fails_changes_nothing(database):
    with pytest.raises(KeyError), database.write() as connection:
        settings.put(connection, database.dialect, "a", 1)
        raise KeyError
    with database.read() as connection:
        assert settings.get_all(connection) == {}


def test_sqlite_keeps_every_acknowledged_change(home):
    database = open_store(home)
    with database.read() as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
        assert asked == {"journal_mode": "wal", "synchronous": 2}
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()


def test_a_moved_workspace_opens_where_it_lies(home, tmp_path):
    filled(home)
    shutil.copytree(home, tmp_path / "moved %20 ワーク")
    database = open_store(tmp_path / "moved %20 ワーク")
    with database.read() as connection:
        assert len(jobs.page(connection, limit=500)) == 200
    database.close()
    assert isinstance(database.dialect, Sqlite)
