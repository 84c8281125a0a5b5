"""Lines in pieces: nothing is left out, and their numbers are those of the lines that rows are counted by."""

import io

import pytest

from llmlora.data import lines
from llmlora.data.lines import line_pieces, numbered_lines

TEXTS = [
    "",
    "a",
    "a\nb\n",
    "a\r\nb\rc\n",
    "x" * 30 + "\nb\n",
    "a\n" + "x" * 30,
    "x" * 12 + "\n" + "y" * 10 + "\r\n" + "z" * 11 + "\n",
    "a\u2028b\u0085c\nd",
]


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(lines, "LINE_CHARACTERS", 10)
    monkeypatch.setattr(lines, "SKIPPED_CHARACTERS", 3)


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_are_the_whole_text(text):
    assert "".join(piece for _, piece, _ in line_pieces(io.StringIO(text, newline=""))) == text


@pytest.mark.parametrize("text", TEXTS)
def test_numbers_are_those_of_the_rows(text):
    counted = [number for number, _ in numbered_lines(io.StringIO(text, newline=""))]
    firsts = [number for number, _, is_first in line_pieces(io.StringIO(text, newline="")) if is_first]
    assert firsts == counted


@pytest.mark.parametrize("text", TEXTS)
def test_a_line_that_fits_is_one_piece(text):
    whole = dict(numbered_lines(io.StringIO(text, newline=""), keep_ends=True))
    pieces = {}
    for number, piece, _ in line_pieces(io.StringIO(text, newline="")):
        pieces.setdefault(number, []).append(piece)
    for number, found in pieces.items():
        assert whole[number] is None or found == [whole[number]]
