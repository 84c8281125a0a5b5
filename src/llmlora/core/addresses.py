"""Addresses of servers as they may be shown and stored: what opens them stays where it was given."""

from __future__ import annotations

import re

_IN_ADDRESS = re.compile(r"^((?:[a-z][a-z0-9+.-]*://)?).*@", re.IGNORECASE | re.DOTALL)
_IN_TEXT = re.compile(r"(?<=://)[^/\s\"'@]+@")


def without_credentials(address: str) -> str:
    """Return an address without the name and password that may stand in front of its host."""
    return _IN_ADDRESS.sub(r"\1", address)


def texts_without_credentials(text: str) -> str:
    """Return a text, such as the message of a library, in which no address has a name or password."""
    return _IN_TEXT.sub("", text)
