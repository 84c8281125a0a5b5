"""Finished training jobs on tiny random models, made with PEFT directly instead of by training."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_models import tiny_model

MakeJob = Callable[..., Path]


def tiny_job(architecture: str, folder: Path, adapter: dict[str, Any] | None = None, **model: Any) -> Path:
    """Write `folder/base` and a finished job `folder/job`; `adapter` are LoraConfig settings (None: method full)."""
    from llmlora import __version__
    from llmlora.catalog.base_model import resolve_base_model
    from llmlora.core.config import TrainConfig
    from llmlora.core.job import DataSource, JobConfig, write_job
    from llmlora.core.layout import new_id
    from llmlora.core.publish import sha256_file
    from llmlora.prepare.template import load_template, save_template
    from llmlora.prepare.tokenizer import save_tokenizer

    base = tiny_model(architecture, folder / "base", **model)
    data = folder / "data.jsonl"
    data.write_text('{"instruction": "営業時間は？", "output": "午前10時から午後7時までです。"}\n', encoding="utf-8")
    job_dir = folder / "job"
    job_dir.mkdir()
    result = job_dir / ("adapter" if adapter is not None else "model")
    write_random_adapter(base, result, adapter) if adapter is not None else write_changed_model(base, result)
    save_tokenizer(base, result)
    save_template(load_template(base), result)
    job = JobConfig(
        schema="llmlora.job/1",
        id=new_id(),
        base_model=str(base),
        base_dir=str(base),
        base_digest=resolve_base_model(str(base)).digest,
        data=DataSource(path=str(data), sha256=sha256_file(data)),
        train=TrainConfig(method="lora" if adapter is not None else "full"),
        llmlora_version=__version__,
    )
    write_job(job_dir, job)
    return job_dir


def write_random_adapter(base: Path, folder: Path, settings: dict[str, Any]) -> None:
    """Save a LoRA adapter whose matrices are random, so that it changes every answer."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(7)
        model = AutoModelForCausalLM.from_pretrained(base)
        config = LoraConfig(**{"r": 4, "lora_alpha": 6, "target_modules": "all-linear", **settings})
        tuned = get_peft_model(model, config)
        with torch.no_grad():
            for weight in tuned.parameters():
                if weight.requires_grad:
                    weight.add_(torch.randn_like(weight) * 0.05)
        tuned.save_pretrained(folder)


def write_changed_model(base: Path, folder: Path) -> None:
    """Save the base with all weights changed, as full training leaves it."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(8)
    model = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.02)
    model.save_pretrained(folder)
