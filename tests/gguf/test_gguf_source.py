"""A GGUF file and its model are the same thing said twice: file -> model -> file, and the model answers as before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from llmlora.catalog.gguf_header import GgufHeader, read_gguf_header
from llmlora.core.errors import LlmloraError
from llmlora.gguf.container import TensorPlan, write_container
from llmlora.gguf.gguf_source import GgufSource
from llmlora.gguf.reader import read_tensor
from llmlora.gguf.writer import write_gguf
from llmlora.weights.folder_source import FolderSource
from model_variants import VARIANTS, WITHIN
from real_models import original_gguf, real_model
from reference_model import config_of, export, load_reference, logprobs_of, random_contexts
from tiny_models import ARCHITECTURES, LLAMA31_ROPE, tiny_model

NORM_STEP = 1.2e-7  # a norm is stored + 1, which costs half a bit of a number near 1
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in ARCHITECTURES},
    **VARIANTS,
    **{f"{name}, far": case[:2] for name, case in WITHIN.items()},
}


def raw(path: Path, header: GgufHeader, name: str) -> bytes:
    tensor = header.tensor(name)
    with path.open("rb") as stream:
        stream.seek(tensor.offset)
        return stream.read(tensor.num_bytes)


@pytest.mark.parametrize("file_type", ["F32", "F16"])
@pytest.mark.parametrize("name", CASES)
def test_a_file_made_of_a_files_model_is_the_same_file(name: str, file_type: Any, tmp_path: Path) -> None:
    architecture, changes = CASES[name]
    folder = tiny_model(architecture, tmp_path / "model", **changes)
    first, second = export(folder, tmp_path / "first.gguf", file_type), tmp_path / "second.gguf"
    source = GgufSource(first)
    write_gguf(source, source.config, folder, second, file_type, "model")
    before, after = read_gguf_header(first), read_gguf_header(second)
    same = {key: value for key, value in before.metadata.items() if key != "general.name"}
    assert {key: after.metadata.get(key) for key in same} == same
    assert [tensor.name for tensor in after.tensors] == [tensor.name for tensor in before.tensors]
    for tensor in before.tensors:
        if architecture.startswith("gemma") and tensor.name.endswith("norm.weight"):
            old, new = (read_tensor(path, head, tensor.name) for path, head in ((first, before), (second, after)))
            np.testing.assert_allclose(new, old, rtol=0, atol=NORM_STEP * max(1.0, np.abs(old).max()))
        else:
            assert raw(second, after, tensor.name) == raw(first, before, tensor.name), tensor.name


@pytest.mark.parametrize("name", CASES)
def test_the_model_in_a_file_answers_as_the_one_it_was_made_of(name: str, tmp_path: Path) -> None:
    architecture, changes = CASES[name]
    folder = tiny_model(architecture, tmp_path / "model", **changes)
    source = GgufSource(export(folder, tmp_path / "model.gguf"))
    again = tmp_path / "again"
    again.mkdir()
    (again / "config.json").write_text(json.dumps(source.config), encoding="utf-8")
    save_file({name: source.read(name) for name in source.names()}, again / "model.safetensors", {"format": "pt"})
    contexts = random_contexts(config_of(folder)["vocab_size"], (5, 90))
    before, after = (logprobs_of(load_reference(place), contexts) for place in (folder, again))
    np.testing.assert_allclose(after, before, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", ["smollm2", "gemma3"])
def test_pretrained_files_of_others_are_whole_models(name: Any) -> None:
    """Files that we did not write; the folder that the tests use is made of the same file by hand."""
    source, folder = GgufSource(original_gguf(name)), real_model(name)
    by_hand = FolderSource(folder)
    assert sorted(source.names()) == sorted(by_hand.names())
    for tensor in [name for name in source.names() if ".layers.0." in name or name == "model.norm.weight"]:
        assert source.shape(tensor) == by_hand.shape(tensor)
        np.testing.assert_array_equal(source.read(tensor), by_hand.read(tensor))
    written = config_of(folder)
    assert {name: value for name, value in source.config.items() if name in written} == {
        name: value for name, value in written.items() if name in source.config
    }
    assert set(written) - set(source.config) <= {"architectures", "dtype", "hidden_act", "head_dim"}
    assert set(source.config) - set(written) <= {"attention_bias", "mlp_bias"}


def changed(folder: Path, keys: dict[str, Any], tensors: dict[str, str], target: Path) -> Path:
    """Write a tiny model's file with other keys (None leaves one out) and tensors under other names."""
    path = export(folder, target.with_suffix(".before"))
    header = read_gguf_header(path)
    metadata = {name: value for name, value in {**header.metadata, **keys}.items() if value is not None}
    plans = [
        TensorPlan(
            tensors.get(tensor.name, tensor.name),
            tensor.shape,
            tensor.ggml_type,
            lambda name=tensor.name: iter([np.frombuffer(raw(path, header, name), dtype=np.uint8)]),
        )
        for tensor in header.tensors
    ]
    write_container(target, metadata, plans)
    return target


REFUSED: dict[str, tuple[dict[str, Any], dict[str, str], str, str]] = {
    "another architecture": ({"general.architecture": "mamba"}, {}, "gguf_architecture", "mamba"),
    "no layers said": ({"llama.block_count": None}, {}, "gguf_key_missing", "llama.block_count"),
    "heads by layer": ({"llama.attention.head_count_kv": [2, 2]}, {}, "gguf_key_unusable", "head_count_kv"),
    "a key that nobody reads": ({"llama.logit_scale": 0.5}, {}, "gguf_key_unusable", "logit_scale"),
    "experts": ({"llama.expert_count": 4}, {}, "gguf_key_unusable", "expert_count"),
    "unknown scaling": ({"llama.rope.scaling.type": "ntk"}, {}, "gguf_key_unusable", "scaling.type"),
    "values of another size": ({"llama.attention.value_length": 32}, {}, "gguf_key_unusable", "value_length"),
    "another tensor": ({}, {"blk.1.ffn_up.weight": "blk.1.ffn_up_exps.weight"}, "gguf_tensor_missing", "blk.1.ffn_up"),
    "a bias alone": ({}, {"blk.0.ffn_up.weight": "blk.0.attn_q.bias"}, "gguf_tensor_missing", "ffn_up"),
    "no embedding": ({}, {"token_embd.weight": "token_types.weight"}, "gguf_tensor_missing", "token_embd"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_config_would_not_say_is_refused_by_name(case: str, tmp_path: Path) -> None:
    keys, tensors, code, named = REFUSED[case]
    path = changed(tiny_model("llama", tmp_path / "model"), keys, tensors, tmp_path / "file.gguf")
    with pytest.raises(LlmloraError) as caught:
        GgufSource(path)
    assert caught.value.code == code
    assert named in str(caught.value.params)


def test_rotary_factors_of_no_known_making_are_refused(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "model", rope_parameters=LLAMA31_ROPE, tokenizer="llama3")
    path = export(folder, tmp_path / "file.gguf")
    tensor = read_gguf_header(path).tensor("rope_freqs.weight")
    with path.open("r+b") as stream:
        stream.seek(tensor.offset + 4 * 3)
        stream.write(np.float32(1.7).tobytes())
    with pytest.raises(LlmloraError, match="rope_freqs"):
        GgufSource(path)
