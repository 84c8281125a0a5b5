"""The pieces of pre-training: rows, learning rate, optimizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from pretrain.optimizer import Muon, orthogonal
from pretrain.rows import DRILL_LENGTH, IGNORED, LENGTHS, STEP_TOKENS, drill, pack, step_order
from pretrain.train import FINAL_SHARE, WARM_UP, rate_share

NANO = Path(__file__).parents[2] / "src/llmlora/assets/models/nano"


def test_rows_have_their_lengths_and_shares_and_begin_with_a_document(tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(NANO / "tokenizer.json"))
    counts = pack(tokenizer, tmp_path, seed=3, size=600_000)
    rows = {length: np.load(tmp_path / f"rows-{length}.npy") for length in LENGTHS}
    assert {length: len(found) for length, found in rows.items()} == counts
    assert all(found.shape[1] == length + 1 for length, found in rows.items())
    total = sum(length * count for length, count in counts.items())
    long = sum(length * count for length, count in counts.items() if length >= 1024)
    assert long / total == pytest.approx(0.2, abs=0.04)
    text = tokenizer.decode(rows[256][0].tolist(), skip_special_tokens=False)
    again = tokenizer.decode(rows[256][1].tolist(), skip_special_tokens=False)
    assert text != again
    assert not text.startswith(("<|im_end|>", "<|endoftext|>"))


def test_an_epoch_takes_every_row_once_in_steps_of_the_same_size() -> None:
    counts = {256: 16, 512: 8, 1024: 2, 2048: 1}
    order = step_order(counts, seed=1)
    assert all(length * len(rows) == STEP_TOKENS for length, rows in order)
    taken = sorted((length, row) for length, rows in order for row in rows)
    assert taken == sorted((length, row) for length, count in counts.items() for row in range(count))
    assert order == step_order(counts, seed=1)
    assert order != step_order(counts, seed=2)


def test_every_label_of_a_drill_stands_earlier_in_its_row() -> None:
    rows, labels = drill(4)
    assert rows.shape == (STEP_TOKENS // DRILL_LENGTH, DRILL_LENGTH + 1)
    asked = labels != IGNORED
    assert 0.4 < asked.mean() < 0.8
    assert (labels[asked] == rows[:, 1:][asked]).all()
    for row, places in zip(rows, asked, strict=True):
        assert all(row[place + 1] in row[: place + 1] for place in np.flatnonzero(places))
    again, _ = drill(4)
    other, _ = drill(5)
    assert (rows == again).all()
    assert (rows != other).any()


def test_the_learning_rate_warms_up_stays_and_falls() -> None:
    shares = [rate_share(step, 1000, 300) for step in range(1000)]
    assert shares[0] == 1 / WARM_UP
    assert shares[WARM_UP:700] == [1.0] * (700 - WARM_UP)
    assert shares[850] == pytest.approx(0.5)
    assert shares[-1] == FINAL_SHARE
    assert all(left >= right for left, right in zip(shares[WARM_UP:], shares[WARM_UP + 1 :], strict=False))


@pytest.mark.parametrize("shape", [(3, 8, 24), (2, 24, 8), (1, 16, 16)])
def test_updates_become_nearly_orthogonal(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert values.min() > 0.3
    assert values.max() < 1.4


def test_muon_finds_the_matrix_of_a_linear_map() -> None:
    torch.manual_seed(0)
    wanted, matrix = torch.randn(6, 10), torch.nn.Parameter(torch.zeros(6, 10))
    optimizer = Muon([matrix], lr=0.05, weight_decay=0.0)
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / 300)
        optimizer.zero_grad()
        (matrix - wanted).square().sum().backward()
        optimizer.step()
    assert (matrix - wanted).abs().max() < 0.05
