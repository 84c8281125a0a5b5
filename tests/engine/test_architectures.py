"""Every architecture computes the same loss and gradient packed and padded; adapters sit where they should."""

import numpy as np
import pytest
import torch

from llmlora.core.config import TrainConfig
from llmlora.core.errors import ConfigError
from llmlora.engine import loss
from llmlora.engine.batch import packed_batch, padded_batch
from llmlora.engine.load import empty_model, load_base
from llmlora.engine.loss import CHUNK_TOKENS, attention_for, output_logits, recomputed_loss, summed_loss
from llmlora.engine.method import apply_method, check_method, linear_names, parameter_counts, trainable_parameters
from llmlora.weights.base import open_folder
from tiny_models import tiny_model

ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt2", "gpt_neox")


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bases")
    return {name: tiny_model(name, folder / name) for name in ARCHITECTURES}


def examples(vocab_size, lengths):
    random = np.random.default_rng(5)
    rows = []
    for length in lengths:
        ids = random.integers(3, vocab_size, length).astype(np.int32)
        labels = ids.copy()
        labels[: length // 3] = -100
        rows.append((ids, labels))
    return rows


def loss_and_gradients(model, batch, packing):
    model.zero_grad()
    with attention_for(model, packing):
        loss = summed_loss(model, batch) / batch.num_label_tokens
        loss.backward()
    return float(loss.detach()), {name: weight.grad.clone() for name, weight in trainable_parameters(model)}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_packed_equals_padded(bases, architecture):
    """float32 sums in another order; measured at most 3e-6 of the largest gradient."""
    base = load_base(open_folder(bases[architecture]), "float32")
    model = apply_method(base, TrainConfig(r=4), open_folder(bases[architecture]))
    with torch.no_grad():
        for name, weight in trainable_parameters(model):
            if "lora_B" in name:  # zero at the start, which would hide the gradient of A
                weight.normal_(0, 0.02)
    model.eval()
    rows = examples(base.config.get_text_config().vocab_size, (5, 33, 70, 12))
    packed, packed_gradients = loss_and_gradients(model, packed_batch(rows), packing=True)
    padded, padded_gradients = loss_and_gradients(model, padded_batch(rows), packing=False)
    assert packed == pytest.approx(padded, abs=1e-5)
    scale = max(float(gradient.abs().max()) for gradient in padded_gradients.values())
    for name, gradient in padded_gradients.items():
        assert float((gradient - packed_gradients[name]).abs().max()) < 1e-4 * scale, name


@pytest.mark.parametrize("architecture", ["gemma2", "gemma3"])
def test_sliding_windows_shorter_than_an_example_hold(bases, architecture):
    base = load_base(open_folder(bases[architecture]), "float32")
    window = base.config.get_text_config().sliding_window
    assert window is not None
    rows = examples(base.config.get_text_config().vocab_size, (window + 20, window - 1))
    with torch.no_grad():
        with attention_for(base, packing=True):
            packed = float(summed_loss(base, packed_batch(rows)))
        padded = float(summed_loss(base, padded_batch(rows)))
    assert packed == pytest.approx(padded, rel=1e-5)


@pytest.mark.parametrize("architecture", ["llama", "gemma2", "gpt2"])
def test_the_loss_is_transformers_own(bases, architecture):
    base = load_base(open_folder(bases[architecture]), "float32")
    ids, labels = examples(base.config.vocab_size, (40,))[0]
    batch = packed_batch([(ids, labels)])
    tensor = torch.from_numpy(ids.astype(np.int64))[None]
    with torch.no_grad(), attention_for(base, packing=True):
        ours = float(summed_loss(base, batch)) / batch.num_label_tokens
    with torch.no_grad():
        theirs = float(base(input_ids=tensor, labels=torch.from_numpy(labels.astype(np.int64))[None]).loss)
    assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("architecture", ["gemma2", "llama"])
def test_the_gradient_taken_with_the_loss_is_the_plain_one(bases, architecture, monkeypatch):
    """Several chunks, or all labels at once; with and without an output layer that caps its logits."""
    base = load_base(open_folder(bases[architecture]), "float32")
    model = apply_method(base, TrainConfig(r=4), open_folder(bases[architecture]))
    model.eval()
    batch = packed_batch(examples(base.config.vocab_size, (CHUNK_TOKENS, CHUNK_TOKENS)))
    assert batch.num_label_tokens > CHUNK_TOKENS
    chunked = loss_and_gradients(model, batch, packing=True)
    monkeypatch.setattr("llmlora.engine.loss.CHUNK_TOKENS", 10**6)
    whole = loss_and_gradients(model, batch, packing=True)
    monkeypatch.setattr("llmlora.engine.loss._FrozenHeadLoss.apply", recomputed_loss)
    plain = loss_and_gradients(model, batch, packing=True)
    for found in (chunked, whole):
        assert found[0] == pytest.approx(plain[0], rel=1e-6)
        for name, gradient in plain[1].items():
            assert torch.allclose(gradient, found[1][name], atol=1e-6), name


def test_an_output_layer_that_trains_gets_its_gradient(bases):
    base = load_base(open_folder(bases["mistral"]), "float32")
    model = apply_method(base, TrainConfig(r=2, modules_to_save=("lm_head",)), open_folder(bases["mistral"]))
    rows = examples(base.config.vocab_size, (30, 20))
    _, gradients = loss_and_gradients(model, packed_batch(rows), packing=True)
    head = next(gradient for name, gradient in gradients.items() if "modules_to_save" in name)
    assert float(head.abs().max()) > 0
    _, padded = loss_and_gradients(model, padded_batch(rows), packing=False)
    assert all(torch.allclose(gradient, padded[name], atol=1e-5) for name, gradient in gradients.items())


def test_measuring_needs_no_gradient_and_never_holds_all_logits(bases, monkeypatch):
    base = load_base(open_folder(bases["llama"]), "float32")
    model = apply_method(base, TrainConfig(r=2), open_folder(bases["llama"]))
    batch = packed_batch(examples(base.config.vocab_size, (60, 50)))
    sizes = []
    plain = loss._chunk_loss
    monkeypatch.setattr(loss, "CHUNK_TOKENS", 16)
    monkeypatch.setattr(loss, "_chunk_loss", lambda states, *rest: sizes.append(len(states)) or plain(states, *rest))
    with torch.no_grad(), attention_for(model, packing=True):
        measured = summed_loss(model, batch)
    assert not measured.requires_grad
    assert max(sizes) == 16
    assert sum(sizes) == batch.num_label_tokens


def test_scaled_logits_are_scaled():
    class Causal:
        class config:  # noqa: N801 - stands for a transformers model
            logit_scale = 0.5
            logits_scaling = 4.0
            final_logit_softcapping = None

        @staticmethod
        def get_output_embeddings():
            return lambda states: states * 8

    assert float(output_logits(Causal, torch.ones(1))) == 1.0


@pytest.mark.parametrize(
    ("architecture", "targets", "expected"),
    [
        ("gpt2", ("q_proj", "v_proj", "up_proj"), {"c_attn", "c_fc"}),
        ("gpt_neox", ("q_proj", "k_proj", "o_proj", "down_proj"), {"query_key_value", "dense", "dense_4h_to_h"}),
        ("phi3", ("q_proj", "o_proj", "gate_proj"), {"qkv_proj", "o_proj", "gate_up_proj"}),
        ("llama", ("q_proj", "v_proj"), {"q_proj", "v_proj"}),
    ],
)
def test_usual_names_find_fused_layers(bases, architecture, targets, expected):
    config = TrainConfig(r=2, target_modules=targets)
    renamed = check_method(empty_model(open_folder(bases[architecture])), config)
    assert bool(renamed) == (architecture != "llama")
    model = apply_method(
        load_base(open_folder(bases[architecture]), "float32"), config, open_folder(bases[architecture])
    )
    adapted = {name.split(".lora_A")[0].split(".")[-1] for name, _ in trainable_parameters(model) if "lora_A" in name}
    assert adapted == expected


def test_only_chosen_layers_and_modules_train(bases):
    config = TrainConfig(r=2, target_modules=("q_proj",), layers=(1,), modules_to_save=("lm_head",))
    model = apply_method(load_base(open_folder(bases["mistral"]), "float32"), config, open_folder(bases["mistral"]))
    names = [name for name, _ in trainable_parameters(model)]
    assert all("layers.1." in name or "modules_to_save" in name for name in names)
    assert any("modules_to_save" in name for name in names)
    counts = parameter_counts(model)
    assert counts["trainable"] == sum(weight.numel() for _, weight in trainable_parameters(model))
    assert 0 < counts["percent"] < 100


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"target_modules": ("wrong",)}, "unknown_target_modules"),
        ({"layers": (99,)}, "unknown_layers"),
        ({"modules_to_save": ("nothing",)}, "unknown_modules_to_save"),
    ],
)
def test_names_that_do_not_exist_are_refused(bases, settings, code):
    with pytest.raises(ConfigError) as caught:
        check_method(empty_model(open_folder(bases["llama"])), TrainConfig(**settings))
    assert caught.value.code == code


def test_the_output_layer_is_no_adapter_target(bases):
    assert "lm_head" not in linear_names(empty_model(open_folder(bases["llama"])))
