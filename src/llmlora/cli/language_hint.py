"""Where nothing chose a language, the terminal is told once how to get Japanese."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from llmlora.cli.output import console, options
from llmlora.core.locale import LANGUAGES, catalogue, current_language, is_language_chosen


def tell_of_languages(as_json: bool) -> None:
    """Say on a terminal, once in its session, that `--lang ja` exists, unless something chose the language."""
    if as_json or options.quiet or options.language is not None or is_language_chosen() or current_language() == "ja":
        return
    if sys.stderr.isatty() and not is_completing() and _is_first_time():
        console.print(" · ".join(catalogue(language)["cli.language_hint"] for language in LANGUAGES))


def is_completing() -> bool:
    """Tell whether a shell asks what may come next, not a user."""
    return any(name.endswith("_COMPLETE") for name in os.environ)


def _is_first_time() -> bool:
    """Tell whether no command of this terminal session was here before, and leave an empty file as the sign of it."""
    with suppress(OSError):
        sign = Path(tempfile.gettempdir(), f"llmlora-language-{os.getuid()}-{os.getsid(0)}")
        os.close(os.open(sign, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return True
    return False
