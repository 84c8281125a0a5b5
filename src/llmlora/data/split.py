"""Split rows into training and validation by hash: the same rows and seed always give the same split."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import TypeVar

from llmlora.core.examples import Example
from llmlora.data.duplicates import hash64

Key = TypeVar("Key", bound=Hashable)


def content_key(example: Example) -> int:
    """Return a 64-bit number that depends on an example's content only: the copies of a row have the same."""
    return hash64(json.dumps(example.to_dict(), ensure_ascii=False, sort_keys=True))


def content_keys(examples: Iterable[Example]) -> dict[int, int]:
    """Return the content key of each example by its row number."""
    return {example.row: content_key(example) for example in examples}


def split_hash(key: object, seed: int) -> int:
    """Return a 64-bit number that depends on the key's text and the seed only."""
    text = f"{seed}\0{key}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def num_held_out(num_keys: int, fraction: float) -> int:
    """Return how many of the keys are held out: at least one, and never all."""
    if num_keys < 2 or fraction <= 0:
        return 0
    return min(num_keys - 1, max(1, round(num_keys * fraction)))


def held_out_keys(distinct: Collection[Key], fraction: float, seed: int = 0) -> set[Key]:
    """Return those of some distinct keys that are held out."""
    size = num_held_out(len(distinct), fraction)
    return set(heapq.nsmallest(size, distinct, key=lambda key: (split_hash(key, seed), str(key))))


def split_indices(keys: Sequence[Hashable], fraction: float, seed: int = 0) -> tuple[list[int], list[int]]:
    """Return the positions to train on and the positions held out, both ascending.

    Positions with an equal key stay together: the turns of one conversation, or the copies of one row.
    """
    held = held_out_keys(set(keys), fraction, seed)
    train = [position for position, key in enumerate(keys) if key not in held]
    return train, [position for position, key in enumerate(keys) if key in held]
