"""The pieces of pre-training: rows, drills, and the run with llmlora's own engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.events import step_history
from llmlora.core.layout import checkpoint_dirs
from llmlora.prepare.dataset import IGNORED
from pretrain.export import export
from pretrain.rows import DRILL_LENGTH, LENGTHS, drill, pack, stored_rows, training_rows
from pretrain.tokenizer import TOKENIZER_FILES
from pretrain.train import SETTINGS, train

NANO = Path(__file__).parents[2] / "src/llmlora/assets/models/nano"
TOKENIZER = NANO / "tokenizer.json"


def test_rows_have_their_lengths_and_shares_and_begin_with_a_document() -> None:
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    rows = pack(TOKENIZER, seed=3, size=600_000)
    assert {len(row) for row in rows} == set(LENGTHS)
    long = sum(len(row) for row in rows if len(row) >= 1024)
    assert long / sum(len(row) for row in rows) == pytest.approx(0.2, abs=0.04)
    texts = [tokenizer.decode(row.tolist(), skip_special_tokens=False) for row in rows]
    assert len(set(texts)) == len(texts)
    assert not any(text.startswith(("<|im_end|>", "<|endoftext|>")) for text in texts)


def test_rows_are_the_same_every_time_and_everything_but_their_first_token_is_learned() -> None:
    found, again = (training_rows(TOKENIZER, range(5, 7), 40_000, drill_share=0.0) for _ in range(2))
    assert (found.input_ids == again.input_ids).all()
    assert len(found) == len(pack(TOKENIZER, 5, 40_000)) + len(pack(TOKENIZER, 6, 40_000))
    for index in range(len(found)):
        ids, labels = found.row(index)
        assert labels[0] == IGNORED
        assert (labels[1:] == ids[1:]).all()


def test_drills_are_a_share_of_the_rows_and_teach_nothing_but_what_repeats() -> None:
    plain, drilled = (training_rows(TOKENIZER, range(5, 6), 100_000, share) for share in (0.0, 0.2))
    assert len(drilled) == len(plain) + round(0.2 * len(plain))
    _, labels = drilled.row(len(drilled) - 1)
    assert 0.4 < (labels != IGNORED).mean() < 0.8


def test_every_label_of_a_drill_stands_earlier_in_its_row() -> None:
    row, is_learned = drill(4)
    assert row.shape == (DRILL_LENGTH,)
    assert all(row[place] in row[:place] for place in np.flatnonzero(is_learned))
    assert (drill(4)[0] == row).all()
    assert (drill(5)[0] != row).any()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the work folder of a run of four steps that lost the last two and was started again."""
    work = tmp_path_factory.mktemp("pretrain")
    (work / "tokenizer").mkdir()
    for name in TOKENIZER_FILES:
        (work / "tokenizer" / name).write_bytes((NANO / name).read_bytes())
    stored_rows(work / "held-out", TOKENIZER, range(900, 901), 30_000, 0.0)
    settings = {**SETTINGS, "max_steps": 4, "warmup_steps": 2, "per_device_train_batch_size": 4, "logging_steps": 1}
    train(work, {**settings, "save_steps": 2}, range(5, 6), 60_000)
    _, _, newest = checkpoint_dirs(work / "job")[-1]
    shutil.rmtree(newest)
    train(work, {**settings, "save_steps": 2}, range(5, 6), 60_000)
    return work


def test_it_learns_by_the_engine_and_a_run_that_ended_early_goes_on(trained: Path) -> None:
    history = step_history(trained / "job")
    assert [entry["run"] for entry in history] == [1, 1, 2, 2]
    assert history[0]["loss"] > 8.5
    assert history[-1]["loss"] < history[0]["loss"]


def test_the_exported_folder_is_a_base_model_with_a_card_of_measured_numbers(trained: Path, tmp_path: Path) -> None:
    losses = export(trained, tmp_path / "nano")
    base = resolve_base_model(str(tmp_path / "nano"))
    assert base.num_parameters == 4_720_896
    weights = load_file(tmp_path / "nano/model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.bfloat16}
    assert set(losses) == {"256", "512", "2048"}
    card = (tmp_path / "nano/README.md").read_text(encoding="utf-8")
    result = json.loads((trained / "job/runs/2/result.json").read_text(encoding="utf-8"))
    assert f"{losses['512']:.3f}" in card
    assert f"{result['num_tokens']:,} tokens in 4 steps" in card
