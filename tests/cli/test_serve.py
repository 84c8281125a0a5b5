"""`llmlora serve` as a user runs it: quickly there, small, one per workspace, gone when asked."""

import http.client
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from cli.command_line import command, run
from served import Served, serving

READY_SECONDS, MEMORY_BYTES, STOP_SECONDS = 1.5, 150_000_000, 10.0
# A busy build machine runs the same code this much slower than the machine the budgets were set on.
SLOW_MACHINE = 4.0
HEAVY = ("torch", "transformers", "numpy", "xllamacpp")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def server(place):
    with serving(place) as found:
        yield found


def waited_seconds(pid):
    """Return how long a process had something to do and no core to do it on; 0 where the system does not tell."""
    told = Path(f"/proc/{pid}/schedstat")
    return int(told.read_text().split()[1]) / 1e9 if told.exists() else 0.0


def test_it_is_there_quickly_and_small(place):
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        with serving(place / "quick") as found:
            seconds.append(time.monotonic() - began - waited_seconds(found.process.pid))
            assert found.get("/healthz")[0] == 200
            memory = psutil.Process(found.process.pid).memory_info().rss
            libraries = Path(f"/proc/{found.process.pid}/maps")
            loaded = libraries.read_text() if libraries.exists() else ""
    print(f"ready in {min(seconds):.2f} s (budget {READY_SECONDS} s), {memory / 1e6:.0f} MB (budget 150 MB)")
    assert min(seconds) < READY_SECONDS * SLOW_MACHINE
    assert memory < MEMORY_BYTES
    assert not [name for name in HEAVY if f"/site-packages/{name}/" in loaded]


def test_the_address_opens_the_api(server, place):
    assert server.token == (place / "token").read_text().strip()
    assert server.get("/api/system-info")[0] == 200
    assert server.get("/api/system-info", Authorization="")[0] == 401


def test_a_second_server_names_the_first(server, place):
    second = run("serve", "--port", "0", LLMLORA_HOME=str(place))
    assert second.code == 3
    assert second.stdout == f"http://127.0.0.1:{server.port}/?token={server.token}\n"
    assert f"http://127.0.0.1:{server.port}" in second.stderr
    assert server.token not in second.stderr


def test_of_five_that_start_at_once_one_serves(tmp_path):
    words = {"env": {**os.environ, "LLMLORA_HOME": str(tmp_path)}, "stdout": subprocess.PIPE, "text": True}
    started = [
        subprocess.Popen(command("serve", "--port", 0, "--quiet"), stderr=subprocess.DEVNULL, **words) for _ in range(5)
    ]
    try:
        deadline = time.monotonic() + 60
        while sum(process.poll() is None for process in started) > 1 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert sorted(str(process.poll()) for process in started) == ["3", "3", "3", "3", "None"]
    finally:
        for process in started:
            process.kill()
            process.communicate(timeout=30)


def test_a_killed_server_leaves_nothing_in_the_way(tmp_path):
    with serving(tmp_path) as first:
        first.stop(signal.SIGKILL)
    with serving(tmp_path) as second:
        assert second.token == first.token
        assert second.get("/healthz")[0] == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_open_streams_and_comes_quickly(tmp_path, number):
    with serving(tmp_path) as found:
        connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=30)
        connection.request("GET", "/api/events", headers={"Authorization": f"Bearer {found.token}"})
        stream = connection.getresponse()
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.readline() == b": open\n"
        began = time.monotonic()
        assert found.stop(number) == 0
        assert time.monotonic() - began < STOP_SECONDS
        assert b"retry: 1000" in stream.read()
        stream.close()
        connection.close()
    assert "Cancel" not in (tmp_path / "server.log").read_text()
    assert (tmp_path / ".lock").read_text() == ""


def test_a_port_that_is_taken(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = run("serve", "--port", other.getsockname()[1], LLMLORA_HOME=str(tmp_path))
    assert (refused.code, refused.stdout) == (3, "")


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (("--host", "0.0.0.0", "--no-auth"), 2, "--no-auth"),
        (("--host", "0.0.0.0"), 2, "LLMLORA_TOKEN"),
        (("--host", "203.0.113.7", "--no-auth"), 2, "--no-auth"),
        (("--host", "no.such.name.invalid"), 2, "LLMLORA_TOKEN"),
        (("--port", "70000"), 2, "--port"),
    ],
)
def test_what_is_refused(tmp_path, words, code, name):
    refused = run("serve", *words, LLMLORA_HOME=str(tmp_path))
    assert (refused.code, refused.stdout) == (code, "")
    assert name in refused.stderr
    assert not (tmp_path / "token").exists()


def test_an_address_that_this_machine_has_not(tmp_path):
    refused = run("serve", "--host", "203.0.113.7", LLMLORA_HOME=str(tmp_path), LLMLORA_TOKEN="chosen")
    assert refused.code == 1
    assert "203.0.113.7" in refused.stderr


def test_bad_environment_is_named_and_not_repeated(tmp_path):
    refused = run("serve", LLMLORA_HOME=str(tmp_path), LLMLORA_TOKEN="my secret")
    assert refused.code == 2
    assert "LLMLORA_TOKEN" in refused.stderr
    assert "my secret" not in refused.stderr
    assert run("serve", LLMLORA_HOME=str(tmp_path), LLMLORA_PORT="many").code == 2


def test_options_win_over_the_environment(tmp_path):
    with serving(tmp_path, "--allowed-host", "a.example", LLMLORA_PORT="1", LLMLORA_ALLOWED_HOSTS="b.example") as found:
        assert found.get("/healthz", Host="a.example")[0] == 200
        assert found.get("/healthz", Host="b.example")[0] == 400


def test_without_a_token_on_this_machine(tmp_path):
    with serving(tmp_path, "--no-auth") as found:
        assert found.token is None
        assert found.get("/api/presets", Authorization="")[0] == 200
        assert found.get("/api/presets", Host="evil.example")[0] == 400


def test_another_workspace(tmp_path):
    with serving(tmp_path / "home", "--workspace", tmp_path / "other") as found:
        assert found.token == (tmp_path / "other" / "token").read_text().strip()
    assert not (tmp_path / "home").exists()


def raw(server: Served, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        with suppress(TimeoutError):
            while piece := connection.recv(65536):
                answer += piece
        return answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /api/presets HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST /api/presets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_what_is_no_http_or_not_for_us(server, request_bytes):
    assert raw(server, request_bytes).startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert server.get("/healthz")[0] == 200


def test_a_very_long_path_is_one_without_a_token(server):
    close = b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert raw(server, b"GET /" + b"a" * 5_000 + close).startswith(b"HTTP/1.1 401")
    assert raw(server, b"GET /" + b"a" * 100_000 + close).startswith((b"HTTP/1.1 400", b"HTTP/1.1 401"))


def test_log_and_process_list_hold_no_token(server, place):
    server.get(f"/?token={server.token}")
    log = (place / "server.log").read_text(encoding="utf-8")
    assert "GET /?token=[hidden]" in log
    assert server.token not in log
    arguments = psutil.Process(server.process.pid).cmdline()
    assert not [word for word in arguments if server.token in word]
    assert server.token not in (place / ".lock").read_text()
