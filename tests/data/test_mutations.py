"""Ten thousand damaged files: a check always ends quickly, with a verdict, and reading agrees with it."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from data.awkward_files import CASES
from llmlora.core.errors import DatasetError
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.data.validate import check_dataset

MUTATIONS = 10_000
BATCHES = 10
SECONDS = 2.0
LONGEST_SEED = 2_000
PIECES = (
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\n", b"\r", b'"', b"'", b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u0000",
    b"\\ud800", b"NaN", b"1e999", b"//", b"\x1b$B", b"\x82\xa0", b"\xe3\x81", b"\xe2\x80\xa8", b"[" * 40, b"\t", b";",
)  # fmt: skip


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """Return a file with one to four cuts, insertions, swaps, bit flips or repetitions."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            del data[at : at + chance.randint(1, 20)]
        elif kind == 1:
            data[at:at] = chance.choice(PIECES)
        elif kind == 2:
            del data[at:]
        elif kind == 3 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 4:
            data[at:at] = data[at : at + chance.randint(1, 60)]
        else:
            other = chance.choice(CASES).data[:LONGEST_SEED]
            data[at:at] = other[: chance.randint(1, 100)]
    return bytes(data)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_files_get_a_verdict(tmp_path: Path, batch: int) -> None:
    chance = random.Random(batch)
    seeds = [case for case in CASES if len(case.data) <= LONGEST_SEED]
    for number in range(MUTATIONS // BATCHES):
        case = chance.choice(seeds)
        path = tmp_path / f"{number}{Path(case.name).suffix}"
        path.write_bytes(mutated(case.data, chance))
        started = time.process_time()
        report = check_dataset(path)
        json.dumps(report.to_dict(), allow_nan=False).encode()
        try:
            num_examples = len(list(iter_examples(path, ReadOptions())))
        except DatasetError:
            assert not report.ok, path
        else:
            assert report.ok, path
            assert num_examples == report.num_examples, path
        assert time.process_time() - started < SECONDS, path
        path.unlink()
