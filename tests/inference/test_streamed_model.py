"""A model whose layers stay on disk answers exactly as the one in memory, for every kind of adapter, in less memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from llmlora.core.errors import ModelFileError
from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions
from llmlora.inference.chat import ChatRequest
from llmlora.inference.streamed_model import load_streamed, plain_name, stored_name
from llmlora.inference.transformers_chat import load_chat, load_model, load_reference_chat
from llmlora.prepare.template import load_template
from llmlora.weights.base import open_folder
from tiny_jobs import MakeJob, tiny_job
from tiny_models import tiny_model

TESTS = Path(__file__).parents[1]
ATTENTION = {"target_modules": ["q_proj"]}
CASES: list[tuple[str, dict[str, Any] | None, dict[str, Any]]] = [
    ("llama", None, {}),
    ("llama", {"use_dora": True}, {}),
    ("llama", {**ATTENTION, "modules_to_save": ["lm_head"]}, {}),
    ("llama", {**ATTENTION, "modules_to_save": ["embed_tokens"]}, {}),
    ("llama", {**ATTENTION, "modules_to_save": ["mlp", "norm"]}, {}),
    ("llama", {"target_modules": ["q_proj", "embed_tokens", "lm_head"]}, {"tie_word_embeddings": False}),
    ("gpt2", {"target_modules": ["c_attn"], "modules_to_save": ["wte"], "bias": "lora_only"}, {}),
    ("gpt_neox", {}, {}),
    ("gemma3", {}, {}),
    ("phi3", {"use_rslora": True}, {}),
    ("qwen3", {"rank_pattern": {"q_proj": 2}}, {"dtype": "bfloat16"}),
]


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    return lambda architecture, adapter, **model: tiny_job(architecture, tmp_path, adapter, **model)


def logits(model: Any) -> Tensor:
    with torch.inference_mode():
        return model.eval()(input_ids=torch.arange(5, 35)[None]).logits


@pytest.mark.parametrize(("architecture", "adapter", "model"), CASES, ids=lambda value: str(value)[:60])
def test_streamed_equals_whole_and_holds_only_the_ends(
    architecture: str, adapter: dict[str, Any] | None, model: dict[str, Any], make_job: MakeJob
):
    job = make_job(architecture, adapter, spread=0.5, **model)
    base = open_folder(job / "model" if adapter is None else job.parent / "base")
    adapter_dir = None if adapter is None else job / "adapter"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT's advice about tied weights, which is for those who train
        streamed, whole = load_streamed(base, adapter_dir), load_model(base, adapter_dir)
    expected = logits(whole)
    for _ in range(2):  # the layers are there again the second time
        torch.testing.assert_close(logits(streamed), expected, atol=1e-6, rtol=0)
    weights = list(streamed.named_parameters())
    assert all(weight.is_meta for name, weight in weights if ".layers." in name or ".h." in name)
    assert all(weight.dtype == torch.float32 for _, weight in weights)


def test_a_reply_is_the_same_with_and_without_streaming(make_job: MakeJob):
    job = make_job("qwen2", {}, spread=0.7)
    request = ChatRequest((Message("user", "営業時間は？"),), options=GenerateOptions(max_new_tokens=12))
    base, adapter_dir = open_folder(job.parent / "base"), job / "adapter"
    template = load_template(adapter_dir)
    replies = [
        load_reference_chat(base, adapter_dir, template, is_streamed).chat(request) for is_streamed in (False, True)
    ]
    assert load_chat(base, adapter_dir).chat(request) == replies[0]
    assert replies[0] == replies[1]
    assert replies[0].num_tokens > 3


def test_sharded_files_are_streamed_too(tmp_path: Path):
    whole = load_model(open_folder(tiny_model("qwen3", tmp_path / "base")), None)
    whole.save_pretrained(tmp_path / "sharded", max_shard_size="1MB")
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 2
    torch.testing.assert_close(
        logits(load_streamed(open_folder(tmp_path / "sharded"), None)), logits(whole), atol=1e-6, rtol=0
    )


def test_an_adapter_that_does_not_fit_is_a_typed_error(make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", ATTENTION)
    other = tiny_model("llama", tmp_path / "other", hidden_size=128)
    with pytest.raises(ModelFileError) as caught:
        load_reference_chat(open_folder(other), job / "adapter", load_template(job / "adapter"), True)
    assert caught.value.code == "adapter_load_failed"


@pytest.mark.parametrize(
    ("in_model", "in_file"),
    [
        ("base_model.model.lm_head.modules_to_save.default.weight", "base_model.model.lm_head.weight"),
        (
            "base_model.model.h.0.c_attn.lora_magnitude_vector.default.weight",
            "base_model.model.h.0.c_attn.lora_magnitude_vector",
        ),
        ("base_model.model.wte.lora_embedding_A.default", "base_model.model.wte.lora_embedding_A"),
        ("base_model.model.h.0.c_attn.base_layer.bias", "h.0.c_attn.bias"),
    ],
)
def test_names_of_model_and_file_meet(in_model: str, in_file: str):
    assert plain_name(in_model) == plain_name(in_file)


def test_names_in_older_files_are_found():
    assert stored_name("lm_head.weight", ["embed_out.weight"]) == "embed_out.weight"
    assert stored_name("transformer.wte.weight", ["wte.weight"]) == "wte.weight"
    assert stored_name("wte.weight", ["transformer.wte.weight"]) == "transformer.wte.weight"
    assert stored_name("nowhere.weight", ["wte.weight"]) == ""


PEAK = """
import json, resource, sys
from pathlib import Path
import torch
from llmlora.inference.transformers_chat import load_reference_chat
from llmlora.prepare.template import load_template
from llmlora.weights.base import open_folder

def peak():
    status = Path("/proc/self/status")  # ru_maxrss would count the parent that this process was forked from
    if status.is_file():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

template = load_template(Path(sys.argv[1]))
before = peak()
chat = load_reference_chat(open_folder(Path(sys.argv[1])), None, template, sys.argv[2] == "streamed")
logprobs = chat.next_token_logprobs(range(5, 40))
print(json.dumps({"mib": peak() - before, "first": logprobs[:4].tolist()}))
"""


def test_peak_memory_is_about_one_layer(tmp_path: Path):
    size = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12, "dtype": "bfloat16"}
    base = tiny_model("llama", tmp_path / "base", **size)
    found = {}
    for way in ("whole", "streamed"):
        environment = {**os.environ, "PYTHONPATH": str(TESTS.parent / "src")}
        child = [sys.executable, "-c", PEAK, str(base), way]
        finished = subprocess.run(child, env=environment, capture_output=True, text=True, check=True)
        found[way] = json.loads(finished.stdout.splitlines()[-1])
    assert found["streamed"]["first"] == found["whole"]["first"]
    assert found["whole"]["mib"] > 150  # 180 MiB of float32 weights, 15 MiB of them in one layer
    assert found["streamed"]["mib"] < 80
