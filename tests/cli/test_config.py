"""`llmlora config`: settings with where they come from, and places; secrets stay hidden."""

import pytest

from cli.this_process import document
from llmlora.cli import main


def test_every_value_names_its_origin_and_no_secret_is_shown(home, capsys, monkeypatch):
    monkeypatch.setenv("LLMLORA_PORT", "9000")
    monkeypatch.setenv("LLMLORA_TOKEN", "my-secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hidden@host/base")
    assert main.run(["config", "show", "--origin"]) == 0
    shown = capsys.readouterr().out
    found = {item["name"]: (item["value"], item["origin"]) for item in document(capsys, "config", "show")["settings"]}
    assert found["port"] == (9000, "LLMLORA_PORT")
    assert found["host"] == ("127.0.0.1", "default")
    assert found["workspace"] == (str(home), "LLMLORA_HOME")
    assert found["token"] == ("****", "LLMLORA_TOKEN")
    assert found["database"] == ("postgresql+psycopg://user:***@host/base", "DATABASE_URL")
    assert "LLMLORA_PORT" in shown
    assert not [text for text in (shown, str(found)) if "my-secret" in text or "hidden" in text]


def test_the_token_file_is_named_and_not_shown(home, capsys):
    (home / "token").write_text("another-secret\n")
    found = {item["name"]: item for item in document(capsys, "config", "show")["settings"]}
    assert (found["token"]["value"], found["token"]["origin"]) == ("****", str(home / "token"))


def test_places_alone_and_together(home, capsys):
    assert document(capsys, "config", "path")["paths"]["jobs"] == str(home / "jobs")
    assert main.run(["config", "path", "token"]) == 0
    assert capsys.readouterr().out == f"{home}/token\n"
    assert main.run(["config", "path"]) == 0
    assert str(home / "llmlora.db") in capsys.readouterr().out
    assert main.run(["config", "path", "nowhere"]) == 2


@pytest.mark.parametrize("words", [["config", "show"], ["config", "path"]])
def test_looking_makes_nothing(home, capsys, words):
    assert main.run(words) == 0
    assert list(home.iterdir()) == []


def test_a_bad_value_is_named(home, capsys, monkeypatch):
    monkeypatch.setenv("LLMLORA_PORT", "many")
    assert main.run(["config", "show"]) == 2
    assert "LLMLORA_PORT" in capsys.readouterr().err
