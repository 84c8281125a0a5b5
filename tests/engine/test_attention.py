"""Attention over examples laid end to end: the same as attention over each example alone, in every number format."""

import pytest
import torch
from torch.nn import functional

from llmlora.engine import attention
from llmlora.engine.attention import packed_attention

LENGTHS = [5, 1, 17, 40]
HEADS, KV_HEADS, HEAD_DIM = 4, 2, 16


def inputs(dtype=torch.float32):
    torch.manual_seed(0)
    shapes = [(1, heads, sum(LENGTHS), HEAD_DIM) for heads in (HEADS, KV_HEADS, KV_HEADS)]
    return [torch.randn(shape, dtype=torch.float64).to(dtype).requires_grad_() for shape in shapes]


def packed(query, key, value, **options):
    module = torch.nn.Module().eval()
    return packed_attention(module, query, key, value, None, example_lengths=LENGTHS, **options)[0]


def plain(query, key, value, softcap=None, window=None, scale=HEAD_DIM**-0.5):
    """Return the textbook formula with one mask for the whole row: causal, and never across a border."""
    owner = torch.arange(len(LENGTHS)).repeat_interleave(torch.tensor(LENGTHS))
    place = torch.arange(len(owner))
    distance = place[:, None] - place[None, :]
    allowed = (owner[:, None] == owner[None, :]) & (distance >= 0)
    if window is not None:
        allowed &= distance < window
    key, value = (part.repeat_interleave(HEADS // KV_HEADS, 1) for part in (key, value))
    scores = query @ key.transpose(2, 3) * scale
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    weights = functional.softmax(scores.masked_fill(~allowed, -torch.inf), dim=-1)
    return (weights @ value).transpose(1, 2)


@pytest.mark.parametrize(
    ("options", "formula"),
    [
        ({}, {}),
        ({"scaling": 0.3}, {"scale": 0.3}),
        ({"sliding_window": 64}, {}),
        ({"sliding_window": 6}, {"window": 6}),
        ({"softcap": 2.0}, {"softcap": 2.0}),
        ({"softcap": 2.0, "sliding_window": 6}, {"softcap": 2.0, "window": 6}),
    ],
    ids=["plain", "scaled", "wide window", "narrow window", "capped", "capped and narrow"],
)
def test_output_and_gradients_are_the_formula(options, formula):
    given = inputs()
    found, expected = packed(*given, **options), plain(*given, **formula)
    assert torch.allclose(found, expected, atol=1e-5)
    outer = torch.randn_like(found)
    pairs = zip(torch.autograd.grad(found, given, outer), torch.autograd.grad(expected, given, outer), strict=True)
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in pairs)


def test_no_example_sees_another():
    given = inputs()
    before = packed(*given)
    with torch.no_grad():
        given[1][:, :, : LENGTHS[0]] += 1
        given[2][:, :, : LENGTHS[0]] -= 1
    after = packed(*given)
    assert not torch.allclose(after[:, : LENGTHS[0]], before[:, : LENGTHS[0]])
    assert torch.equal(after[:, LENGTHS[0] :], before[:, LENGTHS[0] :])


@pytest.mark.parametrize("options", [{}, {"softcap": 2.0, "sliding_window": 6}], ids=["plain", "capped and narrow"])
def test_short_examples_in_bfloat16_are_computed_in_float32_and_no_less_exact(options, monkeypatch):
    given = inputs(torch.bfloat16)
    formula = {"window" if name == "sliding_window" else name: value for name, value in options.items()}
    exact = plain(*(part.detach().float() for part in given), **formula)
    short = packed(*given, **options).detach()
    monkeypatch.setattr(attention, "SHORT_TOKENS", 0)
    long = packed(*given, **options).detach()
    assert short.dtype == long.dtype == torch.bfloat16
    errors = [float((found.float() - exact).abs().max()) for found in (short, long)]
    assert errors[0] < 0.01  # what storing the result in bfloat16 costs
    assert errors[0] <= errors[1] < 0.05


def test_dropout_acts_in_training_only():
    given = inputs()
    module = torch.nn.Module()
    trained, again = (
        packed_attention(module.train(), *given, None, example_lengths=LENGTHS, dropout=0.5)[0] for _ in range(2)
    )
    assert not torch.equal(trained, again)
    still = packed_attention(module.eval(), *given, None, example_lengths=LENGTHS, dropout=0.5)[0]
    assert torch.equal(still, packed(*given))
