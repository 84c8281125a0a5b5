"""What a server with a large workspace costs and how quickly it answers, alone and under load.

    python benchmarks/server_load.py [FOLDER]   # writes results/<date>-server-load.json

FOLDER keeps the filled workspace (1,000 jobs, 10 million points; about 1 GB) for the next time.
"""

from __future__ import annotations

import datetime
import http.client
import json
import os
import platform
import shutil
import signal
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from warm_models import Server, start_training, steps_per_second

from llmlora.core.layout import DATABASE_FILE
from llmlora.store import jobs, runs
from llmlora.store.jobs import NewJob
from llmlora.store.opening import open_store
from llmlora.store.records import write_job_record

ROOT = Path(__file__).resolve().parent.parent
NUM_JOBS, NUM_STEPS, NUM_CLIENTS = 1000, 10_000, 50
IDLE_SECONDS, PAGES_SECONDS, LOAD_SECONDS, PAGE_READS_EVERY = 20.0, 30.0, 60.0, 10.0
FILL = """
INSERT INTO metrics (job_id, step, run, loss, learning_rate, grad_norm, tokens_per_second)
WITH RECURSIVE counted(step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM counted WHERE step < ?)
SELECT ?, step, 1, 4.0 / step + (step % 97) * 0.001, 0.0002, 1.0 + (step % 13) * 0.1, 900.0 FROM counted
"""


def job_id(number: int) -> str:
    """Return the id of a job of the filled workspace."""
    return f"01{number:024}"


def fill(home: Path) -> None:
    """Make a workspace with many finished jobs, each a copy of one that a server has made, with long curves."""
    server = Server(home, home)
    try:
        made = start_training(server)
        server.ask("POST", f"/api/jobs/{made}/cancel")
        while server.ask("GET", f"/api/jobs/{made}")["status"] != "canceled":
            time.sleep(0.2)
    finally:
        server.process.terminate()
        server.process.wait()
    config = json.loads((home / "jobs" / made / "config.json").read_text(encoding="utf-8"))
    database = open_store(home)
    with database.write() as connection:
        for number in range(NUM_JOBS):
            name = job_id(number)
            folder = home / "jobs" / name
            shutil.copytree(home / "jobs" / made / "runs", folder / "runs")
            (folder / "config.json").write_text(json.dumps({**config, "id": name}), encoding="utf-8")
            new = NewJob(name, "train", f"job {number}", f"jobs/{name}", status="succeeded")
            jobs.insert(connection, database.dialect, new)
            progress = {"step": NUM_STEPS, "total_steps": NUM_STEPS, "metrics": {"loss": 0.5}}
            jobs.set_values(connection, name, run=1, progress=progress, ended_at="2026-11-30T00:00:00Z")
            runs.insert(connection, name, 1, None, None)
            runs.end(connection, name, 1, None, outcome="succeeded")
            found = jobs.find(connection, name)
            assert found is not None
            write_job_record(home, found)
    database.close()
    with sqlite3.connect(home / DATABASE_FILE) as file:
        for number in range(NUM_JOBS):
            file.execute(FILL, (NUM_STEPS, job_id(number)))
    file.close()


def start(home: Path) -> tuple[Server, float]:
    """Start a server and return it with the seconds until it answered; it says its address once it does."""
    began = time.monotonic()
    server = Server(home, home)
    server.ask("GET", "/healthz")
    return server, time.monotonic() - began


def stop(server: Server, number: int = signal.SIGTERM) -> None:
    """End a server."""
    server.process.send_signal(number)
    server.process.wait()


def start_seconds(home: Path, ending: int) -> list[float]:
    """Return the seconds of five starts, each after an end by a signal."""
    found = []
    for _ in range(6):
        server, seconds = start(home)
        found.append(seconds)
        stop(server, ending)
    return found[1:]


def idle_percent(server: Server) -> float:
    """Return how much of one core a server takes that nobody asks anything."""
    process = psutil.Process(server.process.pid)
    time.sleep(5)
    before = process.cpu_times()
    time.sleep(IDLE_SECONDS)
    after = process.cpu_times()
    return 100 * (after.user + after.system - before.user - before.system) / IDLE_SECONDS


def timed(server: Server, *paths: str) -> float:
    """Return the milliseconds of some requests, one after the other."""
    began = time.monotonic()
    for path in paths:
        answer = server.open("GET", path)
        answer.read()
        assert answer.status == 200, (path, answer.status)
    return 1e3 * (time.monotonic() - began)


def page_paths(number: int) -> tuple[str, ...]:
    """Return what the page of a job reads."""
    job = f"/api/training/jobs/{job_id(number % NUM_JOBS)}"
    return job, f"{job}/progress", f"{job}/metrics?points=500"


