"""Training rows: whole documents one after another in rows of fixed lengths, and drills; stored as llmlora stores rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from llmlora.prepare.dataset import IGNORED, PreparedDataset, load_prepared, save_prepared
from pretrain.corpus import texts
from pretrain.tokenizer import VOCABULARY

# Row length -> share of the training tokens; a fifth in long rows, because the context is 2048.
LENGTHS = {256: 0.4, 512: 0.4, 1024: 0.1, 2048: 0.1}
SHARD_BYTES = 4_000_000
DRILL_SHARE = 0.1  # of the rows
DRILL_LENGTH = 256
FIRST_WORD_TOKEN = 4  # after the special tokens
BATCH_OF_TEXTS = 2000

Tokens = npt.NDArray[np.uint16]


def _encoded(tokenizer: Tokenizer, seed: int, size: int) -> Iterator[list[int]]:
    batch: list[str] = []
    for text in texts(seed, size):
        batch.append(text)
        if len(batch) == BATCH_OF_TEXTS:
            yield from (found.ids for found in tokenizer.encode_batch(batch))
            batch = []
    yield from (found.ids for found in tokenizer.encode_batch(batch))


def pack(tokenizer_file: Path, seed: int, size: int) -> list[Tokens]:
    """Return rows of about `size` bytes of text; each begins with a document.

    A document that crosses the end of a row is cut there; the rest of it is not used.
    """
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    rows: list[Tokens] = []
    used = dict.fromkeys(LENGTHS, 0)

    # The length that is furthest behind its share gets the next row.
    def furthest_behind() -> int:
        return min(LENGTHS, key=lambda length: used[length] / LENGTHS[length])

    length, row = furthest_behind(), []
    for ids in _encoded(tokenizer, seed, size):
        row.extend(ids)
        if len(row) >= length:
            rows.append(np.array(row[:length], dtype=np.uint16))
            used[length] += length
            length, row = furthest_behind(), []
    return rows


def drill(seed: int) -> tuple[Tokens, npt.NDArray[np.bool_]]:
    """Return a row of random words that repeat, and which of its tokens are learned: only what repeats.

    Copying a stretch of text from earlier in the row is what every answer from a given passage needs. Any token can be
    drawn, so that rare kanji are learned as well.
    """
    random = np.random.default_rng(seed)
    row = np.zeros(DRILL_LENGTH, dtype=np.uint16)
    is_learned = np.zeros(DRILL_LENGTH, dtype=bool)
    at = 0
    while at < DRILL_LENGTH:
        piece = random.integers(FIRST_WORD_TOKEN, VOCABULARY, random.integers(3, 25))
        found = np.tile(piece, random.integers(2, 5))[: DRILL_LENGTH - at]
        row[at : at + len(found)] = found
        is_learned[at + len(piece) + 1 : at + len(found)] = True  # the first token of a repeat cannot be known
        at += len(found)
    return row, is_learned


def training_rows(tokenizer_file: Path, seeds: range, size: int, drill_share: float = DRILL_SHARE) -> PreparedDataset:
    """Return the rows of one shard of text per seed, then the drills; the same ones on any number of cores."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        shards = pool.map(partial(pack, tokenizer_file, size=size), seeds)
        rows = [(row, np.ones(len(row), dtype=bool)) for shard in shards for row in shard]
    rows += [drill(seed) for seed in range(round(len(rows) * drill_share))]
    return _stored_form(rows)


def _stored_form(rows: list[tuple[Tokens, npt.NDArray[np.bool_]]]) -> PreparedDataset:
    ids = np.concatenate([row for row, _ in rows]).astype(np.int32)
    learned = np.concatenate([is_learned for _, is_learned in rows])
    labels = np.where(learned, ids, np.int32(IGNORED))
    offsets = np.cumsum([0, *(len(row) for row, _ in rows)], dtype=np.int64)
    labels[offsets[:-1]] = IGNORED  # nothing stands before the first token from which it could be predicted
    none = np.zeros(len(rows), dtype=np.int64)
    return PreparedDataset(
        input_ids=ids,
        labels=labels,
        offsets=offsets,
        rows=np.arange(1, len(rows) + 1, dtype=np.int64),
        cut_ids=np.empty(0, dtype=np.int32),
        cut_offsets=np.append(none, 0),
        num_cut=none,
        facts={"num_rows": len(rows), "num_tokens": len(ids), "num_label_tokens": int((labels != IGNORED).sum())},
    )


def stored_rows(folder: Path, tokenizer_file: Path, seeds: range, size: int, drill_share: float) -> PreparedDataset:
    """Return the rows of a folder, made there first when they are not there yet."""
    found = load_prepared(folder)
    if found is None:
        save_prepared(training_rows(tokenizer_file, seeds, size, drill_share), folder)
        found = load_prepared(folder)
    assert found is not None
    return found
