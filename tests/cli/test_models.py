from __future__ import annotations

from cli.command_line import run
from llmlora.catalog.base_model import bundled_models


def test_models_are_listed() -> None:
    shown = run("models")
    assert shown.code == 0
    assert all(name in shown.stdout for name in bundled_models())
    assert "Hugging Face" in shown.stderr


def test_models_as_a_document() -> None:
    document = run("models", "--json").document
    assert document["schema"] == "llmlora.models/1"
    assert [model["name"] for model in document["models"]] == list(bundled_models())


def test_an_unknown_option_is_refused() -> None:
    assert run("models", "--nope", "--json").code == 2
