"""A run that this machine cannot hold is refused with numbers before anything is written."""

import shutil
from collections import namedtuple

import pytest

from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.trained_size import trained_size
from llmlora.core import machine as machine_facts
from llmlora.core.config import TrainConfig
from llmlora.core.errors import DiskFull, OutOfMemory
from llmlora.services import capacity
from llmlora.services.capacity import check_capacity, memory_bytes
from llmlora.weights.base import open_folder
from tiny_models import tiny_model

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return resolve_base_model(str(tiny_model("llama", tmp_path_factory.mktemp("base") / "base")))


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with plenty of everything and no GPU; returns a function that makes it smaller."""
    (tmp_path / "data.jsonl").write_text("x" * 1000)

    def shrink(disk_total=1 << 40, disk_free=1 << 39, memory=1 << 40, gpus=()):
        usage = Usage(disk_total, disk_total - disk_free, disk_free)
        monkeypatch.setattr(machine_facts.shutil, "disk_usage", lambda path: usage)
        monkeypatch.setattr(capacity, "memory_bytes", lambda: memory)
        monkeypatch.setattr(capacity, "nvidia_gpus", lambda: list(gpus))

    shrink()
    return shrink


def check(model, tmp_path, **settings):
    config = TrainConfig(**settings)
    size = trained_size(model.tensors, config)
    check_capacity(model, config, size, tmp_path / "data.jsonl", tmp_path / "out")


def test_a_run_that_fits_is_let_through(machine, model, tmp_path):
    check(model, tmp_path, method="full")


def test_a_full_disk_is_refused_with_numbers(machine, model, tmp_path):
    machine(disk_total=10 << 30, disk_free=100 << 20)
    with pytest.raises(DiskFull) as caught:
        check(model, tmp_path)
    params = caught.value.params
    assert params["free_bytes"] == 100 << 20
    assert params["reserve_bytes"] == (10 << 30) // 50
    assert 0 < params["needed_bytes"] < 100 << 20  # it would fit, but not leave the reserve


def test_every_checkpoint_that_is_kept_counts(machine, model, tmp_path):
    machine(disk_total=1 << 30, disk_free=200 << 20)
    check(model, tmp_path, method="full", save_total_limit=2)
    with pytest.raises(DiskFull) as caught:
        check(model, tmp_path, method="full", save_total_limit=500)
    assert caught.value.params["kept"] == 500


def test_weights_that_cannot_fit_the_memory_are_refused(machine, model, tmp_path):
    machine(memory=model.num_parameters // 2)
    with pytest.raises(OutOfMemory) as caught:
        check(model, tmp_path)
    assert caught.value.code == "memory_short"
    assert caught.value.params["needed_bytes"] > 2 * model.num_parameters
    machine(memory=2 * model.num_parameters)
    with pytest.raises(OutOfMemory) as caught:
        check(model, tmp_path)
    assert caught.value.code == "memory_short_lora"
    check(model, tmp_path, method="qlora")
    machine(memory=8 * model.num_parameters)
    check(model, tmp_path)
    with pytest.raises(OutOfMemory) as caught:
        check(model, tmp_path, method="full")
    assert caught.value.code == "memory_short_full"
    assert caught.value.params["needed_bytes"] == 16 * model.num_parameters
    machine(memory=model.num_parameters)
    with pytest.raises(OutOfMemory) as caught:
        check(model, tmp_path, method="full")
    assert caught.value.code == "memory_short"  # an adapter would not fit either


def test_a_gpu_has_memory_of_its_own(machine, model, tmp_path):
    machine(memory=1, gpus=["GPU, 24 GiB"])
    check(model, tmp_path)


def test_memory_counts_swap_but_not_beyond_container_and_process_limits(monkeypatch):
    monkeypatch.setattr(capacity, "available_memory_bytes", lambda: 1 << 30)
    monkeypatch.setattr(capacity.psutil, "swap_memory", lambda: namedtuple("Swap", "free")(1 << 20))
    monkeypatch.setattr(capacity.resource, "getrlimit", lambda name: (capacity.resource.RLIM_INFINITY,) * 2)
    monkeypatch.setattr(capacity, "container_limit", lambda: None)
    assert memory_bytes() == (1 << 30) + (1 << 20)
    monkeypatch.setattr(capacity, "container_limit", lambda: (1 << 31, 1 << 30))
    assert memory_bytes() == 1 << 30
    monkeypatch.setattr(capacity.resource, "getrlimit", lambda name: (4096, 4096))
    assert memory_bytes() == 4096


@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`")
def test_the_number_of_trained_weights_is_that_of_the_engine(model):
    """The light estimate from headers against PEFT itself; it may be a little high, never low."""
    from llmlora.engine.load import load_base
    from llmlora.engine.method import apply_method, parameter_counts

    for settings in (
        {"r": 4},
        {"r": 16, "target_modules": ("q_proj", "v_proj")},
        {"r": 2, "layers": (1,)},
        {"r": 3, "use_dora": True, "target_modules": ("down_proj",)},
        {"r": 2, "modules_to_save": ("lm_head",)},
        {"r": 2, "modules_to_save": ("self_attn", "norm")},
        {"method": "full"},
    ):
        config, base = TrainConfig(**settings), open_folder(model.path)
        counted = parameter_counts(apply_method(load_base(base, "float32"), config, base))["trainable"]
        estimated = trained_size(model.tensors, config).num_trained
        assert counted <= estimated <= 1.5 * counted, settings


def test_the_size_with_an_adapter_is_that_of_the_same_run_with_one(model):
    full, lora = (trained_size(model.tensors, TrainConfig(method=method, r=4)) for method in ("full", "lora"))
    assert full.num_trained == model.num_parameters > full.num_with_adapter == lora.num_with_adapter == lora.num_trained


def test_names_that_no_weight_carries_count_as_all_layers(model):
    unknown = trained_size(model.tensors, TrainConfig(target_modules=("query_key_value",))).num_trained
    assert unknown == trained_size(model.tensors, TrainConfig()).num_trained
    saved = trained_size(model.tensors, TrainConfig(modules_to_save=("embed_tokens",))).num_trained
    assert saved > unknown


def test_disk_usage_is_asked_of_the_nearest_folder_that_exists(model, tmp_path, monkeypatch):
    asked = []
    real = shutil.disk_usage
    monkeypatch.setattr(machine_facts.shutil, "disk_usage", lambda path: asked.append(path) or real(path))
    (tmp_path / "data.jsonl").write_text("x")
    config, folder = TrainConfig(), tmp_path / "a" / "b" / "c"
    check_capacity(model, config, trained_size(model.tensors, config), tmp_path / "data.jsonl", folder)
    assert asked == [tmp_path]
