"""Every setting does what its sentence says: one test of its effect for each field of TrainConfig."""

import math

import numpy as np
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from engine.engine_runs import MemoryRows, job_for, losses, run_job, tiny_llama, trained_weights
from llmlora.core.config import TrainConfig
from llmlora.core.errors import ModelFileError, NonFiniteLoss
from llmlora.core.events import read_job_events, step_history
from llmlora.core.job import FIRST_RULES
from llmlora.core.layout import checkpoint_dirs
from llmlora.engine import device, loop
from llmlora.engine.batch import StepPlan, Subset
from llmlora.engine.load import load_base
from llmlora.engine.method import apply_method, linear_names, trainable_parameters
from llmlora.engine.schedule import learning_rate_at, total_steps
from llmlora.weights.base import open_folder

ROWS = MemoryRows(9)
SHORT = {"max_steps": 3, "per_device_train_batch_size": 3}

# Settings whose effect is tested elsewhere, by the file that does it.
ELSEWHERE = {
    "assistant_only_loss": "tests/worker/test_train.py",
    "chat_template": "tests/worker/test_train.py",
    "drop_overlong": "tests/prepare/test_long_rows.py",
    "early_stopping_min_delta": "test_loop.py",
    "early_stopping_patience": "test_loop.py",
    "eval_steps": "below",
    "general_share": "tests/worker/test_general_rows.py",
    "gradient_checkpointing": "test_invariants.py",
    "init_adapter": "below",
    "layers": "below",
    "load_best_model_at_end": "test_best.py",
    "logging_steps": "below",
    "max_length": "tests/worker/test_train.py",
    "max_nonfinite_steps": "below",
    "max_steps": "below",
    "modules_to_save": "test_architectures.py",
    "num_cycles": "test_loop.py",
    "num_train_epochs": "below",
    "packing": "test_invariants.py",
    "quantization": "test_qlora.py",
    "report_to": "test_trackers.py",
    "save_steps": "below",
    "save_total_limit": "test_loop.py",
    "split_long_text": "tests/prepare/test_long_rows.py",
    "stages": "test_loop.py",
    "system": "tests/worker/test_train.py",
    "validation_split": "tests/worker/test_train.py",
}

