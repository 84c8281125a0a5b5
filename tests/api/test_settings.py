"""Settings of the workspace over HTTP: validated, kept, and what a request can never change is only shown."""

import pytest

from api.clients import application, server_log, signed_in
from api.test_training_jobs import SHORT, create, dataset

DEFAULTS = {
    "language": None, "theme": "system", "default_preset": None, "default_training_preset": None,
    "keep_checkpoints": None, "max_running": 1, "night_window": None, "auto_shrink": True, "pause_while_ollama": False,
    "pause_outside_window": False, "notifications": False,
}  # fmt: skip


def change(client, **values):
    return client.patch("/api/settings", json=values)


def test_what_is_changed_stays_changed(client, home):
    assert client.get("/api/settings").json()["settings"] == DEFAULTS
    night = {"start": "22:00", "end": "06:00"}
    answer = change(client, theme="dark", max_running=2, night_window=night)
    assert answer.status_code == 200, answer.text
    assert answer.json()["settings"] == {**DEFAULTS, "theme": "dark", "max_running": 2, "night_window": night}
    with signed_in(application()) as other:
        assert other.get("/api/settings").json()["settings"]["theme"] == "dark"
    assert change(client, theme=None, night_window=None, max_running=None).json()["settings"] == DEFAULTS


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"colour": "red"}, "request_invalid"),
        ({"theme": "loud"}, "request_invalid"),
        ({"max_running": -1}, "request_invalid"),
        ({"max_running": True}, "request_invalid"),
        ({"max_running": "2"}, "request_invalid"),
        ({"keep_checkpoints": 1}, "request_invalid"),
        ({"auto_shrink": "yes"}, "request_invalid"),
        ({"night_window": {"start": "25:00", "end": "06:00"}}, "request_invalid"),
        ({"night_window": {"start": "22:00"}}, "request_invalid"),
        ({"default_preset": "none"}, "unknown_preset"),
        ({"host": "0.0.0.0"}, "request_invalid"),
        ({"remote_code": True}, "request_invalid"),
        ({"event_epoch": "x"}, "request_invalid"),
    ],
)
def test_what_cannot_be_set_is_refused_whole(client, home, values, code):
    answer = change(client, **{"language": "en", **values})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert client.get("/api/settings").json()["settings"] == DEFAULTS


def test_how_the_server_is_set_up_is_shown_with_its_origin(home, monkeypatch):
    monkeypatch.setenv("LLMLORA_ALLOWED_HOSTS", "a.example,b.example")
    monkeypatch.setenv("DATABASE_URL", "")
    with signed_in(application(port=8123)) as client:
        answer = client.get("/api/settings")
    fixed = {item["name"]: (item["value"], item["origin"]) for item in answer.json()["fixed"]}
    assert fixed["host"] == ("127.0.0.1", "default")
    assert fixed["port"] == (8123, "command_line")
    assert fixed["allowed_hosts"] == (["a.example", "b.example"], "environment")
    assert fixed["workspace"] == (str(home), "environment")
    assert fixed["database"] == ("sqlite", "default")
    assert fixed["remote_code"] == (False, "default")
    assert "a-token-of-the-tests" not in answer.text


def test_defaults_stand_where_a_job_names_nothing(client, home):
    change(client, default_preset="light", keep_checkpoints=5)
    data = dataset(client)
    made = create(client, data).json()
    assert (made["settings"]["r"], made["settings"]["save_total_limit"], made["presets"]) == (4, 5, {"preset": "light"})
    other = create(client, data, preset="high", settings={**SHORT, "save_total_limit": 3}).json()
    assert (other["settings"]["r"], other["settings"]["save_total_limit"]) == (16, 3)


def test_the_servers_log(client, home):
    assert client.get("/api/logs/server").json() == {"text": "", "begins_at": 0, "offset": 0, "num_bytes": 0}
    (home / "server.log").write_text("one\nBearer abcdef\nthree\n", encoding="utf-8")
    found = client.get("/api/logs/server?tail=2").json()
    assert (found["text"], found["begins_at"], found["offset"]) == ("Bearer [hidden]\nthree\n", 4, 24)
    assert "abcdef" in server_log(home)
    (home / "server.log").write_text("x" * 300_000 + "\nend\n", encoding="utf-8")
    assert len(client.get("/api/logs/server").json()["text"]) == 256 << 10
    assert client.get("/api/logs/server?tail=5001").status_code == 422
