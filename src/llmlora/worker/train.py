"""Worker kind `train`: prepare the rows, run the loop, publish the adapter and the report."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch import nn

from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.job_inputs import check_job_inputs
from llmlora.core.errors import Conflict, ExportError, ModelFileError, RunError, Stopped
from llmlora.core.events import EventWriter, read_job_events, step_history
from llmlora.core.general_rows import num_general_rows
from llmlora.core.job import DataSource, JobConfig, read_job
from llmlora.core.layout import CONFIG_FILE, TOKENIZER_FILE, checkpoint_dirs, run_numbers
from llmlora.core.next_run import lower_rate_words
from llmlora.data.read import ReadOptions
from llmlora.engine.batch import Joined, Rows, Subset
from llmlora.engine.loop import final_loss
from llmlora.engine.train import fit, publish_trained
from llmlora.evaluation.advising.live import DiagnosedEvents
from llmlora.evaluation.report import evaluation_history, write_training_report
from llmlora.export.card import adapter_card
from llmlora.gguf.writer import foresee_gguf
from llmlora.prepare.asking import asking_remarks, asking_template
from llmlora.prepare.dataset import PreparedDataset, prepare_file
from llmlora.prepare.held_out import held_out_split
from llmlora.prepare.preview import preview_rows
from llmlora.prepare.remarks import remarks
from llmlora.prepare.template import ChatTemplate, load_template
from llmlora.prepare.tokenizer import load_tokenizer, save_tokenizer
from llmlora.weights.base import Base, open_base
from llmlora.worker.combine import combine
from llmlora.worker.frame import StopFlag
from llmlora.worker.general_rows import general_rows, prepare_options
from llmlora.worker.inspect_export import REFUSED

SAME_IN_ALL_RUNS = ("rows", "tokens", "label_tokens", "content")


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Train the job of a folder, or combine its members; the result is the document that `train --json` prints."""
    started = time.monotonic()
    job = read_job(folder)
    if job.combination is not None:
        return combine(folder, job, job.combination, events)
    check_job_inputs(job, resolve_base_model(job.base_dir))
    base = open_base(Path(job.base_dir))
    _warn_if_not_exportable(base, events)
    rows, template = _prepare(job, base, folder, events, stop)
    if stop:
        raise Stopped("interrupted")
    diagnosed = DiagnosedEvents(events, job, step_history(folder), evaluation_history(folder))
    trained = fit(job, base, folder, run_numbers(folder)[-1], rows, diagnosed, stop)
    if not all(bool(weight.isfinite().all()) for weight in trained.model.parameters() if weight.requires_grad):
        lower = lower_rate_words(job)
        raise RunError("nonfinite_weights", step=trained.state.step, tensor="?", words=lower, folder=str(folder))
    diagnosed.conclude(_adapter_size(trained.model, job), final_loss(trained.state))
    events.emit("phase", name="saving", params={})
    summary = {"status": "succeeded", **trained.summary()}
    adapter_dir = publish_trained(trained, job, base, folder, template, _files(job, summary))
    result = {**summary, "seconds": round(time.monotonic() - started, 3), "adapter_dir": str(adapter_dir.absolute())}
    if trained.ranks.is_first:
        write_training_report(folder, result)
    return result


def _adapter_size(model: nn.Module, job: JobConfig) -> float | None:
    """Return the largest number in the half of a LoRA adapter that starts at zero; None when it did not start there."""
    if job.method == "full" or job.train.init_adapter is not None:
        return None
    sizes = [float(weight.detach().abs().max()) for name, weight in model.named_parameters() if "lora_B" in name]
    return max(sizes, default=None)


def _warn_if_not_exportable(base: Base, events: EventWriter) -> None:
    """Say before anything is spent that this model cannot become a GGUF file, or only one with less context.

    Raises ModelFileError(tokenizer_no_bytes): what it would answer could not be read back by the file.
    """
    try:
        with _published_tokenizer(base) as tokenizer_dir:
            context, own = foresee_gguf(base.source, base.config, tokenizer_dir)
    except (ExportError, ModelFileError) as error:
        if error.code in REFUSED:
            raise
        events.emit("warning", code="not_exportable", params={"error": error.to_dict()})
    else:
        if context < own:
            events.emit("warning", code="less_context", params={"context": context, "own": own})


