"""A GGUF file gives the answers of its model: every architecture, F32 and F16, against transformers in float32."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llama_child import LlamaChild
from llmlora.catalog.gguf_header import GgufHeader, read_gguf_header
from llmlora.core.errors import ExportError, ModelFileError, UnsupportedArchitecture
from llmlora.gguf.architectures import ARCHITECTURES, check_exportable
from llmlora.gguf.reader import read_tensor
from llmlora.gguf.tokenizer import ChatFormat
from llmlora.gguf.writer import FILE_TYPES, encode_float, is_kept_float32, write_gguf
from llmlora.weights.folder_source import FolderSource
from model_variants import VARIANTS, WITHIN, rope
from reference_model import (
    EXACT,
    EXACT_WITH_GELU,
    HALF,
    config_of,
    end_ids,
    export,
    greedy_shortfall,
    load_reference,
    logprobs_of,
    random_contexts,
)
from tiny_models import ARCHITECTURES as TINY
from tiny_models import LLAMA31_ROPE, tiny_model

GELU_FAMILIES = ("gemma", "gemma2", "gemma3", "gpt2", "gpt_neox")


def matching(architecture: str) -> float:
    return EXACT_WITH_GELU if architecture in GELU_FAMILIES else EXACT


def test_every_architecture_has_a_tiny_model() -> None:
    assert {TINY[name][0] for name in TINY} and len(TINY) == len(ARCHITECTURES)
    assert {name.removesuffix("_text") for name in ARCHITECTURES} == set(TINY)


@pytest.mark.parametrize("architecture", TINY)
def test_f32_and_f16_files_answer_as_the_model(architecture: str, tmp_path: Path, llama: LlamaChild) -> None:
    folder = tiny_model(architecture, tmp_path / "model")
    model = load_reference(folder)
    contexts = random_contexts(config_of(folder)["vocab_size"])
    expected = logprobs_of(model, contexts)
    answer = llama.ask(export(folder, tmp_path / "f32.gguf"), contexts=contexts, num_greedy=16)
    assert np.abs(answer.logprobs - expected).max() <= matching(architecture)
    for context, chosen in zip(contexts, answer.greedy, strict=True):
        assert len(chosen) == 16
        assert greedy_shortfall(model, context, chosen, end_ids(folder)) <= 2 * matching(architecture)
    answer = llama.ask(export(folder, tmp_path / "f16.gguf", "F16"), contexts=contexts)
    assert np.abs(answer.logprobs - expected).max() <= HALF


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_answer_as_the_model(name: str, tmp_path: Path, llama: LlamaChild) -> None:
    architecture, changes = VARIANTS[name]
    folder = tiny_model(architecture, tmp_path / "model", **changes)
    contexts = random_contexts(config_of(folder)["vocab_size"], (5, 90))
    answer = llama.ask(export(folder, tmp_path / "f32.gguf"), contexts=contexts)
    difference = np.abs(answer.logprobs - logprobs_of(load_reference(folder), contexts)).max()
    assert difference <= matching(architecture)


@pytest.mark.parametrize("name", WITHIN)
def test_up_to_the_context_it_names_a_file_answers_as_the_model(name: str, tmp_path: Path, llama: LlamaChild) -> None:
    """Windows that llama.cpp does not know, and factors it would choose by the size of the context.

    Rounding grows with the position (9e-5 measured); a wrong window or set of factors costs more than 1.
    """
    architecture, changes, limit = WITHIN[name]
    folder = tiny_model(architecture, tmp_path / "model", **changes)
    path = export(folder, tmp_path / "a.gguf")
    metadata = read_gguf_header(path).metadata
    assert metadata[f"{metadata['general.architecture']}.context_length"] == limit
    contexts = random_contexts(config_of(folder)["vocab_size"], (9, limit - 1))
    answer = llama.ask(path, contexts=contexts)
    assert np.abs(answer.logprobs - logprobs_of(load_reference(folder), contexts)).max() <= 10 * EXACT


def test_an_older_config_gives_the_same_file(tmp_path: Path) -> None:
    """transformers 4 kept `rope_theta` and `rope_scaling` apart."""
    folder = tiny_model("llama", tmp_path / "model", rope_parameters=LLAMA31_ROPE, tokenizer="llama3")
    config = config_of(folder)
    scaling = dict(config.pop("rope_parameters"))
    older = {**config, "rope_theta": scaling.pop("rope_theta"), "rope_scaling": scaling}
    for name, settings in (("new", config_of(folder)), ("old", older)):
        write_gguf(FolderSource(folder), settings, folder, tmp_path / name, "F32", "llmlora-test")
    assert (tmp_path / "new").read_bytes() == (tmp_path / "old").read_bytes()


def test_a_lost_rope_theta_would_be_seen(tmp_path: Path, llama: LlamaChild) -> None:
    """The comparison above can fail: another base frequency gives other answers."""
    folder = tiny_model("llama", tmp_path / "model", **rope("default", rope_theta=500_000.0))
    contexts = random_contexts(config_of(folder)["vocab_size"], (90,))
    config = {**config_of(folder), "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0}}
    write_gguf(FolderSource(folder), config, folder, tmp_path / "wrong.gguf", "F32", "llmlora-test")
    answer = llama.ask(tmp_path / "wrong.gguf", contexts=contexts)
    assert np.abs(answer.logprobs - logprobs_of(load_reference(folder), contexts)).max() > 100 * EXACT


@pytest.fixture(scope="module")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("writer") / "model")


def header_of(folder: Path, output: Path, file_type: str) -> GgufHeader:
    return read_gguf_header(export(folder, output, file_type))  # type: ignore[arg-type]


def test_keys_of_a_file(llama_folder: Path, tmp_path: Path) -> None:
    metadata = header_of(llama_folder, tmp_path / "a.gguf", "F16").metadata
    config = config_of(llama_folder)
    expected = {
        "general.architecture": "llama",
        "general.type": "model",
        "general.name": "llmlora-test",
        "general.file_type": 1,
        "general.quantization_version": 2,
        "llama.block_count": 2,
        "llama.context_length": 512,
        "llama.embedding_length": 256,
        "llama.feed_forward_length": 512,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.rope.freq_base": 10_000.0,
        "llama.rope.dimension_count": 64,
        "llama.vocab_size": config["vocab_size"],
    }
    assert {key: metadata.get(key) for key in expected} == expected
    assert metadata["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(config["rms_norm_eps"])


@pytest.mark.parametrize("file_type", ["F32", "F16", "BF16"])
def test_vectors_stay_float32_and_matrices_get_the_type(file_type: str, llama_folder: Path, tmp_path: Path) -> None:
    header = header_of(llama_folder, tmp_path / "a.gguf", file_type)
    for tensor in header.tensors:
        assert tensor.ggml_type == ("F32" if len(tensor.shape) == 1 else file_type), tensor.name
    assert header.metadata["general.file_type"] == FILE_TYPES[file_type]


def test_positions_stay_float32(tmp_path: Path) -> None:
    folder = tiny_model("gpt2", tmp_path / "model", n_layer=1)
    header = header_of(folder, tmp_path / "a.gguf", "F16")
    assert header.tensor("position_embd.weight").ggml_type == "F32"
    assert is_kept_float32("rope_freqs.weight", 1)
    assert is_kept_float32("blk.0.attn_norm.weight", 2)
    assert not is_kept_float32("blk.0.attn_q.weight", 2)


@pytest.mark.parametrize("file_type", ["F32", "F16", "BF16"])
def test_tensors_read_back_are_the_source_rounded(file_type: str, llama_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    header = header_of(llama_folder, path, file_type)
    source = FolderSource(llama_folder)
    expected = source.read("model.layers.1.mlp.down_proj.weight")
    found = read_tensor(path, header, "blk.1.ffn_down.weight")
    assert found.shape == expected.shape
    if file_type == "F32":
        np.testing.assert_array_equal(found, expected)
    else:
        rounding = {"F16": 2.0**-11, "BF16": 2.0**-8}[file_type]
        assert np.abs(found - expected).max() <= rounding * np.abs(expected).max()
        assert (found != expected).any()


def test_bfloat16_rounds_to_nearest_even() -> None:
    values = np.array([1.0, 1.0 + 2**-8, 1.0 + 3 * 2**-8, 1.0 + 2**-8 + 2**-20, -1.0 - 2**-8], dtype=np.float32)
    bits = np.concatenate(list(encode_float("a", values, "BF16")))
    back = (bits.astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(back, [1.0, 1.0, 1.0 + 2**-6, 1.0 + 2**-7, -1.0])


def test_a_weight_too_large_for_f16_is_told(llama_folder: Path) -> None:
    values = np.array([1.0, -70_000.0], dtype=np.float32)
    with pytest.raises(ExportError) as caught:
        list(encode_float("blk.0.attn_q.weight", values, "F16"))
    assert (caught.value.code, caught.value.params["name"]) == ("float16_overflow", "blk.0.attn_q.weight")
    assert list(encode_float("a", values, "F32"))
    assert list(encode_float("a", np.array([65_504.0], np.float32), "F16"))


class CountingSource:
    """A source that knows how many of its tensors are alive, and makes each of them anew."""

    def __init__(self, folder: Path) -> None:
        self._inner = FolderSource(folder)
        self.reads: list[str] = []

    def names(self) -> list[str]:
        return self._inner.names()

    def shape(self, name: str) -> tuple[int, ...]:
        return self._inner.shape(name)

    def read(self, name: str) -> np.ndarray:
        self.reads.append(name)
        return self._inner.read(name)


def test_each_tensor_is_read_once_and_memory_holds_about_one(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "model", num_hidden_layers=6, intermediate_size=2048)
    source = CountingSource(folder)
    tracemalloc.start()
    try:
        write_gguf(source, config_of(folder), folder, tmp_path / "a.gguf", "F16", "llmlora-test")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sorted(source.reads) == sorted(source.names())
    largest = max(int(np.prod(source.shape(name))) for name in source.names()) * 4
    whole = sum(int(np.prod(source.shape(name))) for name in source.names()) * 4
    assert whole > 10 * largest
    assert peak < 5 * largest


def test_progress_counts_bytes_to_the_end(llama_folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_gguf(
        FolderSource(llama_folder),
        config_of(llama_folder),
        llama_folder,
        tmp_path / "a.gguf",
        "F16",
        "llmlora-test",
        on_progress=lambda done, total: seen.append((done, total)),
    )
    header = read_gguf_header(tmp_path / "a.gguf")
    total = sum(tensor.num_bytes for tensor in header.tensors)
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_what_a_trained_model_knows_of_itself_wins(llama_folder: Path, tmp_path: Path) -> None:
    write_gguf(
        FolderSource(llama_folder),
        config_of(llama_folder),
        llama_folder,
        tmp_path / "a.gguf",
        "F32",
        "llmlora-test",
        chat=ChatFormat("{{ messages[0]['content'] }}<|im_end|>", 0),
    )
    metadata = read_gguf_header(tmp_path / "a.gguf").metadata
    assert metadata["tokenizer.chat_template"] == "{{ messages[0]['content'] }}<|im_end|>"
    assert metadata["tokenizer.ggml.eos_token_id"] == metadata["tokenizer.ggml.eot_token_id"] == 0


def broken_config(config: dict[str, Any]) -> dict[str, Any]:
    return {**config, "model_type": "mamba"}


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], type[Exception]]] = {
    "unknown architecture": (broken_config, UnsupportedArchitecture),
    "dynamic rope": (lambda config: {**config, **rope("dynamic", factor=2.0)}, ExportError),
    "no layers stated": (lambda config: {**config, "num_hidden_layers": None}, ModelFileError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_written_for_a_refused_model(name: str, llama_folder: Path, tmp_path: Path) -> None:
    change, error = REFUSED[name]
    config = change(config_of(llama_folder))
    with pytest.raises(error):
        check_exportable(config)
    with pytest.raises(error):
        write_gguf(FolderSource(llama_folder), config, llama_folder, tmp_path / "a.gguf", "F32", "llmlora-test")
    assert not (tmp_path / "a.gguf").exists()
