"""A queue whose server is killed while jobs train, seen from the page: all of them end, in their order."""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from served import Served, serving
from web.browser import add_dataset, ask, events, script

STEPS = {"max_steps": 12, "save_steps": 4}


def kill_while_the_queue_works(home: Path, num_jobs: int, num_kills: int) -> dict[str, Any]:
    """Queue jobs at once, kill the server whenever one trains, and return what the page has seen of it."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(home))
        wish = {"base_model": "nano", "dataset_id": add_dataset(server, "基本Q&A"), "settings": STEPS}
        names = [f"ジョブ{number}" for number in range(1, num_jobs + 1)]
        ask(server, "/api/training/jobs/batch", {"jobs": [{**wish, "name": name} for name in names]})
        command, environment = script("queue.mjs", server, str(num_jobs))
        page = stack.enter_context(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
        stack.callback(page.kill)
        assert page.stdout is not None
        _expect(page, "open")
        for _ in range(num_kills):
            _wait_until_one_trains(server)
            server.stop(signal.SIGKILL)
            _expect(page, "lost")
            server = stack.enter_context(serving(home, "--port", server.port))
            _expect(page, "back")
        seen = json.loads(page.stdout.readline())
        assert page.wait(30) == 0
        jobs = ask(server, "/api/training/jobs")["items"]
    assert sorted(job["status"] for job in jobs) == ["succeeded"] * num_jobs
    in_order = sorted(jobs, key=lambda job: job["started_at"])
    assert [job["name"] for job in in_order] == names
    assert seen == {"ended": names, "rows": num_jobs, "breaks": num_kills}
    return dict(seen)


def _expect(page: subprocess.Popen[str], word: str) -> None:
    assert page.stdout is not None
    line = page.stdout.readline().strip()
    assert line == word, line + page.stdout.read()


def _wait_until_one_trains(server: Served) -> None:
    stream = events(server)
    next(stream)
    if any(job["status"] == "running" for job in ask(server, "/api/training/jobs")["items"]):
        return
    next(event for event in stream if event.get("status") == "running")
