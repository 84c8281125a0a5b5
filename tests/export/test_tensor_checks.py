"""Checks that read a file without running it, on a file written here and changed in memory or on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llmlora.export.merge import trained_source
from llmlora.export.tensor_checks import RMSE_LIMITS, check_tensors, relative_rmse
from llmlora.export.trained import find_trained
from llmlora.gguf.conversion import ConvertedTensor, convert_tensors
from llmlora.gguf.quantize import quantize_gguf
from llmlora.gguf.writer import write_gguf
from tiny_jobs import tiny_job


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ConvertedTensor]]:
    folder = tmp_path_factory.mktemp("checks")
    trained = find_trained(tiny_job("llama", folder, {}))
    source, config = trained_source(trained)
    for float_type in ("F32", "F16", "BF16"):
        write_gguf(source, config, trained.tokenizer_dir, folder / f"{float_type}.gguf", float_type, "llmlora-test")
    for name in ("Q8_0", "Q4_K_M", "Q2_K"):
        quantize_gguf(folder / "F16.gguf", folder / f"{name}.gguf", name)
    return folder, convert_tensors(source, config)


@pytest.mark.parametrize("name", ["F32", "F16", "BF16"])
def test_float_files_hold_exactly_the_trained_weights(name: str, written: tuple[Path, list[ConvertedTensor]]):
    folder, tensors = written
    check = check_tensors(folder / f"{name}.gguf", tensors)
    assert check.ok
    assert check.measured["max_relative_rmse"] == 0.0


@pytest.mark.parametrize(("name", "low", "high"), [("Q8_0", 0.003, 0.01), ("Q4_K_M", 0.05, 0.1), ("Q2_K", 0.2, 0.4)])
def test_quantised_files_are_within_their_types_bound(
    name: str, low: float, high: float, written: tuple[Path, list[ConvertedTensor]]
):
    folder, tensors = written
    check = check_tensors(folder / f"{name}.gguf", tensors)
    assert check.ok
    assert low < check.measured["max_relative_rmse"] < high


def test_a_quantised_file_is_not_taken_for_a_finer_one(written: tuple[Path, list[ConvertedTensor]]):
    folder, tensors = written
    scaled = [ConvertedTensor(t.name, t.shape, lambda t=t: t.read() * np.float32(1.1)) for t in tensors]
    assert not check_tensors(folder / "Q8_0.gguf", scaled).ok


def test_missing_and_additional_tensors_are_named(written: tuple[Path, list[ConvertedTensor]]):
    folder, tensors = written
    check = check_tensors(folder / "F16.gguf", tensors[1:])
    assert (check.ok, check.cause) == (False, "tensor_names")
    assert tensors[0].name in check.detail


def test_rows_in_another_order_are_told_from_other_values(written: tuple[Path, list[ConvertedTensor]]):
    folder, tensors = written

    def changed(change) -> list[ConvertedTensor]:
        return [
            ConvertedTensor(t.name, t.shape, lambda t=t: change(t.read())) if "attn_k.weight" in t.name else t
            for t in tensors
        ]

    assert check_tensors(folder / "F16.gguf", changed(lambda values: values[::-1].copy())).cause == "row_order"
    assert check_tensors(folder / "F16.gguf", changed(lambda values: values + 0.5)).cause == "values"

    def one_value_off(values: np.ndarray) -> np.ndarray:
        values[3, 5] += np.float32(1e-3)
        return values

    assert check_tensors(folder / "F16.gguf", changed(one_value_off)).cause == "values"


def test_coarser_types_have_wider_bounds():
    ordered = [RMSE_LIMITS[name] for name in ("F16", "Q8_0", "Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K")]
    assert ordered == sorted(ordered)


def test_relative_error_of_a_zero_tensor_is_the_plain_one():
    assert relative_rmse(np.zeros(4), np.zeros(4)) == 0.0
    assert relative_rmse(np.full(4, 2.0), np.zeros(4)) == 2.0
    assert relative_rmse(np.full(4, 2.0), np.full(4, 4.0)) == 0.5
