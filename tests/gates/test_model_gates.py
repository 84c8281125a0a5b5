"""The table of models in docs/reference is true: every architecture is built small, tested and trained for one step.

`LLMLORA_WRITE_MODELS=1` writes the table anew; `make docs` then makes its pages.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from model_table import MODEL_TYPES, check_training, measured_row, table, write_table

pytestmark = [
    pytest.mark.gate,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore"),  # of models that nobody has cared for in years
]


def test_the_table_has_a_row_for_every_architecture() -> None:
    if os.environ.get("LLMLORA_WRITE_MODELS"):
        write_table({model_type: measured_row(model_type) for model_type in MODEL_TYPES})
    assert tuple(table()) == MODEL_TYPES


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_the_row_is_what_training_does(model_type: str, tmp_path: Path) -> None:
    row = table()[model_type]
    assert measured_row(model_type) == row
    if row["layout"] != "not_built":
        check_training(model_type, row, tmp_path)
