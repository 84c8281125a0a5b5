"""Every weight that trains is float32, whatever the base is held in, and the mixed model computes everywhere."""

import json

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

from engine.engine_runs import MemoryRows, run_job, tiny_llama
from llmlora.core.config import TrainConfig
from llmlora.engine.batch import Subset, packed_batch, padded_batch
from llmlora.engine.checkpoint import holds_float32
from llmlora.engine.evaluate_loss import dataset_loss
from llmlora.engine.load import load_base
from llmlora.engine.loss import LossPath, attention_for, summed_loss
from llmlora.engine.method import apply_method, trainable_parameters
from llmlora.engine.precision import load_adapter, train_in_float32, trains_in_float32
from llmlora.inference.transformers_chat import load_model
from llmlora.weights.base import open_folder
from tiny_models import tiny_model

pytestmark = pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`")
ROWS = MemoryRows(12)
SAVED = {
    "llama": ["lm_head", "embed_tokens", "norm", "input_layernorm", "mlp", "self_attn", "q_proj"],
    "gpt2": ["wte", "ln_f", "ln_1", "attn"],
    "gemma2": ["embed_tokens", "post_feedforward_layernorm"],
    "gpt_neox": ["embed_in", "final_layer_norm"],
    "phi3": ["mlp"],
}
CASES = [(architecture, name, "bfloat16") for architecture, names in SAVED.items() for name in names]
CASES += [("llama", "norm", "float16"), ("gpt2", "wte", "float16")]


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("precision")
    return {architecture: tiny_model(architecture, folder / architecture) for architecture in SAVED}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_llama(tmp_path_factory.mktemp("precision-runs"))


def examples(vocab_size, lengths=(20, 9)):
    random = np.random.default_rng(1)
    rows = [random.integers(5, vocab_size, length).astype(np.int32) for length in lengths]
    return [(ids, ids.copy()) for ids in rows]


def loss_of(model, rows, packing=True):
    batch = packed_batch(rows) if packing else padded_batch(rows)
    with attention_for(model, packing):
        loss = summed_loss(model, batch)
        loss.backward()
    return float(loss.detach())


@pytest.mark.parametrize(("architecture", "name", "dtype"), CASES)
def test_any_module_trains_in_float32_inside_a_16_bit_base(bases, architecture, name, dtype):
    base = load_base(open_folder(bases[architecture]), dtype)
    rows = examples(base.config.get_text_config().vocab_size)
    plain = loss_of(
        apply_method(
            load_base(open_folder(bases[architecture]), dtype), TrainConfig(r=2), open_folder(bases[architecture])
        ),
        rows,
    )
    model = apply_method(base, TrainConfig(r=2, modules_to_save=(name,)), open_folder(bases[architecture]))
    trained = dict(trainable_parameters(model))
    assert {weight.dtype for weight in trained.values()} == {torch.float32}
    saved = {key: weight for key, weight in trained.items() if "modules_to_save" in key}
    assert saved
    packed, padded = loss_of(model, rows), loss_of(model, rows, packing=False)
    assert packed == pytest.approx(plain, rel=0.02)  # the base's own rounding
    assert padded == pytest.approx(packed, rel=0.02)
    assert any(float(weight.grad.abs().max()) > 0 for weight in saved.values())
    kept = [weight.dtype for weight in model.parameters() if not weight.requires_grad and weight.is_floating_point()]
    assert kept.count(torch.float32) < len(kept) / 4  # the base stays as it was


def movement(base, folder, dtype, name="norm", **settings):
    """Return what training moved in a module trained in full."""
    started = apply_method(
        load_base(open_folder(base), dtype), TrainConfig(modules_to_save=(name,), **settings), open_folder(base)
    )
    before = {key: weight.detach().float().clone() for key, weight in trainable_parameters(started)}
    trained = run_job(base, folder, ROWS, dtype=dtype, modules_to_save=[name], **settings)
    after = dict(trainable_parameters(trained.model))
    return sum(float((after[key].detach() - before[key]).abs().sum()) for key in before if "modules_to_save" in key)


@pytest.mark.parametrize("rate", [5e-5, 1e-5])
@pytest.mark.parametrize("name", ["norm", "lm_head"])
def test_a_bfloat16_base_loses_nothing_of_small_updates(base, tmp_path, rate, name):
    """AdamW's first steps move each weight by about the rate: in bfloat16 a weight of 1.0 would not move at all."""
    wanted = movement(base, tmp_path / "whole", "float32", name, learning_rate=rate, max_steps=4)
    found = movement(base, tmp_path / "short", "bfloat16", name, learning_rate=rate, max_steps=4)
    assert wanted > 0
    assert found == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("settings", [{"gradient_checkpointing": True}, {"packing": False}, {"use_dora": True}])
def test_the_mixed_model_trains_evaluates_and_resumes(base, tmp_path, settings):
    rows = Subset(ROWS, range(8)), Subset(ROWS, range(8, 12))
    trained = run_job(
        base, tmp_path / "job", rows[0], eval_rows=rows[1], dtype="bfloat16",
        modules_to_save=["lm_head", "norm"], **settings,
    )  # fmt: skip
    assert trains_in_float32(trained.model)
    assert trained.summary()["eval_loss"] > 0


def test_full_training_of_a_16_bit_base_is_float32(base, tmp_path):
    trained = run_job(base, tmp_path / "job", ROWS, method="full", dtype="bfloat16", max_steps=1)
    assert {weight.dtype for weight in trained.model.parameters()} == {torch.float32}
    model = load_base(open_folder(base), "bfloat16").requires_grad_(True)
    train_in_float32(model)
    assert trains_in_float32(model)


@pytest.mark.parametrize("bias", ["all", "lora_only"])
def test_biases_and_embeddings_of_an_adapter_from_elsewhere_train_in_float32(bases, tmp_path, bias):
    targets = {"target_modules": ["c_attn", "wte"], "fan_in_fan_out": True}
    adapter = get_peft_model(load_base(open_folder(bases["gpt2"]), "float32"), LoraConfig(r=2, bias=bias, **targets))
    adapter.save_pretrained(tmp_path / "adapter")
    config = TrainConfig(init_adapter=str(tmp_path / "adapter"), r=2, target_modules=("c_attn", "wte"))
    model = apply_method(load_base(open_folder(bases["gpt2"]), "bfloat16"), config, open_folder(bases["gpt2"]))
    assert any(name.endswith("bias") for name, _ in trainable_parameters(model))
    assert trains_in_float32(model)
    assert loss_of(model, examples(300)) > 0


def test_an_adapter_is_read_again_with_all_its_digits(base, tmp_path):
    """What was trained below the digits of bfloat16 is there for the next run, for chat and for the evaluation."""
    first = run_job(base, tmp_path / "job", ROWS, dtype="bfloat16", modules_to_save=["norm"], learning_rate=1e-5)
    first.model.save_pretrained(tmp_path / "adapter")
    trained = {name: weight for name, weight in trainable_parameters(first.model) if "modules_to_save" in name}
    assert any(not torch.equal(weight, weight.bfloat16().float()) for weight in trained.values())
    config = TrainConfig(init_adapter=str(tmp_path / "adapter"), modules_to_save=("norm",))
    for model in (
        apply_method(load_base(open_folder(base), "bfloat16"), config, open_folder(base)),
        load_model(open_folder(base), tmp_path / "adapter", "bfloat16"),
        load_adapter(load_base(open_folder(base), "float32"), tmp_path / "adapter"),
    ):
        loaded = dict(model.named_parameters())
        assert all(torch.equal(weight, loaded[name]) for name, weight in trained.items())
    rows = Subset(ROWS, range(4))
    chat = load_model(open_folder(base), tmp_path / "adapter", "bfloat16")
    assert not any(weight.requires_grad for weight in chat.parameters())
    assert dataset_loss(chat, rows, LossPath()).loss == pytest.approx(
        dataset_loss(first.model, rows, LossPath()).loss, rel=1e-3
    )
    assert json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())["modules_to_save"] == ["norm"]


def test_a_checkpoint_with_16_bit_weights_is_told_from_an_exact_one(tmp_path):
    """Older runs kept modules_to_save in the format of the base; going on from there is not to the bit."""
    for dtype, is_exact in ((torch.float32, True), (torch.bfloat16, False)):
        save_file({"a": torch.ones(2), "b": torch.ones(3, dtype=dtype)}, tmp_path / "weights.safetensors")
        assert holds_float32(tmp_path) == is_exact
