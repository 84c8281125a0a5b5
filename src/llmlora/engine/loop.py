"""The training loop: step, log, evaluate, save.

Everything that differs between methods and devices is built before; everything that is decided per step is a function
of the step number, so a resumed run takes exactly the steps that the uninterrupted one would have taken. Several ranks
run the same loop, each on its own rows of every step; the first one writes.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from llmlora.core.config import TrainConfig
from llmlora.core.errors import NonFiniteLoss, Stopped
from llmlora.core.events import EventWriter
from llmlora.core.job import RULES
from llmlora.engine.batch import Batch, Rows, StepPlan, count_label_tokens, micro_batches
from llmlora.engine.checkpoint import TrainState, prune_checkpoints, save_checkpoint
from llmlora.engine.evaluate_loss import dataset_loss
from llmlora.engine.loss import LossPath, attention_for, summed_loss
from llmlora.engine.method import trainable_parameters
from llmlora.engine.ranks import Ranks
from llmlora.engine.schedule import learning_rate_at, total_steps
from llmlora.engine.trackers import Trackers


def loss_scaler(dtype: str, device: str) -> torch.amp.GradScaler:
    """Return what multiplies the loss on a float16 base, so that small gradients are not lost below its range."""
    return torch.amp.GradScaler(device, enabled=dtype == "float16")


class MicroBatchLoss(nn.Module):
    """The summed loss of a micro-batch as the forward of a module: the place where what spreads a model hooks in."""

    def __init__(self, model: nn.Module, loss_path: LossPath) -> None:
        super().__init__()
        self.model = model
        self.loss_path = loss_path

    def forward(self, batch: Batch) -> torch.Tensor:
        """Return the cross-entropy summed over the label tokens."""
        return summed_loss(self.model, batch, self.loss_path.own_head)


@dataclass
class Training:
    """What the loop works on, built once before it; `effective_batch_size` counts the rows of all ranks."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    ranks: Ranks
    config: TrainConfig
    effective_batch_size: int
    train_rows: Rows
    eval_rows: Rows | None
    job_dir: Path
    checkpoints: Path
    manifest: dict[str, Any]
    trackers: Trackers
    loss_path: LossPath
    lower_rate: str  # behind `llmlora train`, for a run that diverges
    rules: int = RULES
    scaler: torch.amp.GradScaler = field(default_factory=lambda: loss_scaler("float32", "cpu"))

    def __post_init__(self) -> None:
        self.loss = MicroBatchLoss(self.model, self.loss_path)
        self.plan = StepPlan(len(self.train_rows), self.effective_batch_size, self.config.seed)
        self.total_steps = total_steps(self.config, self.plan.steps_per_epoch, self.rules)


@dataclass(frozen=True)
class StepResult:
    """What one optimizer step measured; `loss` is the mean over the label tokens of the whole effective batch."""

    loss: float
    grad_norm: float
    learning_rate: float
    num_tokens: int
    num_label_tokens: int

    @property
    def is_finite(self) -> bool:
        """Whether the step may be taken."""
        return math.isfinite(self.loss) and math.isfinite(self.grad_norm)


def train_loop(training: Training, state: TrainState, events: EventWriter, stop: Any) -> TrainState:
    """Train until the planned steps are done or early stopping says so.

    Raises:
        Stopped: a stop was asked for; a checkpoint of the last whole step has been saved.
        NonFiniteLoss: too many steps in a row had no finite loss or gradient, or the weights are broken.
    """
    training.model.train()
    training.scaler.load_state_dict(state.scaler or training.scaler.state_dict())
    saved_step = state.step
    first_step = state.step
    is_stopped = _is_evaluation_owed(training, state) and not _evaluate(training, state, events, stop)
    clock = _Clock(state)

    with attention_for(training.model, training.loss_path.packing):
        while state.step < training.total_steps and not state.is_finished and not is_stopped:
            # Step: one effective batch, one update; a stop in the middle drops the half-gathered gradient.
            result = training_step(training, state.step, stop)
            if result is None:
                is_stopped = True
                break
            _count(training, state, result, events)
            clock.tick(result.num_tokens)

            # Log: one line of JSON, and the trackers that were asked for.
            if state.step % training.config.logging_steps == 0 or state.step == training.total_steps:
                metrics = _metrics(training, state, result, clock, first_step)
                events.emit("step", step=state.step, total_steps=training.total_steps, metrics=metrics)
                training.trackers.log(metrics, state.step)

            # Evaluate: on held-out rows when there are any, once per epoch or every eval_steps.
            if _is_evaluation_due(training, state):
                is_stopped = not _evaluate(training, state, events, stop)
                clock.skip()

            # Save: every save_steps, at each epoch's end, at the last step, and what is the best so far.
            if _is_save_due(training, state) or is_stopped:
                saved_step = _save(training, state, events)
                clock.add()

    if is_stopped:
        if saved_step != state.step:
            _save(training, state, events)
        raise Stopped(
            "stopped",
            step=state.step,
            total_steps=training.total_steps,
            folder=str(training.job_dir),
            has_checkpoint=state.step > 0,
        )
    return state


