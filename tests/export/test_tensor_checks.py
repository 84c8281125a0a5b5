"""Checks that read a file without running it, on a file written here and changed in memory or on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llmlora.export.check import Check
from llmlora.export.float_values import float_difference
from llmlora.export.merge import trained_source
from llmlora.export.quantized_values import BOUNDS
from llmlora.export.tensor_checks import check_tensors, relative_rmse
from llmlora.gguf.backends import backend_for
from llmlora.gguf.blocks import dequantize_rows
from llmlora.gguf.container import TensorPlan, write_container
from llmlora.gguf.conversion import ConvertedTensor, convert_tensors
from llmlora.gguf.quantize import quantize_gguf
from llmlora.gguf.writer import encode_float, write_gguf
from llmlora.inference.trained_job import find_trained
from tiny_jobs import tiny_job


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ConvertedTensor]]:
    folder = tmp_path_factory.mktemp("checks")
    trained = find_trained(tiny_job("llama", folder, {}))
    source, config = trained_source(trained)
    for float_type in ("F32", "F16", "BF16"):
        write_gguf(source, config, trained.result_dir, folder / f"{float_type}.gguf", float_type, "llmlora-test")
    for name in ("Q8_0", "Q4_K_M", "Q2_K"):
        quantize_gguf(folder / "F16.gguf", folder / f"{name}.gguf", name)
    return folder, convert_tensors(source, config)


@pytest.mark.parametrize("name", ["F32", "F16", "BF16"])
def test_float_files_hold_exactly_the_trained_weights(name: str, written: tuple[Path, list[ConvertedTensor]]):
    folder, tensors = written
    check = check_tensors(folder / f"{name}.gguf", tensors)[0]
    assert check.ok
    assert check.measured["max_relative_rmse"] == 0.0


@pytest.mark.parametrize(("name", "low", "high"), [("Q8_0", 0.003, 0.01), ("Q4_K_M", 0.05, 0.1), ("Q2_K", 0.2, 0.4)])
def test_quantised_files_are_within_their_types_bound(
    name: str, low: float, high: float, written: tuple[Path, list[ConvertedTensor]]
):
    folder, tensors = written
    check = check_tensors(folder / f"{name}.gguf", tensors)[0]
    assert check.ok
    assert low < check.measured["max_relative_rmse"] < high


def test_a_quantised_file_is_not_taken_for_a_finer_one(written: tuple[Path, list[ConvertedTensor]]):
    folder, tensors = written
    scaled = [ConvertedTensor(t.name, t.shape, lambda t=t: t.read() * np.float32(1.1)) for t in tensors]
    assert not check_tensors(folder / "Q8_0.gguf", scaled)[0].ok


def test_missing_and_additional_tensors_are_named(written: tuple[Path, list[ConvertedTensor]]):
    folder, tensors = written
    check = check_tensors(folder / "F16.gguf", tensors[1:])[0]
    assert (check.ok, check.cause) == (False, "tensor_names")
    assert tensors[0].name in check.detail


def test_rows_in_another_order_are_told_from_other_values(written: tuple[Path, list[ConvertedTensor]]):
    folder, tensors = written

    def changed(change) -> list[ConvertedTensor]:
        return [
            ConvertedTensor(t.name, t.shape, lambda t=t: change(t.read())) if "attn_k.weight" in t.name else t
            for t in tensors
        ]

    assert check_tensors(folder / "F16.gguf", changed(lambda values: values[::-1].copy()))[0].cause == "row_order"
    assert check_tensors(folder / "F16.gguf", changed(lambda values: values + 0.5))[0].cause == "values"

    def one_value_off(values: np.ndarray) -> np.ndarray:
        values[3, 5] += np.float32(1e-3)
        return values

    assert check_tensors(folder / "F16.gguf", changed(one_value_off))[0].cause == "values"


def test_coarser_types_have_wider_bounds():
    ordered = [BOUNDS[name].rmse for name in ("Q8_0", "Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K")]
    assert ordered == sorted(ordered)


def test_relative_error_of_a_zero_tensor_is_the_plain_one():
    assert relative_rmse(np.zeros(4), np.zeros(4)) == 0.0
    assert relative_rmse(np.full(4, 2.0), np.zeros(4)) == 2.0
    assert relative_rmse(np.full(4, 2.0), np.full(4, 4.0)) == 0.5


def one_file(folder: Path, base: np.ndarray, change: np.ndarray, quantization: str) -> list[Check]:
    """Write base + change as a file of one weight in a quantization and compare it with both."""
    name, header = "blk.0.attn_q.weight", {"general.architecture": "llama", "llama.block_count": 1}
    trained = base + change
    plan = TensorPlan(name, base.shape, "F16", lambda: encode_float(name, trained, "F16"))
    write_container(folder / "F16.gguf", header, [plan])
    path = folder / f"{quantization}.gguf"
    if quantization != "F16":
        quantize_gguf(folder / "F16.gguf", path, quantization)
    right, before = (ConvertedTensor(name, base.shape, lambda v=values: v, name) for values in (trained, base))
    return check_tensors(path, [right], {name: before})


def on_grid(values: np.ndarray, kind: str) -> np.ndarray:
    """Return values that a quantiser has rounded already."""
    return dequantize_rows(backend_for(kind)[1](values, kind).reshape(-1), kind).reshape(values.shape)


@pytest.mark.parametrize(
    ("quantization", "low", "high", "is_lost"),
    [("Q4_K_M", 0.0, 0.3, True), ("Q4_0", 0.7, 1.3, False), ("Q6_K", 0.9, 1.1, False), ("Q8_0", 0.97, 1.03, False)],
)
def test_a_change_that_snaps_back_to_the_grid_of_the_base_is_said_and_no_fault(
    quantization: str, low: float, high: float, is_lost: bool, tmp_path: Path
):
    random = np.random.default_rng(5)
    base = on_grid((random.standard_normal((512, 512)) * 0.02).astype(np.float32), "Q4_K")
    left, right = random.standard_normal((512, 8)), random.standard_normal((8, 512))
    checks = one_file(tmp_path, base, (left @ right * 2e-4).astype(np.float32), quantization)
    assert [check.ok for check in checks] == [True, True]
    measured = checks[1].measured
    assert low < measured["share"] < high
    assert measured["is_lost"] is is_lost
    assert measured["num_lost"] == is_lost


def test_an_untrained_adapter_has_nothing_to_lose(tmp_path: Path):
    base = np.random.default_rng(6).standard_normal((64, 256)).astype(np.float32)
    update = one_file(tmp_path, base, np.zeros_like(base), "Q2_K")[1]
    assert (update.ok, update.measured["share"], update.measured["num_changed"]) == (True, None, 0)


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
def test_a_merge_whose_sums_were_added_in_another_order_is_the_same(kind: str):
    random = np.random.default_rng(7)
    base = random.standard_normal((256, 256)).astype(np.float32)
    change = (random.standard_normal((256, 8)) @ random.standard_normal((8, 256)) * 1e-3).astype(np.float32)
    written = base + change
    again = base + np.nextafter(change, np.float32(np.inf))
    assert not np.array_equal(written, again)
    raw = np.concatenate(list(encode_float("", written, kind)))
    values = dequantize_rows(raw.view(np.uint8), kind).reshape(base.shape)
    assert float_difference(raw.view(np.uint8), values, again, base, kind)[1] is None
    # two steps away, half of the values one step away, or any step in a weight that was not merged: a mistake
    far = written.copy()
    far[3, 3] *= np.float32(1.02)
    assert float_difference(raw.view(np.uint8), values, far, base, kind)[1] is not None
    if kind != "F32":
        assert float_difference(raw.view(np.uint8), values, written * np.float32(1.002), base, kind)[1] is not None
        assert float_difference(raw.view(np.uint8), values, again * np.float32(1.004), None, kind)[1] is not None


def test_tiny_weights_are_as_exact_as_their_sixteen_bit_scales_allow(tmp_path: Path):
    random = np.random.default_rng(8)
    base = (random.standard_normal((64, 256)) * 1e-5).astype(np.float32)
    for quantization in ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "Q3_K_M", "Q2_K"):
        checks = one_file(tmp_path, base, np.zeros_like(base), quantization)
        assert checks[0].ok, (quantization, checks[0].detail)


def test_heavy_tails_are_no_fault(tmp_path: Path):
    base = (np.random.default_rng(9).standard_t(2, (256, 512)) * 0.02).astype(np.float32)
    for quantization in ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "Q3_K_M", "Q2_K"):
        checks = one_file(tmp_path, base, np.zeros_like(base), quantization)
        assert checks[0].ok, (quantization, checks[0].detail)
