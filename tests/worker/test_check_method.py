"""Settings are checked against an architecture without weights, with the words that training has for them."""

import sys

import pytest

from llmlora.core.config import TrainConfig
from llmlora.core.errors import ConfigError, ModelFileError, PackageMissing
from llmlora.core.events import SilentEvents
from llmlora.core.publish import read_json, write_json
from llmlora.worker import check_method
from llmlora.worker.frame import StopFlag
from model_table import tiny_config
from tiny_models import tiny_model


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_model("gpt2", tmp_path_factory.mktemp("gpt2"))


def check(base, num_general=0, **settings):
    train = TrainConfig(**settings).model_dump(mode="json")
    config = {"base_dir": str(base), "base_model": "tiny", "num_general": num_general, "train": train}
    return check_method.run(base, config, SilentEvents(), StopFlag())


def test_the_result_is_what_stands_for_a_fused_layer(base):
    assert check(base, target_modules=("q_proj", "c_fc")) == {"renamed": {"q_proj": "c_attn"}}
    assert check(base) == check(base, method="full") == {"renamed": {}}


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"target_modules": ("wrong",)}, "unknown_target_modules"),
        ({"layers": (99,)}, "unknown_layers"),
        ({"modules_to_save": ("nothing",)}, "unknown_modules_to_save"),
    ],
)
def test_names_that_the_model_lacks_are_refused(base, settings, code):
    with pytest.raises(ConfigError) as caught:
        check(base, **settings)
    assert caught.value.code == code


def test_general_rows_that_do_not_fit_are_refused(base):
    assert check(base, num_general=4) == {"renamed": {}}
    with pytest.raises(ConfigError) as caught:
        check(base, num_general=4, max_length=24)
    assert (caught.value.code, caught.value.params["model"]) == ("general_rows_refused", "tiny")


def test_a_model_that_only_answers_is_refused(base, tmp_path):
    """Reformer takes rows of one length only while it trains; its configuration tells."""
    for path in base.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    tiny_config("reformer").save_pretrained(tmp_path)
    with pytest.raises(ModelFileError, match="model_not_runnable"):
        check(tmp_path)


def test_an_architecture_that_nobody_knows_is_refused(base, tmp_path):
    for path in base.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write_json(tmp_path / "config.json", {**read_json(base / "config.json"), "model_type": "no_such_model"})
    with pytest.raises(ModelFileError, match="model_unreadable"):
        check(tmp_path)


def test_a_quantised_base_on_a_gpu_needs_its_package(base, monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.setitem(sys.modules, "bitsandbytes.functional", None)
    assert check(base, method="qlora") == {"renamed": {}}, "on a CPU the blocks of GGUF do"
    monkeypatch.setattr(check_method, "pick_device", lambda: "cuda")
    with pytest.raises(PackageMissing) as caught:
        check(base, method="qlora")
    assert caught.value.params["package"] == "bitsandbytes"
