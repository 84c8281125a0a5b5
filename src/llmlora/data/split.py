"""Split rows into training and validation by hash: the same rows and seed always give the same split."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence


def split_hash(key: object, seed: int) -> int:
    """Return a 64-bit number that depends on the key's text and the seed only."""
    text = f"{seed}\0{key}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def num_held_out(num_keys: int, fraction: float) -> int:
    """Return how many of the keys are held out: at least one, and never all."""
    if num_keys < 2 or fraction <= 0:
        return 0
    return min(num_keys - 1, max(1, round(num_keys * fraction)))


def split_indices(keys: Sequence[Hashable], fraction: float, seed: int = 0) -> tuple[list[int], list[int]]:
    """Return the positions to train on and the positions held out, both ascending.

    Positions with an equal key stay together: the turns of one conversation, or the copies of one row.
    """
    distinct = sorted(set(keys), key=lambda key: (split_hash(key, seed), str(key)))
    held = set(distinct[: num_held_out(len(distinct), fraction)])
    train = [position for position, key in enumerate(keys) if key not in held]
    return train, [position for position, key in enumerate(keys) if key in held]