def spread(milliseconds: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and maximum."""
    ordered = sorted(milliseconds)
    return {
        "median": round(statistics.median(ordered), 1),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
        "max": round(ordered[-1], 1),
    }


def event_milliseconds(server: Server) -> list[float]:
    """Return how long after a change was asked for a watcher has its event."""
    stream = server.open("GET", "/api/events")
    found = []
    for number in range(30):
        name = f"renamed {number} {time.monotonic_ns()}"
        began = time.monotonic()
        server.ask("POST", f"/api/jobs/{job_id(number)}/rename", {"name": name})
        while job_id(number) not in stream.readline().decode():
            pass
        found.append(1e3 * (time.monotonic() - began))
    return found


class Pages:
    """Open pages: each has the stream of events, and reads one job every ten seconds."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.milliseconds: list[float] = []
        self._ended = threading.Event()
        self._streams: list[http.client.HTTPResponse] = []
        self._threads = [threading.Thread(target=self._watch, daemon=True) for _ in range(NUM_CLIENTS)]
        self._threads += [threading.Thread(target=self._read, args=(number,)) for number in range(NUM_CLIENTS)]

    def __enter__(self) -> Pages:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads[NUM_CLIENTS:]:
            thread.join()

    def _watch(self) -> None:
        stream = self.server.open("GET", "/api/events")
        while not self._ended.is_set() and stream.readline():
            pass

    def _read(self, number: int) -> None:
        self._ended.wait(PAGE_READS_EVERY * number / NUM_CLIENTS)
        while not self._ended.is_set():
            self.milliseconds.append(timed(self.server, page_paths(number)[0]))
            self._ended.wait(PAGE_READS_EVERY)


def unthrottled(server: Server) -> dict[str, Any]:
    """Return what clients get that ask without a pause."""
    end, statuses, milliseconds, refused = time.monotonic() + LOAD_SECONDS, dict[int, int](), list[float](), [0]
    lock = threading.Lock()

    def client(number: int) -> None:
        turn = number
        while time.monotonic() < end:
            turn += 1
            path = (*page_paths(turn), "/api/jobs?limit=50")[turn % 4]
            began = time.monotonic()
            try:
                answer = server.open("GET", path)
                answer.read()
            except OSError:
                with lock:
                    refused[0] += 1
                continue
            with lock:
                statuses[answer.status] = statuses.get(answer.status, 0) + 1
                milliseconds.append(1e3 * (time.monotonic() - began))

    with ThreadPoolExecutor(NUM_CLIENTS) as pool:
        list(pool.map(client, range(NUM_CLIENTS)))
    by_status = {str(status): number for status, number in sorted(statuses.items())}
    return {"answers": by_status, "connections_refused": refused[0], "milliseconds": spread(milliseconds)}


def training_share(server: Server, home: Path, during: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Return what happened, and how quickly a job trained before it and meanwhile."""
    job = start_training(server)
    events = home / "jobs" / job / "runs" / "1" / "events.jsonl"
    try:
        mark = events.stat().st_size
        time.sleep(PAGES_SECONDS)
        alone = steps_per_second(events, mark)
        mark = events.stat().st_size
        found = during()
        together = steps_per_second(events, mark)
    finally:
        server.ask("POST", f"/api/jobs/{job}/cancel")
        while server.ask("GET", f"/api/jobs/{job}")["status"] != "canceled":
            time.sleep(0.2)
    return found, {
        "alone": round(alone, 2), "meanwhile": round(together, 2), "kept_share": round(together / alone, 3)
    }  # fmt: skip


def with_pages(server: Server) -> list[float]:
    """Return the milliseconds of the reads of open pages."""
    with Pages(server) as pages:
        time.sleep(PAGES_SECONDS)
    return pages.milliseconds


def measure(home: Path) -> dict[str, Any]:
    """Return all numbers."""
    seconds = {"after_a_stop": start_seconds(home, signal.SIGTERM), "after_a_kill": start_seconds(home, signal.SIGKILL)}
    server, _ = start(home)
    try:
        memory = psutil.Process(server.process.pid).memory_info().rss
        idle = idle_percent(server)
        lists = [timed(server, "/api/jobs?limit=50") for _ in range(200)]
        pages = [timed(server, *page_paths(7 * number)) for number in range(200)]
        events = event_milliseconds(server)
        reads, pages_steps = training_share(server, home, lambda: with_pages(server))
        load, load_steps = training_share(server, home, lambda: unthrottled(server))
        health = server.open("GET", "/healthz").status
    finally:
        with suppress(ProcessLookupError):
            stop(server)
    return {
        "start_seconds": {name: [round(value, 2) for value in found] for name, found in seconds.items()},
        "memory_megabytes": round(memory / 1e6),
        "idle_percent_of_a_core": round(idle, 2),
        "list_ms": spread(lists),
        "job_page_ms": spread(pages),
        "event_to_client_ms": spread(events),
        "pages": {"number": NUM_CLIENTS, "read_ms": spread(reads), "training_steps_per_second": pages_steps},
        "unthrottled": {"number": NUM_CLIENTS, "seconds": LOAD_SECONDS, **load,
                        "training_steps_per_second": load_steps, "health_afterwards": health},
    }  # fmt: skip


def main() -> None:
    """Fill a workspace unless it is there, measure, and write one JSON document."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(sys.argv[1] if len(sys.argv) > 1 else scratch).resolve()
        os.environ["LLMLORA_HOME"] = str(home)
        if not (home / "jobs" / job_id(NUM_JOBS - 1)).is_dir():
            fill(home)
        busy = psutil.cpu_percent(3)
        result = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "machine_busy": {
                "cpu_percent_before": busy,
                "load": [round(value, 1) for value in os.getloadavg()],
            },
            "jobs": NUM_JOBS,
            "points": NUM_JOBS * NUM_STEPS,
            "database_megabytes": round((home / DATABASE_FILE).stat().st_size / 1e6),
            **measure(home),
        }
    print(json.dumps(result, indent=2))
    target = ROOT / "benchmarks" / "results" / f"{result['date']}-server-load.json"
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
