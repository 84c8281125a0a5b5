"""What the terminal shows: data on stdout, everything else on stderr, errors with cause and next step."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from llmlora.core.errors import ConfigError, LlmloraError, Stopped
from llmlora.core.events import finite
from llmlora.core.locale import error_texts, shell_word, translate
from llmlora.core.setting_words import setting_problems

# Control characters but tab and line break, and those that turn the direction of text around.
STEERING = dict.fromkeys(
    {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {0x09, 0x0A},
    "\N{REPLACEMENT CHARACTER}",
)

console = Console(stderr=True, highlight=False, soft_wrap=True)
out = Console(highlight=False, soft_wrap=True)


@dataclass
class Options:
    """The options that every command takes."""

    quiet: bool = False
    show_progress: bool = True
    debug: bool = False
    assume_yes: bool = False
    language: str | None = None  # as --lang named it


options = Options()


class LastingStream(io.FileIO):
    """A standard stream that outlives its reader: once the pipe is closed or the terminal gone, the rest is dropped.

    A command's work and its exit code do not depend on whether somebody still watches. Other failures, such as a full
    disk behind `> file`, are raised for stdout, which carries data, and dropped for stderr.
    """

    def __init__(self, descriptor: int, drops_everything: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._drops_everything = drops_everything

    def write(self, data: Any) -> int:
        """Write, or drop what nobody can read any more."""
        try:
            return super().write(data)
        except OSError as error:
            self._drop_the_rest()
            if not self._drops_everything and error.errno not in (errno.EPIPE, errno.EIO):
                raise
        return len(data)

    def _drop_the_rest(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def make_streams_last() -> None:
    """Put streams that outlive their reader in the place of stdout and stderr."""
    _open_closed_streams()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        stream.reconfigure(errors="replace")  # a cp932 console must not crash on a character it lacks
        try:
            raw = LastingStream(stream.fileno(), drops_everything=name == "stderr")
        except io.UnsupportedOperation:  # a stream in memory, which nobody can close on us
            continue
        stream.flush()
        buffered = name != "stderr" and not raw.isatty()
        lasting = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=stream.encoding, errors="replace", line_buffering=not buffered
        )
        setattr(sys, name, lasting)


def _open_closed_streams() -> None:
    """Give the null device to streams that were closed before the start, so that no other file gets their numbers."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            stream = open(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def visible(text: str) -> str:
    """Return a text from a model or a file with every character that could steer a terminal made visible."""
    return text.translate(STEERING)


def folding_table(*heads: str, **style: Any) -> Table:
    """Return a table in which text without spaces, such as Japanese, goes on in the next line instead of being cut."""
    table = Table(**style)
    for head in heads:
        table.add_column(escape(head), overflow="fold")
    return table


def program_name() -> str:
    """Return the words that start this program again: as it was called where `llmlora` is not on PATH."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shell_word(sys.orig_argv[0])} -m llmlora"
    return "llmlora" if called.name != "llmlora" or shutil.which("llmlora") else shell_word(called)


def print_json(noun: str, data: dict[str, Any]) -> None:
    """Print exactly one JSON document of schema `llmlora.<noun>/1` on stdout."""
    schema = {"schema": f"llmlora.{noun}/1"}
    document = schema | finite(data) | schema  # a record that is printed may name the schema of its file
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()


def say(key: str, **params: Any) -> None:
    """Tell the user something on stderr, unless --quiet."""
    if not options.quiet:
        console.print(escape(translate(key, **params)))


def warn(key: str, **params: Any) -> None:
    """Warn the user on stderr, also with --quiet."""
    console.print(f"[yellow]! {escape(translate(key, **params))}[/yellow]")


def print_error(error: LlmloraError, as_json: bool) -> None:
    """Tell what happened, why, and the exact next step; with --json as one JSON line that ends stderr."""
    texts = error_texts(error)
    if options.debug:
        traceback.print_exception(error)
    if as_json:
        document = {"schema": "llmlora.error/1", **finite(error.to_dict()), **texts}
        sys.stderr.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")
        return
    if isinstance(error, Stopped):  # what the user asked for is no error
        console.print(f"[bold]{escape(texts['what'])}[/bold]")
    else:
        console.print(f"[red bold]{escape(translate('cli.error'))}:[/red bold] {escape(texts['what'])}")
    if texts["why"]:
        console.print(escape(texts["why"]))
    for problem in setting_problems(error) if isinstance(error, ConfigError) else ():
        console.print(f"  • {escape(problem)}")
    console.print(f"[cyan]{escape(translate('cli.hint'))}:[/cyan] {escape(texts['hint'])}")
