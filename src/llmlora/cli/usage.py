"""What is wrong with a call of the command line, in the user's words and with the nearest right name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from typer._click.exceptions import BadOptionUsage, BadParameter, MissingParameter, NoSuchOption, UsageError

from llmlora.core.config import TrainConfig, canonical_name
from llmlora.core.errors import ConfigError
from llmlora.core.locale import GROUPS, program, translate

# What typer calls the type of a value, and the locale key of what it has to be.
VALUE_KINDS = {"int": "integer", "float": "number", "bool": "switch"}


def usage_error(error: UsageError, arguments: Sequence[str]) -> ConfigError:
    """Return the typed error for a wrong call; `arguments` are the words of the call."""
    command = error.ctx.command_path if error.ctx else program()
    if isinstance(error, NoSuchOption):
        return _unknown_option(error, command, arguments)
    if isinstance(error, MissingParameter):
        return ConfigError("missing_argument", name=_shown_name(error), command=command)
    if isinstance(error, BadParameter):
        return ConfigError("bad_option_value", name=_shown_name(error), wanted=_wanted(error.param), command=command)
    if isinstance(error, BadOptionUsage):
        takes_value = "does not take" not in error.message
        code = "option_needs_value" if takes_value else "option_takes_no_value"
        return ConfigError(code, option=error.option_name, command=_command_of(arguments))
    extra = re.search(r"unexpected extra arguments?(?:\(s\))? \((.*)\)", error.message)
    if extra:
        return ConfigError("extra_arguments", words=extra[1], command=command)
    return ConfigError("wrong_usage", detail=error.format_message(), command=command)


def unknown_command(name: str, known: Iterable[str], command: str) -> ConfigError:
    """Return the typed error for a verb that does not exist; `command` is what stands before it."""
    names = list(known)
    close = get_close_matches(name, names)
    if not close:
        return ConfigError("unknown_command", name=name, command=command, known=", ".join(names))
    return ConfigError("unknown_command_near", name=name, close=", ".join(close), first=close[0], command=command)


def _unknown_option(error: NoSuchOption, command: str, arguments: Sequence[str]) -> ConfigError:
    option = error.option_name
    options = [word for param in getattr(error.ctx and error.ctx.command, "params", []) for word in param.opts]
    setting = canonical_name(option.lstrip("-").replace("-", "_"))
    if "--set" in options and setting in TrainConfig.model_fields:
        value = _value_after(option, arguments)
        return ConfigError("unknown_option_setting", option=option, setting=setting, value=value)
    close = get_close_matches(option, options)
    if not close:
        return ConfigError("unknown_option", option=option, command=command)
    return ConfigError("unknown_option_near", option=option, close=", ".join(close), command=command)


def _wanted(param: Any) -> str:
    """Return in words what the value of a parameter has to be."""
    kind = str(getattr(getattr(param, "type_descriptor", None), "annotation", ""))
    name = next((found for word, found in VALUE_KINDS.items() if f"'{word}'" in kind or f"{word} |" in kind), "other")
    low, high = getattr(param, "min", None), getattr(param, "max", None)
    if low is None:
        return translate(f"cli.wanted.{name}")
    return translate("cli.wanted.range" if high is not None else "cli.wanted.at_least", low=low, high=high)


def _value_after(option: str, arguments: Sequence[str]) -> str:
    """Return the value that was given to an option, or a word that stands for one."""
    for index, word in enumerate(arguments):
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
        if word == option and index + 1 < len(arguments) and not arguments[index + 1].startswith("--"):
            return arguments[index + 1]
    return translate("cli.a_value")


def _command_of(arguments: Sequence[str]) -> str:
    """Return program and verb of a call whose parser failed before it knew them."""
    words = [program()]
    for word in arguments:
        if word.startswith("-") or (words[1:] and words[1:] not in [[name] for name in GROUPS]):
            break
        words.append(word)
    return " ".join(words)


def _shown_name(error: BadParameter) -> str:
    """Return a parameter as the help shows it: -o or --output for an option, DIR for an argument."""
    options = [word for word in getattr(error.param, "opts", []) if word.startswith("-")]
    name = str(error.param_hint or getattr(error.param, "name", "") or "").strip("'\"").upper()
    return " / ".join(options) or str(getattr(error.param, "metavar", None) or name)
