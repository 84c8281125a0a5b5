from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.model_files import model_folder
from llmlora.catalog import base_model
from llmlora.services.models import list_models


def test_bundled_models_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model_folder(tmp_path / "tiny")
    monkeypatch.setattr(base_model, "bundled_models", lambda: {"tiny": folder})
    (found,) = list_models()
    assert (found["name"], found["kind"], found["num_parameters"]) == ("tiny", "bundled", 312)
    assert json.loads(json.dumps(found)) == found
