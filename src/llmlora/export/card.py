"""Model cards (`README.md`) of adapters, merged models and exports: what it is, from what, how to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.core.errors import ModelFileError
from llmlora.core.job import JobConfig
from llmlora.core.locale import has_text, translate

# What is known of a training run, by its name in the run's summary: the text that says what it is.
METRICS = {
    "final_loss": "evaluation.report.final_loss",
    "eval_loss": "evaluation.report.eval_loss",
    "perplexity": "evaluation.report.perplexity_of_held_out",
    "published_step": "evaluation.report.published_step",
    "num_tokens": "evaluation.report.tokens",
}
USE_ADAPTER = """\
```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("BASE_MODEL"), "THIS_FOLDER")
tokenizer = AutoTokenizer.from_pretrained("THIS_FOLDER")
```"""
USE_MERGED = """\
```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("THIS_FOLDER")
tokenizer = AutoTokenizer.from_pretrained("THIS_FOLDER")
```"""
USE_EXPORT = """\
```sh
ollama create my-model -f Modelfile
```"""


def adapter_card(job: JobConfig, summary: Mapping[str, Any]) -> str:
    """Return the card of an adapter folder; `summary` is the result of the training run."""
    usage = f"{translate('export.card.use_adapter', base_model=_base_name(job))}\n\n{USE_ADAPTER}"
    return _card(job, "peft", translate("export.card.title_adapter", base_model=_base_name(job)), usage, summary)


def merged_card(job: JobConfig) -> str:
    """Return the card of a merged model folder."""
    title = translate("export.card.title_merged", base_model=_base_name(job))
    return _card(job, "transformers", title, f"{translate('export.card.use_merged')}\n\n{USE_MERGED}", {})


def export_card(job: JobConfig, files: Mapping[str, int], losses: Mapping[str, str]) -> str:
    """Return the card of an export folder: `files` maps file names to bytes, `losses` to what a file lost."""
    title = translate("export.card.title_export", base_model=_base_name(job))
    rows = "\n".join(f"| {name} | {size:,} |" for name, size in files.items())
    table = f"| {translate('export.card.file')} | {translate('export.card.bytes')} |\n|---|---:|\n{rows}"
    usage = "\n\n".join([translate("export.card.use_export"), USE_EXPORT, table, *losses.values()])
    return _card(job, "gguf", title, usage, {})


def _card(job: JobConfig, library: str, title: str, usage: str, summary: Mapping[str, Any]) -> str:
    lines = "\n".join(_fact(name, value) for name, value in _facts(job, summary).items())
    heading, limits = translate("export.card.facts"), translate("export.card.limits", data=Path(job.data.path).name)
    sharing = f"## {translate('export.card.sharing')}\n\n{_checklist(job, library)}"
    return f"{_front_matter(job, library)}\n# {title}\n\n{usage}\n\n{limits}\n\n{sharing}\n\n## {heading}\n\n{lines}\n"


def _checklist(job: JobConfig, library: str) -> str:
    """Return what to make sure of before the folder is passed on, one box per line."""
    licence = base_front_matter(Path(job.base_dir)).get("license")
    names = {"licence": licence, "base_model": _base_name(job), "data": Path(job.data.path).name}
    keys = ("licence" if licence else "no_licence", "data", "purpose", f"with_{library}")
    return "\n".join(f"- [ ] {translate(f'export.card.sharing_{key}', **names)}" for key in keys)


def _fact(name: str, value: Any) -> str:
    """Return a line of the record: a setting or a measure by its own name, its value, and what it is."""
    shown = f"{value:.4g}" if isinstance(value, float) else value
    key = METRICS.get(name, f"config.{name}")
    return f"- {name}: {shown}" + (f" — {translate(key)}" if has_text(key) else "")


def _facts(job: JobConfig, summary: Mapping[str, Any]) -> dict[str, Any]:
    config = job.train
    facts: dict[str, Any] = {
        "base_model": _base_name(job),
        "base_digest": job.base_digest,
        "data": f"{Path(job.data.path).name} (sha256 {job.data.sha256})",
        "method": config.method,
    }
    if config.method != "full":
        facts |= {"r": config.r, "lora_alpha": config.lora_alpha}
        facts |= {name: True for name in ("use_rslora", "use_dora") if getattr(config, name)}
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


def base_front_matter(folder: Path) -> dict[str, Any]:
    """Return the YAML header of a base model's card; empty when it has none or it is damaged.

    A GGUF file, given in place of a folder, has both in its keys.
    """
    try:
        if folder.is_file():
            keys = read_gguf_header(folder).metadata
            named = {"license": keys.get("general.license"), "language": keys.get("general.languages")}
            return {name: value for name, value in named.items() if value}
        text = (folder / "README.md").read_text(encoding="utf-8")
        if not text.startswith("---\n"):
            return {}
        header = yaml.safe_load(text[4:].split("\n---", 1)[0])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ModelFileError):
        return {}
    return header if isinstance(header, dict) else {}


def _base_name(job: JobConfig) -> str:
    """Return the base's name without the folders of this machine."""
    path = Path(job.base_model)
    return path.name if path.is_absolute() or job.base_model.startswith(".") else job.base_model
