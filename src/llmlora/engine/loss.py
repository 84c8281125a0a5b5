"""The loss of a micro-batch: logits are computed only where labels are, and only for some of them at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from llmlora.engine.attention import PACKED
from llmlora.engine.batch import Batch

CHUNK_TOKENS = 256  # at a vocabulary of 150k one float32 chunk is 150 MB
GPU_CHUNK_LOGITS = 1 << 26  # a GPU waits for small chunks to be started: 256 MB of float32


def causal_model(model: Any) -> Any:
    """Return the transformers causal model inside a PEFT wrapper, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


@contextmanager
def attention_for(model: nn.Module, packing: bool) -> Iterator[None]:
    """Use the packed attention inside the block when `packing`; forward and backward both belong inside."""
    config = causal_model(model).config
    previous = config._attn_implementation
    config._attn_implementation = PACKED if packing else previous
    try:
        yield
    finally:
        config._attn_implementation = previous


def hidden_states(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Run the decoder without its output layer; returns [rows, tokens, hidden]."""
    causal = causal_model(model)
    decoder = getattr(causal, causal.base_model_prefix)
    layout: dict[str, Any] = {"attention_mask": batch.attention_mask}
    if batch.example_lengths is not None:
        layout = {"example_lengths": batch.example_lengths}
    output = decoder(input_ids=batch.input_ids, position_ids=batch.position_ids, use_cache=False, **layout)
    return output.last_hidden_state  # type: ignore[no-any-return]


def summed_loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Return the cross-entropy summed over the label tokens of a micro-batch, in float32.

    The output layer sees some label positions at a time, so that a [tokens, vocabulary] float32 tensor never exists.
    """
    states = hidden_states(model, batch)
    selected = states.reshape(-1, states.shape[-1])[batch.label_index]
    causal = causal_model(model)
    if any(weight.requires_grad for weight in causal.get_output_embeddings().parameters()):
        return recomputed_loss(selected, batch.targets, causal)
    return _FrozenHeadLoss.apply(selected, batch.targets, causal)  # type: ignore[no-any-return, no-untyped-call]


class _FrozenHeadLoss(torch.autograd.Function):
    """The loss under an output layer that does not train: each chunk's gradient is taken while its logits are there.

    Nothing of the output layer is left for the backward pass, neither to keep nor to compute a second time.
    """

    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, targets: torch.Tensor, causal: Any) -> torch.Tensor:
        total = states.new_zeros((), dtype=torch.float32)
        gradients: list[torch.Tensor] = []
        for chunk, chunk_targets in _chunks(states, targets, causal):
            with torch.set_grad_enabled(ctx.needs_input_grad[0]):
                leaf = chunk.detach().requires_grad_(ctx.needs_input_grad[0])
                loss = _chunk_loss(leaf, chunk_targets, causal)
            if ctx.needs_input_grad[0]:
                gradients += torch.autograd.grad(loss, leaf)
            total += loss.detach()
        ctx.gradient = torch.cat(gradients) if gradients else None
        return total

    @staticmethod
    def backward(ctx: Any, outer: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return ctx.gradient * outer, None, None


def recomputed_loss(states: torch.Tensor, targets: torch.Tensor, causal: Any) -> torch.Tensor:
    """Return the same loss for any output layer: plain autograd, each chunk's logits computed again on the way back."""
    total = states.new_zeros((), dtype=torch.float32)
    for chunk, chunk_targets in _chunks(states, targets, causal):
        total = total + checkpoint(_chunk_loss, chunk, chunk_targets, causal, use_reentrant=False)
    return total


def _chunks(states: torch.Tensor, targets: torch.Tensor, causal: Any) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    size = CHUNK_TOKENS
    if states.is_cuda:
        size = max(size, GPU_CHUNK_LOGITS // causal.config.get_text_config().vocab_size)
    return zip(states.split(size), targets.split(size), strict=True)


def _chunk_loss(states: torch.Tensor, targets: torch.Tensor, causal: Any) -> torch.Tensor:
    logits = output_logits(causal, states).float()
    return functional.cross_entropy(logits, targets, reduction="sum")


def output_logits(causal: Any, states: torch.Tensor) -> torch.Tensor:
    """Apply the output layer with the scaling some architectures add after it (Gemma, Cohere, Granite)."""
    logits = causal.get_output_embeddings()(states)
    config = causal.config
    if getattr(config, "logit_scale", None):
        logits = logits * config.logit_scale
    if getattr(config, "logits_scaling", None):
        logits = logits / config.logits_scaling
    softcap = getattr(config, "final_logit_softcapping", None)
    return torch.tanh(logits / softcap) * softcap if softcap else logits  # type: ignore[no-any-return]
