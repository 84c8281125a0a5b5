"""Physical lines of a text stream: ended by LF, CR LF or CR, never by U+2028 or NEL, and never longer than a cap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from llmlora.data.container import LINE_CHARACTERS

SKIPPED_CHARACTERS = 1 << 20
LINE_ENDS = ("\n", "\r")


def numbered_lines(stream: TextIO, keep_ends: bool = False) -> Iterator[tuple[int, str | None]]:
    """Yield (1-based number, text) per line; the text of a line over 16 Mi characters is None.

    The stream must be open with `newline=""`.
    """
    number = 0
    while text := stream.readline(LINE_CHARACTERS + 2):
        number += 1
        if len(text) > LINE_CHARACTERS and not text.endswith(LINE_ENDS):
            while text and not text.endswith(LINE_ENDS):
                text = stream.readline(SKIPPED_CHARACTERS)
            yield number, None
        else:
            yield number, text if keep_ends else text.rstrip("\r\n")


def line_pieces(stream: TextIO) -> Iterator[tuple[int, str, bool]]:
    """Yield (1-based number of the line, a piece of it, whether it is the first of the line) for all of a stream.

    Lines are those of `numbered_lines`; one that is too long comes in several pieces, and nothing is left out.
    """
    number = 0
    while text := stream.readline(LINE_CHARACTERS + 2):
        number += 1
        yield number, text, True
        if len(text) > LINE_CHARACTERS:
            while text and not text.endswith(LINE_ENDS):
                text = stream.readline(SKIPPED_CHARACTERS)
                yield number, text, False