CHANGES_THE_WEIGHTS = {
    "r": 4,
    "lora_alpha": 4,
    "lora_dropout": 0.5,
    "use_rslora": True,
    "use_dora": True,
    "target_modules": ["q_proj"],
    "learning_rate": 5e-3,
    "lr_scheduler_type": "constant",
    "warmup_steps": 2,
    "weight_decay": 0.5,
    "max_grad_norm": 1e-3,
    "seed": 7,
    "dtype": "bfloat16",
    "method": "full",
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 3,
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_llama(tmp_path_factory.mktemp("settings"))


@pytest.fixture(scope="module")
def plain(base, tmp_path_factory):
    return trained_weights(run_job(base, tmp_path_factory.mktemp("plain") / "job", ROWS, **SHORT))


def test_every_setting_has_a_test():
    assert set(TrainConfig.model_fields) == {*ELSEWHERE, *CHANGES_THE_WEIGHTS}


@pytest.mark.parametrize("name", CHANGES_THE_WEIGHTS)
def test_a_setting_changes_what_is_learned(base, plain, tmp_path, name):
    settings = {**SHORT, name: CHANGES_THE_WEIGHTS[name]}
    weights = trained_weights(run_job(base, tmp_path / "job", ROWS, **settings))
    same = weights.keys() == plain.keys() and all(
        weights[key].shape == plain[key].shape and torch.equal(weights[key], plain[key]) for key in plain
    )
    assert not same


def test_the_same_settings_give_the_same_weights(base, plain, tmp_path):
    again = trained_weights(run_job(base, tmp_path / "job", ROWS, **SHORT))
    assert all(torch.equal(again[name], plain[name]) for name in plain)


def test_no_clipping_is_a_very_long_limit_and_a_short_one_shortens(base, tmp_path):
    off = run_job(base, tmp_path / "off", ROWS, **SHORT, max_grad_norm=0)
    long = run_job(base, tmp_path / "long", ROWS, **SHORT, max_grad_norm=1e6)
    left, right = trained_weights(off), trained_weights(long)
    assert all(torch.equal(left[name], right[name]) for name in left)
    norms = [entry["grad_norm"] for entry in step_history(tmp_path / "off")]
    assert min(norms) > 1e-3  # so the clipped run of the table above really was clipped


def test_weight_decay_pulls_every_weight_towards_zero(base, tmp_path):
    settings = {"method": "full", "max_steps": 1, "learning_rate": 1e-2}
    plain = trained_weights(run_job(base, tmp_path / "plain", ROWS, **settings))
    decayed = trained_weights(run_job(base, tmp_path / "decayed", ROWS, **settings, weight_decay=0.5))
    before = {name: weight.detach() for name, weight in load_base(open_folder(base), "float32").named_parameters()}
    for name, weight in plain.items():
        expected = weight - before[name] * (0.5 * 1e-2)
        assert torch.allclose(decayed[name], expected, atol=1e-6), name


@pytest.mark.parametrize(("scale", "settings"), [(2.0, {}), (4 / math.sqrt(2), {"use_rslora": True})])
def test_the_scale_of_the_update_is_alpha_over_r(base, scale, settings):
    config = TrainConfig(r=2, lora_alpha=4, target_modules=["q_proj"], **settings)
    model = apply_method(load_base(open_folder(base), "float32"), config, open_folder(base))
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    assert layer.scaling["default"] == pytest.approx(scale)
    assert {tuple(weight.shape) for name, weight in trainable_parameters(model) if "lora_A" in name} == {(2, 32)}


def test_a_short_schedule_in_steps_replaces_epochs():
    assert total_steps(TrainConfig(max_steps=7, num_train_epochs=100), 5) == 7
    assert total_steps(TrainConfig(num_train_epochs=2.5), 5) == 13  # 12.5 steps are rounded up
    assert total_steps(TrainConfig(num_train_epochs=0.01), 5) == 1
    stages = [{"learning_rate": 1e-3, "epochs": 1.5}, {"learning_rate": 1e-4, "epochs": 0.5}]
    assert total_steps(TrainConfig(lr_scheduler_type="staged", stages=stages, num_train_epochs=99), 5) == 10


def test_a_staged_schedule_warms_up_to_its_first_rate_only():
    """The peak of a staged schedule is the rate of its first stage, whatever learning_rate says."""
    stages = [{"learning_rate": 1e-4, "epochs": 1}, {"learning_rate": 1e-5, "epochs": 1}]
    config = TrainConfig(lr_scheduler_type="staged", stages=stages, warmup_steps=2, learning_rate=0.5)
    rates = [learning_rate_at(step, 8, 4, config) for step in range(8)]
    assert rates == pytest.approx([5e-5, 1e-4, 1e-4, 1e-4, 1e-5, 1e-5, 1e-5, 1e-5])


@pytest.mark.parametrize("scheduler", ["linear", "cosine", "constant", "cosine_with_restarts"])
def test_no_schedule_leaves_zero_and_the_peak(scheduler):
    config = TrainConfig(learning_rate=0.3, max_steps=50, warmup_steps=7, lr_scheduler_type=scheduler)
    rates = [learning_rate_at(step, 50, 10, config) for step in range(50)]
    assert max(rates) == pytest.approx(0.3)
    assert min(rates) > 0
    assert rates[:7] == sorted(rates[:7])


def test_logging_steps_thin_out_the_lines_but_keep_the_last(base, tmp_path):
    run_job(base, tmp_path / "job", ROWS, max_steps=7, logging_steps=3)
    assert [entry["step"] for entry in step_history(tmp_path / "job")] == [3, 6, 7]


def test_evaluation_and_saving_by_steps(base, tmp_path):
    run_job(
        base, tmp_path / "job", Subset(ROWS, range(8)), eval_rows=Subset(ROWS, [8]),
        per_device_train_batch_size=1, max_steps=7, eval_steps=3, save_steps=2, save_total_limit=9,
    )  # fmt: skip
    measured = [event["step"] for event in read_job_events(tmp_path / "job") if event["type"] == "evaluation"]
    assert measured == [0, 3, 6, 7]
    assert [step for step, _, _ in checkpoint_dirs(tmp_path / "job")] == [2, 4, 6, 7]


def test_a_batch_larger_than_the_data_is_one_step_per_epoch(base, tmp_path):
    trained = run_job(base, tmp_path / "job", ROWS, per_device_train_batch_size=64, num_train_epochs=3)
    assert trained.state.step == 3
    assert trained.summary()["num_tokens"] == 3 * sum(len(ids) for ids, _ in ROWS.rows)


def test_one_row_is_enough(base, tmp_path):
    trained = run_job(base, tmp_path / "job", MemoryRows(1), num_train_epochs=2)
    assert trained.state.step == 2
    assert trained.summary()["final_loss"] > 0


def test_the_plan_of_steps_covers_awkward_sizes():
    for num_rows, batch in ((1, 1), (1, 8), (7, 7), (7, 3), (8, 3)):
        plan = StepPlan(num_rows, batch, seed=0)
        rows = [row for step in range(plan.steps_per_epoch) for row in plan.rows_of(step)]
        assert sorted(rows) == list(range(num_rows))
        assert plan.is_epoch_end(plan.steps_per_epoch)


def test_only_the_named_layers_get_an_adapter(base):
    for layers, expected in (((0,), {"0"}), ((1,), {"1"}), ((0, 1), {"0", "1"})):
        model = apply_method(
            load_base(open_folder(base), "float32"), TrainConfig(r=2, layers=layers), open_folder(base)
        )
        names = [name for name, _ in trainable_parameters(model)]
        assert {name.split(".layers.")[1].split(".")[0] for name in names} == expected
        adapted = {name.split(".lora_")[0].rsplit(".", 1)[1] for name in names}
        assert adapted == set(linear_names(load_base(open_folder(base), "float32")))


def test_full_training_is_float32_and_says_so(base, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "_matmul_gflops", lambda dtype: 400.0 if dtype == torch.bfloat16 else 100.0)
    trained = run_job(base, tmp_path / "job", ROWS, method="full", dtype="auto", max_steps=1)
    assert {weight.dtype for weight in trained.model.parameters()} == {torch.float32}
    assert trained.summary()["dtype"] == "float32"
    assert trained.plan.reason == "engine.dtype.full_float32"


def test_the_base_of_an_adapter_takes_the_measured_format(base, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "_matmul_gflops", lambda dtype: 400.0 if dtype == torch.bfloat16 else 100.0)
    trained = run_job(base, tmp_path / "job", ROWS, dtype="auto", max_steps=1)
    kinds = {weight.dtype for name, weight in trained.model.named_parameters() if "lora" not in name}
    assert kinds == {torch.bfloat16}
    assert {weight.dtype for _, weight in trainable_parameters(trained.model)} == {torch.float32}


@pytest.fixture(scope="module")
def adapter(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapter")
    first = run_job(base, folder / "job", ROWS, r=4, lora_alpha=12, lora_dropout=0.0, num_train_epochs=4)
    first.model.save_pretrained(folder / "adapter")
    return folder / "adapter"


def test_a_continued_adapter_keeps_its_shape_and_takes_this_runs_dropout(base, adapter):
    config = TrainConfig(init_adapter=str(adapter), r=16, lora_dropout=0.25)
    model = apply_method(load_base(open_folder(base), "float32"), config, open_folder(base))
    assert model.peft_config["default"].r == 4
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    assert layer.lora_dropout["default"].p == 0.25
    assert layer.scaling["default"] == 3.0


DAMAGES = ("no weights", "truncated", "foreign layer", "missing layer", "wrong shape", "config")


@pytest.mark.filterwarnings("ignore:Found missing adapter keys")
@pytest.mark.parametrize("damage", DAMAGES)
def test_an_adapter_that_does_not_fit_is_refused(base, adapter, tmp_path, damage):
    """PEFT only warns about missing and foreign weights; a run must not go on with random ones."""
    for entry in adapter.iterdir():
        (tmp_path / entry.name).write_bytes(entry.read_bytes())
    path = tmp_path / "adapter_model.safetensors"
    weights = load_file(path)
    name = next(iter(weights))
    if damage == "no weights":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:50])
    elif damage == "config":
        (tmp_path / "adapter_config.json").write_text("{}")
    else:
        tensor = weights.pop(name)
        if damage == "foreign layer":
            weights[name] = tensor
            weights[name.replace("layers.0", "layers.9")] = tensor.clone()
        if damage == "wrong shape":
            weights[name] = torch.zeros(7, 7)
        save_file(weights, path)
    with pytest.raises(ModelFileError) as caught:
        apply_method(
            load_base(open_folder(base), "float32"), TrainConfig(init_adapter=str(tmp_path)), open_folder(base)
        )
    assert caught.value.code == "adapter_does_not_fit"
    assert caught.value.params["detail"]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_allowed_number_of_broken_steps(base, tmp_path, monkeypatch, limit):
    original = loop.summed_loss
    monkeypatch.setattr(loop, "summed_loss", lambda *given: original(*given) * float("nan"))
    with pytest.raises(NonFiniteLoss) as caught:
        run_job(base, tmp_path / "job", ROWS, max_steps=9, max_nonfinite_steps=limit)
    assert caught.value.params["in_a_row"] == limit
    assert len(losses(tmp_path / "job")) == limit - 1


