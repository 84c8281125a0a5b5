"""Equal, nearly equal and contradicting rows among any number of rows, in little memory.

Each row leaves 20 bytes: hashes of its question and answer, and its line. They are kept in 256 buckets by the first
byte of the question's hash and moved to files when they grow, so that each bucket can be compared alone.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import unicodedata
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

NUM_BUCKETS = 256
SPILLED_ROWS = 2_000_000
SAMPLED_ROWS = 100_000
SKETCH_SIZE = 32
NUM_ANCHORS = 4
SAME_ANCHOR = 16
SHINGLE_CHARACTERS = 1200
NEAR = 0.8
MODULUS = (1 << 61) - 1
SPACE = re.compile(r"\s+")
DIGITS = re.compile(r"\d+")

Kind = Literal["duplicate", "near_duplicate", "contradiction"]


class Pair(NamedTuple):
    """Two rows by their lines; `line` is the later one."""

    kind: Kind
    line: int
    first_line: int


def hash64(text: str) -> int:
    """Return a 64-bit hash that is the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def folded(text: str) -> str:
    """Return a text without differences of width, case and spacing."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return SPACE.sub(" ", plain).strip().casefold()


class RowHashes(NamedTuple):
    """What remains of a row: folded question, exact row, folded answer."""

    question: int
    exact: int
    answer: int


def row_hashes(question: str, answer: str) -> RowHashes:
    """Return the hashes of a row; texts without a question are all question."""
    exact = hash64(f"{question}\0{answer}")
    return RowHashes(hash64(folded(question)), exact & 0xFFFFFFFF, hash64(folded(answer)) & 0xFFFFFFFF)


class HashTable:
    """Hashes of all rows, on disk when there are many."""

    def __init__(self) -> None:
        self._wide = [array("Q") for _ in range(NUM_BUCKETS)]
        self._narrow = [array("L") if array("L").itemsize == 4 else array("I") for _ in range(NUM_BUCKETS)]
        self._in_memory = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def add(self, hashes: RowHashes, line: int) -> None:
        """Take one row."""
        bucket = hashes.question >> 56
        self._wide[bucket].append(hashes.question)
        self._narrow[bucket].extend((hashes.exact, hashes.answer, line & 0xFFFFFFFF))
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

    def _bucket(self, bucket: int) -> list[tuple[int, int, int, int]]:
        wide, narrow = array("Q"), array(self._narrow[bucket].typecode)
        if self._folder is not None:
            for name, part in (("wide", wide), ("narrow", narrow)):
                part.frombytes((Path(self._folder.name) / f"{name}-{bucket}").read_bytes())
        wide.extend(self._wide[bucket])
        narrow.extend(self._narrow[bucket])
        return sorted(zip(wide, narrow[2::3], narrow[0::3], narrow[1::3], strict=True))

    def pairs(self) -> Iterator[Pair]:
        """Yield each row that repeats or contradicts an earlier one, once."""
        for bucket in range(NUM_BUCKETS):
            question = -1
            exact: dict[int, int] = {}
            answers: dict[int, int] = {}
            for row_question, line, row_exact, row_answer in self._bucket(bucket):
                if row_question != question:
                    question, exact, answers = row_question, {}, {}
                pair = _compared(line, exact.get(row_exact), answers, row_answer)
                if pair is not None:
                    yield pair
                exact.setdefault(row_exact, line)
                answers.setdefault(row_answer, line)

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            self._folder.cleanup()


def _compared(line: int, same: int | None, answers: dict[int, int], answer: int) -> Pair | None:
    if same is not None:
        return Pair("duplicate", line, same)
    if answer in answers:
        return Pair("near_duplicate", line, answers[answer])
    if answers:
        return Pair("contradiction", line, next(iter(answers.values())))
    return None


class NearDuplicates:
    """Rows whose texts share at least about 80 % of their four-character pieces and all of their numbers.

    Each row leaves the 32 smallest hashes of its pieces; rows that share one of the four smallest are compared. Only
    the first 100,000 rows are looked at; `is_sampled` tells that there were more.
    """

    def __init__(self) -> None:
        self._sketches: list[array[int]] = []
        self._numbers = array("Q")
        self._lines = array("Q")
        self._by_anchor: dict[int, list[int]] = {}
        self.num_rows = 0
        self.is_sampled = False

    def add(self, text: str, line: int) -> Pair | None:
        """Take one row; return the earlier row that it nearly repeats."""
        if self.num_rows >= SAMPLED_ROWS:
            self.is_sampled = True
            return None
        self.num_rows += 1
        plain = folded(text[:SHINGLE_CHARACTERS])
        if len(plain) < 12:
            return None
        smallest = sketch(plain)
        numbers = hash64(" ".join(DIGITS.findall(plain)))
        found = self._closest(smallest, numbers)
        position = len(self._sketches)
        self._sketches.append(smallest)
        self._numbers.append(numbers)
        self._lines.append(line)
        for anchor in smallest[:NUM_ANCHORS]:
            rows = self._by_anchor.setdefault(anchor, [])
            if len(rows) < SAME_ANCHOR:
                rows.append(position)
        return None if found is None else Pair("near_duplicate", line, self._lines[found])

    def _closest(self, smallest: array[int], numbers: int) -> int | None:
        candidates = {row for anchor in smallest[:NUM_ANCHORS] for row in self._by_anchor.get(anchor, ())}
        own = set(smallest)
        for row in sorted(candidates):
            if self._numbers[row] == numbers and resemblance(own, self._sketches[row]) >= NEAR:
                return row
        return None


def sketch(text: str) -> array[int]:
    """Return the smallest hashes of a text's four-character pieces, ascending."""
    codes = [ord(character) for character in text]
    pieces = {
        (a * 0x9E3779B97F4A7C15 + b * 0xC2B2AE3D27D4EB4F + c * 0x165667B19E3779F9 + d * 0x27D4EB2F165667C5) % MODULUS
        for a, b, c, d in zip(codes, codes[1:], codes[2:], codes[3:], strict=False)
    }
    return array("Q", sorted(pieces)[:SKETCH_SIZE])


def resemblance(first: set[int], second: array[int]) -> float:
    """Estimate from two sketches which share of the pieces is common to both texts; 0 when clearly below NEAR."""
    both = first.intersection(second)
    if len(both) < NEAR * min(SKETCH_SIZE, max(len(first), len(second))):
        return 0.0
    union = sorted(first.union(second))[:SKETCH_SIZE]
    return sum(value in both for value in union) / len(union) if union else 0.0
