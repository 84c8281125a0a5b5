"""Adapter folders from elsewhere: everything that PEFT would load or import is looked at before."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.model_files import write_weights
from llmlora.catalog.adapter_folder import read_adapter_folder
from llmlora.core.errors import LlmloraError, exit_code_of
from llmlora.core.locale import LANGUAGES, error_texts, set_language
from unprivileged import open_folder, unprivileged

WEIGHTS = "adapter_model.safetensors"


def adapter(folder: Path, **config: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    values = {"peft_type": "LORA", "r": 4, "base_model_name_or_path": "../../elsewhere", **config}
    (folder / "adapter_config.json").write_text(json.dumps(values), encoding="utf-8")
    write_weights(folder / WEIGHTS, {"base_model.model.model.layers.0.mlp.up_proj.lora_A.weight": (4, 8)})
    return folder


def refusal(folder: Path) -> LlmloraError:
    with pytest.raises(LlmloraError) as caught:
        read_adapter_folder(folder)
    for language in LANGUAGES:
        set_language(language)
        assert all(text and "{" not in text for text in error_texts(caught.value).values())
    return caught.value


def test_a_sound_adapter_passes_whatever_base_it_names(tmp_path: Path) -> None:
    read_adapter_folder(adapter(tmp_path / "a"))


@pytest.mark.parametrize("library", ["transformers.models.llama.modeling_llama", "peft.peft_model", None])
def test_what_peft_itself_writes_into_auto_mapping_is_accepted(library: str | None, tmp_path: Path) -> None:
    mapping = {"base_model_class": "LlamaForCausalLM", "parent_library": library}
    read_adapter_folder(adapter(tmp_path / "a", auto_mapping=mapping))
    read_adapter_folder(adapter(tmp_path / "b", auto_mapping=None))


@pytest.mark.parametrize("library", ["os", "evil.module", "transformers_evil", "", 3])
def test_auto_mapping_to_other_code_is_refused(library: Any, tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a", auto_mapping={"parent_library": library})
    if not library:
        read_adapter_folder(folder)
        return
    error = refusal(folder)
    assert (error.code, error.params["setting"], exit_code_of(error)) == ("model_config_hostile", "auto_mapping", 4)


def _pickle(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "adapter_model.bin").write_bytes(b"PK\x03\x04")


def _link(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder.parent / "elsewhere")
    (folder / WEIGHTS).symlink_to(folder.parent / "elsewhere")


def _pipe(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


DAMAGE: dict[str, tuple[Callable[[Path], Any], str, int]] = {
    "pickle": (_pickle, "pickle_weights", 4),
    "renamed pickle": (
        lambda folder: (folder / WEIGHTS).write_bytes(b"PK\x03\x04" + b"\xff" * 20),
        "pickle_weights",
        4,
    ),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "adapter_weights_missing", 4),
    "pipe": (_pipe, "adapter_weights_missing", 4),
    "cut weights": (lambda folder: (folder / WEIGHTS).write_bytes(b"\x10\0\0"), "safetensors_invalid", 4),
    "link out": (_link, "model_file_outside", 4),
    "config not JSON": (lambda folder: (folder / "adapter_config.json").write_text("{"), "model_json_invalid", 4),
    "config a list": (lambda folder: (folder / "adapter_config.json").write_text("[]"), "model_json_invalid", 4),
    "no config": (lambda folder: (folder / "adapter_config.json").unlink(), "adapter_not_found", 3),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_and_hostile_adapters_are_refused(name: str, tmp_path: Path) -> None:
    damage, code, exit_code = DAMAGE[name]
    folder = adapter(tmp_path / "a")
    damage(folder)
    error = refusal(folder)
    assert (error.code, exit_code_of(error)) == (code, exit_code)


def test_a_folder_without_permission_is_told_as_such() -> None:
    with open_folder() as place:
        folder = adapter(place / "a")
        folder.chmod(0)
        with unprivileged():
            assert refusal(folder).code == "model_file_unreadable"