def test_a_poisoned_base_is_named_at_once(base, tmp_path):
    """Infinite base weights never give a finite loss: no use in trying three times, and the tensor is named."""
    import shutil

    copy = shutil.copytree(base, tmp_path / "poisoned")
    weights = load_file(copy / "model.safetensors")
    weights["model.layers.0.mlp.up_proj.weight"][0, 0] = float("nan")
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(NonFiniteLoss) as caught:
        run_job(copy, tmp_path / "job", ROWS, max_steps=9)
    assert caught.value.code == "nonfinite_weights"
    assert caught.value.params["tensor"].endswith("layers.0.mlp.up_proj.base_layer.weight")
    assert not checkpoint_dirs(tmp_path / "job")


def test_a_rate_of_one_ends_with_a_typed_error_or_with_finite_weights(base, tmp_path):
    """Whatever an absurd learning rate does, no checkpoint and no result ever holds a broken number."""
    try:
        absurd = {"method": "full", "learning_rate": 1.0, "num_train_epochs": 10, "save_steps": 1}
        trained = run_job(base, tmp_path / "job", ROWS, **absurd)
        assert all(bool(weight.isfinite().all()) for weight in trained_weights(trained).values())
    except NonFiniteLoss:
        pass
    for _, _, path in checkpoint_dirs(tmp_path / "job"):
        for name, weight in load_file(path / "weights.safetensors").items():
            assert bool(weight.isfinite().all()), name


