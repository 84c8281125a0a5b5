from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.model_files import TENSORS, TOKENIZER, model_folder, write_weights
from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.model_folder import read_model_folder
from llmlora.core.errors import ModelFileError
from llmlora.core.lfs_pointer import LFS_POINTER
from llmlora.core.locale import LANGUAGES, error_texts, set_language
from unprivileged import open_folder, unprivileged


def refusal(folder: Path) -> ModelFileError:
    """Return the error of a folder, checked to be worded in both languages."""
    with pytest.raises(ModelFileError) as caught:
        read_model_folder(folder)
    for language in LANGUAGES:
        set_language(language)
        texts = error_texts(caught.value)
        assert all(text and not text.startswith("error.") and "{" not in text for text in texts.values()), texts
    return caught.value


def test_a_sound_folder_is_described(tmp_path: Path) -> None:
    found = read_model_folder(model_folder(tmp_path / "m"))
    assert (found.architecture, found.model_type) == ("LlamaForCausalLM", "llama")
    assert (found.vocab_size, found.context_length, found.dtype) == (6, 128, "float32")
    assert found.num_parameters == 6 * 8 + 2 * 16 * 8 + 8


def test_old_names_of_sizes_are_understood(tmp_path: Path) -> None:
    config = {"hidden_size": None, "num_hidden_layers": None, "num_attention_heads": None}
    old = {"n_embd": 8, "n_layer": 2, "n_head": 2, "n_positions": 99, "max_position_embeddings": None}
    folder = model_folder(tmp_path / "m", **config, **old, architectures=["GPT2LMHeadModel"])
    assert read_model_folder(folder).context_length == 99


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"architectures": None}, "model_config_incomplete"),
        ({"architectures": []}, "model_config_incomplete"),
        ({"architectures": [3]}, "model_config_incomplete"),
        ({"architectures": ["LlavaForConditionalGeneration"]}, "model_not_text_only"),
        ({"vision_config": {}}, "model_not_text_only"),
        ({"architectures": ["BertForMaskedLM"]}, "model_not_causal"),
        ({"quantization_config": {"quant_method": "gptq"}}, "model_prequantized"),
        ({"hidden_size": None}, "model_config_incomplete"),
        ({"hidden_size": 10**9}, "model_config_value"),
        ({"hidden_size": 16_000_000}, "model_weights_misfit"),
        ({"hidden_size": "8"}, "model_config_value"),
        ({"hidden_size": True}, "model_config_value"),
        ({"num_attention_heads": -2}, "model_config_value"),
        ({"num_key_value_heads": -1}, "model_config_value"),
        ({"num_hidden_layers": 3}, "model_weights_misfit"),
        ({"vocab_size": 7}, "model_weights_misfit"),
        ({"schema": "llmlora.job/1"}, "job_is_not_a_base"),
    ],
)
def test_configurations_that_are_refused(config: dict[str, Any], code: str, tmp_path: Path) -> None:
    assert refusal(model_folder(tmp_path / "m", **config)).code == code


def test_private_keys_that_transformers_writes_are_harmless(tmp_path: Path) -> None:
    folder = model_folder(
        tmp_path / "m", _name_or_path="someone/model", _attn_implementation_autoset=True, _num_labels=1
    )  # the last one is in distilgpt2's
    assert read_model_folder(folder).vocab_size == 6


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _write(name: str, content: str | bytes) -> Callable[[Path], None]:
    raw = content if isinstance(content, bytes) else content.encode()

    def damage(folder: Path) -> None:
        (folder / name).write_bytes(raw)

    return damage


def _tokenizer(**changes: Any) -> Callable[[Path], None]:
    return _write("tokenizer.json", json.dumps({**TOKENIZER, **changes}))


