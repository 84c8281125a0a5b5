"""Models are found in Ollama's store by name, in both layouts, and nothing in it is ever changed."""

from __future__ import annotations

import json
import os
import random
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from gguf_bytes import STRING, U32, RawGguf, key_value, tensor_entry
from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.ollama_name import OllamaName
from llmlora.catalog.ollama_store import (
    MAX_DOCUMENT_BYTES,
    BrokenModel,
    OllamaModel,
    find_ollama_model,
    list_ollama_models,
)
from llmlora.core.errors import LlmloraError, ModelFileError, NotFound
from llmlora.core.locale import LANGUAGES, error_texts, set_language
from ollama_store import OllamaStore
from pace import slowness

pytestmark = pytest.mark.usefixtures("home")
PUBLIC, NEWER = "registry.ollama.ai/library", "ollama.com/library"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OllamaStore:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "store"))
    return OllamaStore(tmp_path / "store")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.gguf"
    values = [key_value("general.architecture", STRING, "llama"), key_value("llama.context_length", U32, 64)]
    tensors = [tensor_entry("token_embd.weight", (4, 8), 0, 0)]
    path.write_bytes(RawGguf(values, tensors, bytes(128)).build())
    return path


def state(root: Path) -> list[tuple[str, int, int]]:
    found = [(str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in sorted(root.rglob("*"))]
    return [(str(root), 0, root.stat().st_mtime_ns), *found]


@pytest.mark.parametrize(
    ("text", "shown", "parts"),
    [
        ("ollama:smollm2", "smollm2:latest", ("registry.ollama.ai", "library", "smollm2", "latest")),
        ("qwen2.5:0.5b", "qwen2.5:0.5b", ("registry.ollama.ai", "library", "qwen2.5", "0.5b")),
        ("ollama:me/mine", "me/mine:latest", ("registry.ollama.ai", "me", "mine", "latest")),
        ("ollama:hf.co/a/B-GGUF:Q4_K_M", "hf.co/a/B-GGUF:Q4_K_M", ("hf.co", "a", "B-GGUF", "Q4_K_M")),
        ("localhost:5000/a/b:c", "localhost:5000/a/b:c", ("localhost:5000", "a", "b", "c")),
    ],
)
def test_names_are_read_as_ollama_reads_them(text: str, shown: str, parts: tuple[str, ...]) -> None:
    name = OllamaName.parse(text)
    assert (name.host, name.namespace, name.model, name.tag) == parts
    assert str(name) == shown


@pytest.mark.parametrize(
    "text", ["", "ollama:", "a b", "../x", "a/b/c/d", "日本語", ":tag", "x" * 81, "a/../b", "a:b/c"]
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(NotFound, match="ollama_name_invalid"):
        OllamaName.parse(text)


def test_a_model_of_the_older_layout(store: OllamaStore, weights: Path) -> None:
    layers = [
        ("model", weights), ("template", "{{ .Prompt }}"), ("system", "Be kind."), ("license", "MIT License\nText"),
        ("params", {"stop": ["<|im_end|>"]}),
    ]  # fmt: skip
    store.add(f"{PUBLIC}/tiny/latest", store.manifest(layers, {"file_type": "F32", "renderer": "x"}))
    before = state(store.root)
    model = find_ollama_model("ollama:Tiny")
    assert (str(model.name), model.why_not) == ("tiny:latest", None)
    assert (model.text("template"), model.text("system")) == ("{{ .Prompt }}", "Be kind.")
    assert (model.parameters, model.config["renderer"]) == ({"stop": ["<|im_end|>"]}, "x")
    assert model.weights[0].read_bytes() == weights.read_bytes()
    base = resolve_base_model("ollama:tiny")
    assert (base.kind, base.name, base.license, base.dtype) == ("ollama", "ollama:tiny:latest", "MIT License", "F32")
    assert f"sha256-{base.digest}" == base.path.name
    assert state(store.root) == before


def test_the_newer_layout_comes_first_and_links_to_nothing_fall_through(store: OllamaStore, weights: Path) -> None:
    old, new = (store.manifest([("model", weights), ("system", text)]) for text in ("old", "new"))
    store.add(f"{PUBLIC}/tiny/latest", old)
    path = store.add(f"{NEWER}/tiny/latest", new, layout="manifests-v2", is_link=True)
    assert find_ollama_model("tiny").text("system") == "new"
    assert [str(model.name) for model in list_ollama_models()] == ["tiny:latest"]
    os.unlink(path.resolve())
    assert find_ollama_model("tiny").text("system") == "old"


def test_of_a_list_the_form_for_llamacpp_is_taken(store: OllamaStore, weights: Path) -> None:
    forms = {name: store.manifest([("model", weights), ("system", name)]) for name in ("ggml", "llamacpp", "ollama")}
    mlx = store.manifest([("tensor", b"x")], {"model_format": "safetensors"})
    children = [("mlx", "safetensors", mlx), *((name, "gguf", forms[name]) for name in ("ollama", "llamacpp", "ggml"))]
    store.add(f"{NEWER}/all/latest", store.list_of(*children), layout="manifests-v2")
    store.add(f"{NEWER}/two/latest", store.list_of(*children[:3]), layout="manifests-v2")
    store.add(f"{NEWER}/mlx/latest", store.list_of(children[0]), layout="manifests-v2")
    assert [find_ollama_model(name).text("system") for name in ("all", "two")] == ["ggml", "llamacpp"]
    assert find_ollama_model("mlx").why_not == "ollama_not_gguf"
    with pytest.raises(ModelFileError, match="ollama_not_gguf"):
        resolve_base_model("ollama:mlx")


def test_what_has_no_weights_to_train_says_why(store: OllamaStore, weights: Path) -> None:
    store.add(f"{PUBLIC}/big/cloud", store.manifest([], {"remote_host": "https://ollama.com", "remote_model": "big"}))
    store.add(f"{PUBLIC}/tuned/latest", store.manifest([("model", weights), ("adapter", b"GGUF")]))
    for name, code in (("big:cloud", "ollama_cloud"), ("tuned", "ollama_has_adapter")):
        with pytest.raises(ModelFileError, match=code) as caught:
            resolve_base_model(f"ollama:{name}")
        for language in LANGUAGES:
            set_language(language)
            assert name.partition(":")[0] in error_texts(caught.value)["what"]


def test_anchors_shadows_hidden_files_and_foreign_hosts(store: OllamaStore, weights: Path) -> None:
    anchor = "application/vnd.docker.distribution.manifest.v2+json"
    store.add("localhost%3A5000/a/b/c", store.manifest([("model", weights), (anchor, "{}")]), layout="manifests-v2")
    store.add(f"{PUBLIC}/llamacpp/{'0' * 64}", store.manifest([("model", weights)]))
    store.add(f"{PUBLIC}/tiny/.tmp-latest", store.manifest([("model", weights)]))
    assert [str(model.name) for model in list_ollama_models()] == ["localhost:5000/a/b:c"]
    assert [layer.kind for layer in find_ollama_model("localhost:5000/a/b:c").layers] == ["model"]


def test_no_name_is_ever_replaced_by_another(store: OllamaStore, weights: Path) -> None:
    store.add(f"{PUBLIC}/smollm2/135m", store.manifest([("model", weights)]))
    with pytest.raises(NotFound) as caught:
        find_ollama_model("ollama:smollm2")
    assert (caught.value.code, caught.value.params["near"]) == ("ollama_model_not_found", "ollama:smollm2:135m")
    with pytest.raises(NotFound, match="smollm2:135m"):
        resolve_base_model("smolllm2:135m")


def test_without_a_store_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "nowhere"))
    with pytest.raises(NotFound, match="ollama_no_store"):
        find_ollama_model("tiny")
    assert list_ollama_models() == []


