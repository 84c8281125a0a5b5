"""Gate S7 for GGUF: ten thousand damaged headers without a crash, a hang or something outside the file accepted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.catalog.test_gguf_header import check_mutation, small_file

from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.gguf.writer import write_gguf
from llmlora.weights.folder_source import FolderSource
from tiny_models import tiny_model

pytestmark = pytest.mark.gate


def test_ten_thousand_damaged_headers(tmp_path: Path) -> None:
    whole = small_file().build()
    for seed in range(10_000):
        check_mutation(tmp_path, whole, seed + 1_000)


@pytest.mark.timeout(900)
def test_damage_in_the_header_of_a_real_file(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "model", num_hidden_layers=1)
    path = tmp_path / "model.gguf"
    write_gguf(FolderSource(folder), json.loads((folder / "config.json").read_text()), folder, path, "F16", "llmlora-t")
    header = read_gguf_header(path)
    whole = path.read_bytes()[: header.data_offset + 4096]
    for seed in range(2_000):
        check_mutation(tmp_path, whole, seed)
