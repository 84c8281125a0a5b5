"""Model cards (`README.md`) of adapters, merged models and exports: what it is, from what, how to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from llmlora.core.job import JobConfig
from llmlora.core.locale import translate

METRICS = ("final_loss", "eval_loss", "perplexity", "published_step", "num_tokens", "seconds")


def adapter_card(job: JobConfig, summary: Mapping[str, Any]) -> str:
    """Return the card of an adapter folder; `summary` is the result of the training run."""
    usage = translate("export.card.use_adapter", base_model=_base_name(job))
    return _card(job, "peft", translate("export.card.title_adapter", base_model=_base_name(job)), usage, summary)


def merged_card(job: JobConfig) -> str:
    """Return the card of a merged model folder."""
    title = translate("export.card.title_merged", base_model=_base_name(job))
    return _card(job, "transformers", title, translate("export.card.use_merged"), {})


def export_card(job: JobConfig, files: Mapping[str, int], losses: Mapping[str, str]) -> str:
    """Return the card of an export folder: `files` maps file names to bytes, `losses` to what a file lost."""
    title = translate("export.card.title_export", base_model=_base_name(job))
    rows = "\n".join(f"| {name} | {size:,} |" for name, size in files.items())
    table = f"| {translate('export.card.file')} | {translate('export.card.bytes')} |\n|---|---:|\n{rows}"
    usage = "\n\n".join([translate("export.card.use_export"), table, *losses.values()])
    return _card(job, "gguf", title, usage, {})


def _card(job: JobConfig, library: str, title: str, usage: str, summary: Mapping[str, Any]) -> str:
    facts = "\n".join(f"- {name}: {value}" for name, value in _facts(job, summary).items())
    heading = translate("export.card.facts")
    return f"{_front_matter(job, library)}\n# {title}\n\n{usage}\n\n## {heading}\n\n{facts}\n"


def _facts(job: JobConfig, summary: Mapping[str, Any]) -> dict[str, Any]:
    config = job.train
    facts: dict[str, Any] = {
        "base_model": _base_name(job),
        "base_digest": job.base_digest,
        "data": f"{Path(job.data.path).name} (sha256 {job.data.sha256})",
        "method": config.method,
    }
    if config.method != "full":
        facts |= {"r": config.r, "lora_alpha": config.lora_alpha, "use_rslora": config.use_rslora}
        facts |= {"use_dora": config.use_dora}
    facts |= {"learning_rate": config.learning_rate, "num_train_epochs": config.num_train_epochs}
    facts |= {"effective_batch_size": config.effective_batch_size, "max_length": config.max_length, "seed": config.seed}
    facts |= {name: summary[name] for name in METRICS if summary.get(name) is not None}
    return {**facts, "llmlora": job.llmlora_version}


def _front_matter(job: JobConfig, library: str) -> str:
    base = base_front_matter(Path(job.base_dir))
    fields: dict[str, Any] = {
        "base_model": _base_name(job),
        "library_name": library,
        "license": base.get("license", "unknown"),
        "language": base.get("language", []),
        "datasets": [Path(job.data.path).stem],
        "pipeline_tag": "text-generation",
        "tags": ["llmlora", "fine-tuned", *([] if job.method == "full" else ["lora"])],
    }
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "---\n" + "\n".join(lines) + "\n---\n"


def base_front_matter(base_dir: Path) -> dict[str, Any]:
    """Return the YAML header of a base model's card; empty when it has none or it is damaged."""
    try:
        text = (base_dir / "README.md").read_text(encoding="utf-8")
        if not text.startswith("---\n"):
            return {}
        header = yaml.safe_load(text[4:].split("\n---", 1)[0])
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return header if isinstance(header, dict) else {}


def _base_name(job: JobConfig) -> str:
    """Return the base's name without the folders of this machine."""
    path = Path(job.base_model)
    return path.name if path.is_absolute() or job.base_model.startswith(".") else job.base_model
