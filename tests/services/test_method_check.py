"""Settings that name what a model lacks are refused when a job is planned; a worker is asked only where it must be."""

import pytest

import llmlora
from llmlora.core.errors import ConfigError, ModelFileError
from llmlora.core.publish import read_json, write_json
from llmlora.services import method_check
from llmlora.services.plan_training import plan_training
from services.train_requests import request
from tiny_models import tiny_model

WRONG = {
    "unknown_target_modules": {"target_modules": ["q_proj", "nope"]},
    "unknown_layers": {"layers": [0, 99]},
    "unknown_modules_to_save": {"modules_to_save": ["nothing"]},
    "general_rows_refused": {"general_share": 1, "max_length": 24},
}


@pytest.fixture
def asked(monkeypatch):
    """Yield the settings that a worker was asked about; none is started."""
    found = []
    method_check._ask_worker.cache_clear()
    monkeypatch.setattr(
        method_check, "run_worker", lambda kind, folder: found.append(read_json(folder / "config.json")["train"]) or {}
    )
    yield found
    method_check._ask_worker.cache_clear()


@pytest.mark.parametrize("code", WRONG)
def test_a_plan_refuses_them_with_the_words_of_training(place, code):
    with pytest.raises(ConfigError) as caught:
        plan_training(request(place, settings=WRONG[code]))
    assert caught.value.code == code


def test_a_plan_refuses_a_vocabulary_that_cannot_spell_every_text(place, tmp_path):
    base = tiny_model("mistral", tmp_path / "base", num_hidden_layers=1)
    tokenizer = read_json(base / "tokenizer.json")
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["never-seen"] = vocabulary.pop("<0xE3>")
    write_json(base / "tokenizer.json", tokenizer)
    with pytest.raises(ModelFileError) as caught:
        plan_training(request(place, base_model=str(base)))
    assert (caught.value.code, caught.value.params["first"]) == ("tokenizer_no_bytes", "<0xE3>")
    vocabulary["<0xE3>"] = vocabulary.pop("never-seen")
    vocabulary["never-seen"] = vocabulary.pop("<0xFF>")  # which no text holds
    write_json(base / "tokenizer.json", tokenizer)
    assert plan_training(request(place, base_model=str(base))).base.path == base


def test_python_refuses_them_before_there_is_a_folder(place, tmp_path):
    with pytest.raises(ConfigError) as caught:
        llmlora.train(str(place / "base"), place / "data.jsonl", out=tmp_path / "job", target_modules=["nope"])
    assert (caught.value.code, caught.value.params["names"]) == ("unknown_target_modules", "nope")
    assert "q_proj" in caught.value.params["known"]
    assert not (tmp_path / "job").exists()


@pytest.mark.parametrize(
    ("fields", "is_asked"),
    [
        ({}, False),
        ({"preset": "balanced"}, False),
        ({"settings": {"target_modules": ["self_attn.q_proj", "down_proj"]}}, False),
        ({"settings": {"method": "full"}}, False),
        ({"settings": {"method": "qlora"}}, False),
        ({"settings": {"target_modules": ["j_proj"]}}, True),  # the end of a name, but no name
        ({"settings": {"layers": [0]}}, True),
        ({"settings": {"modules_to_save": ["lm_head"]}}, True),
    ],
)
def test_a_worker_is_asked_only_where_headers_do_not_tell(place, asked, fields, is_asked):
    plan_training(request(place, **fields))
    assert bool(asked) == is_asked


def test_a_gpu_may_lack_what_a_quantised_base_needs(place, asked, monkeypatch):
    monkeypatch.setattr(method_check, "nvidia_gpus", lambda: ["a GPU"])
    plan_training(request(place, settings={"method": "qlora"}))
    assert [settings["method"] for settings in asked] == ["qlora"]


def test_fused_layers_are_asked_for_once(place, tmp_path, asked):
    base = str(tiny_model("gpt2", tmp_path / "gpt2"))
    for rate in (1e-3, 1e-4):
        plan_training(request(place, base_model=base, preset="balanced", settings={"learning_rate": rate}))
    assert [settings["target_modules"] for settings in asked] == [["q_proj", "k_proj", "v_proj", "o_proj"]]
