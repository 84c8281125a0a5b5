"""Help pages in the user's language: typer's own words come from the locales, lines break by width on the screen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from typer._click.core import Context
from typer._click.formatting import HelpFormatter
from typer.core import TyperCommand, TyperGroup

from llmlora.cli.usage import unknown_command
from llmlora.core.locale import program, translate

# Options that typer adds, its headings, and its mark of what must be given.
OPTIONS = ("help", "version", "install_completion", "show_completion")
MARKS = {
    "Usage:": "usage",
    "Arguments:": "arguments",
    "Options:": "options",
    "Commands:": "commands",
    "[required]": "required",
    "[default: ": "default",
    "[OPTIONS]": "any_options",
    "COMMAND [ARGS]...": "any_command",
    "<path>": "a_path",
    "<list[Path]>": "a_path",
    "<list[str]>": "a_text",
    "<str>": "a_text",
    "<int range>": "an_integer",
    "<int>": "an_integer",
    "<float>": "a_number",
}
_MARK = re.compile("|".join(f"^{mark}" if mark.endswith(":") else re.escape(mark) for mark in MARKS), re.MULTILINE)
# What stays together in a line: a mark in brackets, a word of narrow letters, or one wide letter; each with the signs
# that may not begin a line, and with those before it that may not end one.
_PIECE = re.compile(
    r"[（「『【]*(?:\[[^\[\]]*\]|[^\s\u2e80-\uffef]+|[^\s])[、。，．・）」』】！？：；ーぁぃぅぇぉっゃゅょァィゥェォッャュョ]*\s*"
)
_SENTENCE = re.compile(r"(.*?(?:。|\.(?=\s)|$))", re.DOTALL)


def wrapped(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` columns; a wide letter takes two, and may begin a line."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _worded(text: str) -> str:
    """Return a text with typer's headings, types and marks worded."""
    return _MARK.sub(lambda found: translate(f"cli.page.{MARKS[found.group()]}"), text)


class _Page(HelpFormatter):
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how the command is called."""
        super().write_usage(prog, _worded(args), prefix)

    def write_text(self, text: str) -> None:
        """Write paragraphs; a line that the text ends by itself stays a line, and one with an example stays whole.

        A command that was broken in two could not be pasted.
        """
        indent = " " * self.current_indent
        for line in text.splitlines():
            is_example = re.match(rf"[^.。]*: {re.escape(program())} ", line)
            for part in [line] if is_example else wrapped(line, self.width - self.current_indent):
                self.write(f"{indent}{part}".rstrip() + "\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write names and their explanations in two columns."""
        rows = [(_worded(name), _worded(explanation)) for name, explanation in rows]
        first_width = min(max(cell_len(name) for name, _ in rows), col_max) + col_spacing
        indent = " " * self.current_indent
        for name, explanation in rows:
            lines = wrapped(explanation, max(self.width - first_width - self.current_indent, 10))
            if cell_len(name) > first_width - col_spacing:
                self.write(f"{indent}{name}\n")
            else:
                self.write(f"{indent}{name}{' ' * (first_width - cell_len(name))}{lines.pop(0)}".rstrip() + "\n")
            for line in lines:
                self.write(f"{indent}{' ' * first_width}{line}\n")


class _PageContext(Context):
    formatter_class = _Page


class _Worded:
    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, with typer's own options worded."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if param.name in OPTIONS:
                param.help = translate(f"cli.page.{param.name}")
        return params

    def get_help(self, ctx: Any) -> str:
        """Return the page, with typer's headings and marks worded."""
        page: str = super().get_help(ctx)  # type: ignore[misc]
        return _worded(page)

    def get_short_help_str(self, limit: int = 0) -> str:
        """Return the first sentence of the help, whole: typer cuts between spaces, of which Japanese has none."""
        found = _SENTENCE.match(getattr(self, "short_help", None) or getattr(self, "help", None) or "")
        return " ".join(found[1].split()) if found else ""


class HelpfulCommand(_Worded, TyperCommand):
    """One verb."""

    context_class = _PageContext


class HelpfulGroup(_Worded, TyperGroup):
    """The program, or a verb with verbs below it."""

    context_class = _PageContext

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the asked verb; one that does not exist is named together with the nearest."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise unknown_command(args[0], self.commands, ctx.command_path)
        return super().resolve_command(ctx, args)