@contextmanager
def _published_tokenizer(base: Base) -> Iterator[Path]:
    """Yield a folder with the tokenizer.json that export will read: where there is none, training writes one."""
    if (base.tokenizer_dir / TOKENIZER_FILE).is_file():
        yield base.tokenizer_dir
        return
    with TemporaryDirectory() as folder:
        save_tokenizer(base.tokenizer_dir, Path(folder))
        yield Path(folder)


def _prepare(
    job: JobConfig, base: Base, folder: Path, events: EventWriter, stop: StopFlag
) -> tuple[tuple[Rows, Rows | None], ChatTemplate]:
    """Return the rows to train on with those held out, and the template that the trained model is asked with."""
    events.emit("phase", name="preparing", params={})
    prepared = _prepared(job.data, job, base, stop)
    own_held_out = _prepared(job.eval_data, job, base, stop) if job.eval_data is not None else None
    train_rows, held_out = _held_out(job, prepared, own_held_out)
    count = num_general_rows(job.train.general_share, len(train_rows))
    general = general_rows(base, job.base_model, job.train, count)
    parts = [item.content for item in (prepared, own_held_out, general) if item is not None]
    counts = {**_counts(prepared), "content": parts}
    _check_same_rows(job, folder, counts)
    counts["least_length"] = prepared.least_length(job.train.drop_overlong)
    events.emit("phase", name="prepared", params=counts)
    template = asking_template(load_template(base.tokenizer_dir, job.train.chat_template), prepared.facts)
    adapter = Path(job.train.init_adapter) if job.train.init_adapter is not None else None
    for kind, code, params in (*remarks(prepared.facts), *asking_remarks(template, adapter)):
        events.emit(kind, code=code, params=params)
    events.emit("sample", preview=preview_rows(prepared, load_tokenizer(base.tokenizer_dir), 1)[0])
    return (train_rows if general is None else Joined(train_rows, general), held_out), template


def _check_same_rows(job: JobConfig, folder: Path, counts: dict[str, Any]) -> None:
    """Refuse to go on from a checkpoint with other rows than it was trained on: a version may read a file otherwise.

    Runs of older versions have recorded the counts of their rows, but not their content.

    Raises Conflict: `rows_changed`.
    """
    if not checkpoint_dirs(folder):
        return
    recorded = [event.get("params", {}) for event in read_job_events(folder) if event.get("name") == "prepared"]
    before = recorded[-1] if recorded else {}
    if any(before.get(name, counts[name]) != counts[name] for name in SAME_IN_ALL_RUNS):
        raise Conflict(
            "rows_changed",
            config=str(folder / CONFIG_FILE),
            version=job.llmlora_version,
            before=_in_words(before),
            now=_in_words(counts),
        )


def _in_words(counts: dict[str, Any]) -> str:
    return " / ".join(str(counts.get(name, "?")) for name in ("rows", "tokens", "label_tokens"))


def _held_out(
    job: JobConfig, prepared: PreparedDataset, own_held_out: PreparedDataset | None
) -> tuple[Rows, Rows | None]:
    if own_held_out is not None or not job.train.validation_split:
        return prepared, own_held_out
    train, held_out = held_out_split(job, prepared)
    return Subset(prepared, train), Subset(prepared, held_out)


def _prepared(source: DataSource, job: JobConfig, base: Base, stop: StopFlag) -> PreparedDataset:
    def stop_between_rows(_: int) -> None:
        if stop:
            raise Stopped("interrupted")

    read = ReadOptions(format=source.format, columns=source.columns, encoding=source.encoding)  # type: ignore[arg-type]
    return prepare_file(Path(source.path), read, base, prepare_options(job.train), stop_between_rows)


def _counts(prepared: PreparedDataset) -> dict[str, Any]:
    return {
        "rows": len(prepared),
        "tokens": prepared.num_tokens,
        "label_tokens": prepared.num_label_tokens,
        "percent": round(100 * prepared.num_label_tokens / max(1, prepared.num_tokens), 1),
        "truncated": prepared.num_truncated,
        "tokens_cut": int(prepared.facts["num_tokens_cut"]),
    }


def _files(job: JobConfig, summary: dict[str, Any]) -> dict[str, str]:
    return {
        "README.md": adapter_card(job, summary),
        "training_args.json": json.dumps(job.to_json()["train"], ensure_ascii=False, indent=2) + "\n",
    }
