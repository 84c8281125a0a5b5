"""Before the first step: rows are laid out so that the loss is the model's own, or the model is refused by name."""

import json

import numpy as np
import pytest
import torch
from transformers import AttentionInterface, AttentionMaskInterface, AutoConfig, AutoModelForCausalLM

from engine.engine_runs import MemoryRows, losses, run_job, tiny_llama
from llmlora.core.errors import ModelFileError
from llmlora.core.events import read_job_events
from llmlora.engine import loss, selftest
from llmlora.engine.attention import packed_attention
from llmlora.engine.batch import packed_batch
from llmlora.engine.evaluate_loss import dataset_loss
from llmlora.engine.loss import LossPath
from llmlora.engine.selftest import path_of_architecture, path_of_model, recorded_path
from llmlora.engine.small_model import _SMALL, MAX_LAYERS, small_model
from model_table import tiny_config

PADDED = {
    "bloom": {},  # slopes instead of positions
    "falcon": {"alibi": True},
    "falcon_h1": {"lm_head_multiplier": 0.4},  # a state that runs along the row, and scaled logits
    "gpt_neo": {},  # local attention
    "gpt_oss": {},  # attention sinks
    "gptj": {},
    "lfm2": {"num_hidden_layers": 3, "layer_types": ["conv", "full_attention", "conv"]},
    "llama4_text": {},
    "mamba": {},
    "mpt": {},
    "qwen3_next": {},
    "stablelm": {},
}
PACKED = ("gemma3_text", "opt", "qwen3_moe")


def tiny(model_type, folder, **fields):
    config = AutoConfig.for_model(model_type, **fields)
    for name in [name for name in config.to_dict() if "dropout" in name or "pdrop" in name]:
        setattr(config, name, 0.0)
    model = small_model(config)
    assert model is not None
    model.save_pretrained(folder)
    return folder


