"""Choose the next token from logits."""

from __future__ import annotations

import torch
from torch import Tensor

from llmlora.core.generate_options import GenerateOptions


def next_token(logits: Tensor, context: Tensor, options: GenerateOptions, generator: torch.Generator) -> int:
    """Return the next token id.

    `logits` is (vocabulary,), `context` the int64 ids of prompt and reply so far. The order is that of
    transformers: penalty, temperature, likeliest k, nucleus, least share.
    """
    scores = penalised(logits.float(), context, options.repetition_penalty)
    if options.temperature == 0:
        return int(scores.argmax())
    probabilities = likeliest(torch.softmax(scores / options.temperature, dim=-1), options.top_k)
    probabilities = above_share(nucleus(probabilities, options.top_p), options.min_p)
    return int(torch.multinomial(probabilities, 1, generator=generator))


def penalised(logits: Tensor, context: Tensor, penalty: float) -> Tensor:
    """Return logits with every token of `context` made less likely by `penalty`."""
    if penalty == 1.0:
        return logits
    seen = context.unique()
    values = logits[seen]
    return logits.index_copy(0, seen, torch.where(values < 0, values * penalty, values / penalty))


def likeliest(probabilities: Tensor, top_k: int) -> Tensor:
    """Keep the `top_k` likeliest tokens, all with 0; what is kept sums to one again."""
    if not 0 < top_k < len(probabilities):
        return probabilities
    values, indices = probabilities.topk(top_k)
    return torch.zeros_like(probabilities).index_copy(0, indices, values / values.sum())


def above_share(probabilities: Tensor, min_p: float) -> Tensor:
    """Keep the tokens that are at least `min_p` times as likely as the likeliest."""
    if min_p <= 0:
        return probabilities
    return torch.where(probabilities >= min_p * probabilities.max(), probabilities, torch.zeros_like(probabilities))


def nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """Keep the smallest set of likeliest tokens whose probabilities reach `top_p`; the likeliest always stays."""
    if top_p >= 1:
        return probabilities
    ordered, indices = probabilities.sort(descending=True)
    before = ordered.cumsum(-1) - ordered
    kept = torch.where(before < top_p, ordered, torch.zeros_like(ordered))
    return torch.zeros_like(probabilities).index_copy(0, indices, kept)
