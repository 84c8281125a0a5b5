"""The untouched base's own distance lifts a limit only where rounding is known to be the reason."""

from __future__ import annotations

from llmlora.export.base_distance import SHARPER, base_type, judged_by_base
from llmlora.export.check import Check, within

Q8_0 = {"kl": 0.01}


def q8_0(kl: float) -> Check:
    return within("logprobs", "weights", {"kl": kl, "max_diff": 0.4}, Q8_0)


def test_only_rounding_is_judged_by_the_base():
    wrong = q8_0(0.017)
    assert base_type(wrong, "Q8_0") == "Q8_0"
    assert base_type(q8_0(0.005), "Q8_0") is None
    assert base_type(within("logprobs", "adapter", {"kl": 1.0}, {"kl": 1e-5}), None) == "F32"
    f16 = within("logprobs", "weights", {"max_diff": 0.3, "kl": 1e-3}, {"max_diff": 0.05, "kl": 1e-4})
    assert base_type(f16, "F16") is None
    twin = within("logprobs", "weights", {"float32_max_diff": 0.025}, {"float32_max_diff": 0.02})
    assert base_type(twin, "F16") == "F32"


def test_a_sharper_model_may_be_as_many_times_further_off():
    base = {"kl": 0.0094, "max_diff": 0.3}
    check = judged_by_base(q8_0(0.0145), base)
    assert check.ok
    assert (check.limits["kl"], check.measured["base_kl"]) == (SHARPER * 0.0094, 0.0094)
    assert not judged_by_base(q8_0(0.05), base).ok


def test_a_base_that_is_too_far_off_itself_shows_a_fault_and_lifts_nothing():
    """A faulty converter writes base and trained model wrongly alike."""
    check = judged_by_base(q8_0(0.02), {"kl": 0.02, "max_diff": 1.0})
    assert (check.ok, check.cause, check.limits["kl"]) == (False, "weights", 0.01)


def test_a_twin_is_held_to_its_own_limits_only():
    measured = {"max_diff": 0.3, "kl": 5e-5, "float32_max_diff": 0.025, "float32_kl": 2e-6}
    limits = {"float32_max_diff": 0.02, "float32_kl": 1e-5}
    check = within("logprobs", "weights", measured, limits)
    again = judged_by_base(check, {"max_diff": 0.01, "kl": 1e-6})
    assert again.ok
    assert again.limits["float32_max_diff"] == SHARPER * 0.01
