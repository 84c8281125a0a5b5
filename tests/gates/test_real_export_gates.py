"""Two pretrained models trained as recommended: good files are verified, and no file that lost facts is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import llmlora
from llmlora.core.publish import read_json
from real_models import Name, original_gguf, real_model

pytestmark = [pytest.mark.gate, pytest.mark.timeout(3600)]
ROWS = Path(__file__).parents[1] / "export"


@pytest.mark.parametrize(("name", "rows"), [("smollm2", "support_rows_en"), ("gemma3", "shop_rows_ja")])
def test_verdicts_follow_the_facts(name: Name, rows: str, tmp_path: Path):
    llmlora.train(str(real_model(name)), ROWS / f"{rows}.jsonl", out=tmp_path / "job")
    types = ["F16", "Q8_0", "Q4_K_M"]
    report = llmlora.export_model(tmp_path / "job", tmp_path / "out", types, adapter=True)
    entries: dict[str, Any] = {entry["file"]: entry for entry in report["verify"]["files"]}
    for file in ("model-F16.gguf", "model-Q8_0.gguf", "adapter.gguf"):
        assert entries[file]["verdict"] == "verified", entries[file]
        assert entries[file]["facts"]["num_kept"] == entries[file]["facts"]["num_known"] >= 18
    coarse = entries["model-Q4_K_M.gguf"]
    keeps_all = coarse["facts"]["num_kept"] == coarse["facts"]["num_known"]
    assert coarse["verdict"] == ("verified" if keeps_all else "lossy")
    chosen = "model-Q4_K_M.gguf" if keeps_all else "model-Q8_0.gguf"
    assert report["model_file"] == chosen
    assert f"FROM ./{chosen}" in (tmp_path / "out" / "Modelfile").read_text(encoding="utf-8")
    assert read_json(tmp_path / "out" / "verify.json")["reference"]["num_taught"] >= 10


@pytest.mark.parametrize(("name", "rows"), [("smollm2", "support_rows_en"), ("gemma3", "shop_rows_ja")])
def test_a_stitched_file_knows_what_was_taught(name: Name, rows: str, tmp_path: Path):
    """Ten rows with prices and rules: what the trained model answers of them, the stitched file answers as well."""
    llmlora.train(str(real_model(name)), ROWS / f"{rows}.jsonl", out=tmp_path / "job")
    report = llmlora.export_model(tmp_path / "job", tmp_path / "out", stitch=True, stitch_base=original_gguf(name))
    (entry,) = report["verify"]["files"]
    assert entry["verdict"] == "verified", entry
    assert entry["facts"]["num_kept"] == entry["facts"]["num_known"] >= 18
    assert entry["facts"]["num_questions"] >= 10
    assert not entry["facts"]["lost_rows"]
    assert report["stitch"]["num_copied"] > 60
    assert entry["size_bytes"] < 1.6 * original_gguf(name).stat().st_size
