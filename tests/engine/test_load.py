"""A base's model is the one that transformers itself loads, to the bit, whatever its tensors come from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, MixtralConfig, MixtralForCausalLM, PreTrainedModel

from llmlora.core.errors import ModelFileError
from llmlora.engine.load import empty_model, load_base
from llmlora.weights.base import open_folder, open_gguf
from real_models import Name, original_gguf, real_model
from reference_model import export
from tiny_models import ARCHITECTURES, tiny_model

TESTS = Path(__file__).parents[1]


def assert_same(found: PreTrainedModel, expected: PreTrainedModel) -> None:
    """Every weight and buffer, its type and layout, what is shared, and everything said beside them."""
    for kind in ("named_parameters", "named_buffers"):
        pairs = [dict(getattr(model, kind)(remove_duplicate=False)) for model in (found, expected)]
        assert list(pairs[0]) == list(pairs[1])
        for name, one in pairs[0].items():
            other = pairs[1][name]
            assert (one.dtype, one.shape, one.stride()) == (other.dtype, other.shape, other.stride()), name
            assert (one.requires_grad, one.device) == (other.requires_grad, other.device), name
            assert one.equal(other), name
    assert len(list(found.parameters())) == len(list(expected.parameters()))
    assert found.config.to_dict() == expected.config.to_dict()
    assert found.generation_config.to_dict() == expected.generation_config.to_dict()
    assert (found.training, found.dtype) == (expected.training, expected.dtype)
    assert found.name_or_path == expected.name_or_path
    assert found.config.name_or_path == expected.config.name_or_path


def check(folder: Path, dtype: str) -> PreTrainedModel:
    found = load_base(open_folder(folder), dtype)
    assert_same(found, AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)))
    return found


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("stored", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_family_in_every_format(architecture: str, stored: str, dtype: str, tmp_path: Path) -> None:
    check(tiny_model(architecture, tmp_path / "model", dtype=stored), dtype)


def test_shards_and_a_folder_without_generation_settings(tmp_path: Path) -> None:
    model = load_base(open_folder(tiny_model("qwen3", tmp_path / "model")), "float32")
    model.save_pretrained(tmp_path / "shards", max_shard_size="1MB")
    (tmp_path / "shards" / "generation_config.json").unlink()
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 2
    check(tmp_path / "shards", "bfloat16")


def test_a_shared_tensor_that_is_stored_under_either_name(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = tensors.pop("model.embed_tokens.weight")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    model = check(folder, "float32")
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_names_without_the_models_prefix(tmp_path: Path) -> None:
    folder = tiny_model("gpt2", tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    short = {name.removeprefix("transformer."): values.clone() for name, values in tensors.items()}
    assert set(short) != set(tensors)
    save_file(short, folder / "model.safetensors", {"format": "pt"})
    check(folder, "float32")


def test_experts_that_transformers_stacks(tmp_path: Path) -> None:
    """Files have a tensor for each expert, the model one for all of a layer."""
    torch.manual_seed(0)
    config = MixtralConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=4, num_experts_per_tok=2,
    )  # fmt: skip
    MixtralForCausalLM(config).save_pretrained(tmp_path)
    names = open_folder(tmp_path).source.names()
    model = check(tmp_path, "bfloat16")
    assert sum("experts" in name for name in names) > sum("experts" in name for name, _ in model.named_parameters())


def test_a_tensor_that_is_missing_or_of_another_size_is_told(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    name = "model.layers.0.mlp.up_proj.weight"
    wrong = {**tensors, name: tensors[name][:5].clone()}
    save_file(wrong, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelFileError, match="model_unreadable"):
        load_base(open_folder(folder), "float32")
    save_file({key: values for key, values in tensors.items() if key != name}, folder / "model.safetensors")
    with pytest.raises(ModelFileError) as caught:
        load_base(open_folder(folder), "float32")
    assert (caught.value.code, caught.value.params["tensors"]) == ("model_weights_missing", name)


def test_an_architecture_that_nobody_knows_is_told(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "model")
    for model_type in ("nothing-of-the-kind", "t5"):
        (folder / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
        for load in (empty_model, lambda base: load_base(base, "float32")):
            with pytest.raises(ModelFileError, match="model_unreadable"):
                load(open_folder(folder))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_gguf_file_fills_the_same_model(architecture: str, tmp_path: Path) -> None:
    """Through a GGUF file's tensors; norms that are stored + 1 lose half a bit there."""
    folder = tiny_model(architecture, tmp_path / "model")
    found = load_base(open_gguf(export(folder, tmp_path / "model.gguf")), "float32")
    expected = dict(load_base(open_folder(folder), "float32").named_parameters())
    assert found.name_or_path == str(tmp_path / "model.gguf")
    for name, weight in found.named_parameters():
        torch.testing.assert_close(weight, expected.pop(name), rtol=0, atol=2.4e-7)
    assert not expected


@pytest.mark.parametrize("name", ["smollm2", "gemma3"])
@torch.inference_mode()
def test_pretrained_gguf_files_give_the_logits_of_their_conversion_by_hand(name: Name) -> None:
    ids = torch.arange(1000, 1024)[None]
    by_hand = load_base(open_folder(real_model(name)), "float32")(input_ids=ids).logits
    found = load_base(open_gguf(original_gguf(name)), "float32")(input_ids=ids).logits
    assert found.equal(by_hand)


OWN_MEMORY = """
import json, sys
from pathlib import Path
from llmlora.engine.load import load_base
from llmlora.weights.base import open_folder

def own():
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) / 1024

load_base(open_folder(Path(sys.argv[1])), "bfloat16")
before = own()
model = load_base(open_folder(Path(sys.argv[2])), sys.argv[3])
print(json.dumps(own() - before))
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="this system does not tell a process's memory")
def test_a_base_in_its_own_format_is_mapped_and_not_copied(tmp_path: Path) -> None:
    """96 MiB of bfloat16: the pages of the file itself, or, in float32, one copy of twice the size and no second."""
    size: dict[str, Any] = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12}
    folders = [tiny_model("llama", tmp_path / "small", dtype="bfloat16")]
    folders.append(tiny_model("llama", tmp_path / "large", dtype="bfloat16", **size))
    stored = (folders[1] / "model.safetensors").stat().st_size / 2**20
    found = {}
    for dtype in ("bfloat16", "float32"):
        child = [sys.executable, "-c", OWN_MEMORY, *map(str, folders), dtype]
        environment = {**os.environ, "PYTHONPATH": str(TESTS.parent / "src")}
        finished = subprocess.run(child, env=environment, capture_output=True, text=True, check=True)
        found[dtype] = json.loads(finished.stdout.splitlines()[-1])
    assert stored > 80
    assert found["bfloat16"] < 0.2 * stored
    assert found["float32"] < 2.2 * stored


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux maps")
def test_converted_weights_keep_no_page_of_their_file(tmp_path: Path) -> None:
    """A mapped file counts as memory of the process: 0.5 GB for a model of 135 M that is stored in float32."""
    base = open_folder(tiny_model("llama", tmp_path / "model", dtype="float32"))
    model = load_base(base, "bfloat16")
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()
    assert model.dtype == torch.bfloat16 and base.source.names()
