"""R1: a token always, in a file of its owner; exchanged once for a cookie; guesses are limited."""

import os
import stat

import pytest

from api.clients import ORIGIN, TOKEN, application, browser, client_of, open_application, signed_in
from llmlora.api.security import credentials
from llmlora.api.security.credentials import Attempts, Credentials
from llmlora.core.errors import ConfigError, ResourceError
from llmlora.core.server import read_server_settings
from llmlora.services.token import server_token, stored_token

PATH = "/api/presets"


def test_first_start_makes_a_token_that_only_its_owner_reads(home):
    token = server_token(read_server_settings())
    path = home / "token"
    assert path.read_text(encoding="ascii").strip() == token == stored_token()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(token) == 43  # 32 random bytes
    assert server_token(read_server_settings()) == token


def test_a_token_that_others_could_read_is_closed_to_them(home):
    (home / "token").write_text("chosen-by-hand\n", encoding="ascii")
    (home / "token").chmod(0o644)
    assert server_token(read_server_settings()) == "chosen-by-hand"
    assert stat.S_IMODE((home / "token").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "  \n", "two words"])
def test_a_useless_token_file_is_refused(home, content):
    (home / "token").write_text(content, encoding="ascii")
    with pytest.raises(ResourceError, match="token_unreadable"):
        server_token(read_server_settings())
    assert stored_token() is None


def test_a_link_is_no_token_file(home, tmp_path):
    (tmp_path / "elsewhere").write_text("somebody-elses", encoding="ascii")
    (home / "token").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResourceError, match="token_unreadable"):
        server_token(read_server_settings())


def test_the_environment_wins_over_the_file(home, monkeypatch):
    server_token(read_server_settings())
    monkeypatch.setenv("LLMLORA_TOKEN", "from-the-environment")
    assert server_token(read_server_settings()) == "from-the-environment"


@pytest.mark.parametrize("token", ["two words", "日本語", 'a"b', "a\nb"])
def test_a_token_that_no_header_carries_is_refused_without_being_shown(home, monkeypatch, token):
    monkeypatch.setenv("LLMLORA_TOKEN", token)
    with pytest.raises(ConfigError, match="server_setting") as refusal:
        read_server_settings()
    assert refusal.value.params == {"name": "LLMLORA_TOKEN"}
    assert refusal.value.__cause__ is None


def test_other_machines_need_a_token_that_is_already_there(home, monkeypatch):
    everywhere = read_server_settings(host="0.0.0.0")
    with pytest.raises(ConfigError, match="token_missing"):
        server_token(everywhere)
    assert not (home / "token").exists()
    server_token(read_server_settings())
    assert server_token(everywhere) == stored_token()
    (home / "token").unlink()
    monkeypatch.setenv("LLMLORA_TOKEN", "chosen")
    assert server_token(read_server_settings(host="0.0.0.0")) == "chosen"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
def test_no_auth_is_for_this_machine_only(host):
    with pytest.raises(ConfigError, match="no_auth_not_loopback"):
        read_server_settings(host=host).without_token()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_no_auth_on_this_machine(home, host):
    settings = read_server_settings(host=host).without_token()
    assert server_token(settings) is None
    assert not settings.needs_token


def test_no_variable_switches_the_token_off(home, monkeypatch):
    for name in ("NEEDS_TOKEN", "needs_token", "_is_open", "LLMLORA_AUTH", "LLMLORA_NEEDS_TOKEN"):
        monkeypatch.setenv(name, "false")
    assert read_server_settings().needs_token
    assert client_of(application()).get(PATH).status_code == 401


def test_bearer_opens_and_everything_else_does_not(app):
    assert signed_in(app).get(PATH).status_code == 200
    for wrong in (
        "Bearer x",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        "Bearer ",
        "Bearer あ".encode(),
    ):
        assert client_of(app, Authorization=wrong).get(PATH).status_code == 401, wrong
    assert client_of(app).get(f"{PATH}?token={TOKEN}").status_code == 401  # only / exchanges it


