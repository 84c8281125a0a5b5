"""The part of worker kind `train` that makes an adapter of those of other jobs, without training."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.job_inputs import check_job_inputs
from llmlora.core.events import EventWriter
from llmlora.core.job import Combination, JobConfig
from llmlora.core.layout import (
    ADAPTER_CONFIG,
    ADAPTER_DIR,
    ADAPTER_WEIGHTS,
    ENVIRONMENT_FILE,
    MANIFEST_FILE,
    run_dir,
    run_numbers,
)
from llmlora.core.publish import publishing_dir
from llmlora.engine.combine import combine_adapters, distance_from_sum
from llmlora.engine.train import save_adapter
from llmlora.export.card import adapter_card
from llmlora.weights.base import open_base

NOT_COPIED = (ADAPTER_CONFIG, ADAPTER_WEIGHTS, MANIFEST_FILE, "README.md", "training_args.json")


def combine(folder: Path, job: JobConfig, combination: Combination, events: EventWriter) -> dict[str, Any]:
    """Combine the members of a job and publish the adapter; tokenizer, template and environment are the first one's."""
    started = time.monotonic()
    check_job_inputs(job, resolve_base_model(job.base_dir))
    first = Path(combination.members[0].folder)
    _keep_environment(first, folder)
    events.emit("phase", name="combining", params={"count": len(combination.members), "method": combination.method})
    sources = [Path(member.folder) / ADAPTER_DIR for member in combination.members]
    model = combine_adapters(open_base(Path(job.base_dir)), sources, combination, job.train.seed or 0)
    summary = {
        "status": "succeeded",
        "method": combination.method,
        "r": job.train.r,
        "distance_from_sum": round(distance_from_sum(model, combination.weights), 6),
        "num_steps": 0,
    }
    with publishing_dir(folder / ADAPTER_DIR, {"job": job.id, "base_digest": job.base_digest}) as temporary:
        for path in sources[0].iterdir():
            if path.name not in NOT_COPIED and path.is_file():
                shutil.copyfile(path, temporary / path.name)
        save_adapter(model, temporary)
        settings = json.dumps(job.to_json()["train"], ensure_ascii=False, indent=2) + "\n"
        (temporary / "README.md").write_text(adapter_card(job, summary), encoding="utf-8")
        (temporary / "training_args.json").write_text(settings, encoding="utf-8")
    seconds = round(time.monotonic() - started, 3)
    return {**summary, "seconds": seconds, "adapter_dir": str((folder / ADAPTER_DIR).absolute())}


def _keep_environment(member: Path, folder: Path) -> None:
    """Take over how the first member computes and lays rows out: what is made of it is asked and measured alike."""
    for run in reversed(run_numbers(member)):
        path = run_dir(member, run) / ENVIRONMENT_FILE
        if path.is_file():
            shutil.copyfile(path, run_dir(folder, run_numbers(folder)[-1]) / ENVIRONMENT_FILE)
            return
