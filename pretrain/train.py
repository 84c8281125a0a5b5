"""Train nano with llmlora's own engine, all weights, from random ones on; a killed run goes on from its checkpoint."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import torch

from llmlora import __version__
from llmlora.core.config import TrainConfig
from llmlora.core.events import EventWriter
from llmlora.core.job import DataSource, JobConfig, write_job
from llmlora.core.layout import RESULT_FILE, next_run, run_dir
from llmlora.core.publish import write_json
from llmlora.engine.device import DevicePlan
from llmlora.engine.train import fit, publish_trained
from llmlora.prepare.template import load_template
from llmlora.weights.base import open_folder
from llmlora.worker.frame import watch_stop_signals
from pretrain.model import save_fresh_model
from pretrain.rows import DRILL_SHARE, SHARD_BYTES, stored_rows

WORK = Path(__file__).parent / "work"
TRAINING_SEEDS = range(11, 41)  # one shard of text each
HELD_OUT_SEEDS = range(999_983, 999_984)
HELD_OUT_BYTES = 300_000
SETTINGS: dict[str, Any] = {
    "method": "full",
    "max_steps": 4500,
    "per_device_train_batch_size": 48,
    "learning_rate": 2e-3,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 200,
    "weight_decay": 0.05,
    "max_length": 2048,
    "assistant_only_loss": False,
    "logging_steps": 20,
    "eval_steps": 500,
    "save_steps": 500,
    "seed": 1,
}


class PrintedEvents(EventWriter):
    """The events of a run, with its numbers printed as well."""

    def emit(self, event_type: Any, **fields: Any) -> None:
        """Append one event; a step and an evaluation are also one line on the screen."""
        super().emit(event_type, **fields)
        if event_type in ("step", "evaluation"):
            numbers = {name: float(f"{value:.4g}") for name, value in fields["metrics"].items()}
            print(fields["step"], numbers, flush=True)


def train(work: Path, settings: dict[str, Any], seeds: range = TRAINING_SEEDS, size: int = SHARD_BYTES) -> Path:
    """Train in `work/job` and return the folder of the trained model; raises Stopped on SIGTERM or Ctrl-C."""
    base, folder, tokenizer_file = work / "base", work / "job", work / "tokenizer/tokenizer.json"
    if not base.is_dir():
        save_fresh_model(base, work / "tokenizer")
    held_out = stored_rows(work / "held-out", tokenizer_file, HELD_OUT_SEEDS, HELD_OUT_BYTES, 0.0)
    rows = stored_rows(work / "rows", tokenizer_file, seeds, size, DRILL_SHARE)
    print(f"{len(rows)} rows, {rows.num_tokens} tokens; held out: {len(held_out)} rows", flush=True)

    job = _job(work, settings)
    folder.mkdir(exist_ok=True)
    write_job(folder, job)
    run = next_run(folder)
    directory = run_dir(folder, run)
    directory.mkdir(parents=True)
    with closing(PrintedEvents(directory, run)) as events:
        trained = fit(job, open_folder(base), folder, run, (rows, held_out), events, watch_stop_signals())
    write_json(directory / RESULT_FILE, {**trained.summary(), "hardware": _hardware(trained.plan)})
    return publish_trained(trained, job, open_folder(base), folder, load_template(base, None), {})


def _job(work: Path, settings: dict[str, Any]) -> JobConfig:
    return JobConfig(
        schema="llmlora.job/1",
        id="nano",
        base_model="random weights",
        base_dir=str(work / "base"),
        base_digest="",
        data=DataSource(path=str(work / "rows"), sha256=""),
        train=TrainConfig(**settings),
        llmlora_version=__version__,
    )


def _hardware(plan: DevicePlan) -> str:
    return torch.cuda.get_device_name() if plan.device == "cuda" else f"{plan.num_threads} CPU core"