def training_step(training: Training, step: int, stop: Any) -> StepResult | None:
    """Take one optimizer step (0-based) over its whole effective batch; None when a stop came in between.

    Where float16 gradients overflow under the scaled loss, the step is computed again with a smaller scale.
    """
    result = _attempted_step(training, step, stop)
    while result is not None and _is_scaled_too_far(training, result):
        result = _attempted_step(training, step, stop)
    return result


def _is_scaled_too_far(training: Training, result: StepResult) -> bool:
    """Tell whether a finite loss has gradients that overflowed, and the scale, by now halved, may be why."""
    overflowed = math.isfinite(result.loss) and not math.isfinite(result.grad_norm)
    return overflowed and training.scaler.is_enabled() and training.scaler.get_scale() >= 1


def _attempted_step(training: Training, step: int, stop: Any) -> StepResult | None:
    """Compute the gradients of a step, and update the weights when they are finite.

    Each micro-batch's loss is divided by the label tokens of the *whole* batch, over all ranks, so that neither the
    micro-batch size nor the packing nor the number of ranks changes the gradient. A non-finite loss or gradient leaves
    the weights untouched.
    """
    config, optimizer, ranks = training.config, training.optimizer, training.ranks
    indices = training.plan.rows_of(step)
    num_label_tokens = count_label_tokens(training.train_rows, indices)
    rate = learning_rate_at(step, training.total_steps, training.plan.steps_per_epoch, config, training.rules)
    for group in optimizer.param_groups:
        group["lr"] = rate
    torch.manual_seed(_step_seed(config.seed, step, ranks.rank))
    optimizer.zero_grad()
    gathered = _gather_gradients(training, ranks.own(indices), num_label_tokens, stop)
    if ranks.agree(gathered is None) or gathered is None:
        optimizer.zero_grad()
        return None
    weights = [weight for _, weight in trainable_parameters(training.model)]
    ranks.sum_gradients(weights)
    training.scaler.unscale_(optimizer)
    norm = nn.utils.clip_grad_norm_(weights, config.max_grad_norm or math.inf)
    own_loss, own_tokens = gathered
    loss, num_tokens, norm_of_first = ranks.sum(float(own_loss), own_tokens, float(norm) if ranks.is_first else 0.0)
    result = StepResult(loss, norm_of_first, rate, int(num_tokens), num_label_tokens)
    if result.is_finite:
        optimizer.step()
    training.scaler.update()
    return result


def _step_seed(seed: int, step: int, rank: int) -> int:
    """Return what dropout starts from: a function of seed, step and rank alone, so that a resume repeats it."""
    return seed * 1_000_003 + step + rank * 1_000_000_007


def _gather_gradients(
    training: Training, indices: Sequence[int], num_label_tokens: int, stop: Any
) -> tuple[torch.Tensor, int] | None:
    """Add up the gradients of this rank's rows; return their part of the loss and their tokens, None after a stop."""
    size, packing = training.config.per_device_train_batch_size, training.loss_path.packing
    losses, num_tokens = [], 0
    for batch in micro_batches(training.train_rows, indices, size, packing):
        if stop:
            return None
        loss = training.loss(batch.to(training.ranks.device)) / num_label_tokens
        training.scaler.scale(loss).backward()
        losses.append(loss.detach())
        num_tokens += batch.num_tokens
    return torch.stack(losses).sum() if losses else torch.zeros(()), num_tokens


def _count(training: Training, state: TrainState, result: StepResult, events: EventWriter) -> None:
    state.step += 1
    state.num_tokens += result.num_tokens
    if result.is_finite:
        state.nonfinite_steps = 0
        state.epoch_loss_sum += result.loss * result.num_label_tokens
        state.epoch_label_tokens += result.num_label_tokens
    else:
        _count_nonfinite(training, state, result, events)
    if training.plan.is_epoch_end(state.step) and state.epoch_label_tokens:
        state.last_epoch_loss = state.epoch_loss_sum / state.epoch_label_tokens
        state.epoch_loss_sum, state.epoch_label_tokens = 0.0, 0


def _count_nonfinite(training: Training, state: TrainState, result: StepResult, events: EventWriter) -> None:
    state.nonfinite_steps += 1
    cause = "loss" if not math.isfinite(result.loss) else "gradient"
    events.emit(
        "warning", code="nonfinite_step", step=state.step, params={"cause": cause, "in_a_row": state.nonfinite_steps}
    )
    weights = training.model.named_parameters()  # the base's too: a damaged one never gives a finite loss
    broken = [name for name, weight in weights if not bool(torch.isfinite(weight).all())]
    lower, folder = training.lower_rate, str(training.job_dir)
    if broken:
        raise NonFiniteLoss("nonfinite_weights", step=state.step, tensor=broken[0], words=lower, folder=folder)
    if state.nonfinite_steps >= training.config.max_nonfinite_steps:
        raise NonFiniteLoss(
            "nonfinite_loss",
            step=state.step,
            cause=cause,
            in_a_row=state.nonfinite_steps,
            learning_rate=training.config.learning_rate,
            words=lower,
            folder=folder,
        )


