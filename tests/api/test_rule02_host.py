"""R2: requests to another name than this machine's are refused before anything else looks at them."""

import socket

import pytest

from api.clients import application, client_of, open_application, signed_in
from llmlora.api.security.host import HostGuard

GOOD = [
    "127.0.0.1", "127.0.0.1:8000", "192.168.1.20:80", "[::1]", "[::1]:8000", "localhost", "LOCALHOST:3000",
    "llmlora.localhost:8000", socket.gethostname(),
]  # fmt: skip
BAD = [
    "evil.example", "", " ", "localhost.evil.com", "127.0.0.1.nip.io", "[::ffff:7f00:1]", "[::ffff:127.0.0.1]",
    "localhost.", "127.0.0.1.", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "127.1", "localhost:", "localhost:0",
    "localhost:99999", "localhost:80:80", "user@localhost", "localhost/..", "localhost, evil.example", "[::1",
    "[::1%25lo]", "evil.example:localhost", "xlocalhost", "localhost\t", "日本",
]  # fmt: skip


@pytest.mark.parametrize("host", GOOD)
def test_own_names_are_answered(app, host):
    assert signed_in(app, Host=host).get("/api/presets").status_code == 200


@pytest.mark.parametrize("host", BAD)
@pytest.mark.parametrize("path", ["/healthz", "/api/events", "/api/presets", "/nowhere", "/login"])
def test_other_names_are_refused_whatever_is_asked(app, host, path):
    answer = signed_in(app, Host=host.encode()).get(path)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_host")


def test_also_without_a_token_to_ask_for(home):
    assert client_of(open_application(), Host="evil.example").get("/api/presets").status_code == 400


def test_allowed_names_are_answered(home):
    app = application(allowed_hosts=("LLM.example.org", " second.example "))
    assert signed_in(app, Host="llm.example.org:443").get("/api/presets").status_code == 200
    assert signed_in(app, Host="second.example").get("/api/presets").status_code == 200
    assert signed_in(app, Host="www.llm.example.org").get("/api/presets").status_code == 400


def test_names_come_from_the_environment_too(home, monkeypatch):
    monkeypatch.setenv("LLMLORA_ALLOWED_HOSTS", "one.example, two.example")
    app = application()
    assert signed_in(app, Host="two.example").get("/api/presets").status_code == 200


def test_exactly_one_host():
    guard = HostGuard(None)
    assert guard.is_ours(["localhost"])
    assert not guard.is_ours([])
    assert not guard.is_ours(["localhost", "localhost"])


def test_it_is_the_outermost_guard(app):
    assert app.user_middleware[0].cls is HostGuard


def test_websockets_are_closed(app):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), signed_in(app).websocket_connect("/api/events"):
        pass
