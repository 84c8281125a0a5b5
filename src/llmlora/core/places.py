"""Where files lie on this machine, left out of what is said to readers elsewhere."""

from __future__ import annotations

import re
from pathlib import PurePath, PurePosixPath, PureWindowsPath

SHORTEST = 3  # parts of a path that is left out: the root, a folder, a name
_END = r"\s\"'`:,;|<>()（）「」、。"
# An absolute path inside a text: not the rest of an address, a fraction or a relative path.
_PLACE = re.compile(rf"(?<![\w.:/\\~-])(?:[A-Za-z]:[\\/][^{_END}]*|(?:/[^/{_END}]+){{2,}}/?)")


def without_places(value: object) -> object:
    """Return a value of a text with each absolute path in it as the name that the path ends in; others as they are."""
    if isinstance(value, PurePath):
        return value.name if value.is_absolute() else value
    if not isinstance(value, str):
        return value
    whole = _name(value)
    return _PLACE.sub(lambda found: PureWindowsPath(found[0]).name, value) if whole is None else whole


def _name(text: str) -> str | None:
    """Return the name that an absolute path ends in, None for any other text; `/word` alone may be one of a chat."""
    if "\n" in text:
        return None
    found = next((path for path in (PurePosixPath(text), PureWindowsPath(text)) if path.is_absolute()), None)
    return found.name if found and len(found.parts) >= SHORTEST else None
