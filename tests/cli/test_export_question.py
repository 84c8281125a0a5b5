"""A model that cannot become a GGUF file: a question on a terminal before anything is spent, a warning elsewhere."""

import os
import pty
import subprocess
import sys
from types import SimpleNamespace

import pytest
from transformers import BloomConfig, BloomForCausalLM

from cli.command_line import command, run, write_data
from llmlora.cli import train as train_command
from llmlora.cli.output import options
from llmlora.core.errors import Stopped, UnsupportedArchitecture
from tiny_models import tiny_tokenizer

REFUSAL = UnsupportedArchitecture("unsupported_architecture", architecture="bloom", supported="llama")


@pytest.fixture(scope="module")
def bloom(tmp_path_factory):
    folder = tiny_tokenizer("byte_level", tmp_path_factory.mktemp("bloom"))
    BloomForCausalLM(BloomConfig(vocab_size=640, hidden_size=32, n_layer=1, n_head=4)).save_pretrained(folder)
    return folder


def answered(answer, *words):
    """Run a command on a terminal of its own, answer its first question and return exit code and screen."""
    main, side = pty.openpty()
    process = subprocess.Popen(command(*words), stdin=side, stdout=side, stderr=side, close_fds=True)
    os.close(side)
    screen = b""
    try:
        while chunk := os.read(main, 4096):
            screen += chunk
            if b"[y/N]" in screen and answer:
                os.write(main, answer)
                answer = b""
    except OSError:  # the other end is closed
        pass
    os.close(main)
    return process.wait(60), screen.decode()


def test_no_on_a_terminal_trains_nothing(bloom, tmp_path):
    words = ("train", "--model", bloom, "--data", write_data(tmp_path), "--out", tmp_path / "job", "--lang", "en")
    code, screen = answered(b"n\n", *words)
    assert code == 130
    assert "cannot be exported to GGUF: There are rules for" in screen.replace("\r\n", " ")
    assert "Nothing was trained" in screen
    assert not (tmp_path / "job").exists()


def test_without_a_terminal_the_run_warns_and_goes_on(bloom, tmp_path):
    limits = ("--set", "max_steps=1", "--lang", "en")
    done = run("train", "--model", bloom, "--data", write_data(tmp_path), "--out", tmp_path / "job", *limits)
    assert done.code == 0
    assert "cannot be exported to GGUF" in done.stderr
    assert "[y/N]" not in done.stderr
    assert "padded instead" in done.stderr  # bloom's slopes cannot be packed


PLANNED = SimpleNamespace(job=SimpleNamespace(base_dir="base"))


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(train_command, "console", type("Terminal", (), {"is_terminal": True})())
    monkeypatch.setattr(train_command, "warn", lambda *_, **__: None)
    monkeypatch.setattr(train_command, "export_refusal", lambda _: REFUSAL)
    monkeypatch.setattr(train_command.typer, "confirm", lambda *_, **__: False)


def test_an_answer_decides(terminal, monkeypatch):
    with pytest.raises(Stopped):
        train_command.ask_about_export(PLANNED)
    monkeypatch.setattr(train_command.typer, "confirm", lambda *_, **__: True)
    train_command.ask_about_export(PLANNED)


def test_yes_and_models_that_can_be_exported_ask_nothing(terminal, monkeypatch):
    monkeypatch.setattr(options, "assume_yes", True)
    train_command.ask_about_export(PLANNED)
    monkeypatch.setattr(options, "assume_yes", False)
    monkeypatch.setattr(train_command, "export_refusal", lambda _: None)
    train_command.ask_about_export(PLANNED)
