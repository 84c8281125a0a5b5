"""A base that stays in its blocks trains as the same numbers do outside of them, and is used as it was trained."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from engine.engine_runs import MemoryRows, losses, run_job, tiny_llama, trained_weights
from gguf_base import gguf_base
from llmlora.core.config import TrainConfig
from llmlora.engine.batch import Subset
from llmlora.engine.load import load_base
from llmlora.engine.method import apply_method, parameter_counts, trainable_parameters
from llmlora.engine.quantized_weight import QuantizedWeight
from llmlora.gguf.blocks import dequantize_rows
from llmlora.inference.transformers_chat import load_model
from llmlora.weights.base import Base, open_base
from tiny_models import ARCHITECTURES, tiny_model

# PEFT's advice about tied output layers, and that it saves embeddings which an adapter sits on
pytestmark = [
    pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`"),
    pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`"),
]
ROWS = MemoryRows(10)
ROWS.rows = [(ids % 96, np.where(labels < 0, labels, labels % 96)) for ids, labels in ROWS.rows]  # in any vocabulary
# Families whose files keep rows in another order, scale their embeddings, tie their heads, fuse their projections.
FAMILIES = ("llama", "gemma3", "qwen3", "phi3", "gpt_neox")


def in_blocks(model: torch.nn.Module) -> list[str]:
    """Return the names of the weights in blocks; one that two layers share counts once."""
    return [name for name, weight in model.named_parameters() if isinstance(weight, QuantizedWeight)]


@pytest.fixture(scope="module", params=FAMILIES)
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp(request.param)
    gguf_base(tiny_model(request.param, folder / "model"), folder / "tiny.gguf")
    return open_base(folder / "tiny.gguf")


def test_a_file_gives_the_numbers_that_it_gives_without_its_blocks(file: Base) -> None:
    plain = dict(load_base(file, "bfloat16").named_parameters())
    model = load_base(file, "bfloat16", quantization="auto")
    matrices = {name for name, weight in plain.items() if weight.dim() == 2}
    assert set(in_blocks(model)) == matrices
    for name, weight in model.named_parameters():
        found = weight.plain() if isinstance(weight, QuantizedWeight) else weight
        assert torch.equal(found, plain[name]), name


@pytest.mark.parametrize("settings", [{}, {"gradient_checkpointing": True, "packing": False}], ids=("usual", "other"))
def test_a_file_trains_to_the_same_adapter_in_its_blocks(file: Base, tmp_path: Path, settings: dict[str, Any]) -> None:
    rows = Subset(ROWS, range(8)), Subset(ROWS, range(8, 10))
    found = {}
    for method in ("lora", "qlora"):
        trained = run_job(
            file.path, tmp_path / method, rows[0], eval_rows=rows[1], method=method, dtype="bfloat16", **settings
        )
        found[method] = trained_weights(trained)
        assert bool(in_blocks(trained.model)) == (method == "qlora")
    assert losses(tmp_path / "lora") == losses(tmp_path / "qlora")
    assert all(torch.equal(weight, found["qlora"][name]) for name, weight in found["lora"].items())


def test_gpt2_keeps_what_its_file_stores_in_the_other_direction(tmp_path: Path) -> None:
    gguf_base(tiny_model("gpt2", tmp_path / "model"), tmp_path / "tiny.gguf")
    model = load_base(open_base(tmp_path / "tiny.gguf"), "float32", quantization="auto")
    assert in_blocks(model) == ["transformer.wte.weight"]


def dequantised_twin(folder: Path, twin: Path) -> Path:
    """Write the folder that holds as floats what a folder's weights are in blocks."""
    shutil.copytree(folder, twin)
    source, weights = open_base(folder).source, load_file(folder / "model.safetensors")
    for name in in_blocks(load_base(open_base(folder), "float32", quantization="auto")):
        blocks = source.blocks(name)
        assert blocks is not None
        weights[name] = dequantize_rows(blocks.rows.reshape(-1), blocks.ggml_type).reshape(blocks.shape)
    save_file(weights, twin / "model.safetensors", {"format": "pt"})
    return twin


def test_a_folder_is_quantised_and_trains_as_what_that_leaves_of_it(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path)
    twin = dequantised_twin(folder, tmp_path / "twin")
    run_job(folder, tmp_path / "qlora", ROWS, method="qlora", max_steps=4)
    run_job(twin, tmp_path / "lora", ROWS, method="lora", max_steps=4)
    run_job(folder, tmp_path / "whole", ROWS, method="lora", max_steps=4)
    assert losses(tmp_path / "qlora") == losses(tmp_path / "lora")
    assert losses(tmp_path / "qlora") != losses(tmp_path / "whole")


def test_a_layer_takes_four_bits_and_the_ends_six(tmp_path: Path) -> None:
    size = {"hidden_size": 256, "intermediate_size": 512}
    source = open_base(tiny_model("llama", tmp_path / "model", **size)).source
    found = {name: blocks.ggml_type for name in source.names() if len(source.shape(name)) == 2
             and (blocks := source.blocks(name))}  # fmt: skip
    assert found.pop("model.embed_tokens.weight") == "Q6_K"
    assert found.pop("lm_head.weight", "Q6_K") == "Q6_K"
    assert set(found.values()) == {"Q4_K"}


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_any_architecture_is_held_in_blocks_and_learns(architecture: str, tmp_path: Path) -> None:
    base = open_base(tiny_model(architecture, tmp_path / "model"))
    model = load_base(base, "float32", quantization="auto")
    total = parameter_counts(model)["total"]
    held = sum(weight.numel() for weight in model.parameters() if isinstance(weight, QuantizedWeight))
    assert held > 0.5 * total
    tuned = apply_method(model, TrainConfig(method="qlora", r=2), base)
    ids = torch.randint(8, 100, (1, 12), generator=torch.Generator().manual_seed(3))
    tuned(input_ids=ids, labels=ids).loss.backward()
    gradients = [weight.grad for name, weight in trainable_parameters(tuned) if "lora_B" in name]
    assert gradients and all(gradient is not None for gradient in gradients)
    assert any(float(gradient.abs().max()) > 0 for gradient in gradients if gradient is not None)


@pytest.mark.parametrize(
    "settings",
    [
        {"use_dora": True},
        {"modules_to_save": ["lm_head"]},
        {"modules_to_save": ["embed_tokens"]},
        {"target_modules": ["embed_tokens", "q_proj"]},
    ],
    ids=str,
)
def test_what_trains_beside_the_adapter_is_plain_and_comes_back(tmp_path: Path, settings: dict[str, Any]) -> None:
    folder = tiny_llama(tmp_path)
    trained = run_job(folder, tmp_path / "job", ROWS, method="qlora", max_steps=3, dtype="bfloat16", **settings)
    assert all(type(weight) is torch.nn.Parameter for _, weight in trainable_parameters(trained.model))
    trained.model.save_pretrained(tmp_path / "adapter")
    loaded = load_model(open_base(folder), tmp_path / "adapter", "bfloat16", quantization="auto")
    ids = torch.arange(5, 25)[None]
    with torch.inference_mode():
        found, expected = loaded(input_ids=ids).logits, trained.model.eval()(input_ids=ids).logits
    assert in_blocks(loaded)
    np.testing.assert_array_equal(found.float().numpy(), expected.float().numpy())
