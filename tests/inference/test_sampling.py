"""Choosing the next token: greedy, penalty, nucleus, seeds; compared with transformers' own processors."""

from __future__ import annotations

import pytest
import torch
from transformers import RepetitionPenaltyLogitsProcessor, TopPLogitsWarper

from llmlora.core.generate_options import GenerateOptions
from llmlora.inference.sampling import above_share, likeliest, next_token, nucleus, penalised


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_temperature_zero_takes_the_likeliest():
    logits = torch.tensor([0.1, 3.0, 2.9])
    assert next_token(logits, torch.tensor([0]), GenerateOptions(), generator(0)) == 1


def test_penalty_equals_transformers():
    logits = torch.randn(50, generator=generator(1))
    context = torch.tensor([3, 7, 7, 49])
    expected = RepetitionPenaltyLogitsProcessor(1.7)(context[None], logits[None].clone())[0]
    torch.testing.assert_close(penalised(logits, context, 1.7), expected)


def test_penalty_changes_the_greedy_choice():
    logits = torch.tensor([0.1, 3.0, 2.9])
    options = GenerateOptions(repetition_penalty=1.5)
    assert next_token(logits, torch.tensor([1]), options, generator(0)) == 2


def test_nucleus_equals_transformers():
    logits = torch.randn(200, generator=generator(2)) * 3
    kept = nucleus(torch.softmax(logits, -1), 0.8) > 0
    expected = TopPLogitsWarper(0.8)(torch.zeros(1, 1), logits[None].clone())[0] > -torch.inf
    assert torch.equal(kept, expected)


def test_nucleus_always_keeps_the_likeliest():
    assert nucleus(torch.tensor([0.9, 0.1]), 1e-6).tolist() == [torch.tensor(0.9).item(), 0.0]


def test_same_seed_draws_the_same_and_frequencies_follow_the_distribution():
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2]))
    options = GenerateOptions(temperature=1.0)
    draws = [next_token(logits, torch.tensor([0]), options, source) for source in [generator(3)] for _ in range(3000)]
    again = [next_token(logits, torch.tensor([0]), options, source) for source in [generator(3)] for _ in range(20)]
    assert draws[:20] == again
    counts = torch.bincount(torch.tensor(draws), minlength=3) / 3000
    assert torch.allclose(counts, torch.tensor([0.5, 0.3, 0.2]), atol=0.04)


def test_only_the_likeliest_k_and_those_near_the_likeliest_are_drawn():
    probabilities = torch.tensor([0.5, 0.3, 0.15, 0.05])
    assert likeliest(probabilities, 2).tolist() == pytest.approx([0.625, 0.375, 0, 0])
    assert likeliest(probabilities, 0) is probabilities
    assert likeliest(probabilities, 4) is probabilities
    assert above_share(probabilities, 0.3).tolist() == pytest.approx([0.5, 0.3, 0.15, 0])
    assert above_share(probabilities, 0) is probabilities
    logits, context = torch.tensor([1.0, 3.0, 2.0]), torch.tensor([], dtype=torch.int64)
    for options in (GenerateOptions(temperature=50, top_k=1), GenerateOptions(temperature=50, min_p=1.0)):
        drawn = {next_token(logits, context, options, torch.Generator().manual_seed(seed)) for seed in range(20)}
        assert drawn == {1}
