"""Splits depend on content and seed only."""

from __future__ import annotations

import subprocess
import sys

import pytest

from llmlora.core.examples import Example
from llmlora.data.split import content_key, content_keys, num_held_out, split_hash, split_indices


def test_every_position_is_on_exactly_one_side() -> None:
    train, held = split_indices(list(range(100)), 0.2, seed=3)
    assert sorted(train + held) == list(range(100))
    assert len(held) == 20
    assert train == sorted(train)


@pytest.mark.parametrize(
    ("count", "fraction", "held"), [(0, 0.1, 0), (1, 0.5, 0), (2, 0.01, 1), (5, 0.1, 1), (10, 0.99, 9), (10, 0.0, 0)]
)
def test_neither_side_is_empty(count: int, fraction: float, held: int) -> None:
    assert num_held_out(count, fraction) == held
    assert len(split_indices(list(range(count)), fraction)[1]) == held


def test_equal_keys_stay_together() -> None:
    keys = [position // 3 for position in range(90)]
    train, held = split_indices(keys, 0.3, seed=1)
    assert not {keys[position] for position in train} & {keys[position] for position in held}


def test_the_seed_decides_and_order_does_not() -> None:
    keys = [f"row {number}" for number in range(50)]
    held = {keys[position] for position in split_indices(keys, 0.2, seed=7)[1]}
    backwards = list(reversed(keys))
    assert {backwards[position] for position in split_indices(backwards, 0.2, seed=7)[1]} == held
    assert {keys[position] for position in split_indices(keys, 0.2, seed=8)[1]} != held


def test_the_hash_is_the_same_in_every_process() -> None:
    code = "from llmlora.data.split import split_hash; print(split_hash('日本語', 5))"
    path = ":".join(sys.path)
    child = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": path},
    )
    assert int(child.stdout) == split_hash("日本語", 5)


def test_the_content_of_a_row_is_its_key() -> None:
    first, copy = Example(1, 1, prompt="a", completion="b"), Example(9, 12, prompt="a", completion="b")
    assert content_key(first) == content_key(copy)
    others = [
        Example(1, 1, prompt="a", completion="c"),
        Example(1, 1, prompt="ab", completion=""),
        Example(1, 1, text="a"),
    ]
    assert len({content_key(example) for example in (first, *others, Example(1, 1, text="a"))}) == 4
    assert content_keys([first, copy]) == {1: content_key(first), 9: content_key(first)}
