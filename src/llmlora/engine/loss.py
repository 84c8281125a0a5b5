"""The loss of a micro-batch: logits are computed only where labels are, and only for some of them at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from llmlora.engine.attention import PACKED
from llmlora.engine.batch import Batch
from llmlora.engine.quantized_weight import plain_weight

CHUNK_TOKENS = 256  # at a vocabulary of 150k one float32 chunk is 150 MB
GPU_CHUNK_LOGITS = 1 << 26  # a GPU waits for small chunks to be started: 256 MB of float32


@dataclass(frozen=True)
class LossPath:
    """How rows reach the loss, as the self-test found it equal to the model's own; frozen at the first start of a job.

    `packing` lays examples end to end, else they are padded. `own_head` takes the logits of the model's own `forward`,
    which holds them for every token; else the output layer sees label tokens only.
    """

    packing: bool = True
    own_head: bool = False


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
    decoder = getattr(causal, causal.base_model_prefix, None) or causal.model
    output = decoder(input_ids=batch.input_ids, use_cache=False, **_layout(batch))
    return output.last_hidden_state  # type: ignore[no-any-return]


def _layout(batch: Batch) -> dict[str, Any]:
    """Return what tells the model where examples lie; padded ones are laid out as every model expects it by itself."""
    if batch.example_lengths is None:
        return {"attention_mask": batch.attention_mask}
    return {"position_ids": batch.position_ids, "example_lengths": batch.example_lengths}


def label_logits(model: nn.Module, batch: Batch, own_head: bool) -> torch.Tensor:
    """Return the logits [label tokens, vocabulary] of a micro-batch, all at once."""
    causal = causal_model(model)
    if own_head:
        logits = causal(input_ids=batch.input_ids, use_cache=False, **_layout(batch)).logits
        return logits.reshape(-1, logits.shape[-1])[batch.label_index]  # type: ignore[no-any-return]
    return output_logits(causal, _label_states(model, batch))


def _label_states(model: nn.Module, batch: Batch) -> torch.Tensor:
    states = hidden_states(model, batch)
    return states.reshape(-1, states.shape[-1])[batch.label_index]


def summed_loss(model: nn.Module, batch: Batch, own_head: bool = False) -> torch.Tensor:
    """Return the cross-entropy summed over the label tokens of a micro-batch, in float32.

    The output layer sees some label positions at a time, so that a [tokens, vocabulary] float32 tensor never exists;
    with `own_head` the model's own `forward` computes the logits instead.
    """
    if own_head:
        return functional.cross_entropy(label_logits(model, batch, own_head).float(), batch.targets, reduction="sum")
    selected = _label_states(model, batch)
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
        with plain_weight(causal.get_output_embeddings()):
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


# How architectures name what they do to their logits; what none of these names is left to the model's own head.
LOGIT_FACTORS = ("logit_scale", "lm_head_multiplier")
LOGIT_DIVISORS = ("logits_scaling",)
LOGIT_CAPS = ("final_logit_softcapping", "logits_soft_cap", "output_logit_soft_cap")


def output_logits(causal: Any, states: torch.Tensor) -> torch.Tensor:
    """Apply the output layer with the scaling some architectures add after it (Gemma, Cohere, Granite, Falcon-H1)."""
    logits = causal.get_output_embeddings()(states)
    for factor in _present(causal.config, LOGIT_FACTORS):
        logits = logits * factor
    for divisor in _present(causal.config, LOGIT_DIVISORS):
        logits = logits / divisor
    for cap in _present(causal.config, LOGIT_CAPS):
        logits = torch.tanh(logits / cap) * cap
    return logits  # type: ignore[no-any-return]


def _present(config: Any, names: tuple[str, ...]) -> list[float]:
    return [value for name in names if (value := getattr(config, name, None))]
