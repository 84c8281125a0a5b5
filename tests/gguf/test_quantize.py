"""Quantised files: types, bytes, metadata, order of quality, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gguf
from gguf import quants
from llama_child import LlamaChild
from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.core.errors import ConfigError, ModelFileError
from llmlora.gguf import backends
from llmlora.gguf.backends import RMSE_LIMITS, native_types
from llmlora.gguf.container import TensorPlan, write_container
from llmlora.gguf.quantize import (
    QUANTIZATIONS,
    available_quantizations,
    estimate_size,
    planned_types,
    quantize_gguf,
)
from llmlora.gguf.reader import read_tensor
from llmlora.gguf.writer import FILE_TYPES
from reference_model import config_of, export, load_reference, logprobs_of, random_contexts
from tiny_models import tiny_model

BEST_FIRST = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("quantize") / "model", num_hidden_layers=4)


@pytest.fixture(scope="module")
def source(folder: Path) -> Path:
    return export(folder, folder.parent / "f32.gguf")


@pytest.fixture(scope="module")
def made(source: Path) -> dict[str, Path]:
    """Return one file of each quantization this machine can make."""
    files = {name: source.parent / f"{name}.gguf" for name in available_quantizations()}
    for name, path in files.items():
        quantize_gguf(source, path, name, threads=2)
    return files


def test_this_machine_makes_all_or_what_it_must() -> None:
    assert set(available_quantizations()) >= {"F32", "F16", "BF16", "Q8_0", "Q6_K", "Q4_K_M", "Q4_0"}
    assert (available_quantizations() == QUANTIZATIONS) == bool(native_types())


def test_types_sizes_and_metadata(source: Path, made: dict[str, Path]) -> None:
    before = read_gguf_header(source)
    for name, path in made.items():
        after = read_gguf_header(path)
        assert {tensor.name: tensor.ggml_type for tensor in after.tensors} == planned_types(before, name)
        assert after.metadata["general.file_type"] == FILE_TYPES[name]
        changed = {"general.file_type", "general.quantization_version"}
        same = {key: value for key, value in before.metadata.items() if key not in changed}
        assert {key: value for key, value in after.metadata.items() if key not in changed} == same
        assert after.value_types == before.value_types
        assert abs(estimate_size(before, name) - path.stat().st_size) < 32 * (len(after.tensors) + 1)


def test_values_stay_within_each_types_error(source: Path, made: dict[str, Path]) -> None:
    before = read_gguf_header(source)
    for path in made.values():
        after = read_gguf_header(path)
        for tensor in after.tensors:
            expected, found = read_tensor(source, before, tensor.name), read_tensor(path, after, tensor.name)
            error = np.sqrt(np.mean(np.square(found - expected))) / np.sqrt(np.mean(np.square(expected)))
            assert error <= RMSE_LIMITS.get(tensor.ggml_type, 0.005), (path.name, tensor.name)


def test_q8_0_bytes_are_those_of_the_gguf_package(source: Path, made: dict[str, Path]) -> None:
    header, content = read_gguf_header(made["Q8_0"]), made["Q8_0"].read_bytes()
    before = read_gguf_header(source)
    for tensor in header.tensors:
        if tensor.ggml_type == "Q8_0":
            values = read_tensor(source, before, tensor.name)
            expected = quants.quantize(values, gguf.GGMLQuantizationType.Q8_0).tobytes()
            assert content[tensor.offset : tensor.offset + tensor.num_bytes] == expected


def test_coarser_is_further_from_the_model(folder: Path, made: dict[str, Path], llama: LlamaChild) -> None:
    contexts = random_contexts(config_of(folder)["vocab_size"], (5, 20, 40, 60, 33, 12), seed=3)
    expected = logprobs_of(load_reference(folder), contexts)
    divergences = []
    for name in BEST_FIRST:
        if name in made:
            found = llama.ask(made[name], contexts=contexts).logprobs
            divergences.append(float(np.mean(np.sum(np.exp(expected) * (expected - found), axis=1))))
    assert divergences == sorted(divergences)
    assert divergences[0] < 1e-4
    assert divergences[1] < 0.01


def test_a_half_precision_source_gives_nearly_the_same(source: Path, made: dict[str, Path], tmp_path: Path) -> None:
    quantize_gguf(made["F16"], tmp_path / "a.gguf", "Q8_0")
    first, second = read_gguf_header(made["Q8_0"]), read_gguf_header(tmp_path / "a.gguf")
    for tensor in first.tensors:
        one = read_tensor(made["Q8_0"], first, tensor.name)
        other = read_tensor(tmp_path / "a.gguf", second, tensor.name)
        assert np.abs(one - other).max() <= np.abs(one).max() / 100


@pytest.mark.parametrize("quantization", ["Q4_K_M", "Q8_0"])
def test_threads_do_not_change_a_byte(quantization: str, source: Path, tmp_path: Path) -> None:
    reports = [quantize_gguf(source, tmp_path / f"{count}", quantization, threads=count) for count in (1, 3)]
    assert (tmp_path / "1").read_bytes() == (tmp_path / "3").read_bytes()
    assert reports[0] == reports[1]
    assert reports[0].num_bytes == (tmp_path / "1").stat().st_size


def test_without_the_library_the_file_still_works(
    folder: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, llama: LlamaChild
) -> None:
    native_types.cache_clear()
    monkeypatch.setattr(backends, "_native_function", lambda: None)
    try:
        report = quantize_gguf(source, tmp_path / "a.gguf", "Q4_K_M")
        with pytest.raises(ConfigError) as caught:
            quantize_gguf(source, tmp_path / "b.gguf", "Q5_K_M")
    finally:
        monkeypatch.undo()
        native_types.cache_clear()
    assert report.backends == ("numpy",)
    assert "Q5_K_M" not in caught.value.params["known"]
    contexts = random_contexts(config_of(folder)["vocab_size"], (5, 40))
    expected = logprobs_of(load_reference(folder), contexts)
    found = llama.ask(tmp_path / "a.gguf", contexts=contexts).logprobs
    assert np.sum(np.exp(expected) * (expected - found), axis=1).mean() < 0.6


def test_rows_that_fit_no_block_are_kept_in_f16(tmp_path: Path, llama: LlamaChild) -> None:
    folder = tiny_model("llama", tmp_path / "model", hidden_size=80, num_attention_heads=2, intermediate_size=320)
    export(folder, tmp_path / "f32.gguf")
    quantize_gguf(tmp_path / "f32.gguf", tmp_path / "a.gguf", "Q4_K_M" if native_types() else "Q8_0")
    header = read_gguf_header(tmp_path / "a.gguf")
    assert header.tensor("blk.0.attn_q.weight").ggml_type == "F16"
    assert header.tensor("blk.0.ffn_down.weight").ggml_type in ("Q5_0", "Q8_0")
    assert np.isfinite(llama.ask(tmp_path / "a.gguf", contexts=[[9, 10, 11]]).logprobs).all()


def test_progress_ends_at_the_total(source: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    quantize_gguf(source, tmp_path / "a.gguf", "Q8_0", on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0


@pytest.mark.parametrize(("name", "near"), [("Q9_X", "Q8_0"), ("xyz", ""), ("q4_km", "Q4_K_M"), ("", "")])
def test_unknown_names_are_told_with_the_known_ones(name: str, near: str, source: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        quantize_gguf(source, tmp_path / "a.gguf", name)
    assert caught.value.code == "unknown_quantization"
    assert "Q8_0" in caught.value.params["known"]
    assert caught.value.params["near"] == near
    assert not (tmp_path / "a.gguf").exists()


def test_a_quantised_source_is_refused(made: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="gguf_already_quantized"):
        quantize_gguf(made["Q8_0"], tmp_path / "a.gguf", "Q4_0")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_source_that_is_not_finite_is_refused(value: float, tmp_path: Path) -> None:
    values = np.full((2, 256), value, np.float32)
    plan = TensorPlan("blk.0.attn_q.weight", (2, 256), "F32", lambda: iter([values]))
    write_container(tmp_path / "a.gguf", {"general.architecture": "llama", "llama.block_count": 1}, [plan])
    with pytest.raises(ModelFileError) as caught:
        quantize_gguf(tmp_path / "a.gguf", tmp_path / "b.gguf", "Q8_0")
    assert (caught.value.code, caught.value.params["name"]) == ("weights_not_finite", "blk.0.attn_q.weight")


def test_a_broken_source_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelFileError, match="gguf_invalid"):
        quantize_gguf(tmp_path / "a.gguf", tmp_path / "b.gguf", "Q8_0")
