"""The frame of the command line: shared options anywhere, help without heavy imports, every error worded."""

import json

import pytest

from cli.command_line import run
from llmlora import __version__
from llmlora.cli import main, output
from llmlora.core.errors import ConfigError, LlmloraError, Stopped
from llmlora.core.locale import VERBS, current_language


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        (["--lang", "ja", "doctor"], ["doctor"]),
        (["doctor", "--lang=ja", "--quiet"], ["doctor"]),
        (["chat", "x", "--prompt", "hi", "-y", "--debug"], ["chat", "x", "--prompt", "hi"]),
        (["chat", "--", "--quiet"], ["chat", "--", "--quiet"]),
    ],
)
def test_shared_options_stand_anywhere(words, rest):
    assert main.read_shared_options(words) == rest


def test_shared_options_take_effect():
    main.read_shared_options(["--lang=ja", "--quiet", "--debug", "-y"])
    assert current_language() == "ja"
    assert output.options.quiet
    assert not output.options.show_progress
    assert output.options.debug
    assert output.options.assume_yes


def test_an_unknown_language_is_refused():
    with pytest.raises(ConfigError) as caught:
        main.read_shared_options(["--lang", "fr"])
    assert caught.value.params["language"] == "fr"


def test_version_goes_to_stdout(capsys):
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out == f"llmlora {__version__}\n"


def test_every_verb_is_known_as_the_beginning_of_a_command():
    assert tuple(main.VERBS) == VERBS


@pytest.mark.parametrize("verb", main.VERBS)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_verb_has_help_in_both_languages(verb, language):
    """In a process of its own, because the words of options are read when their module is imported."""
    result = run(verb, "--help", "--lang", language)
    assert result.code == 0
    text = result.stdout
    assert f"llmlora {verb}" in text
    assert "cli." not in text
    assert any("\u3040" <= character <= "\u30ff" for character in text) == (language == "ja")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], "unknown_command"),
        (["doctor", "--nonsense"], "unknown_option"),
        (["chat"], "missing_argument"),
        (["merge", "job"], "missing_argument"),
        (["evaluate"], "missing_argument"),
    ],
)
def test_wrong_usage_is_exit_2_with_words(words, code, capsys):
    assert main.run([*words, "--json"]) == 2
    captured = capsys.readouterr()
    error = json.loads(captured.err.strip().splitlines()[-1])
    assert captured.out == ""
    assert error["code"] == code
    assert error["what"]
    assert error["hint"]


def test_an_unexpected_error_shows_no_traceback_without_debug(monkeypatch, capsys):
    def explode(verb):
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(main, "build_app", explode)
    assert main.run(["doctor"]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert main.run(["doctor", "--debug"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_ctrl_c_is_130(monkeypatch, capsys):
    def interrupt(verb):
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "build_app", interrupt)
    assert main.run(["doctor", "--json"]) == 130
    assert json.loads(capsys.readouterr().err)["code"] == "interrupted"


def test_problems_of_settings_are_listed_in_the_users_language(capsys):
    main.set_language("ja")
    problem = {
        "field": "r",
        "code": "bad_value",
        "value": 0,
        "limit_type": "greater_than_equal",
        "limit_params": {"ge": "1"},
    }
    output.print_error(ConfigError("invalid_settings", problems=[problem], count=1), as_json=False)
    assert "r = 0: 1 以上にしてください" in capsys.readouterr().err


def test_an_error_without_words_still_names_its_code(capsys):
    output.print_error(LlmloraError("no_such_code"), as_json=False)
    assert "no_such_code" in capsys.readouterr().err


def test_stopped_says_how_to_go_on(capsys):
    output.print_error(Stopped("stopped", step=3, total_steps=9, folder="my-job", has_checkpoint=True), as_json=False)
    assert "llmlora train --resume my-job" in capsys.readouterr().err


def test_a_stop_that_the_user_asked_for_is_no_error(capsys):
    main.set_language("ja")
    output.print_error(Stopped("interrupted"), as_json=False)
    assert "エラー" not in capsys.readouterr().err


def test_ctrl_c_inside_a_command_is_worded_too(monkeypatch, capsys):
    """typer turns it into an exit code without a word."""
    import typer

    def command():
        raise KeyboardInterrupt

    app = typer.Typer()
    app.command(name="doctor")(command)
    monkeypatch.setattr(main, "build_app", lambda verb: app)
    assert main.run([]) == 130
    assert "Interrupted" in capsys.readouterr().err


def test_sigterm_to_the_command_is_a_ctrl_c():
    with pytest.raises(KeyboardInterrupt):
        main._stop_as_ctrl_c(15, None)


@pytest.mark.parametrize("words", [["--lang"], ["--lang="], ["doctor", "--lang", ""]])
def test_an_empty_language_is_refused(words):
    with pytest.raises(ConfigError):
        main.read_shared_options(words)


def test_a_closed_pipe_is_no_traceback(monkeypatch, capsys):
    def broken(verb):
        raise BrokenPipeError

    monkeypatch.setattr(main, "build_app", broken)
    assert main.run(["models"]) == 1
    assert capsys.readouterr().err == ""


def test_the_internal_error_keeps_its_cause_for_debug(monkeypatch, capsys):
    def explode(verb):
        raise ZeroDivisionError("x" * 2000)

    monkeypatch.setattr(main, "build_app", explode)
    assert main.run(["doctor", "--json"]) == 1
    error = json.loads(capsys.readouterr().err.strip().splitlines()[-1])
    assert error["code"] == "internal"
    assert len(error["params"]["detail"]) <= 500


def test_no_command_shows_the_help(capsys):
    main.run([])
    shown = capsys.readouterr()
    assert all(verb in shown.out + shown.err for verb in main.VERBS)
