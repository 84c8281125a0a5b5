"""Verbs with verbs below them."""

from __future__ import annotations

from typing import Any

from llmlora.cli.help_page import HelpfulGroup


class ListingGroup(HelpfulGroup):
    """A noun whose verb is `list` when none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take options that stand where a verb could for those of `list`."""
        is_option = bool(args) and args[0].startswith("-") and args[0] not in ctx.help_option_names
        if not ctx.resilient_parsing and (not args or is_option):  # a shell that completes asks for the verbs
            args = ["list", *args]
        return super().parse_args(ctx, args)
