"""Help pages in the user's language: what typer itself says on them is worded from the locales too."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand, TyperGroup

from llmlora.core.locale import translate

# Options that typer adds, its headings, and its mark of what must be given.
OPTIONS = ("help", "version", "install_completion", "show_completion")
MARKS = {
    "Usage:": "usage",
    "Arguments:": "arguments",
    "Options:": "options",
    "Commands:": "commands",
    "[required]": "required",
}
_MARK = re.compile("|".join(f"^{mark}" if mark.endswith(":") else re.escape(mark) for mark in MARKS), re.MULTILINE)


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
        return _MARK.sub(lambda found: translate(f"cli.page.{MARKS[found.group()]}"), page)


class HelpfulCommand(_Worded, TyperCommand):
    """One verb."""


class HelpfulGroup(_Worded, TyperGroup):
    """The program, or a verb with verbs below it."""
