"""User texts by key and language; the words themselves live in `locales/<language>.json`."""

from __future__ import annotations

import json
import locale as system_locale
import os
from functools import cache
from importlib import resources
from typing import Any

from llmlora.core.errors import LlmloraError

LANGUAGES = ("ja", "en")
_current = {"language": ""}


def detect_language() -> str:
    """Return the language of `LLMLORA_LANG`, else of the locale, else English."""
    wanted = os.environ.get("LLMLORA_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    if not wanted:
        wanted = system_locale.getlocale()[0] or ""
    return "ja" if wanted.lower().startswith(("ja", "japanese")) else "en"


def set_language(language: str | None) -> None:
    """Fix the language of this process; None means detect it."""
    _current["language"] = language or detect_language()


def current_language() -> str:
    """Return the language in use, detecting it on first use."""
    if not _current["language"]:
        set_language(None)
    return _current["language"]


@cache
def catalogue(language: str) -> dict[str, str]:
    """Return all texts of one language."""
    path = resources.files("llmlora") / "locales" / f"{language}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def has_text(key: str) -> bool:
    """Tell whether a text exists for a key."""
    return key in catalogue(current_language())


def translate(key: str, /, **params: Any) -> str:
    """Return the text of a key in the current language with its parameters filled in; the key itself if unknown."""
    text = catalogue(current_language()).get(key)
    if text is None:
        return key
    try:
        return text.format(**params)
    except (KeyError, IndexError, ValueError):
        return text


def error_texts(error: LlmloraError) -> dict[str, str]:
    """Return what happened, why, and the exact next step, in the current language."""
    return {part: translate(f"error.{error.code}.{part}", **error.params) for part in ("what", "why", "hint")}
