"""A quantization that the base already has is named with what it would cost, before a file is written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gguf_base import gguf_base
from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.locale import translate
from llmlora.core.publish import read_json, write_json
from llmlora.export.merge import trained_source
from llmlora.export.own_grid import swallowed_updates
from llmlora.inference.trained_job import find_trained
from llmlora.services.export import plan_export, write_export
from llmlora.worker import export as worker
from tiny_jobs import tiny_job


class BegunError(Exception):
    """The first file is being written."""


class Events:
    """Takes events until the first file is begun."""

    def __init__(self) -> None:
        self.warnings: list[dict[str, Any]] = []

    def emit(self, kind: str, **event: Any) -> None:
        if event.get("name") in ("convert", "quantize", "stitch"):
            raise BegunError
        if kind == "warning":
            self.warnings.append(event)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job on a Q4_0 file whose training changed little, as a gentle one does."""
    folder = tmp_path_factory.mktemp("own-grid")
    job = tiny_job("llama", folder, {"lora_alpha": 0.5, "target_modules": ["q_proj", "down_proj"]})
    gguf_base(folder / "base", folder / "base.gguf")
    shutil.rmtree(folder / "base")
    found = resolve_base_model(str(folder / "base.gguf"))
    place = {"base_model": str(found.path), "base_dir": str(found.path), "base_digest": found.digest}
    write_json(job / "config.json", {**read_json(job / "config.json"), **place})
    return job


def test_the_share_that_survives_is_told_before_the_first_file(job: Path, tmp_path: Path):
    folder = write_export(plan_export(job, tmp_path / "out", ("Q8_0", "Q4_0")))
    events = Events()
    with pytest.raises(BegunError):
        worker.run(folder, read_json(folder / "config.json"), events, stop=False)  # type: ignore[arg-type]
    (warning,) = events.warnings
    assert (warning["code"], warning["params"]["quantization"]) == ("own_quantization", "Q4_0")
    kind, _, share = warning["params"]["shares"].partition(" ")
    assert kind == "Q4_0"
    assert int(share.rstrip("%")) < 50
    said = translate("cli.warning.own_quantization", **warning["params"])
    assert all(part in said for part in ("Q4_0", share, str(warning["params"]["num_tensors"])))
    assert not list(folder.glob("*.gguf"))


def test_another_grid_and_a_folder_are_not_warned_of(job: Path, tmp_path: Path):
    trained = find_trained(job)
    assert not list(swallowed_updates(trained, *trained_source(trained), ("Q8_0", "Q6_K", "Q5_K_M")))
    on_folder = find_trained(tiny_job("llama", tmp_path, {}))
    assert not list(swallowed_updates(on_folder, *trained_source(on_folder), ("Q4_0",)))
