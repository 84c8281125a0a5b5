"""Gate S9: secrets are given to a real server that trains and exports, and afterwards are found nowhere but there."""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import contextmanager, suppress

import psutil
import pytest
from sqlalchemy import inspect, text

from databases import postgres
from gates.test_server_gates import ask
from llmlora.core.layout import TOKEN_FILE
from llmlora.store.opening import open_store
from served import serving

__all__ = ["postgres"]

MARK = "c4n4ry"  # in each of them, and in nothing else
SECRETS = {
    "LLMLORA_TOKEN": f"{MARK}-server",
    "HF_TOKEN": f"hf_{MARK}OfTheHub0123456789abcdefghij",
    "HUGGING_FACE_HUB_TOKEN": f"{MARK}-old-name-of-the-hub",
    "WANDB_API_KEY": f"{MARK}-tracker",
    "POSTGRES_PASSWORD": f"{MARK}-database",
    "OLLAMA_HOST": f"http://me:{MARK}-ollama@127.0.0.1:9",
    "HF_ENDPOINT": f"http://me:{MARK}-mirror@127.0.0.1:9",
    "LLMLORA_FETCH_URLS": "1",
}
OF_ONE_KIND = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "LLMLORA_TOKEN", "POSTGRES_PASSWORD", "DATABASE_URL"}
ROWS = [{"instruction": f"Question {number}?", "output": f"Answer {number}."} for number in range(6)]
SETTINGS = {"max_steps": 3, "save_steps": 2, "dtype": "float32", "max_length": 64}
PAGES = (
    "/api/settings", "/api/doctor", "/api/system-info", "/api/ollama", "/api/models", "/api/jobs", "/api/datasets",
    "/api/chat/models", "/api/exports", "/api/evaluations", "/metrics", "/api/openapi.json", "/healthz",
)  # fmt: skip
OF_A_JOB = (
    "",
    "/logs",
    "/events",
    "/files",
    "/recipe",
    "/report",
    "/metrics",
    "/diagnosis",
    "/checkpoints",
    "/samples",
)


class Watch:
    """What everybody on this machine can see meanwhile: the words that processes were started with."""

    def __init__(self):
        self.seen, self.given, self.is_over = set(), {}, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over.wait(0.05):
            for process in psutil.process_iter():
                with suppress(psutil.Error):
                    words = process.cmdline()
                    self.seen.add(" ".join(words))
                    if "llmlora.worker" in words:
                        kind = words[words.index("llmlora.worker") + 1]
                        self.given.setdefault(kind, {}).update(process.environ())


@contextmanager
def watching():
    watch = Watch()
    watch.thread.start()
    try:
        yield watch
    finally:
        watch.is_over.set()
        watch.thread.join()


@contextmanager
def listening(server):
    """Yield a list that fills with the stream of events."""
    heard = []
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("GET", "/api/events", headers={"Authorization": f"Bearer {server.token}", "Last-Event-ID": "0"})
    stream = connection.getresponse()

    def listen():
        with suppress(OSError, http.client.HTTPException, ValueError):
            while line := stream.readline():
                heard.append(line.decode())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield heard
    server.stop()
    thread.join(30)
    connection.close()


def finished(server, kind, job):
    """Wait until a job has ended and return it."""
    deadline = time.monotonic() + 600
    while True:
        found = ask(server, "GET", f"/api/jobs/{job}")[1]
        if found["status"] in ("succeeded", "failed", "canceled"):
            return found
        assert time.monotonic() < deadline, (kind, found["status"])
        time.sleep(0.2)