def own_loss(base, rows):
    """transformers, row by row: nothing of ours but the mean over label tokens."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    total = count = 0
    for ids, labels in rows.rows:
        tokens, targets = (torch.from_numpy(part.astype(np.int64))[None] for part in (ids, labels))
        with torch.no_grad():
            logits = model(input_ids=tokens, use_cache=False).logits
        total += float(torch.nn.functional.cross_entropy(logits[0, :-1], targets[0, 1:], reduction="sum"))
        count += int((targets[0, 1:] != -100).sum())
    return total / count


def codes(folder):
    return [event["code"] for event in read_job_events(folder) if event["type"] in ("warning", "finding")]


@pytest.mark.filterwarnings(
    "ignore:The following (rank|alpha)_pattern keys did not match any targeted module:RuntimeWarning"
)
@pytest.mark.parametrize("model_type", [*PADDED, *PACKED])
def test_the_first_loss_is_the_models_own(model_type, tmp_path):
    """bloom was 7.4 % off, gpt_oss 1 %, falcon_h1 24 %; stablelm, nemotron, mpt, falcon and llama4_text crashed."""
    base = tiny(model_type, tmp_path / "base", **PADDED.get(model_type, {}))
    rows, held_out = MemoryRows(4), MemoryRows(3, seed=1)
    trained = run_job(base, tmp_path / "job", rows, eval_rows=held_out, max_steps=1, logging_steps=1, lora_dropout=0.0)
    assert losses(tmp_path / "job")[0] == pytest.approx(own_loss(base, rows), rel=1e-5)
    assert trained.state.evaluations[0]["eval_loss"] == pytest.approx(own_loss(base, held_out), rel=1e-5)
    assert ("not_packed" in codes(tmp_path / "job")) == (model_type in PADDED)
    assert recorded_path(tmp_path / "job") == LossPath(packing=model_type in PACKED)


def test_a_head_of_its_own_is_used_as_it_is(tmp_path):
    """modernbert-decoder transforms its states before the output layer, where no setting of ours reaches."""
    base = tiny("modernbert-decoder", tmp_path / "base")
    rows = MemoryRows(4)
    trained = run_job(base, tmp_path / "job", rows, eval_rows=rows, max_steps=1, logging_steps=1)
    assert recorded_path(tmp_path / "job") == LossPath(packing=True, own_head=True)
    assert "own_head" in codes(tmp_path / "job")
    assert losses(tmp_path / "job")[0] == pytest.approx(own_loss(base, rows), rel=1e-5)
    assert trained.state.evaluations[0]["eval_loss"] == pytest.approx(own_loss(base, rows), rel=1e-5)


def test_a_resume_keeps_the_path_of_the_first_start(tmp_path, monkeypatch):
    base = tiny("bloom", tmp_path / "base")
    rows = MemoryRows(8)
    run_job(base, tmp_path / "whole", rows, max_steps=4, per_device_train_batch_size=2, save_steps=2)
    run_job(base, tmp_path / "job", rows, max_steps=4, per_device_train_batch_size=2, save_steps=2)
    for entry in (tmp_path / "job/runs/1/checkpoints").glob("step-00000004"):
        for file in entry.iterdir():
            file.unlink()
        entry.rmdir()
    monkeypatch.setattr(selftest, "_tested", None)  # nothing is decided anew
    run_job(base, tmp_path / "job", rows)
    assert recorded_path(tmp_path / "job") == LossPath(packing=False)
    assert losses(tmp_path / "job")[-2:] == losses(tmp_path / "whole")[-2:]


def test_a_job_older_than_the_test_is_tested(tmp_path):
    base = tiny("bloom", tmp_path / "base")
    run_job(base, tmp_path / "job", MemoryRows(4), max_steps=1)
    record = tmp_path / "job/runs/1/environment.json"
    old = json.loads(record.read_text())
    del old["loss_path"]
    record.write_text(json.dumps(old))
    assert recorded_path(tmp_path / "job") is None
    run_job(base, tmp_path / "job", MemoryRows(4))
    assert recorded_path(tmp_path / "job") == LossPath(packing=False)


def test_no_packing_is_no_packing_for_held_out_rows_too(tmp_path, monkeypatch):
    monkeypatch.setattr("llmlora.engine.batch.packed_batch", None)
    rows = MemoryRows(4)
    trained = run_job(tiny_llama(tmp_path), tmp_path / "job", rows, eval_rows=rows, max_steps=1, packing=False)
    assert trained.state.evaluations[0]["eval_loss"] == pytest.approx(own_loss(tmp_path / "base", rows), rel=1e-5)
    assert codes(tmp_path / "job") == []


@pytest.mark.parametrize("model_type", ["bert", "xlnet", "cpmant"])
def test_a_model_that_looks_ahead_is_refused_by_name(model_type, tmp_path, monkeypatch):
    base = tiny(model_type, tmp_path / "base")
    monkeypatch.setattr("llmlora.engine.train.load_base", None)  # before any weight is loaded
    with pytest.raises(ModelFileError) as caught:
        run_job(base, tmp_path / "job", MemoryRows(4), max_steps=1)
    assert (caught.value.code, caught.value.params["model_type"]) == ("model_looks_ahead", model_type)


def test_a_model_whose_loss_depends_on_padding_is_refused(tmp_path):
    model = small_model(AutoConfig.for_model("llama"))
    plain = model.forward
    model.forward = lambda **inputs: _shifted(plain(**inputs), 0.02 * (inputs["attention_mask"] == 0).sum())
    with pytest.raises(ModelFileError) as caught:
        selftest._tested(model, LossPath(), selftest.TOLERANCE)
    assert caught.value.code == "padding_changes_loss"
    assert float(caught.value.params["percent"]) > 0.1


def test_a_model_that_does_not_compute_text_is_refused(tmp_path):
    model = small_model(AutoConfig.for_model("llama"))

    def broken(**_):
        raise ValueError("needs pixels,\nmany of them")

    model.forward = broken
    with pytest.raises(ModelFileError) as caught:
        path_of_model(model, LossPath())
    assert (caught.value.code, caught.value.params["detail"]) == (
        "model_not_runnable",
        "ValueError: needs pixels, many of them",
    )


def _shifted(output, amount):
    output.logits = output.logits * (1 + amount)
    return output


def test_a_model_that_only_answers_is_refused():
    """Reformer takes rows of one length only while it trains."""
    with pytest.raises(ModelFileError) as caught:
        path_of_architecture(tiny_config("reformer"), LossPath())
    assert caught.value.code == "model_not_runnable"


def test_memory_that_runs_out_is_not_taken_for_a_fault_of_the_model(monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("out of memory")

    model = small_model(AutoConfig.for_model("llama"))
    monkeypatch.setattr(selftest, "packed_batch", full)
    with pytest.raises(torch.OutOfMemoryError):
        path_of_model(model, LossPath())
    model.forward = full
    with pytest.raises(torch.OutOfMemoryError):
        path_of_model(model, LossPath())


def test_a_fault_that_only_the_loaded_model_shows_is_found(monkeypatch):
    """The architecture passes, these weights on this device do not: the kernel there is another one."""
    model = small_model(AutoConfig.for_model("llama"))
    assert path_of_architecture(model.config, LossPath()) == LossPath()

    def crossing(module, query, key, value, mask, **options):
        whole = {**options, "example_lengths": [query.shape[2]]}
        return packed_attention(module, query, key, value, mask, **whole)

    AttentionInterface.register("crossing", crossing)
    AttentionMaskInterface.register("crossing", lambda *_, **__: None)
    monkeypatch.setattr(loss, "PACKED", "crossing")
    assert path_of_model(model, LossPath()) == LossPath(packing=False)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rounding_is_no_fault(dtype):
    model = small_model(AutoConfig.for_model("llama")).to(dtype)
    assert path_of_model(model, LossPath()) == LossPath()


def test_the_coarsest_weights_set_the_measure():
    """A trained copy in float32 on a bfloat16 base: it is the base that rounds."""
    model = small_model(AutoConfig.for_model("llama", tie_word_embeddings=False)).to(torch.bfloat16)
    model.get_input_embeddings().float()
    assert selftest._rounding(model) == 2 * torch.finfo(torch.bfloat16).eps


def test_broken_weights_are_left_to_the_first_step():
    model = small_model(AutoConfig.for_model("llama"))
    with torch.no_grad():
        model.get_input_embeddings().weight.fill_(float("nan"))
    assert path_of_model(model, LossPath()) == LossPath()


def test_the_test_costs_seven_short_forwards(monkeypatch):
    """Under two seconds at 135 M parameters: seven times reading all weights, and 2 x 135 M operations a token."""
    model = small_model(AutoConfig.for_model("llama"))
    tokens = []
    model.model.register_forward_pre_hook(
        lambda _, __, kwargs: tokens.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    path_of_model(model.train(), LossPath())
    assert model.training
    assert len(tokens) <= 7
    assert sum(tokens) <= 150


def test_the_generator_is_left_as_it_was():
    before = torch.get_rng_state()
    path_of_architecture(AutoConfig.for_model("llama"), LossPath())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_miniature_keeps_one_layer_of_each_kind_and_what_changes_the_loss():
    config = AutoConfig.for_model("gemma3_text", num_hidden_layers=26, sliding_window=512, final_logit_softcapping=30.0)
    small = small_model(config).config
    assert small.layer_types == ["sliding_attention", "full_attention"]
    assert (small.sliding_window, small.final_logit_softcapping) == (8, 30.0)
    grouped = small_model(AutoConfig.for_model("llama", num_attention_heads=32, num_key_value_heads=8)).config
    assert grouped.num_key_value_heads < grouped.num_attention_heads
    assert grouped.num_hidden_layers <= MAX_LAYERS


def test_where_widths_do_not_shrink_depth_alone_is_cut(monkeypatch):
    monkeypatch.setitem(_SMALL, "hidden_size", 63)
    fields = {"hidden_size": 96, "intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 4}
    small = small_model(AutoConfig.for_model("llama", num_hidden_layers=12, vocab_size=300, **fields))
    assert small is not None
    assert (small.config.hidden_size, small.config.num_hidden_layers) == (96, 2)


def test_a_configuration_nobody_can_cut_is_left_to_the_loaded_model():
    config = AutoConfig.for_model("cohere_compass_text")
    assert small_model(config) is None
    assert path_of_architecture(config, LossPath()) == LossPath()


def test_held_out_rows_are_padded_within_the_bound(monkeypatch):
    model = small_model(AutoConfig.for_model("llama"))
    monkeypatch.setattr("llmlora.engine.evaluate_loss.MICRO_BATCH_TOKENS", 100)
    widths = []
    model.model.register_forward_pre_hook(
        lambda _, __, kwargs: widths.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    rows = MemoryRows(12)
    padded = dataset_loss(model, rows, LossPath(packing=False))
    assert max(widths) <= 100
    assert padded.loss == pytest.approx(dataset_loss(model, rows, LossPath()).loss, rel=1e-5)
    own = dataset_loss(model, rows, LossPath(own_head=True))
    assert own.loss == pytest.approx(padded.loss, rel=1e-5)
    assert own.num_tokens == packed_batch(rows.rows).num_label_tokens
