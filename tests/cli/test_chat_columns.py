"""`llmlora chat A B` with real models: one question to each, and a conversation in which each remembers its own."""

import subprocess

import pytest

from cli.command_line import command, run
from docs.pages import code_names, read, table_rows
from llmlora.cli.chat_columns import MOST_MODELS
from llmlora.core.locale import translate

OPTIONS = ("--max-new-tokens", 8, "--seed", 5, "--temperature", 0.8)


@pytest.fixture
def base(place):
    return str(place / "base")


def test_one_question_side_by_side(base):
    both = run("chat", "nano", base, "-p", "こんにちは", *OPTIONS, "--json").document
    assert both["schema"] == "llmlora.answers/1"
    assert [answer["model"] for answer in both["answers"]] == ["nano", base]
    for answer in both["answers"]:
        alone = run("chat", answer["model"], "-p", "こんにちは", *OPTIONS, "--json").document
        assert {**answer, "schema": alone["schema"]} == {**alone, "model": answer["model"]}


def test_the_page_names_the_fields():
    for language in ("", ".ja"):
        section = read("docs", "reference", f"json{language}.md").split("`llmlora.answers/1`")[1].split("\n## ")[0]
        assert set().union(*(code_names(row[0]) for row in table_rows(section))) == {"answers"}


def test_on_the_terminal_and_each_refusal_in_its_own_column(base):
    shown = run("chat", "nano", base, "-p", "あ" * 1000, "--max-new-tokens", "4")
    assert shown.code == 0, shown.stderr
    assert "nano" in shown.stdout
    assert "too long" in " ".join(shown.stdout.split())  # the tiny model holds less than that
    assert "nano" in shown.stderr.splitlines()[-1]  # whose answer was cut


def test_a_conversation(base):
    process = subprocess.Popen(
        command("chat", "nano", base, "--max-new-tokens", "4"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    out, err = process.communicate("こんにちは\n/clear\nこんにちは\nまた\n/bye\n", timeout=120)
    assert process.returncode == 0, err
    tables = [line for line in out.splitlines() if "nano" in line]
    assert len(tables) == 3
    assert translate("inference.chat.cleared") in err


def test_what_cannot_be_asked(base):
    many = run("chat", *["nano"] * (MOST_MODELS + 1), "-p", "a")
    assert (many.code, many.stdout) == (2, "")
    gone = run("chat", "nano", "no-such-model", "-p", "a")
    assert gone.code == 3
    assert translate("inference.chat.loading", model="nano") not in gone.stderr