def _vocabulary(**vocabulary: int) -> Callable[[Path], None]:
    return _tokenizer(model={"type": "BPE", "vocab": vocabulary, "merges": []})


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "no config": (_remove("config.json"), "model_config_missing"),
    "config not JSON": (_write("config.json", "{"), "model_json_invalid"),
    "config a list": (_write("config.json", "[]"), "model_json_invalid"),
    "config not UTF-8": (_write("config.json", b'{"a": "\xff"}'), "model_json_invalid"),
    "config deep": (_write("config.json", '{"a":' * 500 + "1" + "}" * 500), "model_json_invalid"),
    "config very deep": (_write("config.json", "[" * 200_000), "model_json_invalid"),
    "config huge": (_write("config.json", '{"a": "' + "x" * (5 << 20) + '"}'), "model_json_invalid"),
    "no weights": (_remove("model.safetensors"), "model_weights_not_found"),
    "cut weights": (_write("model.safetensors", b"\x10"), "safetensors_invalid"),
    "no tokenizer": (_remove("tokenizer.json"), "tokenizer_missing"),
    "tokenizer not JSON": (_write("tokenizer.json", "nope"), "model_json_invalid"),
    "duplicate ids": (_vocabulary(a=0, b=0), "tokenizer_hostile"),
    "id beyond the vocabulary": (_vocabulary(a=0, b=6), "tokenizer_too_large"),
    "negative id": (_vocabulary(a=-1), "tokenizer_too_large"),
    "added token without id": (_tokenizer(added_tokens=[{"content": "x"}]), "tokenizer_hostile"),
    "endless pattern": (_tokenizer(normalizer={"pattern": {"Regex": "(a+)+" * 10_000}}), "tokenizer_hostile"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_folders_are_refused(case: str, tmp_path: Path) -> None:
    damage, code = DAMAGE[case]
    folder = model_folder(tmp_path / "m")
    damage(folder)
    assert refusal(folder).code == code


@pytest.mark.parametrize("name", ["", "config.json", "tokenizer.json", "model.safetensors"])
def test_what_may_not_be_read_is_told_with_what_to_do(name: str) -> None:
    """Not "damaged" and not "missing": the file is there, and getting it again would not help."""
    with open_folder() as place:
        folder = model_folder(place / "m")
        (folder / name).chmod(0)
        with unprivileged():
            error = refusal(folder)
        assert error.code == "model_file_unreadable"
        assert error.params["path"].startswith(str(folder / name))
        assert error.params["detail"] == "Permission denied"
        assert "chmod" in error_texts(error)["hint"]


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_link_to_nothing_is_a_download_that_was_cut_off(name: str, tmp_path: Path) -> None:
    cache = tmp_path / "models--a--b"
    folder = model_folder(cache / "snapshots" / "0123")
    (folder / name).unlink()
    (folder / name).symlink_to("../../blobs/abcd")
    error = refusal(folder)
    assert (error.code, error.params["target"]) == ("model_file_dangling", "../../blobs/abcd")


@pytest.mark.parametrize("name", ["model-1.safetensors"])
def test_a_shard_that_is_a_link_to_nothing(name: str, tmp_path: Path) -> None:
    folder = sharded(model_folder(tmp_path / "m"))
    (folder / name).unlink()
    (folder / name).symlink_to("gone")
    assert refusal(folder).code == "model_file_dangling"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("config.json", "model_config_missing"),
        ("tokenizer.json", "tokenizer_missing"),
        ("model.safetensors", "model_weights_not_found"),
    ],
)
def test_pipes_and_folders_under_a_files_name_do_not_hang(
    make: Callable[[Path], None], name: str, code: str, tmp_path: Path
) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / name).unlink()
    make(folder / name)
    assert refusal(folder).code == code


