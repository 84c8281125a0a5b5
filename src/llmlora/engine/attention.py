"""Attention over examples that lie end to end in one row: each example attends to itself only, nothing is padded.

Registered with transformers as an attention implementation, so that every architecture built on its attention
interface gains it. The plain path beside it is transformers' own attention on padded rows; the two are tested equal.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import torch
from torch.nn import functional
from torch.nn.attention.varlen import varlen_attn
from transformers import AttentionInterface, AttentionMaskInterface

PACKED = "llmlora_packed"
# On a CPU, bfloat16 attention over this many tokens or fewer is slower than float32 (64 tokens: 2.5 times).
SHORT_TOKENS = 512
AMPERE = 8  # compute capability from which the FlashAttention kernels run
FLASH_HEAD_DIM = 256  # the widest heads they take


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attend causally within each example.

    Shapes: query [1, heads, tokens, head_dim]; key and value [1, kv_heads, tokens, head_dim]; returns
    [1, tokens, heads, head_dim]. `example_lengths` (a list of token counts) comes through the model's keyword
    arguments. One FlashAttention kernel serves all examples where it can; else there is one call per example, and
    soft-capped scores and sliding windows shorter than an example take the explicit formula.
    """
    lengths: list[int] = options["example_lengths"]
    scale = options.get("scaling") or query.shape[-1] ** -0.5
    dropout = float(options.get("dropout") or 0.0) if module.training else 0.0
    softcap, window = options.get("softcap"), options.get("sliding_window")
    if softcap is None and not dropout and _runs_flash(query):
        return _flash_attention(query, key, value, lengths, scale, window), None
    if query.is_cuda:  # the float32 kernel takes no groups of heads; with them PyTorch would take the explicit formula
        key, value = _for_each_head(key, query), _for_each_head(value, query)
    pieces = []
    for q, k, v in zip(query.split(lengths, 2), key.split(lengths, 2), value.split(lengths, 2), strict=True):
        if q.device.type == "cpu" and q.dtype is torch.bfloat16 and q.shape[2] <= SHORT_TOKENS:
            q, k, v = q.float(), k.float(), v.float()
        if softcap is None and (window is None or window >= q.shape[2]):
            grouped = k.shape[1] != q.shape[1]
            piece = functional.scaled_dot_product_attention(
                q, k, v, dropout_p=dropout, is_causal=True, scale=scale, enable_gqa=grouped
            )
        else:
            piece = _explicit_attention(q, k, v, scale, dropout, softcap, window)
        pieces.append(piece.to(query.dtype))
    return torch.cat(pieces, dim=2).transpose(1, 2), None


def _runs_flash(query: torch.Tensor) -> bool:
    """Tell whether one kernel can attend over all examples at once: 16-bit numbers on a GPU that has FlashAttention."""
    if not query.is_cuda or query.dtype is torch.float32 or query.shape[-1] > FLASH_HEAD_DIM:
        return False
    return torch.version.cuda is not None and torch.cuda.get_device_capability(query.device)[0] >= AMPERE


def _flash_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lengths: list[int],
    scale: float,
    window: int | None,
) -> torch.Tensor:
    """Attend over all examples in one kernel instead of one call per example."""
    ends = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32).to(query.device, non_blocking=True)
    q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))
    back = -1 if window is None else window - 1
    grouped = k.shape[1] != q.shape[1]
    longest = max(lengths)
    output = varlen_attn(q, k, v, ends, ends, longest, longest, scale=scale, window_size=(back, 0), enable_gqa=grouped)
    assert isinstance(output, torch.Tensor)  # a tuple only where more is asked for
    return output[None]


def _explicit_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float,
    dropout: float,
    softcap: float | None,
    window: int | None,
) -> torch.Tensor:
    key, value = _for_each_head(key, query), _for_each_head(value, query)
    scores = (query @ key.transpose(2, 3)) * scale
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    positions = torch.arange(query.shape[2], device=query.device)
    distance = positions[:, None] - positions[None, :]
    allowed = (distance >= 0) if window is None else (distance >= 0) & (distance < window)
    weights = functional.softmax(scores.masked_fill(~allowed, float("-inf")), dim=-1, dtype=torch.float32)
    return functional.dropout(weights.to(query.dtype), dropout) @ value


def _for_each_head(states: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """Repeat keys or values that several query heads share."""
    groups = query.shape[1] // states.shape[1]
    return states if groups == 1 else states.repeat_interleave(groups, 1)


def _no_mask(*_: Any, **__: Any) -> None:
    """Stand in for the mask builder: the example lengths say everything a mask would."""


AttentionInterface.register(PACKED, packed_attention)
AttentionMaskInterface.register(PACKED, _no_mask)
