"""A server under what machines do to it: two gigabytes in one upload, a full disk, a clock that jumps."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import psutil
import pytest

from gates.test_disk_gates import small_disk
from served import serving

PIECE = (json.dumps({"instruction": "Question?", "output": "x" * 1000}) + "\n").encode() * 2000
UPLOAD_BYTES = 2 << 30
MOST_RSS = 200e6
ROWS = [{"instruction": f"Question {number}?", "output": f"Answer {number}."} for number in range(4)]


def ask(server, method, path, body=None, **headers):
    """Return status and document of an answer; `body` is JSON or an iterable of bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    sent = json.dumps(body).encode() if isinstance(body, dict) else body
    kind = {"Content-Type": "application/json"} if isinstance(body, dict) else {}
    try:
        connection.request(method, path, sent, {"Authorization": f"Bearer {server.token}", **kind, **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


@contextmanager
def watched_memory(process):
    """Yield a list that holds the largest resident size of a process once it is left."""
    found, is_over = [0], threading.Event()

    def look():
        while not is_over.wait(0.05):
            found[0] = max(found[0], psutil.Process(process.pid).memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        is_over.set()
        thread.join()


def pieces(num_bytes):
    while num_bytes > 0:
        yield PIECE[:num_bytes]
        num_bytes -= len(PIECE)


@pytest.mark.gate
def test_two_gigabytes_are_taken_piece_by_piece(home):
    if shutil.disk_usage(home).free < 2 * UPLOAD_BYTES:
        pytest.skip("the disk is too small for the file")
    with serving(home) as server, watched_memory(server.process) as largest:
        status, made = ask(server, "POST", "/api/uploads", {"name": "large.jsonl", "bytes": UPLOAD_BYTES})
        assert status == 201, made
        path, half = f"/api/uploads/{made['id']}", UPLOAD_BYTES // 2
        for offset in (0, half):
            length = {"Upload-Offset": str(offset), "Content-Length": str(half)}
            began = time.monotonic()
            status, found = ask(server, "PUT", path, pieces(half), **length)
            print(f"{half / (time.monotonic() - began) / 1e6:.0f} MB/s")
            assert (status, found["offset"]) == (200, offset + half)
        status, refused = ask(server, "POST", "/api/uploads", {"name": "larger.jsonl", "bytes": UPLOAD_BYTES + 1})
        assert (status, refused["code"]) == (413, "body_too_large")
        assert ask(server, "DELETE", path)[0] == 200
    print(f"largest resident size {largest[0] / 1e6:.0f} MB")
    assert 50e6 < largest[0] < MOST_RSS


def fill(folder):
    """Take every byte of a disk that is left."""
    with (folder / "filler").open("wb", buffering=0) as stream:
        size = 1 << 20
        while size:
            try:
                stream.write(bytes(size))
            except OSError:
                size //= 2


@pytest.mark.gate
def test_a_full_disk_is_said_and_everything_goes_on_when_there_is_room(tmp_path):
    """On a disk of 300 MB: no 500, nothing half made, and what is there can be read all the time."""
    with small_disk(tmp_path / "disk", 300_000) as _, serving(tmp_path / "disk") as server:
        status, data = ask(server, "POST", "/api/datasets", {"name": "rows", "examples": ROWS})
        assert status == 201, data
        status, job = ask(server, "POST", "/api/training/jobs", {"base_model": "nano", "dataset_id": data["id"]})
        assert status in (201, 507), job
        fill(tmp_path / "disk")
        for number in range(20):
            status, answer = ask(server, "POST", "/api/datasets", {"name": str(number), "examples": ROWS * 200})
            assert (status, answer["code"]) == (507, "disk_full"), answer
            assert answer["hint"]
            status, _ = ask(server, "POST", f"/api/datasets/{data['id']}/split", {"share": 0.5})
            assert status == 507
            assert ask(server, "GET", f"/api/datasets/{data['id']}/rows")[0] in (200, 507)
            assert ask(server, "GET", "/api/datasets")[1]["items"][0]["id"] == data["id"]
            assert ask(server, "GET", "/healthz")[0] == 200
        (tmp_path / "disk" / "filler").unlink()
        assert ask(server, "POST", "/api/datasets", {"name": "again", "examples": ROWS})[0] == 201
        assert [item["name"] for item in ask(server, "GET", "/api/datasets")[1]["items"]] == ["again", "rows"]
        log = (tmp_path / "disk" / "server.log").read_text(encoding="utf-8")
        assert "Traceback" not in log


# libfaketime also takes the sleep of Python 3.11 for its own, and fails in it.
SHIFTED_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, now);
    FILE *file = id == CLOCK_REALTIME ? fopen(getenv("CLOCK_OFFSET"), "r") : NULL;
    long offset = 0;
    if (file != NULL) {
        if (fscanf(file, "%ld", &offset) == 1) now->tv_sec += offset;
        fclose(file);
    }
    return result;
}
"""
DAY = 86_400


@pytest.mark.gate
@pytest.mark.skipif(sys.platform != "linux" or shutil.which("gcc") is None, reason="needs Linux and gcc")
def test_a_clock_that_jumps_moves_no_lease_and_no_progress(home):
    """The wall clock of server and worker goes two days ahead and three days back while a job trains."""
    source, library, clock = home / "clock.c", home / "clock.so", home / "offset"
    source.write_text(SHIFTED_CLOCK)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    clock.write_text("0")
    environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(clock), "OMP_NUM_THREADS": "1"}
    with serving(home, **environment) as server:
        data = ask(server, "POST", "/api/datasets", {"name": "rows", "examples": ROWS})[1]
        wish = {"base_model": "nano", "dataset_id": data["id"], "settings": {"num_train_epochs": 60}}
        job = ask(server, "POST", "/api/training/jobs", wish)[1]["id"]
        seen, jumps = [], iter([2 * DAY, -DAY, 0])
        deadline = time.monotonic() + 600
        while True:
            assert time.monotonic() < deadline, seen[-1:]
            now = ask(server, "GET", f"/api/training/jobs/{job}/progress")[1]
            if now["step"] and (not seen or now["step"] > seen[-1]["step"] + 10):
                seen.append(now)
                clock.write_text(str(next(jumps, 0)))
            if now["status"] in ("succeeded", "failed", "canceled"):
                break
            time.sleep(0.2)
        assert now["status"] == "succeeded", ask(server, "GET", f"/api/jobs/{job}")
        assert len(seen) > 3
        assert all((item["eta_seconds"] or 0) >= 0 for item in seen)
        runs = ask(server, "GET", f"/api/jobs/{job}")[1]["runs"]
        assert [run["run"] for run in runs] == [1], "nobody took it for dead"
        days = {
            event["time"][:10]
            for event in ask(server, "GET", f"/api/training/jobs/{job}/events?limit=1000")[1]["items"]
        }
        assert len(days) >= 3, "the clock of the worker did not jump"
        steps = ask(server, "GET", f"/api/training/jobs/{job}/metrics?points=5000")[1]["curves"]["loss"]["first_step"]
        assert steps == list(range(1, now["total_steps"] + 1))