@pytest.mark.parametrize("name", ["tokenizer_config.json", "README.md", "generation_config.json", "llmlora.json"])
def test_a_pipe_among_the_further_files_is_passed_over(name: str, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert read_model_folder(folder).vocab_size == 6
    assert resolve_base_model(str(folder)).license is None


@pytest.mark.parametrize("name", ["tokenizer.model", "spiece.model"])
def test_a_sentencepiece_file_alone_will_do(name: str, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / "tokenizer.json").unlink()
    assert refusal(folder).code == "tokenizer_missing"
    (folder / name).write_bytes(b"\n\x0e\n\x05<unk>")
    assert read_model_folder(folder).vocab_size == 6


def test_vocabulary_and_merges_of_older_files_will_do(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text("{}", encoding="utf-8")
    assert read_model_folder(folder).vocab_size == 6


def test_an_adapter_is_not_a_base(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}", encoding="utf-8")
    assert refusal(tmp_path).code == "adapter_is_not_a_base"


def test_a_unigram_vocabulary_counts_by_place(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    _tokenizer(model={"type": "Unigram", "vocab": [[f"t{i}", -1.0] for i in range(5)]})(folder)
    assert read_model_folder(folder).vocab_size == 6
    _tokenizer(model={"type": "Unigram", "vocab": [[f"t{i}", -1.0] for i in range(9)]}, added_tokens=[])(folder)
    assert refusal(folder).code == "tokenizer_too_large"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_links_out_of_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    assert refusal(folder).code == "model_file_outside"


def test_links_of_a_hub_cache_are_followed(tmp_path: Path) -> None:
    cache = tmp_path / "models--a--b"
    folder = model_folder(cache / "snapshots" / "0123")
    (cache / "blobs").mkdir()
    (folder / "model.safetensors").rename(cache / "blobs" / "f00d")
    (folder / "model.safetensors").symlink_to("../../blobs/f00d")
    assert read_model_folder(folder).num_parameters > 0


def sharded(folder: Path, weight_map: dict[str, Any] | None = None) -> Path:
    """Turn a folder's weights into two shards with an index."""
    names = list(TENSORS)
    files = {"model-1.safetensors": names[:2], "model-2.safetensors": names[2:]}
    for file, part in files.items():
        write_weights(folder / file, {name: TENSORS[name] for name in part})
    found = {name: file for file, part in files.items() for name in part}
    index = {"metadata": {}, "weight_map": found if weight_map is None else weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "model.safetensors").unlink()
    return folder


def test_shards_are_read_together(tmp_path: Path) -> None:
    found = read_model_folder(sharded(model_folder(tmp_path / "m")))
    assert len(found.weights) == 2
    assert found.num_parameters == 6 * 8 + 2 * 16 * 8 + 8


@pytest.mark.parametrize(
    ("weight_map", "code"),
    [
        ({}, "model_shards_invalid"),
        ({"a": "../x.safetensors"}, "model_shards_invalid"),
        ({"a": "/etc/passwd"}, "model_shards_invalid"),
        ({"a": "model.bin"}, "model_shards_invalid"),
        ({"a": 3}, "model_shards_invalid"),
        ({"a": "gone.safetensors"}, "model_shards_missing"),
        ({"model.norm.weight": "model-1.safetensors", "x": "model-2.safetensors"}, "model_shards_invalid"),
    ],
)
def test_wrong_indexes_are_refused(weight_map: dict[str, Any], code: str, tmp_path: Path) -> None:
    assert refusal(sharded(model_folder(tmp_path / "m"), weight_map)).code == code


def test_a_tensor_in_two_shards_is_refused(tmp_path: Path) -> None:
    folder = sharded(model_folder(tmp_path / "m"))
    write_weights(folder / "model-2.safetensors", TENSORS)
    assert refusal(folder).code == "model_shards_invalid"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_git_lfs_pointer_is_named_with_the_command_that_fetches_the_file(name: str, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "my model")
    (folder / name).write_bytes(LFS_POINTER + b"v1\noid sha256:4d7a21\nsize 9445888\n")
    error = refusal(folder)
    assert error.code == "lfs_pointer"
    assert error.params["path"] == str(folder / name)
    assert f"git -C '{folder}' lfs pull" in error_texts(error)["hint"]
