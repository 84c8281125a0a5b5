"""Merging: merged == base + adapter for every kind of adapter, exact file sets, nothing overwritten."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.errors import Conflict, DiskFull, ExportError, NotFound
from llmlora.core.locale import error_texts
from llmlora.core.publish import read_json, write_json
from llmlora.export.merge import check_output_free, merge_model, trained_source
from llmlora.export.model_folder import plan_shards, rounded, write_model_folder
from llmlora.inference.trained_job import find_trained
from tiny_jobs import MakeJob

TOLERANCE = 1e-5  # float32 sums in another order, on logits of the size real models have (spread 0.5)


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=torch.arange(5, 35)[None]).logits


def with_adapter(job: Path) -> torch.Tensor:
    """Logits of base + adapter through PEFT alone: the adapter folder needs nothing of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base = AutoModelForCausalLM.from_pretrained(job.parent / "base", dtype=torch.float32)
        return logits(PeftModel.from_pretrained(base, job / "adapter"))


def test_a_disk_that_a_merge_would_fill_is_noticed_before_a_byte_is_written(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    job, out = make_job("llama", {}), tmp_path / "merged"
    size = sum(4 * tensor.numel() for tensor in load_file(job.parent / "base" / "model.safetensors").values())
    for dtype, needed in (("float32", size), ("bfloat16", size // 2)):
        monkeypatch.setattr("llmlora.export.sizes.disk_room", lambda _, free=needed + 999: (free, 1000))
        with pytest.raises(DiskFull) as caught:
            merge_model(job, out, dtype)
        assert (caught.value.code, caught.value.params["needed_bytes"]) == ("disk_would_fill", needed)
        assert "--quant" not in error_texts(caught.value)["hint"], "which a merge does not have"
        assert not out.exists()
        assert not list(tmp_path.glob(".*")), "not even a temporary folder"
        monkeypatch.setattr("llmlora.export.sizes.disk_room", lambda _, free=needed + 1000: (free, 1000))
        merge_model(job, out, dtype)
        shutil.rmtree(out)


CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *(
        (name, {}, {})
        for name in ("llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt2", "gpt_neox")
    ),
    ("llama", {"use_rslora": True, "rank_pattern": {"q_proj": 2}, "alpha_pattern": {"v_proj": 3}}, {}),
    ("llama", {"use_dora": True}, {}),
    ("gpt2", {"use_dora": True}, {}),
    ("llama", {"target_modules": ["q_proj"], "layers_to_transform": [1]}, {}),
    ("llama", {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]}, {}),
    ("llama", {"target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"]}, {}),
    ("llama", {"target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"], "ensure_weight_tying": True}, {}),
    ("llama", {"target_modules": ["q_proj", "lm_head"]}, {}),
    ("llama", {"target_modules": ["q_proj", "embed_tokens"]}, {}),
    ("llama", {"target_modules": ["q_proj", "embed_tokens", "lm_head"]}, {"tie_word_embeddings": False}),
    ("gpt2", {"target_modules": ["c_attn"], "modules_to_save": ["wte"], "bias": "lora_only"}, {}),
    ("gpt_neox", {"target_modules": ["query_key_value"], "modules_to_save": ["lm_head"]}, {}),
]


@pytest.mark.parametrize(("architecture", "adapter", "model"), CASES, ids=lambda value: str(value)[:60])
def test_merged_equals_base_plus_adapter(
    architecture: str, adapter: dict[str, Any], model: dict[str, Any], make_job: MakeJob, tmp_path: Path
):
    job = make_job(architecture, adapter, spread=0.5, **model)
    report = merge_model(job, tmp_path / "out")
    merged, info = AutoModelForCausalLM.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    expected = with_adapter(job)
    torch.testing.assert_close(logits(merged), expected, atol=TOLERANCE, rtol=TOLERANCE)
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    assert (logits(base) - expected).abs().max() > 0.1  # the adapter does change the answers
    assert report["max_abs_error"] == 0.0


