"""User texts by key and language; the words themselves live in `locales/<language>.json`."""

from __future__ import annotations

import json
import locale as system_locale
import os
import re
import shlex
import string
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from importlib import resources
from typing import Any

from llmlora.core.actions import action_of
from llmlora.core.errors import LlmloraError, error_from_dict
from llmlora.core.foreign_words import own_words
from llmlora.core.places import without_places
from llmlora.core.sizes import size_words

LANGUAGES = ("ja", "en")
VERBS = (
    "demo",
    "dataset",
    "plan",
    "train",
    "jobs",
    "evaluate",
    "ladder",
    "compare",
    "adapters",
    "merge",
    "export",
    "verify",
    "passport",
    "chat",
    "models",
    "ollama",
    "tutorial",
    "doctor",
    "serve",
    "config",
    "store",
)
GROUPS = ("dataset", "adapters", "jobs", "models", "ollama", "tutorial", "config", "store")  # have verbs below them
FOREIGN = ("detail", "reason")  # parameters that may hold sentences of the system
# Parameters that say what all rows of a file are -> the hint of its own that an error or a finding may have for it.
HINTS_OF_ALL = {
    "is_none_shorter": "hint_none_shorter", "is_none_free": "hint_none_free", "is_none_good": "hint_none_good",
}  # fmt: skip
_current: ContextVar[str] = ContextVar("language", default="")
_program: ContextVar[str] = ContextVar("program", default="llmlora")
_is_page: ContextVar[bool] = ContextVar("is_page", default=False)
_COMMAND = re.compile(rf"(?<![\w./-])llmlora (?=(?:{'|'.join(VERBS)})\b)")


def detect_language() -> str:
    """Return the language of `LLMLORA_LANG`, else of the locale, else English."""
    wanted = _wanted() or system_locale.getlocale()[0] or ""
    return "ja" if wanted.lower().startswith(("ja", "japanese")) else "en"


def is_language_chosen() -> bool:
    """Tell whether the environment names a language; the locales C and POSIX are none."""
    return _wanted().partition(".")[0] not in ("", "C", "POSIX")


