from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.model_files import model_folder
from llmlora.catalog import base_model
from llmlora.core.errors import NotFound
from llmlora.services.models import describe_model, list_models

pytestmark = pytest.mark.usefixtures("home")


def test_bundled_models_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model_folder(tmp_path / "tiny")
    monkeypatch.setattr(base_model, "bundled_models", lambda: {"tiny": folder})
    (found,) = list_models()
    assert (found["name"], found["kind"], found["num_parameters"]) == ("tiny", "bundled", 312)
    assert json.loads(json.dumps(found)) == found
    assert describe_model("tiny") == found
    assert describe_model(str(folder))["kind"] == "folder"


def test_an_unknown_model_is_not_described() -> None:
    with pytest.raises(NotFound):
        describe_model("no-such-model")
