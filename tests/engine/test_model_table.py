"""A dozen rows of the table of models, measured again; `make gates` does all of them and trains each one."""

from __future__ import annotations

import pytest

from llmlora.gguf.architectures import ARCHITECTURES
from model_table import MODEL_TYPES, measured_row, table

MEASURED_AGAIN = (
    "bert", "bloom", "falcon_h1", "gemma3_text", "gpt_neo", "gpt_oss", "lfm2", "llama", "mamba", "phi3", "qwen3_next",
    "stablelm",
)  # fmt: skip


@pytest.mark.parametrize("model_type", MEASURED_AGAIN)
def test_the_row_is_still_true(model_type: str) -> None:
    assert measured_row(model_type) == table()[model_type]


def test_the_table_covers_what_transformers_can_build_and_what_export_knows() -> None:
    rows = table()
    assert tuple(rows) == MODEL_TYPES
    assert {name for name, row in rows.items() if row["gguf"]} == set(ARCHITECTURES) & set(MODEL_TYPES)
    assert {row["layout"] for row in rows.values()} == {"packed", "padded", "refused", "not_built"}
    assert all(row["reason"] for row in rows.values() if row["layout"] in ("refused", "not_built"))


def test_everything_that_can_be_exported_can_be_trained_packed() -> None:
    rows = table()
    assert {rows[name]["layout"] for name in set(ARCHITECTURES) & set(MODEL_TYPES)} == {"packed"}