def test_merged_folder_is_complete_and_its_tokenizer_is_the_bases(make_job: MakeJob, tmp_path: Path):
    report = merge_model(make_job("llama", {}), tmp_path / "out")
    assert report["files"] == [
        "MANIFEST.json", "README.md", "chat_template.jinja", "config.json", "generation_config.json",
        "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    text = "営業時間は？ Hello 😀"
    merged, base = (AutoTokenizer.from_pretrained(tmp_path / name) for name in ("out", "base"))
    assert merged.encode(text) == base.encode(text)
    assert merged.apply_chat_template([{"role": "user", "content": text}], tokenize=False) == (
        base.apply_chat_template([{"role": "user", "content": text}], tokenize=False)
    )
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    assert str(tmp_path) not in card


def test_same_job_merges_to_the_same_bytes(make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", {})
    for name in ("one", "two"):
        merge_model(job, tmp_path / name)
    one, two = (read_json(tmp_path / name / "MANIFEST.json")["files"] for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize(
    ("stored", "chosen"), [("bfloat16", "bfloat16"), ("float16", "float16"), ("float32", "float32")]
)
def test_the_bases_dtype_is_kept_and_the_rounding_reported(stored: str, chosen: str, make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", {}, dtype=stored)
    report = merge_model(job, tmp_path / "out")
    tensors = load_file(tmp_path / "out" / "model.safetensors")
    assert report["dtype"] == chosen
    assert {tensor.dtype for tensor in tensors.values()} == {getattr(torch, chosen)}
    source, _ = trained_source(find_trained(job))
    worst = max(float(np.abs(tensors[name].float().numpy() - source.read(name)).max()) for name in source.names())
    assert report["max_abs_error"] == pytest.approx(worst)
    assert (worst > 0) == (stored != "float32")


def test_bfloat16_rounding_is_torchs():
    values = torch.randn(10_000, generator=torch.Generator().manual_seed(0)) * 100
    expected = values.to(torch.bfloat16)
    stored, worth = rounded(values.numpy(), "bfloat16")
    assert np.array_equal(stored, expected.view(torch.uint16).numpy())
    assert np.array_equal(worth, expected.float().numpy())


def test_weights_too_large_for_float16_are_refused(make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", None)
    model = AutoModelForCausalLM.from_pretrained(job / "model")
    with torch.no_grad():
        model.model.layers[0].mlp.up_proj.weight[0, 0] = 1e5
    model.save_pretrained(job / "model")
    with pytest.raises(ExportError) as caught:
        merge_model(job, tmp_path / "out", dtype="float16")
    assert caught.value.code == "dtype_overflow"
    assert not (tmp_path / "out").exists()
    assert merge_model(job, tmp_path / "out", dtype="bfloat16")["dtype"] == "bfloat16"


def test_full_training_merges_to_its_own_model(make_job: MakeJob, tmp_path: Path):
    job = make_job("qwen3", None)
    merge_model(job, tmp_path / "out")
    trained, merged = (AutoModelForCausalLM.from_pretrained(path) for path in (job / "model", tmp_path / "out"))
    assert torch.equal(logits(merged), logits(trained))


def test_shards_hold_at_most_the_limit_and_load_together(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("llmlora.export.model_folder.plan_shards", lambda *args: plan_shards(*args, limit=1_500_000))
    job = make_job("llama", {}, spread=0.5)
    merge_model(job, tmp_path / "out")
    files = sorted((tmp_path / "out").glob("*.safetensors"))
    assert len(files) > 2
    assert files[0].name == f"model-00001-of-{len(files):05d}.safetensors"
    assert all(path.stat().st_size < 1_600_000 for path in files)
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    torch.testing.assert_close(logits(merged), with_adapter(job), atol=TOLERANCE, rtol=TOLERANCE)


def test_a_folder_with_files_is_never_written(make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", {})
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(Conflict):
        merge_model(job, out)
    assert [path.name for path in out.iterdir()] == ["precious.txt"]


def test_interrupted_merge_leaves_nothing(make_job: MakeJob, tmp_path: Path):
    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    job = make_job("llama", {})
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        merge_model(job, tmp_path / "out", on_progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_changed_base_is_refused_and_a_moved_one_is_found(make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", {})
    (tmp_path / "base").rename(tmp_path / "moved")
    with pytest.raises(NotFound) as missing:
        merge_model(job, tmp_path / "out")
    assert missing.value.code == "base_missing"
    assert merge_model(job, tmp_path / "out", moved_base=tmp_path / "moved")["num_tensors"] == 20
    config = read_json(tmp_path / "moved" / "config.json")
    write_json(tmp_path / "moved" / "config.json", {**config, "rms_norm_eps": 1e-3})
    with pytest.raises(ExportError) as changed:
        merge_model(job, tmp_path / "other", moved_base=tmp_path / "moved")
    assert changed.value.code == "export_base_changed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"peft_type": "IA3"}, "merge_unsupported"),
        ({"init_lora_weights": "pissa"}, "merge_unsupported"),
        ({"lora_bias": True}, "merge_unsupported"),
        ({"layer_replication": [[0, 2]]}, "merge_unsupported"),
    ],
)
def test_adapters_that_cannot_be_merged_exactly_are_refused(
    change: dict[str, Any], code: str, make_job: MakeJob, tmp_path: Path
):
    job = make_job("llama", {})
    path = job / "adapter" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ExportError) as caught:
        merge_model(job, tmp_path / "out")
    assert caught.value.code == code


def test_adapter_tensors_nobody_understands_are_refused(make_job: MakeJob, tmp_path: Path):
    from safetensors.torch import save_file

    job = make_job("llama", {})
    path = job / "adapter" / "adapter_model.safetensors"
    extra = {"base_model.model.model.layers.0.mlp.up_proj.lora_C.weight": torch.zeros(2)}
    save_file({**load_file(path), **extra}, path)
    with pytest.raises(ExportError) as caught:
        merge_model(job, tmp_path / "out")
    assert caught.value.code == "adapter_unknown_tensors"


def test_adapter_of_another_architecture_is_refused(make_job: MakeJob, tmp_path: Path):
    from safetensors.torch import save_file

    job = make_job("llama", {})
    path = job / "adapter" / "adapter_model.safetensors"
    save_file({**load_file(path), "base_model.model.nowhere.weight": torch.zeros(2)}, path)
    with pytest.raises(ExportError) as caught:
        merge_model(job, tmp_path / "out")
    assert caught.value.code == "adapter_base_mismatch"


def test_one_tensor_is_held_at_a_time(make_job: MakeJob, tmp_path: Path):
    """The stream reads each tensor exactly once and in order; nothing asks for the whole model."""
    source, config = trained_source(find_trained(make_job("llama", {})))
    asked: list[str] = []

    class Watched:
        def names(self) -> list[str]:
            return source.names()

        def shape(self, name: str) -> tuple[int, ...]:
            return source.shape(name)

        def read(self, name: str) -> np.ndarray:
            asked.append(name)
            return source.read(name)

    (tmp_path / "out").mkdir()
    write_model_folder(Watched(), config, tmp_path / "out", "float32")
    assert asked == source.names()


def store_head_only(job: Path, embedding: str, head: str) -> None:
    """Store the base's one embedding under the output's name, as some tied models have it."""
    path = job.parent / "base" / "model.safetensors"
    weights = load_file(path)
    weights[head] = weights.pop(embedding)
    save_file(weights, path, metadata={"format": "pt"})
    accept_base(job)


def accept_base(job: Path) -> None:
    """Write the job down as one that was trained on its base as it is now."""
    config = read_json(job / "config.json")
    write_json(job / "config.json", {**config, "base_digest": resolve_base_model(str(job.parent / "base")).digest})


@pytest.mark.parametrize(
    ("architecture", "adapter"),
    [
        ("llama", {}),
        ("llama", {"target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"]}),
        ("llama", {"target_modules": ["q_proj", "lm_head"]}),
        ("gpt2", {}),
    ],
)
def test_a_tied_base_that_stores_the_output_only_merges(
    architecture: str, adapter: dict[str, Any], make_job: MakeJob, tmp_path: Path
):
    job = make_job(architecture, adapter, spread=0.5)
    expected = with_adapter(job)
    embedding = "transformer.wte.weight" if architecture == "gpt2" else "model.embed_tokens.weight"
    store_head_only(job, embedding, "lm_head.weight")
    merge_model(job, tmp_path / "merged")
    merged = logits(AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32))
    assert (merged - expected).abs().max() < TOLERANCE


def test_merged_models_stop_where_trained_answers_end(make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", {})
    path = job.parent / "base" / "generation_config.json"
    write_json(path, {**read_json(path), "eos_token_id": 0, "temperature": 0.5})
    accept_base(job)
    merge_model(job, tmp_path / "merged")
    settings = read_json(tmp_path / "merged" / path.name)
    ends = AutoTokenizer.from_pretrained(tmp_path / "merged").convert_ids_to_tokens(settings["eos_token_id"])
    assert (ends[0], settings["temperature"]) == ("<|im_end|>", 0.5)


def test_a_place_is_free_when_it_is_empty_or_missing(tmp_path: Path):
    check_output_free(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    check_output_free(tmp_path / "empty")
    (tmp_path / "file").write_text("x")
    for name in ("file", "."):
        with pytest.raises(Conflict):
            check_output_free(tmp_path / name)
