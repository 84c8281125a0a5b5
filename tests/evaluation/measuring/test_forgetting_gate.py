"""The promise of the traffic light on the bundled model: a mild run is green, an over-trained one red."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from llmlora.services.evaluate import evaluate
from llmlora.services.train import train

DATASETS = Path(str(resources.files("llmlora"))) / "assets" / "datasets"


def light_after(folder: Path, data: str, **settings: Any) -> str:
    train("nano", DATASETS / data, out=folder, dtype="float32", **settings)
    return str(evaluate(folder, max_questions=2, max_new_tokens=24)["forgetting"]["light"])


@pytest.mark.gate
def test_a_mild_run_is_green(tmp_path: Path) -> None:
    mild = light_after(tmp_path / "mild", "level2_practical_knowledge.json", learning_rate=2e-4, num_train_epochs=1)
    assert mild == "green"


@pytest.mark.gate
def test_an_over_trained_run_is_red(tmp_path: Path) -> None:
    over = light_after(tmp_path / "over", "level1_basic_qa.json", learning_rate=2e-2, num_train_epochs=30)
    assert over == "red"
