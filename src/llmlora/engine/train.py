"""From a job and its prepared rows to trained weights on disk: everything around the loop."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from llmlora.core.config import TrainConfig
from llmlora.core.events import EventWriter
from llmlora.core.job import JobConfig, stored_settings
from llmlora.core.layout import (
    ADAPTER_CONFIG,
    ADAPTER_DIR,
    CHECKPOINTS_DIR,
    ENVIRONMENT_FILE,
    MODEL_DIR,
    checkpoint_dirs,
    run_dir,
    run_numbers,
)
from llmlora.core.machine import threads_asked_for
from llmlora.core.next_run import lower_rate_words
from llmlora.core.publish import publishing_dir, read_json, write_json
from llmlora.engine.batch import Rows
from llmlora.engine.checkpoint import TrainState, find_checkpoint, holds_float32, load_best_weights, load_checkpoint
from llmlora.engine.device import DevicePlan, apply_plan, pick_device, plan_device
from llmlora.engine.load import empty_model, load_base
from llmlora.engine.loop import Training, final_loss, loss_scaler, peak_memory_bytes, train_loop
from llmlora.engine.loss import LossPath, causal_model
from llmlora.engine.method import apply_method, check_method, parameter_counts, trainable_parameters
from llmlora.engine.precision import trains_in_float32
from llmlora.engine.selftest import path_of_architecture, path_of_model, recorded_path
from llmlora.engine.trackers import Trackers
from llmlora.engine.trial import tried_threads
from llmlora.prepare.asking import with_turn_end
from llmlora.prepare.template import ChatTemplate, save_template
from llmlora.prepare.tokenizer import save_tokenizer

REPLACED_FLOAT16 = ("float16_slow", "float16_cuda_only")  # last words of a plan's reason, and codes of the warning
PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers", "numpy")


@dataclass(frozen=True)
class Trained:
    """The outcome of a finished run: the model in memory, its counters, and what computed it.

    `published_step` is the step whose weights the model holds: the last one, or the one with the lowest eval_loss.
    """

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
        }


def fit(
    job: JobConfig, folder: Path, run: int, rows: tuple[Rows, Rows | None], events: EventWriter, stop: Any
) -> Trained:
    """Train one job, from its newest whole checkpoint when it has one.

    Raises:
        ConfigError: a setting that this architecture cannot take, before any weight is loaded.
        ModelFileError: no way of laying out rows leaves the model's loss as it is; see the self-test.
        Stopped, NonFiniteLoss, ModelFileError: see the loop and the loader.
    """
    config = job.train
    base_dir = Path(job.base_dir)
    architecture = empty_model(base_dir)
    renamed = check_method(architecture, config)
    if renamed:
        events.emit(
            "finding",
            code="renamed_targets",
            params={"names": ", ".join(f"{old} -> {new}" for old, new in renamed.items())},
        )

    begun_with = recorded_path(folder)
    wanted = begun_with or path_of_architecture(architecture.config, LossPath(packing=config.packing))
    num_parameters = parameter_counts(architecture)["total"]
    plan = _frozen_plan(folder, run, config, num_parameters, events)
    apply_plan(plan)
    events.emit(
        "phase",
        name="loading",
        params={"dtype": plan.dtype, "device": plan.device, "reason": plan.reason, "gflops": plan.gflops},
    )
    model = apply_method(load_base(base_dir, plan.dtype, plan.device), config, base_dir)
    if config.gradient_checkpointing:
        checkpointing = {"use_reentrant": False}
        causal_model(model).activation_checkpointing_enable(activation_checkpointing_kwargs=checkpointing)
    parameters = parameter_counts(model)
    events.emit("phase", name="loaded", params=parameters)
    path = begun_with or path_of_model(model, wanted)
    plan = _tried_plan(folder, run, plan, (model, rows[0], path), config, events)
    _record_path(path, config, folder, run, events)

    trackers = Trackers(config, run_dir(folder, run), events)
    training, state = _build(job, folder, run, rows, (model, path), events, trackers)
    training.scaler = loss_scaler(plan.dtype, plan.device)
    events.emit(
        "phase",
        name="training",
        params={
            "total_steps": training.total_steps,
            "start_step": state.step,
            "steps_per_epoch": training.plan.steps_per_epoch,
        },
    )
    try:
        state = train_loop(training, state, events, stop)
    finally:
        trackers.close()
    published_step = _choose_weights(folder, config, state, model, events)
    return Trained(model, state, published_step, plan, parameters)


def _choose_weights(folder: Path, config: TrainConfig, state: TrainState, model: nn.Module, events: EventWriter) -> int:
    """Put the weights to publish in place and return their step: the last one unless the best was asked for."""
    if not config.load_best_model_at_end:
        return state.step
    step = load_best_weights(folder, state, model)
    if state.best_step is not None and step != state.best_step:
        events.emit("warning", code="best_checkpoint_lost", params={"best": state.best_step, "published": step})
    return step


def _build(
    job: JobConfig,
    folder: Path,
    run: int,
    rows: tuple[Rows, Rows | None],
    tested: tuple[nn.Module, LossPath],
    events: EventWriter,
    trackers: Trackers,
) -> tuple[Training, TrainState]:
    config = job.train
    model, loss_path = tested
    weights = [weight for _, weight in trainable_parameters(model)]
    assert trains_in_float32(model)  # 16 bits would lose most of each small update
    optimizer = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=config.weight_decay)
    settings = stored_settings(folder)
    path, damaged = find_checkpoint(folder, settings)
    state = TrainState()
    if path is not None:
        state = load_checkpoint(path, model, optimizer)
        is_exact = _is_exact(folder) and holds_float32(path)
        events.emit("phase", name="resuming", params={"step": state.step, "checkpoint": path.name, "exact": is_exact})
        if not is_exact:
            events.emit("warning", code="inexact_resume", params={})
    if damaged:
        events.emit("warning", code="damaged_checkpoint", params={"count": damaged, "resumed_step": state.step})
    training = Training(
        model=model,
        optimizer=optimizer,
        accelerator=Accelerator(),
        config=config,
        train_rows=rows[0],
        eval_rows=rows[1],
        job_dir=folder,
        checkpoints=run_dir(folder, run) / CHECKPOINTS_DIR,
        manifest={"run": run, "train": settings, "versions": package_versions()},
        trackers=trackers,
        rules=job.rules,
        path=loss_path,
        lower_rate=lower_rate_words(job),
    )
    training.checkpoints.mkdir(exist_ok=True)
    return training, state


def package_versions() -> dict[str, str]:
    """Return the installed versions of the packages that decide a result."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "-"
    return versions


