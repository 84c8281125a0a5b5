"""A wrong call of the command line: what is wrong and the nearest right name, all in the user's language."""

import re

import pytest

from llmlora.cli import main
from llmlora.core.locale import catalogue

WRONG = {
    "a verb with a slip": (["trian"], "unknown_command_near", "llmlora train --help"),
    "a verb of a verb with a slip": (["dataset", "chek"], "unknown_command_near", "llmlora dataset check --help"),
    "no such verb": (["xyzzy"], "unknown_command", "evaluate"),
    "a setting as an option": (["train", "--epochs", "3"], "unknown_option_setting", "--set num_train_epochs=3"),
    "a setting with its value": (["train", "--lr=1e-3"], "unknown_option_setting", "--set learning_rate=1e-3"),
    "a setting by its full name": (["train", "--lora-alpha", "8"], "unknown_option_setting", "--set lora_alpha=8"),
    "a setting without a value": (["train", "--rank"], "unknown_option_setting", "--set r="),
    "an option with a slip": (["train", "--modle", "x"], "unknown_option_near", "--model"),
    "no such option": (["train", "--qqq"], "unknown_option", "llmlora train --help"),
    "a setting where none are taken": (["doctor", "--epochs", "3"], "unknown_option", "llmlora doctor --help"),
    "an option without its value": (["train", "--data"], "option_needs_value", "llmlora train --help"),
    "the same below a verb": (["dataset", "check", "x", "--map"], "option_needs_value", "llmlora dataset check --help"),
    "a value where none is taken": (["train", "--json=3"], "option_takes_no_value", "--json"),
    "a word for a number": (["chat", "nano", "--temperature", "x"], "bad_option_value", "--temperature"),
    "a fraction for a whole number": (["chat", "nano", "--seed", "1.5"], "bad_option_value", "--seed"),
    "out of range": (["dataset", "check", "x", "--max-length", "0"], "bad_option_value", "--max-length"),
    "a word too many": (["export", "a", "b", "-o", "c"], "extra_arguments", "b"),
}


def shown(words, language, capsys):
    assert main.run([*words, "--lang", language]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(("words", "code", "named"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_the_way_out(words, code, named, capsys):
    text = shown(words, "en", capsys)
    assert text.startswith("error: ")
    pattern = re.sub(r"\\\{\w+\\\}", ".*", re.escape(catalogue("en")[f"error.{code}.what"]))
    assert re.search(pattern, text)
    assert named in text


@pytest.mark.parametrize(("words", "code", "named"), WRONG.values(), ids=WRONG)
def test_a_japanese_screen_has_no_english_sentence(words, code, named, capsys):
    text = shown(words, "ja", capsys)
    assert named in text
    assert not re.search(r"[A-Za-z']+ [A-Za-z']+ [A-Za-z']+ [A-Za-z']+", text.replace(named, "")), text


def test_h_is_help_everywhere(capsys):
    pages = []
    for word in ("-h", "--help"):
        assert main.run(["train", word, "--lang", "en"]) == 0
        pages.append(capsys.readouterr().out)
    assert pages[0] == pages[1]
    assert main.run(["-h"]) == 0
    assert main.run(["dataset", "check", "-h"]) == 0


def test_a_whole_number_is_asked_for_where_one_is_needed(capsys):
    assert "It takes a whole number." in shown(["chat", "nano", "--seed", "1.5"], "en", capsys)
    assert "It takes a number." in shown(["chat", "nano", "--temperature", "x"], "en", capsys)
    assert "at least 8" in shown(["dataset", "check", "x", "--max-length", "0"], "en", capsys)
    assert "from 1 to 1000" in shown(["dataset", "preview", "x", "--model", "nano", "-n", "0"], "en", capsys)