def test_the_address_is_exchanged_once_for_a_cookie(app):
    client = client_of(app)
    answer = client.get(f"/?token={TOKEN}&lang=ja")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?lang=ja")
    cookie = answer.headers["set-cookie"]
    assert all(flag in cookie for flag in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert TOKEN not in cookie
    assert cookie.startswith("llmlora-8000=")
    assert client.get(PATH).status_code == 200
    assert client.get("/").status_code == 200


def test_a_wrong_address_gets_the_form_and_no_cookie(app):
    answer = client_of(app, **{"Accept-Language": "ja"}).get("/?token=wrong")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "トークンが違います" in answer.text
    assert '<form method="post" action="/login">' in answer.text


def test_the_form_takes_the_token(app):
    client = client_of(app)
    assert client.get("/login").status_code == 200
    assert client.post("/login", data={"token": "wrong"}).status_code == 401
    assert client.post("/login", data={"token": f" {TOKEN} "}).status_code == 303
    assert client.get(PATH).status_code == 200


def test_the_form_is_refused_to_foreign_pages(app):
    answer = client_of(app, Origin="http://evil.example").post("/login", data={"token": TOKEN})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_person_gets_the_form_and_a_program_the_problem(app):
    page = client_of(app, Accept="text/html").get("/jobs/1")
    assert (page.status_code, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    problem = client_of(app, Accept="text/html").get(PATH)
    assert (problem.status_code, problem.headers["content-type"]) == (401, "application/problem+json")
    assert problem.headers["www-authenticate"] == "Bearer"


def test_the_cookie_of_another_token_or_port_opens_nothing(app, home):
    other = Credentials("another-token").set_cookie(
        {"type": "http", "headers": [(b"host", b"x:8000")], "scheme": "http"}
    )
    assert client_of(app, Cookie=other.split(";")[0]).get(PATH).status_code == 401
    own = browser(app).cookies["llmlora-8000"]
    assert client_of(app, Cookie=f"llmlora-9000={own}").get(PATH).status_code == 401
    assert client_of(app, Cookie=f"x=1; llmlora-8000={own}").get(PATH).status_code == 200
    assert client_of(app, Cookie=b"llmlora-8000=\xff").get(PATH).status_code == 401


def test_without_auth_nothing_is_asked_for(home):
    assert client_of(open_application()).get(PATH).status_code == 200


def test_guesses_run_out_and_come_back(app, monkeypatch):
    monkeypatch.setattr(credentials, "GUESSES", 3)
    now = [1000.0]
    monkeypatch.setattr(credentials.time, "monotonic", lambda: now[0])
    guess = client_of(app, Authorization="Bearer wrong")
    seen = browser(app)
    assert [guess.get(PATH).status_code for _ in range(4)] == [401, 401, 401, 429]
    limited = guess.get(PATH)
    assert limited.headers["retry-after"] == "1"
    assert signed_in(app).get(PATH).status_code == 429  # or trying would go on unseen
    assert seen.get(PATH).status_code == 200  # who is in stays in
    assert client_of(app).get(PATH).status_code == 401  # nothing was guessed
    now[0] += 2.0
    assert signed_in(app).get(PATH).status_code == 200


def test_foreign_pages_cannot_use_the_guesses_up(app, monkeypatch):
    monkeypatch.setattr(credentials, "GUESSES", 3)
    for _ in range(10):
        client_of(app, **{"Sec-Fetch-Site": "cross-site"}).get("/?token=wrong")
    assert signed_in(app).get(PATH).status_code == 200


def test_addresses_are_counted_apart_and_forgotten(monkeypatch):
    monkeypatch.setattr(credentials, "GUESSES", 1)
    monkeypatch.setattr(credentials, "MAX_ADDRESSES", 2)
    attempts = Attempts()
    for address in ("a", "b"):
        attempts.failed(address)
    assert not attempts.may_guess("a")
    assert attempts.may_guess("c")
    attempts.failed("c")
    assert attempts.may_guess("a")  # the oldest made room
    assert len(attempts._left) == 2


def test_tokens_are_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(
        credentials.secrets, "compare_digest", lambda a, b: bool(compared.append((len(a), len(b)))) or a == b
    )
    door = Credentials("right")
    assert door.is_token("right")
    assert not door.is_token("a much longer guess than the token")
    assert not door.is_token("\udcff")
    assert set(compared) == {(32, 32)}


def test_the_origin_of_the_tests_is_the_servers():
    assert ORIGIN.endswith(":8000")
    assert os.environ["LLMLORA_HOME"]
