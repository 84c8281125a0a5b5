"""Who reads the headers of models: the process that asks, or, for a server, another one under hard limits (rule R9).

A server names a reader when it starts. Whatever then asks for a header, wherever that is, gets what the reader has
found out instead of parsing the file itself. Files that come with the package are read at once by everybody.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from llmlora.core.assets import asset_path

# What is read in one piece: a GGUF file, or a folder with a model or an adapter.
Form = Literal["adapter", "gguf", "model"]
Wanted = tuple[Form, Path]


class HeaderReader(Protocol):
    """Reads for a process that must not do it itself."""

    def read(self, form: Form, path: Path) -> dict[str, Any]:
        """Return the JSON form of what is there, or raise what whoever read it has raised."""

    def read_ahead(self, wanted: Sequence[Wanted]) -> None:
        """Read what is going to be asked for, all at once; never raises, for who asks is told."""


_reader: HeaderReader | None = None


def use_header_reader(reader: HeaderReader | None) -> None:
    """Fix who reads for this process, all its threads; None: it reads by itself."""
    global _reader
    _reader = reader


def read_elsewhere(form: Form, path: Path) -> dict[str, Any] | None:
    """Return what another process has read there; None where this one is to read by itself.

    Raises:
        LlmloraError: what the reading has raised, or why it could not be done.
    """
    return None if _reader is None or _comes_with_us(path) else _reader.read(form, path)


def read_ahead(wanted: Sequence[Wanted]) -> None:
    """Tell of several headers that will be read, so that another process takes them together."""
    if _reader is not None:
        _reader.read_ahead([(form, path) for form, path in wanted if not _comes_with_us(path)])


def _comes_with_us(path: Path) -> bool:
    return Path(os.path.abspath(path)).is_relative_to(asset_path())


def answer_file(folder: Path, number: int) -> Path:
    """Return where, in its work folder, a child writes what it has found in the file of a number."""
    return folder / f"header-{number}.json"