@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`")
def test_a_result_saved_by_peft_loads_into_a_fresh_base(base, tmp_path):
    """use_dora, rslora and modules_to_save survive the way through PEFT's folder: the same logits come out."""
    settings = {"use_dora": True, "use_rslora": True, "modules_to_save": ["lm_head"], "max_steps": 3}
    trained = run_job(base, tmp_path / "job", ROWS, **settings)
    trained.model.save_pretrained(tmp_path / "adapter")
    loaded = PeftModel.from_pretrained(load_base(open_folder(base), "float32"), tmp_path / "adapter")
    ids = torch.from_numpy(ROWS.rows[0][0].astype(np.int64))[None]
    with torch.no_grad():
        trained.model.eval()
        ours, theirs = trained.model(input_ids=ids).logits, loaded.eval()(input_ids=ids).logits
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_settings_of_a_job_survive_its_config_file(base):
    job = job_for(base, stages=[{"learning_rate": 1e-3, "epochs": 2}], lr_scheduler_type="staged", layers=[1])
    assert type(job).model_validate(job.to_json()) == job


def test_stages_that_add_up_to_three_tenths_take_three_steps_of_ten():
    stages = [{"learning_rate": 1e-3, "epochs": 0.1}, {"learning_rate": 1e-4, "epochs": 0.2}]
    config = TrainConfig(lr_scheduler_type="staged", stages=stages)
    assert total_steps(config, 10) == 3
    assert [learning_rate_at(step, 3, 10, config) for step in range(3)] == [1e-3, 1e-4, 1e-4]
    thirds = [{"learning_rate": 10.0**-power, "epochs": 0.1} for power in range(1, 8)]
    tenths = TrainConfig(lr_scheduler_type="staged", stages=thirds)
    assert [learning_rate_at(step, 7, 10, tenths) for step in range(7)] == [10.0**-power for power in range(1, 8)]


def test_a_job_of_the_first_rules_keeps_its_number_of_steps():
    """Counted in floating point: a run that was interrupted goes on to the end that it was planned with."""
    stages = [{"learning_rate": 1e-3, "epochs": 0.1}, {"learning_rate": 1e-4, "epochs": 0.2}]
    config = TrainConfig(lr_scheduler_type="staged", stages=stages)
    assert total_steps(config, 10, FIRST_RULES) == 4
    assert learning_rate_at(3, 4, 10, config, FIRST_RULES) == 1e-4
