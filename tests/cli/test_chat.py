"""The conversation of `llmlora chat`: turns, /clear, errors that keep it going, text that cannot steer the terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest

from llmlora.cli import chat as chat_command
from llmlora.core.errors import ConfigError, NotFound
from llmlora.core.locale import translate


class FakeSession:
    """Answers with the number of turns it was shown; refuses one question."""

    asked: list[list[dict[str, str]]]
    is_raw = False

    def __init__(self, model: str) -> None:
        FakeSession.asked = []

    def __enter__(self) -> FakeSession:
        return self

    def __exit__(self, *ignored: object) -> None:
        return None

    def ask(self, messages: list[dict[str, str]], on_text: Any, **options: Any) -> dict[str, Any]:
        FakeSession.asked.append([dict(turn) for turn in messages])
        if messages[-1]["content"] == "long":
            raise ConfigError("prompt_too_long", num_tokens=9, context_length=8)
        text = f"answer {len(messages)}\x1b[31m"
        on_text(text)
        return {"text": text, "finish_reason": "length", "num_tokens": 3}


def talk(monkeypatch: pytest.MonkeyPatch, lines: str, **options: Any) -> list[list[dict[str, str]]]:
    monkeypatch.setattr(chat_command, "ChatSession", FakeSession)
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    chat_command.chat(["model"], **options)
    return FakeSession.asked


def test_of_a_model_that_is_not_there_nothing_is_said_to_be_loaded(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(NotFound):
        chat_command.chat(["nowhere.gguf"])
    assert capsys.readouterr().err == ""


def test_turns_are_remembered_until_the_end_of_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    asked = talk(monkeypatch, "one\n\ntwo\n", system="be short")
    assert [turn["role"] for turn in asked[1]] == ["system", "user", "assistant", "user"]
    assert [turn["content"] for turn in asked[1]][::3] == ["be short", "two"]
    shown = capsys.readouterr()
    assert shown.out == "answer 2\ufffd[31m\nanswer 4\ufffd[31m\n"
    assert "--max-new-tokens" in shown.err


def test_a_model_that_is_asked_raw_says_what_it_will_not_see(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(FakeSession, "is_raw", True)
    talk(monkeypatch, "one\n", system="be short")
    shown = capsys.readouterr().err
    assert translate("inference.chat.each_alone") in shown
    assert translate("inference.chat.system_unused") in shown


def test_clear_forgets_the_turns_but_not_the_system(monkeypatch: pytest.MonkeyPatch):
    asked = talk(monkeypatch, "one\n/clear\ntwo\n", system="be short")
    assert [turn["content"] for turn in asked[1]] == ["be short", "two"]


def test_a_refused_question_is_forgotten_and_the_conversation_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    asked = talk(monkeypatch, "long\nshort\n")
    assert [turn["content"] for turn in asked[1]] == ["short"]
    assert "8 tokens" in capsys.readouterr().err


@pytest.mark.parametrize("farewell", ["/bye", "/exit", "/quit"])
def test_a_farewell_ends_the_conversation(farewell: str, monkeypatch: pytest.MonkeyPatch):
    assert len(talk(monkeypatch, f"one\n{farewell}\ntwo\n")) == 1


def test_a_program_without_input_ends_as_at_its_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chat_command, "ChatSession", FakeSession)
    monkeypatch.setattr("sys.stdin", None)
    chat_command.chat(["model"])
    assert FakeSession.asked == []


def test_ctrl_c_leaves_without_a_word(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def interrupt(self: FakeSession, *_: Any, **__: Any) -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeSession, "ask", interrupt)
    talk(monkeypatch, "one\ntwo\n")
    assert "Interrupted" not in capsys.readouterr().err


def test_json_needs_a_prompt():
    with pytest.raises(ConfigError) as caught:
        chat_command.chat(["model"], as_json=True)
    assert caught.value.code == "chat_json_needs_prompt"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("日本語\tと\n改行 😀", "日本語\tと\n改行 😀"),
        ("\x1b[2Jgone\x07", "\ufffd[2Jgone\ufffd"),
        ("\x9b31m\x7f\r", "\ufffd31m\ufffd\ufffd"),
        ("\u202egnol", "\ufffdgnol"),
    ],
)
def test_what_a_model_writes_cannot_steer_the_terminal(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(chat_command, "ask_once", lambda *_, **__: {"text": text})
    chat_command.chat(["model"], prompt="?")
    assert capsys.readouterr().out == shown + "\n"
