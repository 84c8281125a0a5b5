"""The light on the bundled model: a mild run is green, an over-trained one red, and what a red one advises helps."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from llmlora.services.evaluate import evaluate
from llmlora.services.train import train

DATASETS = Path(str(resources.files("llmlora"))) / "assets" / "datasets"
LEVEL2 = "level2_practical_knowledge.json"


def report_after(folder: Path, data: str, **settings: Any) -> dict[str, Any]:
    train("nano", DATASETS / data, out=folder, dtype="float32", **settings)
    return evaluate(folder, max_questions=2, max_new_tokens=24, check_quality=False)


def light_after(folder: Path, data: str, **settings: Any) -> str:
    return str(report_after(folder, data, **settings)["forgetting"]["light"])


@pytest.mark.gate
def test_a_mild_run_is_green(tmp_path: Path) -> None:
    assert light_after(tmp_path / "mild", LEVEL2, learning_rate=2e-4, num_train_epochs=1) == "green"


@pytest.mark.gate
def test_an_over_trained_run_is_red(tmp_path: Path) -> None:
    over = light_after(tmp_path / "over", "level1_basic_qa.json", learning_rate=2e-2, num_train_epochs=30)
    assert over == "red"


@pytest.mark.gate
def test_what_a_red_light_advises_halves_the_damage_and_keeps_the_facts(tmp_path: Path) -> None:
    red = report_after(tmp_path / "red", LEVEL2)
    (piece,) = red["advice"]
    assert (red["forgetting"]["light"], piece["code"]) == ("red", "damaged")
    followed = report_after(tmp_path / "followed", LEVEL2, **piece["params"]["settings"])
    before, after = red["forgetting"], followed["forgetting"]
    assert after["worst_kind"]["rise"] < 0.5 * before["worst_kind"]["rise"]
    assert len(after["general"]["changed"]) < len(before["general"]["changed"])
    assert followed["facts"]["remembered"] == red["facts"]["remembered"] == red["facts"]["total"]