def final_loss(state: TrainState) -> float | None:
    """Return the mean training loss over the label tokens of the last epoch begun."""
    if state.epoch_label_tokens:
        return state.epoch_loss_sum / state.epoch_label_tokens
    return state.last_epoch_loss


def peak_memory_bytes() -> int:
    """Return the largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class _Clock:
    """Seconds of the loop (steps and checkpoints, not evaluation), and the speed of the last step."""

    def __init__(self, state: TrainState) -> None:
        self._state = state
        self._started = time.perf_counter()
        self._begun_with = state.seconds
        self.tokens_per_second = 0.0

    def tick(self, num_tokens: int) -> None:
        """Count the time since the last call as one step over some tokens."""
        self.tokens_per_second = num_tokens / self.add()

    def add(self) -> float:
        """Count the time since the last call and return it."""
        now = time.perf_counter()
        elapsed, self._started = now - self._started, now
        self._state.seconds += elapsed
        return elapsed

    def skip(self) -> None:
        """Leave out the time since the last tick."""
        self._started = time.perf_counter()

    def seconds_per_step(self, first_step: int) -> float:
        """Mean seconds per step of this run."""
        return (self._state.seconds - self._begun_with) / max(1, self._state.step - first_step)


def _metrics(
    training: Training, state: TrainState, result: StepResult, clock: _Clock, first_step: int
) -> dict[str, Any]:
    left = training.total_steps - state.step
    return {
        "loss": result.loss,
        "learning_rate": result.learning_rate,
        "grad_norm": result.grad_norm,
        "epoch": round(state.step / training.plan.steps_per_epoch, 4),
        "num_tokens": state.num_tokens,
        "tokens_per_second": round(clock.tokens_per_second, 1),
        "eta_seconds": round(clock.seconds_per_step(first_step) * left, 1),
        "memory_bytes": peak_memory_bytes(),
    }


def _is_evaluation_due(training: Training, state: TrainState) -> bool:
    every = training.config.eval_steps
    if training.eval_rows is None:
        return training.config.early_stopping_patience is not None and training.plan.is_epoch_end(state.step)
    at_interval = state.step % every == 0 if every else training.plan.is_epoch_end(state.step)
    return at_interval or state.step == training.total_steps


def _is_evaluation_owed(training: Training, state: TrainState) -> bool:
    """Tell whether the measurement at this step is missing: the one before the first step, or one that was stopped."""
    if training.eval_rows is None:
        return False
    is_measured = bool(state.evaluations) and state.evaluations[-1]["step"] == state.step
    return not is_measured and (state.step == 0 or _is_evaluation_due(training, state))


def _evaluate(training: Training, state: TrainState, events: EventWriter, stop: Any) -> bool:
    """Measure eval_loss (or take the epoch's training loss when no rows are held out) and decide about early stopping.

    Returns False when a stop came in the middle; the measurement is then owed to the next attempt.
    """
    score = final_loss(state)
    if training.eval_rows is not None:
        try:
            report = dataset_loss(training.model, training.eval_rows, training.loss_path, stop, training.ranks)
        except Stopped:
            return False
        score = report.loss
        metrics = {"eval_loss": report.loss, "perplexity": report.perplexity}
        state.evaluations.append({"step": state.step, **metrics})
        events.emit("evaluation", step=state.step, metrics=metrics)
        training.trackers.log(metrics, state.step)
    if score is not None and state.step > 0:
        _judge(training, state, score, events)
    return True


def _judge(training: Training, state: TrainState, score: float, events: EventWriter) -> None:
    best, delta = state.best_score, training.config.early_stopping_min_delta
    if math.isfinite(score) and (best is None or score < best - delta):
        state.best_score, state.evaluations_without_gain = score, 0
        return
    state.evaluations_without_gain += 1
    patience = training.config.early_stopping_patience
    if patience is not None and state.evaluations_without_gain >= patience:
        state.is_finished = True
        events.emit(
            "finding", code="early_stopping", step=state.step, params={"patience": patience, "best": state.best_score}
        )


def _is_save_due(training: Training, state: TrainState) -> bool:
    every = training.config.save_steps
    at_interval = every is not None and state.step % every == 0
    is_last = state.step == training.total_steps or state.is_finished
    is_best = training.config.load_best_model_at_end and state.best_step == state.step
    return at_interval or training.plan.is_epoch_end(state.step) or is_last or is_best


def _save(training: Training, state: TrainState, events: EventWriter) -> int:
    """Keep the state of this step, once for all ranks, and return its number."""
    state.scaler = training.scaler.state_dict()
    if training.ranks.is_first:
        path = save_checkpoint(training.checkpoints, training.model, training.optimizer, state, training.manifest)
        prune_checkpoints(training.job_dir, training.config.save_total_limit, training.config.load_best_model_at_end)
        events.emit("checkpoint", step=state.step, path=path.name)
    training.ranks.wait()
    return state.step
