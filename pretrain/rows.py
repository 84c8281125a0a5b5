"""Packing: whole documents one after another into rows of fixed length; a row always begins with a document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from pretrain.corpus import texts
from pretrain.tokenizer import VOCABULARY

# Row length -> share of the training tokens; a fifth in long rows, because the context is 2048.
LENGTHS = {256: 0.4, 512: 0.4, 1024: 0.1, 2048: 0.1}
STEP_TOKENS = 2048
DRILL_LENGTH = 256
FIRST_WORD_TOKEN = 4  # after the special tokens
IGNORED = -100
BATCH_OF_TEXTS = 2000


def _encoded(tokenizer: Tokenizer, seed: int, size: int) -> Iterator[list[int]]:
    batch: list[str] = []
    for text in texts(seed, size):
        batch.append(text)
        if len(batch) == BATCH_OF_TEXTS:
            yield from (found.ids for found in tokenizer.encode_batch(batch))
            batch = []
    yield from (found.ids for found in tokenizer.encode_batch(batch))


def pack(tokenizer: Tokenizer, folder: Path, seed: int, size: int) -> dict[int, int]:
    """Write `rows-<length>.npy` of shape [rows, length + 1] for every length and return the row counts.

    A document that crosses the end of a row is cut there; the rest of it is not used.
    """
    rows: dict[int, list[list[int]]] = {length: [] for length in LENGTHS}
    used = dict.fromkeys(LENGTHS, 0)

    # The length that is furthest behind its share gets the next row.
    def furthest_behind() -> int:
        return min(LENGTHS, key=lambda length: used[length] / LENGTHS[length])

    length, row = furthest_behind(), []
    for ids in _encoded(tokenizer, seed, size):
        row.extend(ids)
        if len(row) > length:
            rows[length].append(row[: length + 1])
            used[length] += length
            length, row = furthest_behind(), []
    folder.mkdir(parents=True, exist_ok=True)
    for each, found in rows.items():
        np.save(folder / f"rows-{each}.npy", np.array(found, dtype=np.uint16).reshape(-1, each + 1))
    return {each: len(found) for each, found in rows.items()}


def step_order(counts: dict[int, int], seed: int) -> list[tuple[int, list[int]]]:
    """Return, for every step of one epoch, the row length and the rows it takes; the same for the same seed."""
    random = np.random.default_rng(seed)
    steps: list[tuple[int, list[int]]] = []
    for length, count in sorted(counts.items()):
        per_step = STEP_TOKENS // length
        order = random.permutation(count).tolist()
        steps += [(length, order[at : at + per_step]) for at in range(0, count - per_step + 1, per_step)]
    return [steps[index] for index in random.permutation(len(steps)).tolist()]


def drill(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch [8, 257] of random words that repeat, and its labels [8, 256]: only what repeats is asked.

    Copying a stretch of text from earlier in the row is what every answer from a given passage needs. So small a
    model meets it too rarely in plain text to learn it in so few steps; here every label is a copy. Any token can be
    drawn, so that rare kanji are learned as well.
    """
    random = np.random.default_rng(seed)
    rows = np.zeros((STEP_TOKENS // DRILL_LENGTH, DRILL_LENGTH + 1), dtype=np.int64)
    repeats = np.zeros(rows.shape, dtype=bool)
    for row, is_repeat in zip(rows, repeats, strict=True):
        at = 0
        while at < len(row):
            piece = random.integers(FIRST_WORD_TOKEN, VOCABULARY, random.integers(3, 25))
            found = np.tile(piece, random.integers(2, 5))[: len(row) - at]
            row[at : at + len(found)] = found
            is_repeat[at + len(piece) + 1 : at + len(found)] = True  # the first token of a repeat cannot be known
            at += len(found)
    return rows, np.where(repeats[:, 1:], rows[:, 1:], IGNORED)
