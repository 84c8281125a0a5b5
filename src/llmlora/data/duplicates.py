"""Equal, nearly equal and contradicting rows among any number of rows, in little memory.

Each row leaves 24 bytes: hashes of its question and answer, its line and its number. They are kept in 256 buckets by
the first byte of the question's hash and moved to files when they grow, so that each bucket can be compared alone.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
import unicodedata
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

NUM_BUCKETS = 256
SPILLED_ROWS = 2_000_000
PIECE_ROWS = 65_536  # of a bucket that are read at a time
REMEMBERED = 400_000  # different rows of a bucket
SAMPLED_ROWS = 100_000
SKETCH_SIZE = 32
NUM_ANCHORS = 3
SAME_ANCHOR = 8
SHINGLE_CHARACTERS = 1000
SHORTEST = 12
NEAR = 0.8
# Two 32-bit primes; each multiplies one half of a 64-bit lane, so that no product leaves its lane.
FIRST_FACTOR, SECOND_FACTOR = 2_654_435_761, 3_266_489_917
LOW_HALVES = int.from_bytes(b"\xff\xff\xff\xff\0\0\0\0" * (4 * SHINGLE_CHARACTERS), "little")
DIGITS = re.compile(r"\d+")

Kind = Literal["duplicate", "near_duplicate", "contradiction"]


class Pair(NamedTuple):
    """Two rows; `line` and `row` are of the later one, `first_line` is of the earlier."""

    kind: Kind
    line: int
    row: int
    first_line: int


def hash64(text: str) -> int:
    """Return a 64-bit hash that is the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def folded(text: str) -> str:
    """Return a text without differences of width, case and spacing."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.split()).casefold()


class RowHashes(NamedTuple):
    """What remains of a row: folded question, exact row, folded answer."""

    question: int
    exact: int
    answer: int


def row_hashes(question: str, answer: str) -> tuple[RowHashes, str]:
    """Return the hashes of a row and its folded text; texts without a question are all question."""
    folded_question, folded_answer = folded(question), folded(answer)
    exact = hash64(f"{question}\0{answer}") & 0xFFFFFFFF
    hashes = RowHashes(hash64(folded_question), exact, hash64(folded_answer) & 0xFFFFFFFF)
    return hashes, f"{folded_question}\n{folded_answer}"


class HashTable:
    """Hashes of all rows, on disk when there are many."""

    def __init__(self) -> None:
        self._wide = [array("Q") for _ in range(NUM_BUCKETS)]
        self._narrow = [array("L") if array("L").itemsize == 4 else array("I") for _ in range(NUM_BUCKETS)]
        self._in_memory = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def add(self, hashes: RowHashes, line: int, row: int) -> None:
        """Take one row."""
        bucket = hashes.question >> 56
        self._wide[bucket].append(hashes.question)
        self._narrow[bucket].extend((hashes.exact, hashes.answer, line & 0xFFFFFFFF, row & 0xFFFFFFFF))
        self._in_memory += 1
        if self._in_memory >= SPILLED_ROWS:
            self._spill()

    def _spill(self) -> None:
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="llmlora-")
        for bucket in range(NUM_BUCKETS):
            for name, parts in (("wide", self._wide), ("narrow", self._narrow)):
                with (Path(self._folder.name) / f"{name}-{bucket}").open("ab") as stream:
                    parts[bucket].tofile(stream)
                parts[bucket] = array(parts[bucket].typecode)
        self._in_memory = 0

    def _rows(self, bucket: int) -> Iterator[tuple[int, int, int, int, int]]:
        """Yield (question, exact, answer, line, row) of a bucket in the order of the file, a piece at a time."""
        for wide, narrow in self._pieces(bucket):
            yield from zip(wide, narrow[0::4], narrow[1::4], narrow[2::4], narrow[3::4], strict=True)

    def _pieces(self, bucket: int) -> Iterator[tuple[array[int], array[int]]]:
        if self._folder is not None:
            folder, kinds = Path(self._folder.name), (self._wide[bucket].typecode, self._narrow[bucket].typecode)
            with (folder / f"wide-{bucket}").open("rb") as questions, (folder / f"narrow-{bucket}").open("rb") as rest:
                while piece := questions.read(8 * PIECE_ROWS):
                    yield array(kinds[0], piece), array(kinds[1], rest.read(2 * len(piece)))
        yield self._wide[bucket], self._narrow[bucket]

    def pairs(self) -> Iterator[Pair]:
        """Yield each row that repeats or contradicts an earlier one, once.

        Only the first of equal rows is remembered, and of each of the 256 buckets at most 400,000 different ones: those
        behind them are compared and not remembered, which no file of fewer than 50 million rows comes to by chance.
        """
        for bucket in range(NUM_BUCKETS):
            firsts: dict[int, int] = {}
            exacts: dict[int, int] = {}
            answers: dict[int, int] = {}
            for question, exact, answer, line, row in self._rows(bucket):
                own_exact, own_answer = question << 32 | exact, question << 32 | answer
                pair = _compared((line, row), exacts.get(own_exact), answers.get(own_answer), firsts.get(question))
                if pair is not None:
                    yield pair
                if len(exacts) < REMEMBERED:
                    firsts.setdefault(question, line)
                    exacts.setdefault(own_exact, line)
                    answers.setdefault(own_answer, line)

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            self._folder.cleanup()


def _compared(place: tuple[int, int], same: int | None, same_answer: int | None, first: int | None) -> Pair | None:
    if same is not None:
        return Pair("duplicate", *place, same)
    if same_answer is not None:
        return Pair("near_duplicate", *place, same_answer)
    return None if first is None else Pair("contradiction", *place, first)


class NearDuplicates:
    """Rows whose texts share at least about 80 % of their four-character pieces and all of their numbers.

    Each row leaves the 32 smallest hashes of its pieces; rows that share one of the three smallest are compared. Only
    the first 100,000 rows are looked at; `is_sampled` tells that there were more.
    """

    def __init__(self) -> None:
        self._sketches: list[array[int]] = []
        self._numbers = array("Q")
        self._lines = array("Q")
        self._by_anchor: dict[int, list[int]] = {}
        self.num_rows = 0
        self.is_sampled = False

    def add(self, text: str, line: int, row: int) -> Pair | None:
        """Take the folded text of one row; return the earlier row that it nearly repeats."""
        if self.num_rows >= SAMPLED_ROWS:
            self.is_sampled = True
            return None
        self.num_rows += 1
        if len(text) < SHORTEST:
            return None
        smallest = sketch(text[:SHINGLE_CHARACTERS])
        numbers = hash64(" ".join(DIGITS.findall(text)))
        found = self._closest(smallest, numbers)
        position = len(self._sketches)
        self._sketches.append(smallest)
        self._numbers.append(numbers)
        self._lines.append(line)
        for anchor in smallest[:NUM_ANCHORS]:
            rows = self._by_anchor.setdefault(anchor, [])
            if len(rows) < SAME_ANCHOR:
                rows.append(position)
        return None if found is None else Pair("near_duplicate", line, row, self._lines[found])

    def _closest(self, smallest: array[int], numbers: int) -> int | None:
        candidates = {row for anchor in smallest[:NUM_ANCHORS] for row in self._by_anchor.get(anchor, ())}
        own = set(smallest) if candidates else set()
        for row in sorted(candidates):
            if self._numbers[row] == numbers and resemblance(own, self._sketches[row]) >= NEAR:
                return row
        return None


def sketch(text: str) -> array[int]:
    """Return the smallest hashes of a text's four-character pieces, ascending.

    Four UTF-16 units are one 64-bit lane of a long integer, so that all pieces are hashed by two multiplications.
    """
    encoded = text.encode("utf-16-le", "surrogatepass")
    shifted = (encoded[start : start + (len(encoded) - start) // 8 * 8] for start in (0, 2, 4, 6))
    lanes = b"".join(shifted)
    if not lanes:
        return array("Q")
    whole = int.from_bytes(lanes, "little")
    mixed = (whole & LOW_HALVES) * FIRST_FACTOR ^ (whole >> 32 & LOW_HALVES) * SECOND_FACTOR
    hashes = memoryview(mixed.to_bytes(len(lanes), sys.byteorder)).cast("Q")
    return array("Q", sorted(set(hashes))[:SKETCH_SIZE])


def resemblance(first: set[int], second: array[int]) -> float:
    """Estimate from two sketches which share of the pieces is common to both texts; 0 when clearly below NEAR."""
    both = first.intersection(second)
    if len(both) < NEAR * min(SKETCH_SIZE, max(len(first), len(second))):
        return 0.0
    union = sorted(first.union(second))[:SKETCH_SIZE]
    return sum(value in both for value in union) / len(union) if union else 0.0