SPLINTERS = (
    b"",
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b",",
    b":",
    b"null",
    b"-1",
    b"1e999",
    b"NaN",
    b"\xff",
    b"\\ud800",
    b"[" * 70,
)
DAMAGED = {
    "not JSON": b"{",
    "a list": b"[]",
    "layers of another kind": b'{"layers": 3}',
    "a path for a digest": b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "../../x"}]}',
    "a list of nothing": b'{"manifests": 1}',
    "deep": b"[" * 100_000,
    "deep where a word is expected": b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": '
    + b"[" * 900 + b"]" * 900 + b"}]}",
    "deep beside all that is looked at": b'{"x": ' + b'{"y": ' * 100 + b"1" + b"}" * 101,
    "a number of too many digits": b'{"x": ' + b"9" * 5000 + b"}",
    "not UTF-8": b'{"layers": "\xff\xfe"}',
    "too large": b'{"layers": [' + b"[]," * 400_000 + b"[]]}",
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_manifests_are_typed_errors(case: str, store: OllamaStore) -> None:
    path = store.add(f"{PUBLIC}/bad/latest", {})
    path.write_bytes(DAMAGED[case])
    with pytest.raises(ModelFileError, match="ollama_manifest_invalid"):
        find_ollama_model("bad")
    (found,) = list_ollama_models()
    assert isinstance(found, BrokenModel)