def _frozen_plan(folder: Path, run: int, config: TrainConfig, num_parameters: int, events: EventWriter) -> DevicePlan:
    """Return the device plan of the run before on a resume, else measure one; either way record it with this run.

    A job that began on a GPU and goes on where there is none is planned anew.
    """
    recorded = _recorded_environments(folder)
    plan = DevicePlan(**recorded[-1]["plan"]) if recorded else None
    if plan is None or plan.device not in ("cpu", pick_device()):
        plan = _new_plan(config, num_parameters)
    code = plan.reason.rpartition(".")[2]
    if code in REPLACED_FLOAT16:
        events.emit("warning", code=code, params={"dtype": plan.dtype})
    _record_plan(folder, run, plan, config)
    return plan


def _tried_plan(
    folder: Path,
    run: int,
    plan: DevicePlan,
    trial: tuple[nn.Module, Rows, LossPath],
    config: TrainConfig,
    events: EventWriter,
) -> DevicePlan:
    """Return the plan with the threads that a trial of the model confirms, before a job's first step only.

    The number of threads decides bits: what a job has begun with, a resume goes on with.
    """
    is_begun = bool(checkpoint_dirs(folder)) or len(_recorded_environments(folder)) > 1
    if is_begun or plan.device != "cpu" or plan.num_threads == 1 or threads_asked_for():
        return plan
    threads = tried_threads(*trial, plan.num_threads)
    if threads != plan.num_threads:
        events.emit("finding", code="fewer_threads", params={"planned": plan.num_threads, "threads": threads})
        plan = replace(plan, num_threads=threads)
        _record_plan(folder, run, plan, config)
    return plan


def _record_plan(folder: Path, run: int, plan: DevicePlan, config: TrainConfig) -> None:
    environment = {
        "versions": package_versions(),
        "platform": platform.platform(),
        "plan": plan.to_dict(),
        "seed": config.seed,
    }
    write_json(run_dir(folder, run) / ENVIRONMENT_FILE, environment)


def _record_path(path: LossPath, config: TrainConfig, folder: Path, run: int, events: EventWriter) -> None:
    """Keep how rows reach the loss with the run, and say what is not as usual."""
    file = run_dir(folder, run) / ENVIRONMENT_FILE
    write_json(file, {**read_json(file), "loss_path": asdict(path)})
    if config.packing and not path.packing:
        events.emit("warning", code="not_packed", params={})
    if path.own_head:
        events.emit("finding", code="own_head", params={})


def _new_plan(config: TrainConfig, num_parameters: int) -> DevicePlan:
    if config.method == "full":  # a 16-bit weight would swallow small updates
        return replace(plan_device("float32", num_parameters), reason="engine.dtype.full_float32")
    return plan_device(config.dtype, num_parameters)


def _recorded_environments(folder: Path) -> list[dict[str, Any]]:
    """Return what each run recorded of versions and device; one that was killed early has recorded nothing."""
    paths = (run_dir(folder, run) / ENVIRONMENT_FILE for run in run_numbers(folder))
    return [read_json(path) for path in paths if path.is_file()]


def _is_exact(folder: Path) -> bool:
    """Tell whether the newest run computes with the versions and on the device of the first one."""
    recorded = _recorded_environments(folder)
    first, newest = recorded[0], recorded[-1]
    return bool(first["versions"] == newest["versions"] and first["plan"] == newest["plan"])


def _sort_targets(path: Path) -> None:
    """Write PEFT's set of targets in a fixed order: the same run gives the same bytes."""
    config = read_json(path)
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True), encoding="utf-8")


def publish_trained(
    trained: Trained, job: JobConfig, folder: Path, template: ChatTemplate, texts: dict[str, str]
) -> Path:
    """Write `adapter/` (a PEFT folder) or `model/` (method full) atomically and return its path.

    Tokenizer and chat template go with it; `texts` are further files by name (model card, training arguments).
    """
    target = folder / (MODEL_DIR if job.method == "full" else ADAPTER_DIR)
    with publishing_dir(target, {"job": job.id, "base_digest": job.base_digest}) as temporary:
        model: Any = trained.model
        if job.method == "full":
            settings = model.generation_config
            settings.eos_token_id = with_turn_end(settings.eos_token_id, template.turn_end_id)
        model.save_pretrained(temporary, safe_serialization=True)
        if job.method != "full":
            _sort_targets(temporary / ADAPTER_CONFIG)
        save_tokenizer(Path(job.base_dir), temporary)
        save_template(template, temporary)
        for name, text in texts.items():
            (temporary / name).write_text(text, encoding="utf-8")
    return target