def _wanted() -> str:
    return os.environ.get("LLMLORA_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""


def set_language(language: str | None) -> None:
    """Fix the language of this thread or task; None means detect it. Others are not touched."""
    _current.set(language or detect_language())


def current_language() -> str:
    """Return the language in use, detecting it on first use."""
    if not _current.get():
        set_language(None)
    return _current.get()


@cache
def catalogue(language: str) -> dict[str, str]:
    """Return all texts of one language."""
    path = resources.files("llmlora") / "locales" / f"{language}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def has_text(key: str) -> bool:
    """Tell whether a text exists for a key."""
    return key in catalogue(current_language())


def set_program(name: str) -> None:
    """Say how this program is started here, as words of a shell; commands in texts then begin with it."""
    _program.set(name)
    _is_page.set(False)


def speak_to_page() -> None:
    """Word texts for whoever reads the API or its page: a next step is one that can be taken there.

    A text that names commands has a sibling `<key>.on_page`; a command in that one says that it is for a terminal.
    It begins with `llmlora`: where the server's program lies is of no use to who reads a page.
    """
    set_program("llmlora")
    _is_page.set(True)


def is_page() -> bool:
    """Tell whether texts are for readers of the API or its page, not of a terminal."""
    return _is_page.get()


def program() -> str:
    """Return the words that start this program: `llmlora` unless the command line knows better."""
    return _program.get()


def command_line(words: str, /, **places: Any) -> str:
    """Return a command of this program that can be pasted: its words with `{place!q}` filled in."""
    return f"{program()} {_WORDS.format(words, **places)}"


def shell_word(value: object) -> str:
    """Return a path or another value as one word of a command that can be pasted: quoted, and never an option."""
    text = str(value)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


class _Words(string.Formatter):
    """Fills texts in: `{path!q}` in a command is quoted for a shell, `{status!w}` is worded, `{free!b}` is a size.

    `{near!n}` is the sentence that offers near names, and nothing where there are none.
    """

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion == "q":
            return shell_word(value)
        if conversion == "b":
            return size_words(value) if isinstance(value, int | float) else str(value)
        if conversion == "n":
            return translate("cli.near_names", names=value) if value else ""
        return _worded(str(value)) if conversion == "w" else super().convert_field(value, conversion)


def _worded(code: str) -> str:
    """Return the words of a status or an action, else the code itself."""
    texts = catalogue(current_language())
    return texts.get(f"status.{code}") or texts.get(f"jobs.action.{code}") or code


class _PageWords(_Words):
    """The same for readers of the page: a path of the server is only its name, but in a command for a terminal."""

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        return super().convert_field(value if conversion == "q" else without_places(value), conversion)


_WORDS, _PAGE_WORDS = _Words(), _PageWords()
# Texts with paths also on the page: what it says of the machine itself, and of addresses of the API.
_WITH_PLACES = ("doctor.", "error.route_not_found.", "error.method_not_allowed.", "error.ollama_port_reads_only.")


def translate(key: str, /, **params: Any) -> str:
    """Return the text of a key in the current language with its parameters filled in; the key itself if unknown."""
    texts = catalogue(current_language())
    text = texts.get(f"{key}.on_page" if is_page() else key, texts.get(key))
    if text is None:
        return key
    own = {name: own_words(params[name], translate) for name in FOREIGN if isinstance(params.get(name), str)}
    text = _COMMAND.sub(lambda _: f"{program()} ".replace("{", "{{").replace("}", "}}"), text)
    words = _PAGE_WORDS if is_page() and not key.startswith(_WITH_PLACES) else _WORDS
    try:
        return words.format(text, **{**params, **own})
    except (KeyError, IndexError, ValueError):
        return text


def hint_part(prefix: str, params: Mapping[str, Any]) -> str:
    """Return the last name of a hint's key: the one for files whose rows are all alike, where there is one."""
    special = (part for name, part in HINTS_OF_ALL.items() if params.get(name))
    return next((part for part in special if has_text(f"{prefix}.{part}")), "hint")


def error_texts(error: LlmloraError) -> dict[str, str]:
    """Return what happened, why, and the exact next step, in the current language."""
    parts = {"what": "what", "why": "why", "hint": hint_part(f"error.{error.code}", error.params)}
    return {name: translate(f"error.{error.code}.{part}", **error.params) for name, part in parts.items()}


def worded_error(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return an error that was kept as code and parameters with its words, `detail` and `hint`, and its `action`."""
    return None if error is None else spoken_error(error_from_dict(dict(error)))


def spoken_error(error: LlmloraError) -> dict[str, Any]:
    """Return `code`, `params`, the words `detail` (what and why) and `hint`, and as data the `action` that is next."""
    texts = error_texts(error)
    words = {"detail": _joined(texts), "hint": texts["hint"]}
    return {"code": error.code, "params": error.params, **words, "action": action_of(error.code, error.params)}


def what_and_why(error: LlmloraError) -> str:
    """Return what happened and why, one behind the other."""
    return _joined(error_texts(error))


def _joined(texts: Mapping[str, str]) -> str:
    """Join the sentences of an error; a Japanese one ends without a space."""
    return f"{texts['what']} {texts['why']}".replace("。 ", "。")


def with_reason(params: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return parameters with the words of an error among them as `reason`: its `what` or its `why`."""
    if not isinstance(params.get("error"), dict):
        return dict(params)
    return {**params, "reason": error_texts(error_from_dict(params["error"]))[part]}


def remark_text(remark: Mapping[str, Any]) -> str | None:
    """Return the words of a stored `warning` or `finding`, None for an unknown one.

    An error among its parameters is worded as `reason`; older remarks hold that text themselves. A piece of advice
    among them follows in a line of its own. What is found while a run goes on does not speak of its end.
    """
    key = f"cli.{remark['type']}.{remark['code']}"
    if remark.get("so_far") and has_text(f"{key}.so_far"):
        key = f"{key}.so_far"
    params = with_reason({"step": remark.get("step"), **(remark.get("params") or {})}, "why")
    if not has_text(key):
        return None
    piece = params.get("advice")
    if not isinstance(piece, dict):
        return translate(key, **params)
    return f"{translate(key, **params)}\n{advice_text(piece)}"


def advice_text(piece: Mapping[str, Any]) -> str:
    """Return the words of a stored piece of advice, and its command in a line of its own."""
    command = advice_command(piece)
    words = advice_words(piece)
    return words if command is None else f"{words}\n  {command}"


def advice_words(piece: Mapping[str, Any]) -> str:
    """Return the words of a stored piece of advice without its command."""
    return translate(f"evaluation.advice.{piece['code']}", **piece["params"])


def advice_command(piece: Mapping[str, Any]) -> str | None:
    """Return the command of a stored piece of advice, None where there is nothing to run."""
    command = piece["params"].get("command")
    return None if command is None else f"{program()} {command}"
