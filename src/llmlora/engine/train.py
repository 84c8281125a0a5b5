"""From a job and its prepared rows to trained weights on disk: everything around the loop."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from llmlora.core.config import TrainConfig
from llmlora.core.events import EventWriter, SilentEvents
from llmlora.core.job import JobConfig, stored_settings
from llmlora.core.layout import ADAPTER_CONFIG, ADAPTER_DIR, CHECKPOINTS_DIR, MODEL_DIR, run_dir
from llmlora.core.next_run import lower_rate_words
from llmlora.core.publish import publishing_dir, read_json
from llmlora.engine.batch import Rows
from llmlora.engine.checkpoint import TrainState, find_checkpoint, holds_float32, load_best_weights, load_checkpoint
from llmlora.engine.device import DevicePlan, apply_plan
from llmlora.engine.environment import Environment, device_to_use, package_versions
from llmlora.engine.load import empty_model, load_base
from llmlora.engine.loop import Training, final_loss, loss_scaler, peak_memory_bytes, train_loop
from llmlora.engine.loss import LossPath, causal_model
from llmlora.engine.method import apply_method, check_method, parameter_counts, trainable_parameters
from llmlora.engine.precision import trains_in_float32
from llmlora.engine.quantized_weight import quantized_types
from llmlora.engine.ranks import Ranks, join_ranks
from llmlora.engine.selftest import path_of_architecture, path_of_model, recorded_path
from llmlora.engine.trackers import Trackers
from llmlora.prepare.asking import with_turn_end
from llmlora.prepare.template import ChatTemplate, save_template
from llmlora.prepare.tokenizer import save_tokenizer
from llmlora.weights.base import Base


@dataclass(frozen=True)
class Trained:
    """The outcome of a finished run: the model in memory, its counters, and what computed it.

    `published_step` is the step whose weights the model holds: the last one, or the one with the lowest eval_loss.
    """

    ranks: Ranks
    model: nn.Module
    state: TrainState
    published_step: int
    plan: DevicePlan
    parameters: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """Return the numbers of the run; eval_loss and perplexity are null without held-out rows."""
        evaluations = self.state.evaluations
        last = evaluations[-1] if evaluations else {}
        published = next((entry for entry in evaluations if entry["step"] == self.published_step), last)
        return {
            "final_loss": final_loss(self.state),
            "eval_loss": published.get("eval_loss"),
            "perplexity": published.get("perplexity"),
            "eval_loss_before": evaluations[0]["eval_loss"] if evaluations else None,
            "num_tokens": self.state.num_tokens,
            "num_steps": self.state.step,
            "published_step": self.published_step,
            "tokens_per_second": round(self.state.num_tokens / self.state.seconds, 1) if self.state.seconds else None,
            "peak_memory_bytes": peak_memory_bytes(),
            "peak_gpu_memory_bytes": torch.cuda.max_memory_allocated() if self.plan.device == "cuda" else None,
            "training_seconds": round(self.state.seconds, 3),
            "dtype": self.plan.dtype,
            "device": self.plan.device,
            "parameters": self.parameters,
            "base_types": quantized_types(self.model),
        }


def fit(
    job: JobConfig, base: Base, folder: Path, run: int, rows: tuple[Rows, Rows | None], events: EventWriter, stop: Any
) -> Trained:
    """Train one job on its base, from its newest whole checkpoint when it has one.

    Raises:
        ConfigError: a setting that this architecture cannot take, before any weight is loaded.
        ModelFileError: no way of laying out rows leaves the model's loss as it is; see the self-test.
        Stopped, NonFiniteLoss, ModelFileError: see the loop and the loader.
    """
    config = job.train
    ranks = join_ranks(device_to_use(folder))
    events = events if ranks.is_first else SilentEvents()
    environment = Environment(folder, run, config, ranks, events)
    architecture = empty_model(base)
    renamed = check_method(architecture, config)
    if renamed:
        names = ", ".join(f"{old} -> {new}" for old, new in renamed.items())
        events.emit("finding", code="renamed_targets", params={"names": names})

    begun_with = recorded_path(folder)
    wanted = begun_with or path_of_architecture(architecture.config, LossPath(packing=config.packing))
    plan = ranks.share(lambda: environment.planned(parameter_counts(architecture)["total"]))
    apply_plan(plan)
    chosen = {name: getattr(plan, name) for name in ("dtype", "device", "reason", "gflops")}
    events.emit("phase", name="loading", params=chosen)
    quantization = config.quantization if config.method == "qlora" else None
    model = apply_method(load_base(base, plan.dtype, plan.device, quantization), config, base)
    if config.gradient_checkpointing:
        checkpointing = {"use_reentrant": False}
        causal_model(model).activation_checkpointing_enable(activation_checkpointing_kwargs=checkpointing)
    parameters = parameter_counts(model)
    events.emit("phase", name="loaded", params=parameters)
    loss_path = ranks.share(lambda: begun_with or path_of_model(model, wanted))
    plan = ranks.share(lambda: environment.tried(plan, model, rows[0], loss_path))
    apply_plan(plan)
    environment.record_path(loss_path)

    training, state = _build(job, environment, rows, model, loss_path)
    training.scaler = loss_scaler(plan.dtype, plan.device)
    steps = {"total_steps": training.total_steps, "start_step": state.step}
    events.emit("phase", name="training", params={**steps, "steps_per_epoch": training.plan.steps_per_epoch})
    try:
        state = train_loop(training, state, events, stop)
    finally:
        training.trackers.close()
    published_step = _choose_weights(folder, config, state, model, events)
    return Trained(ranks, model, state, published_step, plan, parameters)


def _choose_weights(folder: Path, config: TrainConfig, state: TrainState, model: nn.Module, events: EventWriter) -> int:
    """Put the weights to publish in place and return their step: the last one unless the best was asked for."""
    if not config.load_best_model_at_end:
        return state.step
    step = load_best_weights(folder, state, model)
    if state.best_step is not None and step != state.best_step:
        events.emit("warning", code="best_checkpoint_lost", params={"best": state.best_step, "published": step})
    return step


def _build(
    job: JobConfig, environment: Environment, rows: tuple[Rows, Rows | None], model: nn.Module, loss_path: LossPath
) -> tuple[Training, TrainState]:
    """Return what the loop works on, with the state of the newest whole checkpoint in place."""
    config, folder, run = job.train, environment.folder, environment.run
    ranks, events = environment.ranks, environment.events
    weights = [weight for _, weight in trainable_parameters(model)]
    assert trains_in_float32(model)  # 16 bits would lose most of each small update
    optimizer = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=config.weight_decay)
    settings = stored_settings(folder)
    checkpoint, damaged = ranks.share(lambda: find_checkpoint(folder, settings))
    state = TrainState()
    if checkpoint is not None:
        state = load_checkpoint(checkpoint, model, optimizer)
        is_exact = environment.is_exact and holds_float32(checkpoint) and not job.changes
        params = {"step": state.step, "checkpoint": checkpoint.name, "exact": is_exact}
        events.emit("phase", name="resuming", params=params)
        if not is_exact:
            events.emit("warning", code="inexact_resume", params={})
    if damaged:
        events.emit("warning", code="damaged_checkpoint", params={"count": damaged, "resumed_step": state.step})
    training = Training(
        model=model,
        optimizer=optimizer,
        ranks=ranks,
        config=config,
        effective_batch_size=environment.effective_batch_size,
        train_rows=rows[0],
        eval_rows=rows[1],
        job_dir=folder,
        checkpoints=run_dir(folder, run) / CHECKPOINTS_DIR,
        manifest={"run": run, "train": settings, "versions": package_versions()},
        trackers=Trackers(config, run_dir(folder, run), events, ranks),
        rules=job.rules,
        loss_path=loss_path,
        lower_rate=lower_rate_words(job),
    )
    training.checkpoints.mkdir(exist_ok=True)
    return training, state


def save_adapter(model: Any, folder: Path) -> None:
    """Write the adapter named `default` of a PEFT model, its set of targets in a fixed order: the same bytes again."""
    model.save_pretrained(folder, safe_serialization=True, selected_adapters=["default"])
    path = folder / ADAPTER_CONFIG
    config = read_json(path)
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True), encoding="utf-8")


def publish_trained(
    trained: Trained, job: JobConfig, base: Base, folder: Path, template: ChatTemplate, texts: dict[str, str]
) -> Path:
    """Write `adapter/` (a PEFT folder) or `model/` (method full) atomically and return its path.

    Tokenizer and chat template go with it; `texts` are further files by name (model card, training arguments). The
    first rank writes, the others wait for it.
    """
    target = folder / (MODEL_DIR if job.method == "full" else ADAPTER_DIR)
    if trained.ranks.is_first:
        with publishing_dir(target, {"job": job.id, "base_digest": job.base_digest}) as temporary:
            _write_trained(trained.model, job, template, temporary)
            save_tokenizer(base.tokenizer_dir, temporary)
            for name, text in texts.items():
                (temporary / name).write_text(text, encoding="utf-8")
    trained.ranks.wait()
    return target


def _write_trained(model: Any, job: JobConfig, template: ChatTemplate, folder: Path) -> None:
    """Write the weights with what an answer needs: the end of a turn and the chat template."""
    if job.method == "full":
        settings = model.generation_config
        settings.eos_token_id = with_turn_end(settings.eos_token_id, template.turn_end_id)
        model.save_pretrained(folder, safe_serialization=True)
    else:
        save_adapter(model, folder)
    save_template(template, folder)
