"""The `llmlora` command: reads the options every command shares, loads the one verb asked for, words every error."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from llmlora import __version__
from llmlora.cli import output
from llmlora.cli.help_page import HelpfulCommand, HelpfulGroup
from llmlora.cli.language_hint import is_completing, tell_of_languages
from llmlora.cli.shell_setup import COMPLETION_OPTIONS, VARIABLE, set_up_completion
from llmlora.cli.usage import usage_error
from llmlora.core.errors import ConfigError, LlmloraError, Stopped, WorkerDied, exit_code_of
from llmlora.core.locale import GROUPS, LANGUAGES, program, set_language, set_program, translate
from llmlora.core.publish import not_permitted

VERBS = {
    "demo": "llmlora.cli.demo",
    "dataset": "llmlora.cli.dataset",
    "plan": "llmlora.cli.plan",
    "train": "llmlora.cli.train",
    "jobs": "llmlora.cli.jobs",
    "evaluate": "llmlora.cli.evaluate",
    "ladder": "llmlora.cli.ladder",
    "compare": "llmlora.cli.evaluate",
    "adapters": "llmlora.cli.adapters",
    "merge": "llmlora.cli.export",
    "export": "llmlora.cli.export",
    "verify": "llmlora.cli.export",
    "passport": "llmlora.cli.passport",
    "chat": "llmlora.cli.chat",
    "models": "llmlora.cli.models",
    "ollama": "llmlora.cli.ollama",
    "tutorial": "llmlora.cli.tutorial",
    "doctor": "llmlora.cli.doctor",
    "serve": "llmlora.cli.serve",
    "config": "llmlora.cli.config",
    "store": "llmlora.cli.store",
}
FLAGS = {"--debug", "--quiet", "-q", "--no-progress", "-y", "--yes"}


def main(is_stopped: bool = False) -> None:
    """Run the command line of this process and exit with its code; `is_stopped`: it was stopped while it loaded."""
    output.make_streams_last()
    set_program(output.program_name())
    signal.signal(signal.SIGTERM, _stop_as_ctrl_c)
    code = run(sys.argv[1:], is_stopped)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # all is done and said: nothing is left to stop
    sys.exit(code)


def _stop_as_ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


def run(arguments: Sequence[str], is_stopped: bool = False) -> int:
    """Run one command and return its exit code; every error is worded here."""
    as_json = "--json" in arguments
    rest: list[str] = []
    try:
        rest = read_shared_options(arguments)
        tell_of_languages(as_json)
        if is_stopped:
            raise KeyboardInterrupt
        if rest and rest[0] in COMPLETION_OPTIONS:
            set_up_completion(rest[0])
            return 0
        app = build_app(completed_verb() or (rest[0] if rest else ""))
        result = app(args=rest, prog_name=program(), complete_var=VARIABLE, standalone_mode=False)
        if result == exit_code_of(Stopped("interrupted")):  # what typer makes of Ctrl-C, without a word
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except typer.Exit as finished:
        return finished.exit_code
    except LlmloraError as error:
        output.print_error(error, as_json)
        return exit_code_of(error)
    except NoArgsIsHelpError as page:
        sys.stderr.write(page.format_message() + "\n")
        return 2
    except UsageError as error:
        output.print_error(usage_error(error, rest), as_json)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        stopped = _stop_of(rest)
        output.print_error(stopped, as_json)
        return exit_code_of(stopped)
    except BrokenPipeError:
        return 1
    except PermissionError as error:
        refused = not_permitted(error)
        output.print_error(refused, as_json)
        return exit_code_of(refused)
    except Exception as error:  # the edge: no traceback reaches the screen without --debug
        internal = WorkerDied("internal", detail=f"{type(error).__name__}: {error}"[:500])
        internal.__cause__ = error
        output.print_error(internal, as_json)
        return 1


def _stop_of(words: Sequence[str]) -> Stopped:
    """Return what a stop means to a command: a job that was to be resumed is still there with its checkpoints."""
    given = [
        word.partition("=")[2] if "=" in word else after
        for word, after in pairwise([*words, ""])
        if word.startswith("--resume")
    ]
    if not given:
        return Stopped("interrupted")
    job = importlib.import_module("llmlora.core.job")  # what reads settings loads with it: most commands do without
    stopped: Stopped = job.stopped_early(Path(given[0]))
    return stopped


def read_shared_options(arguments: Sequence[str]) -> list[str]:
    """Take --lang --debug --quiet --no-progress -y out of the arguments, wherever they stand, and apply them."""
    rest: list[str] = []
    words = list(arguments)
    language: str | None = None
    while words:
        word = words.pop(0)
        if word == "--":
            rest.extend([word, *words])
            break
        if word == "--lang" or word.startswith("--lang="):
            language = word.partition("=")[2] or (words.pop(0) if words else "")
        elif word in FLAGS:
            _apply_flag(word)
        else:
            rest.append(word)
    if language is not None and language not in LANGUAGES:
        set_language(None)
        raise ConfigError("unknown_language", language=language, known=", ".join(LANGUAGES))
    output.options.language = language
    set_language(language)
    return rest


def _apply_flag(word: str) -> None:
    if word == "--debug":
        output.options.debug = True
    elif word in ("--quiet", "-q"):
        output.options.quiet = True
        output.options.show_progress = False
    elif word == "--no-progress":
        output.options.show_progress = False
    else:
        output.options.assume_yes = True


def build_app(verb: str) -> typer.Typer:
    """Return the application with the asked verb loaded; the others are named for the help only."""
    app = typer.Typer(
        cls=HelpfulGroup,
        add_completion=True,
        no_args_is_help=True,
        rich_markup_mode=None,
        help=translate("cli.help"),
        epilog=translate("cli.shared_options"),
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, module in VERBS.items():
        word = "app" if name in GROUPS else name
        command = getattr(importlib.import_module(module), word) if name == verb else _not_loaded
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, help=translate(f"cli.{name}.help"))
        else:
            words, short = translate(f"cli.{name}.help"), translate(f"cli.{name}.short")
            app.command(name=name, cls=HelpfulCommand, help=words, short_help=short)(command)
    return app


def completed_verb() -> str | None:
    """Return the verb of the line that a shell asks to complete, None when none does."""
    if not is_completing():
        return None
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return next((word for word in line.split()[1:] if word in VERBS), None)


def _not_loaded() -> None:
    """Stand in the help for a verb that this call did not ask for."""


def _root(
    version: bool = typer.Option(False, "--version", is_eager=True, callback=lambda value: _print_version(value)),
) -> None:
    """Hold the options of the program itself."""


def _print_version(value: bool) -> None:
    if value:
        sys.stdout.write(f"llmlora {__version__}\n")
        raise typer.Exit


if __name__ == "__main__":
    main()
