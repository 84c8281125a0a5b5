"""How much of an index is looked at: all of a small one; of a large one what a start needs, later the rest."""

import sqlite3
import threading

import pytest

from llmlora.core.errors import DependencyError
from llmlora.core.layout import DATABASE_FILE
from llmlora.services.index_check import IndexCheck
from llmlora.services.platform import Platform
from llmlora.store import damage, events, jobs, metrics, settings
from llmlora.store.jobs import NewJob
from llmlora.store.opening import open_store

PAGE = 4096
JOB = f"{1:026}"


def overwrite(path, table, keep=0):
    """Write rubbish over the pages of a table but the first `keep`, as a bad disk does; returns how many."""
    with sqlite3.connect(path) as connection:
        pages = [row[0] for row in connection.execute("SELECT pageno FROM dbstat WHERE name = ?", (table,))]
    connection.close()
    data = bytearray(path.read_bytes())
    for page in pages[keep:]:
        data[(page - 1) * PAGE : page * PAGE] = b"\xa5" * PAGE
    path.write_bytes(data)
    return len(pages[keep:])


def has_page_table():
    with sqlite3.connect(":memory:") as connection:
        return bool(connection.execute("SELECT sqlite_compileoption_used('ENABLE_DBSTAT_VTAB')").fetchone()[0])


needs_page_table = pytest.mark.skipif(not has_page_table(), reason="this SQLite does not tell which pages a table has")


@pytest.fixture
def large(home, monkeypatch):
    """Return a workspace with one job and a curve, whose index counts as a large one."""
    database = open_store(home)
    with database.write() as connection:
        jobs.insert(connection, database.dialect, NewJob(JOB, "train", "a job", f"jobs/{JOB}"))
        found = [{"step": step, "metrics": {"loss": 1.0 / step}} for step in range(1, 3001)]
        for start in range(0, 3000, 500):
            metrics.add(connection, database.dialect, JOB, 1, found[start : start + 500])
    database.close()
    monkeypatch.setattr(damage, "SMALL_BYTES", PAGE)
    return home


def kept_jobs(database):
    with database.read() as connection:
        return [job.id for job in jobs.page(connection)]


def left_open(home):
    """Leave an index as a killed process does: with its log."""
    database = open_store(home)
    with database.write() as connection:
        settings.put(connection, database.dialect, "max_running", 2)
    data = {end: (home / f"{DATABASE_FILE}{end}").read_bytes() for end in ("", "-wal")}
    database.close()
    for end, content in data.items():
        (home / f"{DATABASE_FILE}{end}").write_bytes(content)


def test_an_index_that_was_closed_is_not_looked_at_again(large):
    database = open_store(large)
    assert not database.was_left_open
    database.close()


def test_an_index_that_was_not_closed_keeps_what_was_acknowledged(large):
    left_open(large)
    database = open_store(large)
    assert database.was_left_open
    with database.read() as connection:
        assert settings.get_all(connection) == {"max_running": 2}
    database.close()
    again = open_store(large)
    assert not again.was_left_open
    again.close()


@needs_page_table
@pytest.mark.parametrize("table", ["jobs", "runs", "settings", "datasets"])
def test_what_a_start_needs_is_looked_at_in_a_large_index_too(large, table):
    assert overwrite(large / DATABASE_FILE, table) >= 1
    database = open_store(large)
    assert kept_jobs(database) == []
    database.close()
    assert (large / f"{DATABASE_FILE}.damaged-1").is_file()


@needs_page_table
def test_a_damaged_curve_does_not_hold_up_a_start_and_is_made_again_by_the_next(large):
    path = large / DATABASE_FILE
    assert overwrite(path, "metrics", keep=1) > 10
    database = open_store(large)
    assert kept_jobs(database) == [JOB]
    with pytest.raises(DependencyError) as caught, database.read() as connection:
        metrics.rows(connection, JOB)
    assert (caught.value.code, caught.value.http_status) == ("database_damaged", 503)
    assert caught.value.params == {"path": str(path)}
    database.close()
    assert damage.is_in_doubt(path)
    again = open_store(large)
    assert kept_jobs(again) == []
    with again.read() as connection:
        assert metrics.rows(connection, JOB) == []
    again.close()
    assert path.with_name(f"{DATABASE_FILE}.damaged-1").is_file()
    assert not damage.is_in_doubt(path)


@needs_page_table
def test_the_look_at_all_of_it_puts_a_damaged_index_in_doubt(large, caplog):
    path = large / DATABASE_FILE
    overwrite(path, "metrics", keep=1)
    check = IndexCheck(path)
    check.start()
    check.join()
    assert damage.is_in_doubt(path)
    assert "is damaged" in caplog.text


def test_the_look_at_all_of_a_sound_index_says_nothing(large, caplog):
    check = IndexCheck(large / DATABASE_FILE)
    check.start()
    check.join()
    assert not damage.is_in_doubt(large / DATABASE_FILE)
    assert caplog.text == ""


def test_a_look_that_is_stopped_finds_nothing(large):
    check = damage.WholeCheck(large / DATABASE_FILE)
    check.stop()
    assert check.finds_damage() is False
    thread = IndexCheck(large / DATABASE_FILE)
    thread.start()
    thread.stop()
    assert not damage.is_in_doubt(large / DATABASE_FILE)


def test_a_sound_index_in_doubt_is_looked_at_once_and_stays(large):
    path = large / DATABASE_FILE
    damage.put_in_doubt(path)
    database = open_store(large)
    assert kept_jobs(database) == [JOB]
    database.close()
    assert not damage.is_in_doubt(path)
    assert not list(large.glob("*.damaged-*"))


@needs_page_table
def test_a_server_looks_at_all_of_an_index_that_was_not_closed(large):
    class Nobody:
        def publish(self, event):
            pass

        def give_way(self, num_bytes):
            pass

    left_open(large)
    platform = Platform()
    platform.start(Nobody(), Nobody())
    platform._index_check.join()
    platform.close()
    assert not damage.is_in_doubt(large / DATABASE_FILE)
    platform.start(Nobody(), Nobody())
    assert platform._index_check is None
    platform.close()


def test_a_wait_ends_with_what_another_process_writes(database_url, home):
    watching, writing = open_store(home, database_url), open_store(home, database_url)
    seen = watching.wait_for_write(watching.num_writes, 0.5)
    seen = watching.wait_for_write(seen, 0.5)
    assert watching.wait_for_write(seen, 0.5) == seen, "nobody has written"

    def write():
        with writing.write() as connection:
            events.add_queue_event(connection, writing.dialect, None, 0, "dataset_made", {})

    thread = threading.Timer(0.3, write)
    thread.start()
    assert watching.wait_for_write(seen, 20.0) != seen
    thread.join()
    for one in (watching, writing):
        one.close()


def test_a_wait_ends_with_what_this_process_writes(database):
    seen = database.num_writes
    with database.write() as connection:
        settings.put(connection, database.dialect, "max_running", 3)
    assert database.wait_for_write(seen, 20.0) == seen + 1
    seen = database.num_writes
    database.wake()
    assert database.wait_for_write(seen, 20.0) == seen + 1
