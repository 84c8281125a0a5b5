"""Names of models in Ollama: what is allowed for one of ours, and one made of a title in any language."""

from __future__ import annotations

import re
import unicodedata

from llmlora.core.errors import ConfigError

FALLBACK = "my-model"
BEFORE = "-before"  # ends the tag under which what a name stood for is kept
MOST_CHARACTERS = 80 - len(BEFORE)
_PART = re.compile(r"[a-z0-9][a-z0-9._-]*")
_RESERVED = re.compile(r"cloud|local|.*-cloud")  # tags that mean something else to Ollama


def registered_name(text: str) -> str:
    """Return `name:tag` of a name to register under; raises ConfigError with a name that would do."""
    name, _, tag = text.partition(":")
    tag = tag or "latest"
    is_fine = all(_PART.fullmatch(part) and len(part) <= MOST_CHARACTERS for part in (name, tag))
    if not is_fine or _RESERVED.fullmatch(tag):
        raise ConfigError("ollama_name_unusable", name=text, proposed=f"{slug(name)}:{_tag_of(tag)}")
    return f"{name}:{tag}"


def slug(title: str) -> str:
    """Return small ASCII letters, digits, dots and hyphens that resemble a title; kana are spelled, other signs go."""
    spelled = "".join(_spelled(sign) for sign in unicodedata.normalize("NFKC", title))
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(sign)).lower()
    return re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-._")[:MOST_CHARACTERS].strip("-._") or FALLBACK


def kept_name(name: str) -> str:
    """Return the name under which what `name` stood for is kept when it is pushed anew."""
    return f"{name}{BEFORE}"


def _tag_of(tag: str) -> str:
    found = slug(tag)
    return "latest" if found == FALLBACK or _RESERVED.fullmatch(found) else found


def _spelled(sign: str) -> str:
    """Return a kana as its Unicode name spells it, such as mi, nothing for what lengthens; any other sign as it is."""
    name = unicodedata.name(sign, "")
    if name.endswith("PROLONGED SOUND MARK"):
        return ""
    found = re.fullmatch(r"(?:HIRAGANA|KATAKANA) LETTER (SMALL )?(\w+)", name)
    if found is None:
        return sign
    return "" if found[1] and found[2] == "TU" else found[2].lower()