def test_a_document_takes_little_memory_and_time_whatever_is_in_it(store: OllamaStore) -> None:
    path = store.add(f"{PUBLIC}/bad/latest", {})
    path.write_bytes(b'{"x": [' + b"{}," * ((MAX_DOCUMENT_BYTES - 64) // 3) + b"{}]}")
    started = time.process_time()
    list_ollama_models()
    seconds = time.process_time() - started
    tracemalloc.start()
    (found,) = list_ollama_models()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, OllamaModel) and found.why_not == "ollama_not_gguf"
    assert peak < 64 << 20
    assert seconds < 2 * slowness()


@pytest.mark.parametrize("size", [10**4000, -1, "9", True, None, 1.5])
def test_a_size_that_no_file_has_counts_as_none(store: OllamaStore, weights: Path, size: Any) -> None:
    manifest = store.manifest([("model", weights)])
    manifest["layers"][0]["size"] = size
    store.add(f"{PUBLIC}/tiny/latest", manifest)
    (found,) = list_ollama_models()
    assert isinstance(found, OllamaModel) and found.num_bytes <= 1


def test_changed_bytes_are_typed_errors_or_harmless(store: OllamaStore, weights: Path) -> None:
    """2,000 manifests, lists and configurations with bytes changed, left out and doubled."""
    child = store.manifest([("model", weights), ("template", "{{ .Prompt }}"), ("params", {"stop": ["x"]})])
    documents = [json.dumps(child), json.dumps(store.list_of(("llamacpp", "gguf", child)))]
    manifest = store.add(f"{PUBLIC}/tiny/latest", child)
    config = store.root / "blobs" / child["config"]["digest"].replace(":", "-")
    chance = random.Random(10)
    for number in range(2000):
        path = config if number % 3 == 2 else manifest
        data = bytearray(config.read_bytes() if path == config else documents[number % 3].encode())
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 9)] = chance.choice(SPLINTERS)
        before = path.read_bytes()
        path.write_bytes(data)
        (found,) = list_ollama_models()
        assert isinstance(found, OllamaModel | BrokenModel)
        path.write_bytes(before)


def test_blobs_that_are_gone_are_named(store: OllamaStore, weights: Path) -> None:
    manifest = store.manifest([("model", weights)])
    store.add(f"{PUBLIC}/tiny/latest", manifest)
    (found,) = list_ollama_models()
    assert isinstance(found, OllamaModel)
    os.unlink(found.weights[0])
    with pytest.raises(LlmloraError) as caught:
        resolve_base_model("ollama:tiny")
    assert caught.value.code == "gguf_unreadable"
    os.unlink(store.root / "blobs" / manifest["config"]["digest"].replace(":", "-"))
    with pytest.raises(ModelFileError, match="ollama_blob_missing"):
        find_ollama_model("tiny")
