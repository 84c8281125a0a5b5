"""The self-test before the first step: which way of laying out rows leaves a model's loss as the model's own.

The reference is the model's own `forward` on one row alone. A miniature of the architecture shows in float32 what a
layout changes; the loaded model shows it in its own number format, where its own noise sets the measure.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedConfig

from llmlora.core.errors import ModelFileError
from llmlora.core.layout import ENVIRONMENT_FILE, run_dir, run_numbers
from llmlora.core.publish import read_json
from llmlora.engine.batch import Batch, laid_out, packed_batch, padded_batch
from llmlora.engine.loss import LossPath, attention_for, causal_model, label_logits
from llmlora.engine.small_model import WINDOW, ModelCodeError, model_code, small_model

TOLERANCE = 1e-4  # of the loss, in float32: a wrong layout was measured at 1e-2 and more, rounding at 1e-7
TF32_ROUNDING = 2.0**-10  # what products of float32 numbers lose on a GPU
OWN_DIFFERENCES = 3  # of what a loaded model's loss differs by itself between one row and a padded batch
COARSE = 0.05  # what a layout changes in a loaded model is a fault when it is more than rounding can be
OWN = LossPath(packing=False, own_head=True)
ROW_LENGTHS = (WINDOW + 1, 3 * WINDOW, 2 * WINDOW)
LOADED_LENGTHS = (5, WINDOW + 5, WINDOW + 1)  # a loaded model's window is longer anyway, and its tokens cost time
FIRST_TOKEN, LAST_TOKEN = 8, 1024  # between special tokens and those that stand for images

Example = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]


def path_of_architecture(config: PreTrainedConfig, wanted: LossPath) -> LossPath:
    """Return the path that an architecture's miniature allows; what cannot be made small is left to the loaded model.

    Raises:
        ModelFileError: no path leaves the loss as it is, or the model looks at the tokens it is to predict.
    """
    model = small_model(config)
    if model is None:
        return wanted
    path = _tested(model, wanted, TOLERANCE)
    _check_trains(model, path)
    return path


def path_of_model(model: nn.Module, wanted: LossPath) -> LossPath:
    """Return the path that a loaded model allows, at most as fast as `wanted`; the model is as it was.

    Raises:
        ModelFileError: as `path_of_architecture`.
    """
    was_training = model.training
    model.eval()
    try:
        return _tested(model, wanted, COARSE, LOADED_LENGTHS)
    finally:
        model.train(was_training)


def recorded_path(folder: Path) -> LossPath | None:
    """Return the path that a job was begun with; None for one that has not come so far, or is older than the test."""
    for run in reversed(run_numbers(folder)):
        file = run_dir(folder, run) / ENVIRONMENT_FILE
        recorded = read_json(file).get("loss_path") if file.is_file() else None
        if recorded is not None:
            return LossPath(**recorded)
    return None


@torch.no_grad()
def _tested(model: nn.Module, wanted: LossPath, tolerance: float, lengths: tuple[int, ...] = ROW_LENGTHS) -> LossPath:
    """Return what agrees with each row alone; `tolerance` is how far the model's own forward may differ from it."""
    config = causal_model(model).config
    rows = _rows(config.get_text_config().vocab_size, lengths)
    padded = padded_batch(rows)
    try:
        with model_code():
            alone = torch.cat([_token_losses(model, padded_batch([row]), OWN) for row in rows])
            begun = _token_losses(model, padded_batch([_beginning(rows[1])]), OWN)
            own = _token_losses(model, padded, OWN)
    except ModelCodeError as error:
        raise ModelFileError("model_not_runnable", model_type=config.model_type, detail=str(error)) from error
    if not bool(torch.isfinite(alone).all()):
        return wanted  # broken weights: the first steps name them
    looked_up = alone[len(rows[0][0]) - 1 :][: len(begun)]
    if _difference(looked_up, begun) > tolerance:
        raise ModelFileError("model_looks_ahead", model_type=config.model_type)
    if _difference(own, alone) > tolerance:
        percent = f"{100 * _difference(own, alone):.2g}"
        raise ModelFileError("padding_changes_loss", model_type=config.model_type, percent=percent)
    limit = max(TOLERANCE, _rounding(model), OWN_DIFFERENCES * _difference(own, alone))

    def agrees(batch: Batch, path: LossPath) -> bool:
        try:
            with model_code():
                return _difference(_token_losses(model, batch, path), alone) <= limit
        except ModelCodeError:
            return False

    own_head = wanted.own_head or not agrees(padded, LossPath(packing=False))
    packing = wanted.packing and agrees(packed_batch(rows), LossPath(packing=True, own_head=own_head))
    return LossPath(packing, own_head)


def _check_trains(model: nn.Module, path: LossPath) -> None:
    """Raise ModelFileError for a model that only answers: some take other rows while they train (Reformer)."""
    config = causal_model(model).config
    batch = laid_out(_rows(config.get_text_config().vocab_size, ROW_LENGTHS), path.packing)
    model.train()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), model_code():  # dropout draws numbers
            _token_losses(model, batch, path)
    except ModelCodeError as error:
        raise ModelFileError("model_not_runnable", model_type=config.model_type, detail=str(error)) from error


def _rounding(model: nn.Module) -> float:
    """Return what the coarsest number format among the weights rounds off, on both sides of a comparison."""
    weights = [weight for weight in model.parameters() if weight.is_floating_point()]
    on_gpu = TF32_ROUNDING if any(weight.is_cuda for weight in weights) else 0.0
    return max(on_gpu, *(2 * torch.finfo(dtype).eps for dtype in {weight.dtype for weight in weights}))


def _rows(vocab_size: int, lengths: tuple[int, ...]) -> list[Example]:
    """Return rows whose every token but the first is a label; the same ones each time."""
    random = np.random.default_rng(0)
    first, last = min(FIRST_TOKEN, vocab_size - 1), min(LAST_TOKEN, vocab_size)
    rows = [random.integers(first, last, length).astype(np.int32) for length in lengths]
    return [(ids, ids.copy()) for ids in rows]


def _beginning(row: Example) -> Example:
    return row[0][:WINDOW], row[1][:WINDOW]


def _token_losses(model: nn.Module, batch: Batch, path: LossPath) -> torch.Tensor:
    """Return the loss of every label token, in the order of the rows."""
    batch = batch.to(next(model.parameters()).device)
    with attention_for(model, path.packing):
        logits = label_logits(model, batch, path.own_head)
    return functional.cross_entropy(logits.float(), batch.targets, reduction="none")


def _difference(losses: torch.Tensor, reference: torch.Tensor) -> float:
    """Return the root mean square of the tokens' differences as a share of the reference's mean loss."""
    return float((losses - reference).square().mean().sqrt() / reference.mean())
