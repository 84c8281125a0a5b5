"""Checkpoints of a run: whole or absent, verified before use, enough to go on with the very same bits.

A checkpoint holds the trainable weights, the optimizer's moments and the counters. Data order, dropout and learning
rate are functions of seed and step, so no generator state has to be saved.
"""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from llmlora.core.config import changed_settings
from llmlora.core.errors import Conflict
from llmlora.core.job import earlier_settings
from llmlora.core.layout import (
    CHECKPOINT_PREFIX,
    CHECKPOINTS_DIR,
    CONFIG_FILE,
    TEMPORARY_PREFIX,
    checkpoint_dirs,
    run_dir,
    run_numbers,
)
from llmlora.core.publish import publishing_dir, read_json, read_manifest, sha256_json
from llmlora.engine.method import trainable_parameters

WEIGHTS_FILE = "weights.safetensors"
OPTIMIZER_FILE = "optimizer.safetensors"
STATE_FILE = "state.json"
NAMED_WEIGHTS = 3  # in a message


@dataclass
class TrainState:
    """Counters of a run at an optimizer-step boundary."""

    step: int = 0
    num_tokens: int = 0
    seconds: float = 0.0
    nonfinite_steps: int = 0
    epoch_loss_sum: float = 0.0
    epoch_label_tokens: int = 0
    last_epoch_loss: float | None = None
    best_score: float | None = None
    evaluations_without_gain: int = 0
    is_finished: bool = False
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    scaler: dict[str, Any] = field(default_factory=dict)  # of the loss on a float16 base, else empty

    @property
    def best_step(self) -> int | None:
        """The step with the lowest eval_loss, the earlier of equal ones; the measurement before training is none."""
        measured = [(entry["eval_loss"], entry["step"]) for entry in self.evaluations if entry["step"] > 0]
        return min((pair for pair in measured if math.isfinite(pair[0])), default=(0.0, None))[1]


def save_checkpoint(
    checkpoints: Path, model: nn.Module, optimizer: torch.optim.Optimizer, state: TrainState, manifest: dict[str, Any]
) -> Path:
    """Publish `step-<8 digits>` and return its path; nothing half-written ever carries that name."""
    path = checkpoints / f"{CHECKPOINT_PREFIX}{state.step:08d}"
    with publishing_dir(path, {"step": state.step, **manifest}) as folder:
        save_file(
            {name: weight.detach().contiguous() for name, weight in trainable_parameters(model)}, folder / WEIGHTS_FILE
        )
        save_file(_optimizer_tensors(model, optimizer), folder / OPTIMIZER_FILE)
        _write_state(folder / STATE_FILE, state)
    return path


def _write_state(path: Path, state: TrainState) -> None:
    # repr of a float round-trips exactly, so counters come back with the same bits
    path.write_text(json.dumps(asdict(state)), encoding="utf-8")


def _optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    return {
        f"{name}/{key}": value.detach().contiguous()
        for name, weight in trainable_parameters(model)
        for key, value in optimizer.state.get(weight, {}).items()
        if isinstance(value, torch.Tensor)
    }


def find_checkpoint(folder: Path, settings: dict[str, Any]) -> tuple[Path | None, int]:
    """Return the newest whole checkpoint over all runs of a job, and how many damaged newer ones were removed.

    `settings` are those of the job as they are stored; before a recorded change for want of memory it had others. What
    a kill has left half-written goes too: only whole checkpoints count among those that are kept.

    Raises:
        Conflict: the settings of the job are not those that the checkpoint was trained with.
    """
    for run in run_numbers(folder):
        for entry in (run_dir(folder, run) / CHECKPOINTS_DIR).glob(f"{TEMPORARY_PREFIX}*"):
            shutil.rmtree(entry, ignore_errors=True)
    damaged = 0
    for _, _, entry in reversed(checkpoint_dirs(folder)):
        manifest = read_manifest(entry)
        if manifest is None:
            shutil.rmtree(entry, ignore_errors=True)
            damaged += 1
        else:
            _check_settings(manifest, [settings, *earlier_settings(folder)], folder)
            return entry, damaged
    return None, damaged


def _check_settings(manifest: dict[str, Any], allowed: list[dict[str, Any]], folder: Path) -> None:
    changed = [_changed(manifest, settings) for settings in allowed]
    if all(changed):
        raise Conflict("config_changed", path=str(folder / CONFIG_FILE), names=", ".join(changed[0]))


def _changed(manifest: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    if "train" in manifest:
        return changed_settings(manifest["train"], settings)
    # older checkpoints have a digest of the stored settings only
    return [] if manifest.get("config_digest") == sha256_json(settings) else ["?"]


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> TrainState:
    """Put the weights and moments of a verified checkpoint in place and return its counters.

    Raises:
        Conflict: `checkpoint_other_weights`, the libraries of this installation name or shape them otherwise.
    """
    _load_weights(path, model)
    moments: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in load_file(path / OPTIMIZER_FILE).items():
        name, _, moment = key.rpartition("/")
        moments.setdefault(name, {})[moment] = value
    for name, weight in trainable_parameters(model):
        if name in moments:
            optimizer.state[weight] = {
                key: value.to(weight.device, torch.float32) for key, value in moments[name].items()
            }
    return TrainState(**read_json(path / STATE_FILE))


def holds_float32(path: Path) -> bool:
    """Tell whether a checkpoint's weights are float32; older ones held modules_to_save in the base's format."""
    with safe_open(path / WEIGHTS_FILE, "pt") as file:
        return all(file.get_slice(name).get_dtype() == "F32" for name in file.keys())  # noqa: SIM118 - not a mapping


def _load_weights(path: Path, model: nn.Module) -> None:
    weights, trained = load_file(path / WEIGHTS_FILE), dict(trainable_parameters(model))
    stored, wanted = ({name: tuple(weight.shape) for name, weight in side.items()} for side in (weights, trained))
    differing = sorted(name for name in stored.keys() | wanted.keys() if stored.get(name) != wanted.get(name))
    if differing:
        names = ", ".join(differing[:NAMED_WEIGHTS])
        raise Conflict("checkpoint_other_weights", path=str(path), count=len(differing), names=names)
    with torch.no_grad():
        for name, weight in trained.items():
            weight.copy_(weights[name])


def load_best_weights(folder: Path, state: TrainState, model: nn.Module) -> int:
    """Put the weights with the lowest eval_loss in place and return their step.

    Those of the last step stay when they are the best, or when the checkpoint of the best is gone or damaged.
    """
    for step, _, entry in reversed(checkpoint_dirs(folder)):
        if step == state.best_step != state.step and read_manifest(entry) is not None:
            _load_weights(entry, model)
            return step
    return state.step


def prune_checkpoints(folder: Path, keep: int, keep_best: bool = False) -> None:
    """Delete all but the newest `keep` checkpoints of a job, counted over all its runs.

    With `keep_best` those stay too that a kept one calls the best so far: whichever a resume begins from, the best is
    there.
    """
    entries = checkpoint_dirs(folder)
    best = {_state_of(entry).best_step for _, _, entry in entries[-keep:]} if keep_best else set()
    for step, _, entry in entries[:-keep]:
        if step not in best:
            shutil.rmtree(entry, ignore_errors=True)


def _state_of(checkpoint: Path) -> TrainState:
    """Return the counters of a checkpoint; a damaged one, which no run begins from, has counted nothing."""
    try:
        return TrainState(**read_json(checkpoint / STATE_FILE))
    except (OSError, ValueError, TypeError):
        return TrainState()
