"""What happens only sometimes, ten times: servers at once, a foreign lock, a clock that jumps, SIGSTOP (gate S13)."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing

import pytest

from cli.test_serve import test_of_five_that_start_at_once_one_serves as five_servers
from databases import database, database_url, postgres
from gates.test_server_gates import ROWS, ask
from gates.test_server_gates import test_a_clock_that_jumps_moves_no_lease_and_no_progress as jumping_clock
from llmlora.core.layout import DATABASE_FILE
from served import serving
from services.test_queue_kills import test_a_stopped_supervisor_that_wakes_up_does_no_harm as stopped_supervisor

__all__ = ["database", "database_url", "postgres"]

pytestmark = [pytest.mark.gate, pytest.mark.timeout(1800), pytest.mark.parametrize("time_", range(10))]
LOCKED_SECONDS = 8.0


def test_several_servers(tmp_path, time_):
    five_servers(tmp_path)


def test_a_stopped_supervisor(database, database_url, time_):
    stopped_supervisor(database, database_url)


def test_a_jumping_clock(home, time_):
    jumping_clock(home)


def test_a_foreign_lock_is_waited_for(home, time_):
    """Somebody holds the database for eight seconds: who writes waits, who reads does not, and the job goes on."""
    with serving(home, OMP_NUM_THREADS="1") as server:
        data = ask(server, "POST", "/api/datasets", {"name": "rows", "examples": ROWS})[1]["id"]
        wish = {"base_model": "nano", "dataset_id": data, "settings": {"num_train_epochs": 3}}
        job = ask(server, "POST", "/api/training/jobs", wish)[1]["id"]
        answers = []
        renaming = threading.Thread(
            target=lambda: answers.append(ask(server, "POST", f"/api/jobs/{job}/rename", {"name": "later"}))
        )
        with closing(sqlite3.connect(home / DATABASE_FILE, timeout=30, isolation_level=None)) as foreign:
            foreign.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            renaming.start()
            while time.monotonic() < began + LOCKED_SECONDS:
                assert ask(server, "GET", f"/api/jobs/{job}")[1]["name"] != "later"
                assert ask(server, "GET", "/healthz")[0] == 200
                time.sleep(0.2)
            foreign.execute("COMMIT")
        renaming.join(30)
        [(status, renamed)] = answers
        assert (status, renamed["name"]) == (200, "later"), renamed
        deadline = time.monotonic() + 300
        while ask(server, "GET", f"/api/jobs/{job}")[1]["status"] not in ("succeeded", "failed", "canceled"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        found = ask(server, "GET", f"/api/jobs/{job}")[1]
        assert (found["status"], [run["run"] for run in found["runs"]]) == ("succeeded", [1])
