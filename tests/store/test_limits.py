"""Locks in PostgreSQL end by themselves: those of a frozen process, and the patience of who waits for one."""

import threading

import pytest
from sqlalchemy import text

from llmlora.core.errors import DependencyError
from llmlora.store import dialects, jobs
from llmlora.store.jobs import NewJob
from llmlora.store.opening import open_store

JOB = "0" * 26


@pytest.fixture
def opened(postgres, home, monkeypatch):
    """Return what opens an index of one database with time limits of its own, in milliseconds."""
    url, made = postgres.new_url(), []

    def open_with(idle, lock):
        limits = f"-c idle_in_transaction_session_timeout={idle} -c lock_timeout={lock}"
        monkeypatch.setattr(dialects, "TIME_LIMITS", limits)
        made.append(open_store(home, url))
        return made[-1]

    first = open_with(60_000, 60_000)
    with first.write() as connection:
        jobs.insert(connection, first.dialect, NewJob(JOB, "train", "job", "jobs/0"))
    yield open_with
    for database in made:
        database.close()


def test_the_limits_are_in_force(postgres, home):
    database = open_store(home, postgres.new_url())
    with database.read() as connection:
        idle = connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar()
        lock = connection.execute(text("SHOW lock_timeout")).scalar()
    assert (idle, lock) == ("5s", "10s")
    database.close()


def test_what_a_process_holds_that_does_nothing_is_given_to_others(opened):
    frozen, other = opened(200, 60_000), opened(60_000, 60_000)
    with pytest.raises(DependencyError, match="database_unreachable"), frozen.write() as connection:
        jobs.lock(connection, JOB)
        with other.write() as waiting:  # until the server has ended the transaction of the first one
            assert jobs.lock(waiting, JOB) is not None
        jobs.set_values(connection, JOB, name="too late")
    with other.read() as connection:
        assert jobs.get(connection, JOB).name == "job"
    with frozen.write() as connection:  # it has a new connection by itself
        assert jobs.set_values(connection, JOB, name="again")


def test_who_waits_for_too_long_is_told_that_the_database_is_busy(opened):
    holding, impatient = opened(60_000, 60_000), opened(60_000, 100)
    is_held, is_told = threading.Event(), threading.Event()

    def hold():
        with holding.write() as connection:
            jobs.lock(connection, JOB)
            is_held.set()
            is_told.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_held.wait(20)
    with pytest.raises(DependencyError, match="database_busy"), impatient.write() as connection:
        jobs.lock(connection, JOB)
    is_told.set()
    thread.join()
