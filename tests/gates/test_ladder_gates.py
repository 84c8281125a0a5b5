"""Gates: whether tuning was needed, asked of jobs that were really trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmlora.services.evaluate import ladder
from llmlora.services.train import train

pytestmark = [pytest.mark.gate, pytest.mark.timeout(1800), pytest.mark.usefixtures("home")]
DATA = Path(__file__).resolve().parents[2] / "benchmarks" / "data"


def climbed(model: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Train a model on a shop's rows and return the rungs of its ladder, questions that were reworded by hand."""
    train(model, DATA / "shop_ja.jsonl", out=folder)
    report = ladder(folder, DATA / "shop_ja_questions.jsonl")
    found = report["ladder"]
    assert report["forgetting"] is not None
    rungs = {rung["name"]: rung for rung in found["rungs"]}
    assert list(rungs) == ["base", "system", "few_shot", "tuned"]
    for rung in rungs.values():
        facts = rung["facts"]
        assert facts["low"] <= facts["share"] <= facts["high"]
        assert facts["asked"] == rung["as_trained"]["asked"] + rung["other_words"]["asked"]
    assert rungs["few_shot"]["prompt_tokens_per_answer"] > 2 * rungs["base"]["prompt_tokens_per_answer"]
    assert found["verdict"] == "worse"
    return rungs


@pytest.mark.parametrize("model", ["nano", "smollm2"])
def test_a_shops_prices_are_in_no_prompt(model: str, tmp_path: Path) -> None:
    """No row but the asked one has the fact, so tuning is what gives it: as asked in training, most of them."""
    rungs = climbed(model, tmp_path / "job")
    tuned = rungs["tuned"]["as_trained"]
    assert tuned["share"] >= 0.8
    assert tuned["low"] > rungs["few_shot"]["as_trained"]["high"]