def ask_wrongly(server, answers):
    """Send secrets where they do not belong, as people do by mistake."""
    wrong = f"{MARK}-guessed"
    for method, path, body, headers in (
        ("GET", "/api/presets", None, {"Authorization": f"Bearer {wrong}"}),
        ("GET", f"/?token={wrong}", None, {"Authorization": ""}),
        ("GET", f"/api/presets?access_token={wrong}", None, {}),
        ("GET", "/api/presets", None, {"Authorization": "", "Cookie": f"llmlora-{server.port}={wrong}"}),
        ("POST", "/login", f"token={wrong}", {"Content-Type": "application/x-www-form-urlencoded"}),
        ("POST", "/api/datasets/from-url", {"url": f"https://me:{wrong}@data.invalid/a.jsonl", "name": "x"}, {}),
        ("POST", "/api/datasets/from-url", {"url": f"https://data.invalid/a.jsonl?signature={wrong}", "name": "x"}, {}),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        sent = json.dumps(body) if isinstance(body, dict) else body
        kind = {"Content-Type": "application/json"} if isinstance(body, dict) else {}
        connection.request(method, path, sent, {"Authorization": f"Bearer {server.token}", **kind, **headers})
        answer = connection.getresponse()
        answers.append(f"{answer.status} {path.partition('?')[0]} {answer.headers} {answer.read().decode()}")
        connection.close()


def rows_of(home, url):
    """Return every row of every table as text."""
    database = open_store(home, url)
    with database.read() as connection:
        tables = inspect(connection).get_table_names()
        found = {name: str(connection.execute(text(f'SELECT * FROM "{name}"')).fetchall()) for name in tables}
    database.close()
    return found


def run_and_look(home, is_whole, url=None):
    """Use a server for what it is there for, and return where a secret was found."""
    answers = []
    database = {} if url is None else {"DATABASE_URL": url.replace("postgres:@", f"postgres:{MARK}-in-address@")}
    assert url is None or MARK in database["DATABASE_URL"]
    with watching() as watch, serving(home, **SECRETS, **database) as server, listening(server) as heard:
        assert server.token == SECRETS["LLMLORA_TOKEN"]
        ask_wrongly(server, answers)
        data = ask(server, "POST", "/api/datasets", {"name": "rows", "examples": ROWS})[1]["id"]
        wish = {"base_model": "nano", "dataset_id": data, "settings": SETTINGS}
        job = ask(server, "POST", "/api/training/jobs", wish)[1]["id"]
        assert finished(server, "train", job)["status"] == "succeeded"
        pull = ask(server, "POST", "/api/models/pull/small")[1]["id"]
        assert finished(server, "download", pull)["status"] == "failed", "nobody answers there"
        if is_whole:
            told = {"job_id": job, "max_questions": 1, "check_forgetting": False, "check_quality": False}
            evaluation = ask(server, "POST", "/api/evaluations", told)[1]["id"]
            export = ask(server, "POST", "/api/exports", {"job_id": job, "quantizations": ["Q8_0"]})[1]["id"]
            assert finished(server, "evaluate", evaluation)["status"] == "succeeded"
            assert finished(server, "export", export)["status"] in ("succeeded", "failed")
            answers.append(str(ask(server, "POST", "/api/ollama/register", {"job_id": export, "name": "shop"})))
            answers.append(str(ask(server, "POST", f"/api/jobs/{job}/passport", {})))
        places = [*PAGES, *(f"/api/training/jobs/{job}{part}" for part in OF_A_JOB), f"/api/jobs/{pull}"]
        answers += [f"{path} {server.get(path)}" for path in [*places, "/api/logs/server"]]
    assert any('"type":"step"' in line.replace(" ", "") or "step" in line for line in heard)
    assert {"train", "download", "inspect"} <= set(watch.given) or not is_whole
    found = {f"answer: {answer[:200]}" for answer in answers if MARK in answer}
    found |= {f"event: {line[:200]}" for line in heard if MARK in line}
    found |= {f"process: {words[:200]}" for words in watch.seen if MARK in words}
    for kind, given in watch.given.items():
        wanted = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} if kind == "download" else set()
        known = {name for name in OF_ONE_KIND - wanted if MARK in given.get(name, "")}
        found |= {f"environment of {kind}: {name}" for name in known}
    files = [path for path in home.rglob("*") if path.is_file() and path.name != TOKEN_FILE]
    assert len(files) > 20
    found |= {f"file: {path.relative_to(home)}" for path in files if MARK.encode() in path.read_bytes()}
    found |= {f"table: {name}" for name, rows in rows_of(home, url).items() if MARK in rows}
    print(
        json.dumps({"files": len(files), "answers": len(answers), "events": len(heard), "processes": len(watch.seen)})
    )
    return found


def test_a_run_leaves_no_secret_behind(home):
    assert run_and_look(home, is_whole=False) == set()


@pytest.mark.gate
def test_a_run_with_everything_leaves_no_secret_behind(home):
    assert run_and_look(home, is_whole=True) == set()


@pytest.mark.gate
def test_neither_does_one_with_postgresql(home, postgres):
    assert run_and_look(home, is_whole=True, url=postgres.new_url()) == set()
