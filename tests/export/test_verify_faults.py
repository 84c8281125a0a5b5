"""Planted faults: verification catches each one and names its cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from export.planted_faults import all_verdicts
from llmlora.core.locale import catalogue

TESTS = Path(__file__).parents[1]
# fault -> causes one of which the first failed check must name
CAUSES = {
    "wrong_template": ("template",),
    "missing_eos": ("end_token",),
    "wrong_eos": ("end_token",),
    "reordered_heads": ("row_order",),
    "changed_weight": ("values",),
    "wrong_rope": ("rope",),
    "wrong_epsilon": ("settings",),
    "swapped_tokens": ("vocabulary",),
    "duplicate_token": ("duplicate_tokens",),
    "wrong_file_type": ("file_type",),
    "cut_off": ("header",),
    "word_ends_turn": ("end_token",),
    "word_ends_message": ("end_token",),
    "word_ends_filling": ("end_token",),
    "digit_typed_control": ("token_types",),
    "word_typed_control": ("token_types",),
    "end_typed_normal": ("token_types",),
    "unexpected_key": ("unexpected_key",),
    "lost_merge": ("vocabulary",),
    "faulty_converter": ("weights",),
    "scaled_outputs Q4_K_M": ("scale",),
    "shifted_values Q4_K_M": ("shift",),
    "exchanged_rows Q4_K_M": ("values", "row_order"),
    "flipped_row Q4_K_M": ("values",),
    "scaled_row Q4_K_M": ("scale",),
    "lost_block Q4_K_M": ("values",),
    "coarser_named_finer Q4_K_M": ("tensor_type",),
    "not_merged F16": ("not_merged",),
    "not_merged Q8_0": ("not_merged",),
    "not_merged Q4_K_M": ("not_merged",),
    "not_merged Q2_K": ("not_merged",),
    "one_not_merged Q4_K_M": ("not_merged",),
}
# faults that show when the file is run too, whatever its header says
SEEN_IN_USE = {
    "wrong_template": "template",
    "wrong_rope": "logprobs",
    "wrong_epsilon": "logprobs",
    "reordered_heads": "logprobs",
    "changed_weight": "logprobs",
    "swapped_tokens": "tokenizer",
}

Verdicts = dict[str, list[dict[str, Any]]]
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    return all_verdicts(tmp_path_factory.mktemp("faults"))


def test_the_right_file_passes_every_check(verdicts: Verdicts):
    checks = verdicts["nothing"]
    assert [check["check"] for check in checks] == [
        "file",
        "tensors",
        "update",
        "tokenizer",
        "template",
        "logprobs",
        "stop",
        "answers",
    ]
    assert all(check["ok"] for check in checks)
    measured = {check["check"]: check["measured"] for check in checks}
    assert measured["tokenizer"]["num_texts"] >= 200
    assert measured["template"]["num_shapes"] == 5
    assert measured["logprobs"]["num_contexts"] >= 24
    assert measured["tensors"]["max_relative_rmse"] == 0.0


def test_the_right_quantised_file_passes_and_says_what_survived(verdicts: Verdicts):
    checks = verdicts["nothing Q4_K_M"]
    assert all(check["ok"] for check in checks)
    update = checks[-1]["measured"]
    assert update["num_changed"] > 10
    assert 0.9 < update["share"] < 1.1
    assert not update["is_lost"]


@pytest.mark.parametrize("fault", CAUSES)
def test_each_fault_is_caught_and_named(fault: str, verdicts: Verdicts):
    first = next(check for check in verdicts[fault] if not check["ok"])
    assert first["cause"] in CAUSES[fault]
    assert first["detail"]


@pytest.mark.parametrize(("fault", "check"), SEEN_IN_USE.items())
def test_faults_are_also_seen_by_running_the_file(fault: str, check: str, verdicts: Verdicts):
    assert not next(entry for entry in verdicts[fault] if entry["check"] == check)["ok"]


@pytest.mark.parametrize("fault", ["duplicate_token", "cut_off"])
def test_files_that_may_abort_the_process_are_not_run(fault: str, verdicts: Verdicts):
    assert [check["check"] for check in verdicts[fault]] == ["file"]


def logprobs(verdicts: Verdicts, case: str) -> dict[str, Any]:
    return next(check for check in verdicts[case] if check["check"] == "logprobs")


@pytest.mark.parametrize("float_type", ["F16", "BF16"])
def test_rounding_of_a_sharp_model_is_no_fault(float_type: str, verdicts: Verdicts):
    check = logprobs(verdicts, f"none {float_type}")
    assert all(entry["ok"] for entry in verdicts[f"none {float_type}"])
    assert check["measured"]["rounding"] == float_type
    assert check["measured"]["max_diff"] > check["limits"]["max_diff"] == 0.05
    assert check["measured"]["float32_max_diff"] < 1e-3 < check["limits"]["float32_max_diff"]


@pytest.mark.parametrize("case", ["scaled_values F16", "changed_norm BF16"])
def test_a_small_mistake_behind_the_rounding_is_caught_by_the_float32_twin(case: str, verdicts: Verdicts):
    check, right = logprobs(verdicts, case), logprobs(verdicts, f"none {case.split()[1]}")
    assert (check["ok"], check["cause"]) == (False, "weights")
    assert "float32_max_diff" in check["detail"]
    assert "rounding" not in check["measured"]
    # the file itself hardly tells: its difference and KL are those of a right file
    assert check["measured"]["max_diff"] < 2.5 * right["measured"]["max_diff"]
    assert check["measured"]["kl"] < 6 * right["measured"]["kl"]
    assert next(entry for entry in verdicts[case] if entry["check"] == "tensors")["ok"]


def test_every_cause_is_worded_in_both_languages(verdicts: Verdicts):
    causes = {check["cause"] for checks in verdicts.values() for check in checks if check["cause"]}
    for language in ("ja", "en"):
        assert not [cause for cause in causes if f"export.cause.{cause}" not in catalogue(language)]
