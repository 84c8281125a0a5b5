"""Tiny training runs for the engine's tests."""

from pathlib import Path

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from llmlora.core.config import TrainConfig
from llmlora.core.events import EventWriter, step_history
from llmlora.core.job import DataSource, JobConfig, read_job, write_job
from llmlora.engine.train import fit
from llmlora.weights.base import open_base

VOCAB = 200


class MemoryRows:
    """Random rows: the first third of each is prompt."""

    def __init__(self, num_rows, seed=0, longest=40):
        random = np.random.default_rng(seed)
        self.rows = []
        for _ in range(num_rows):
            ids = random.integers(3, VOCAB, int(random.integers(8, longest))).astype(np.int32)
            labels = ids.copy()
            labels[: len(ids) // 3] = -100
            self.rows.append((ids, labels))

    def __len__(self):
        return len(self.rows)

    def row(self, index):
        return self.rows[index]


class StopAfter:
    """Becomes true when it was looked at a number of times."""

    def __init__(self, looks):
        self.looks = looks

    def __bool__(self):
        self.looks -= 1
        return self.looks < 0


def tiny_llama(folder: Path) -> Path:
    base = folder / "base"
    if not base.exists():
        torch.manual_seed(0)
        LlamaForCausalLM(
            LlamaConfig(
                vocab_size=VOCAB, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=True,
            )
        ).save_pretrained(base)  # fmt: skip
    return base


def job_for(base: Path, **settings) -> JobConfig:
    defaults = {"per_device_train_batch_size": 4, "num_train_epochs": 3, "learning_rate": 1e-2, "dtype": "float32"}
    return JobConfig(
        schema="llmlora.job/1", id="TEST", base_model="tiny", base_dir=str(base), base_digest="-",
        data=DataSource(path="-", sha256="-"), train=TrainConfig(**{**defaults, **settings}), llmlora_version="-",
    )  # fmt: skip


def run_job(base: Path, folder: Path, rows, *, stop=False, eval_rows=None, **settings):
    """Run one more attempt of a job in `folder` and return what `fit` returns."""
    run = len(list((folder / "runs").glob("*"))) + 1 if folder.exists() else 1
    directory = folder / "runs" / str(run)
    directory.mkdir(parents=True)
    if not (folder / "config.json").exists() or settings:
        write_job(folder, job_for(base, **settings))
    job, events = read_job(folder), EventWriter(directory, run)
    return fit(job, open_base(Path(job.base_dir)), folder, run, (rows, eval_rows), events, stop)


def losses(folder: Path) -> list[float]:
    return [entry["loss"] for entry in step_history(folder)]


def trained_weights(trained) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in trained.model.named_parameters() if weight.requires_grad}
